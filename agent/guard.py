"""Compares the test runs before and after a change: what it broke, what it mended. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from agent.tools.testreport import TestCase, TestReport


@dataclass(frozen=True)
class Verdict:
    """`broken` are tests that passed before and fail now; `mended` is whether a failing one passes now."""

    broken: tuple[TestCase, ...]
    mended: bool
    trouble: str = ""

    @property
    def is_harmful(self) -> bool:
        return bool(self.broken or self.trouble)


def compare(before: TestReport, after: TestReport) -> Verdict:
    """What a change did to the tests. Tests that the change removed or renamed count neither way."""
    if after.trouble:
        return Verdict((), False, "" if before.trouble else after.trouble)
    if before.trouble:
        return Verdict((), bool(after.passed_ids))
    known_broken = {case.id for case in before.broken}
    passed_names = {case.name for case in before.cases if case.id in before.passed_ids}
    broken = tuple(
        case
        for case in after.broken
        # A file that cannot be imported any more fails under a new id of its own.
        if case.id in before.passed_ids
        or (case.id not in known_broken and case.name not in passed_names and not case.places)
    )
    return Verdict(broken, bool(known_broken & after.passed_ids))
