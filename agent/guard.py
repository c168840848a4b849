"""Compares the test runs before and after a change: what it broke, what it mended. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from agent.tools.testreport import TestCase, TestReport


@dataclass(frozen=True)
class Verdict:
    """`broken` are tests that fail now and did not before; `mended` is whether a failing one passes now."""

    broken: tuple[TestCase, ...]
    mended: bool
    trouble: str = ""

    @property
    def is_harmful(self) -> bool:
        return bool(self.broken or self.trouble)


def compare(before: TestReport, after: TestReport) -> Verdict:
    """What a change did to the tests. Tests that it removed count neither way; new ones have to pass."""
    if after.trouble:
        return Verdict((), False, "" if before.trouble else after.trouble)
    if before.trouble:
        return Verdict((), bool(after.passed_ids))
    known = {case.id for case in before.broken}
    fresh = tuple(case for case in after.broken if case.id not in known)
    # A failing test that was only renamed is no new one.
    is_worse = len(after.broken) > len(before.broken) or any(case.id in before.passed_ids for case in fresh)
    return Verdict(fresh if is_worse else (), bool(known & after.passed_ids))
