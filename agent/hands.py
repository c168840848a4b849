"""Carries out calls: only what is allowed, and no change stays that makes a passing test fail."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Union

from agent.errors import UtterError
from agent.events import ApprovalNeeded
from agent.guard import compare
from agent.permissions import Action, Ask, Deny, Kind, Mode, decide, is_secret
from agent.permissions.approval import Approve, Approved, refuse
from agent.tools.registry import Outcome, Tool, refused
from agent.tools.testreport import TestReport
from agent.tools.toolbox import Toolbox, told
from agent.workshop import Workshop

_BASELINE_LIMIT_S = 30.0
_ERROR_CHARS = 160
_REMOVES_TESTS = re.compile(r"\b(remove|delete|drop|get rid of)\b.*test", re.IGNORECASE)
_CHANGING = (Kind.WRITE, Kind.COMMIT, Kind.RUN, Kind.RUN_TESTS)


@dataclass(frozen=True)
class _Call:
    """What `Hands.carry_out` was given."""

    tool: Tool
    arguments: Mapping[str, Any]
    request: str
    before: TestReport | None
    must_mend: bool


@dataclass(frozen=True)
class NeedsWord:
    """The call waits for the user's word: tell `asked`, then `Hands.settle` it."""

    call: _Call
    action: Action
    ask: Ask

    def asked(self, call_id: str) -> ApprovalNeeded:
        """The question that goes out, with the exact command or change in it."""
        what = _exactly(self.action, self.call)
        return ApprovalNeeded(call_id, what, self.ask.reason, self.ask.is_destructive)


class Hands:
    """Carries out calls of one toolbox. `approve` asks the user."""

    def __init__(self, toolbox: Toolbox, approve: Approve = refuse, mode: Mode = Mode.WORK) -> None:
        self._tools = toolbox
        self._approve = approve
        self.mode = mode
        self._tests_are_slow = False
        self.workshop = Workshop()

    async def baseline(self) -> TestReport | None:
        """The tests as they are before a change; None where there are none, or they take too long."""
        if self._tests_are_slow or self.mode is Mode.READ_ONLY:
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
        call = _Call(tool, arguments, request, before, must_mend)
        try:
            action = self._action(call)
        except UtterError as error:
            return refused(tool.name, str(error))
        if action is None:
            return await self._work(call, None)
        decision = await asyncio.to_thread(decide, action, request, self.mode, self._tools.ground)
        if isinstance(decision, Deny):
            return refused(tool.name, decision.reason)
        if isinstance(decision, Ask):
            return NeedsWord(call, action, decision)
        return await self._work(call, action)

    async def settle(self, waiting: NeedsWord, asked: ApprovalNeeded) -> Outcome:
        """Ask the user, and carry the call out if the answer is yes."""
        answer = await self._approve(asked)
        if not isinstance(answer, Approved):
            return refused(waiting.call.tool.name, answer.reason)
        return await self._work(waiting.call, waiting.action, is_granted=True)

    async def _work(self, call: _Call, action: Action | None, *, is_granted: bool = False) -> Outcome:
        """What is begun goes on when nobody waits for it any longer."""
        return await self.workshop.do(call.tool.name, self._allowed(call, action, is_granted=is_granted))

    async def _allowed(self, call: _Call, action: Action | None, *, is_granted: bool) -> Outcome:
        with ExitStack() as granted:
            if is_granted and action is not None and action.path and is_secret(action.path):
                granted.enter_context(self._tools.workspace.granted(action.path))
            return await self._do(call, action)

    def _action(self, call: _Call) -> Action | None:
        """What the call would do, to the file that its path leads to in the end."""
        action = call.tool.action(call.arguments)
        if action is None or not action.path:
            return action
        workspace = self._tools.workspace
        real = workspace.relative(workspace.resolve(action.path))
        return replace(action, path=real) if is_secret(real) else action

    async def _do(self, call: _Call, action: Action | None) -> Outcome:
        if action is not None and action.kind in _CHANGING:
            await self._tools.before_change()
        tool, before, edits = call.tool, call.before, self._tools.edits
        mark = edits.mark()
        try:
            outcome = await tool.handler(call.arguments)
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
        verdict = compare(before, after, may_remove=bool(_REMOVES_TESTS.search(call.request)))
        if verdict.is_harmful:
            broke = verdict.broken[0].name if verdict.broken else "the tests"
            more = f": {verdict.error}" if verdict.error else ""
            done = self._taken_back(tool, mark, f"that change made {broke} fail", more[:_ERROR_CHARS])
            return replace(done, has_crashed=bool(verdict.error))
        if call.must_mend and not verdict.mended:
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


def _exactly(action: Action, call: _Call) -> str:
    """The command or the change, in full."""
    if action.kind is Kind.RUN:
        return action.command
    if action.kind is Kind.COMMIT:
        return f"commit with the message: {call.arguments.get('message', '')}"
    verbs = {Kind.READ: "read", Kind.WRITE: "change", Kind.RUN_TESTS: "run the tests"}
    keys = ("old", "new") if call.tool.name == "rename" else ("name",)
    names = " ".join(str(call.arguments[key]) for key in keys if key in call.arguments)
    return f"{verbs.get(action.kind, call.tool.name)} {action.path or names}".strip()


def _trouble(error: UtterError | OSError | RecursionError | MemoryError) -> str:
    if isinstance(error, UtterError):
        return str(error)
    if isinstance(error, OSError):
        return f"that could not be done: {error.strerror or error}"
    return "that is more than I can work on at once"
