"""Carries out calls: only what is allowed, and no change stays that makes a passing test fail."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Union

from agent.errors import UtterError
from agent.guard import compare
from agent.permissions import Ask, Deny, decide
from agent.tools.registry import Outcome, Tool, refused
from agent.tools.testreport import TestReport
from agent.tools.toolbox import Toolbox, told

_BASELINE_LIMIT_S = 30.0
_REMOVES_TESTS = re.compile(r"\b(remove|delete|drop|get rid of)\b.*test", re.IGNORECASE)


@dataclass(frozen=True)
class NeedsWord:
    """The call was not carried out: the user has to be asked, with `question`."""

    question: str


class Hands:
    """Carries out calls of one toolbox."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._tools = toolbox
        self._tests_are_slow = False

    async def baseline(self) -> TestReport | None:
        """The tests as they are before a change; None where there are none, or they take too long."""
        if self._tests_are_slow:
            return None
        try:
            report = await asyncio.wait_for(self._tools.test_report(), _BASELINE_LIMIT_S)
        except asyncio.TimeoutError:
            self._tests_are_slow = True
            return None
        return report if report.cases else None

    async def carry_out(
        self,
        tool: Tool,
        arguments: Mapping[str, Any],
        request: str,
        before: TestReport | None = None,
        *,
        must_mend: bool = False,
    ) -> Union[Outcome, NeedsWord]:
        """One call made in a turn that the user began with `request`.

        With `before`, a change is taken back when it breaks a test, or (`must_mend`) when it mends none.
        """
        action = tool.action(arguments)
        decision = decide(action, request) if action is not None else None
        if isinstance(decision, Deny):
            return refused(tool.name, decision.reason)
        if isinstance(decision, Ask):
            return NeedsWord(decision.reason)
        edits = self._tools.edits
        mark = edits.mark()
        try:
            outcome = await tool.handler(arguments)
        except (UtterError, OSError, RecursionError, MemoryError) as error:
            edits.revert(mark)
            return refused(tool.name, _trouble(error))
        if not outcome.ok or edits.mark() == mark:
            return outcome
        if before is None:
            untested = "; not tested, the tests take too long" if self._tests_are_slow else ""
            return replace(outcome, content=outcome.content + untested)
        try:
            after = await self._tools.test_report()
        except BaseException:
            # Broken off before the tests could tell: the change is not known to be good.
            edits.revert(mark)
            raise
        verdict = compare(before, after, may_remove=bool(_REMOVES_TESTS.search(request)))
        if verdict.is_harmful:
            broke = verdict.broken[0].name if verdict.broken else "the tests"
            return self._taken_back(tool, mark, f"that change made {broke} fail")
        if must_mend and not verdict.mended:
            left = told(self._tools.test_facts(after)).partition("; ")[2]
            return self._taken_back(tool, mark, "that change did not help", f": {left}")
        return outcome

    def _taken_back(self, tool: Tool, mark: int, why: str, more: str = "") -> Outcome:
        """Undo what was done since `mark`, but for files that somebody else has saved since."""
        left = self._tools.edits.revert(mark)
        if left:
            names = ", ".join(left)
            return refused(tool.name, f"{why}, and {names} has been saved since, so I left it as it is{more}")
        return replace(refused(tool.name, f"{why}, so I took it back{more}"), was_taken_back=True)


def _trouble(error: UtterError | OSError | RecursionError | MemoryError) -> str:
    if isinstance(error, UtterError):
        return str(error)
    if isinstance(error, OSError):
        return f"that could not be done: {error.strerror or error}"
    return "that is more than I can work on at once"
