"""Compares the test runs before and after a change: what it broke, what it mended. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.tools.testreport import Outcome, TestCase, TestReport

_CRASH = re.compile(r"[\w.]*(?:Error|Exception)\b|runtime error\b|index out of range\b|panicked\b")


@dataclass(frozen=True)
class Verdict:
    """`broken` are tests that fail now and did not before; `mended` is whether a failing one passes now.

    `error` says why tests cannot be run any more, as a compiler does, or why one breaks off in the middle.
    """

    broken: tuple[TestCase, ...]
    mended: bool
    trouble: str = ""
    error: str = ""

    @property
    def is_harmful(self) -> bool:
        return bool(self.broken or self.trouble)


def compare(before: TestReport, after: TestReport, *, may_remove: bool = False) -> Verdict:
    """What a change did to tests that could be run: new ones have to pass, none that passed may be gone.

    With `may_remove` tests that are gone count neither way, unless something new cannot be run.
    """
    if after.trouble:
        return Verdict((), False, after.trouble)
    # A test file that cannot be imported is one error in place of all its tests.
    cannot_run = {case.id for case in after.broken if case.outcome is Outcome.ERROR}
    new_errors = cannot_run - {case.id for case in before.cases}
    is_new_error = bool(new_errors)
    error = next((case.message for case in after.broken if case.id in new_errors), "")
    if is_new_error or (len(after.cases) < len(before.cases) and not may_remove):
        there = {case.id for case in after.cases}
        gone = tuple(case for case in before.cases if case.id in before.passed_ids - there)
    else:
        gone = ()
    known = {case.id for case in before.broken}
    fresh = tuple(case for case in after.broken if case.id not in known)
    # A failing test that was only renamed is no new one.
    is_worse = len(after.broken) > len(before.broken) or any(case.id in before.passed_ids for case in fresh)
    broken = (*gone, *(fresh if is_worse else ()))
    error = error or next((told for case in broken if (told := _crash(case))), "")
    return Verdict(broken, _is_mended(before, after), error=error)


def _is_mended(before: TestReport, after: TestReport) -> bool:
    """Whether what failed passes now, or what could not be run is run now."""
    known = {case.id for case in before.broken}
    if known & after.passed_ids:
        return True
    errors = {case.id for case in before.broken if case.outcome is Outcome.ERROR}
    still_broken = {case.id for case in after.broken}
    return bool(errors - still_broken) and bool(after.passed_ids - before.passed_ids)


def _crash(case: TestCase) -> str:
    """Why a test broke off before it could compare anything; nothing for one that compared."""
    line = case.message.strip().partition("\n")[0]
    return line if _CRASH.match(line) and not line.startswith("Assertion") else ""
