"""One turn: request → context → the model's calls → tools → events, until it is answered or done.

The agent that the voice session, the command line and the server talk to. It claims nothing of its own: what
was done comes out as facts, what was asked as the model's words.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

from agent import context, intents, routing
from agent.context import Context
from agent.conversation import Conversation
from agent.dialogue import Dialogue
from agent.engine.protocol import ContextFull, Engine
from agent.errors import UtterError
from agent.events import (
    ApprovalNeeded,
    EndReason,
    Event,
    ToolArgumentsDelta,
    ToolCallReady,
    ToolCallStarted,
    ToolResult,
    TurnEnded,
)
from agent.hands import Hands, NeedsWord
from agent.mending import Found, small_repair
from agent.routing import NewCode, Route
from agent.steps import Task, TimeUp, Turn, work
from agent.template import ChatTemplate
from agent.toolcalls.guided import next_call_id
from agent.toolcalls.prompt import system_prompt
from agent.tools.registry import Outcome, refused
from agent.tools.testreport import TestCase, TestReport
from agent.tools.toolbox import Toolbox, told

_MAX_MENDED = 3

_READING = ("read_file", "search", "list_files")
_WRITING = ("rewrite_function", "edit_file", "append", "create_file")


@dataclass(frozen=True)
class Limits:
    """Bounds of one turn: calls of the model, and seconds."""

    steps: int = 8
    time_s: float = 180.0


class Agent:
    """Works on one repository in one conversation. One turn at a time.

    A turn that is broken off (its generator closed, its task cancelled) is cut out of the conversation when
    the next one begins. Changes to files that it had finished stay and are remembered.
    """

    def __init__(
        self, engine: Engine, template: ChatTemplate, toolbox: Toolbox, limits: Limits | None = None
    ) -> None:
        self._tools = toolbox
        self._hands = Hands(toolbox)
        self._limits = limits or Limits()
        self._dialogue = Dialogue(engine, template, system_prompt(toolbox.registry))

    @property
    def conversation(self) -> Conversation | None:
        """What has been said between us and the model; None until the model is needed."""
        return self._dialogue.conversation

    async def warm(self) -> None:
        """Restore the system prompt's KV from an earlier run, or compute and save it."""
        await self._dialogue.warm()

    async def turn(self, request: str) -> AsyncGenerator[Event, None]:
        """Carry out one request. Ends with `Usage` and `TurnEnded`, always; raises only cancellation.

        A call that was begun has its `ToolResult`, also when the turn ends before it is carried out.
        """
        turn = Turn(time.monotonic(), self._limits.time_s, self._limits.steps)
        end = TurnEnded(EndReason.ANSWERED)
        is_whole = False
        begun = ""
        try:
            try:
                async with (
                    aclosing(self._parts(request, turn)) as events,
                    aclosing(turn.in_time(events)) as timed,
                ):
                    async for event in timed:
                        if isinstance(event, TurnEnded):
                            end = event
                            break
                        if isinstance(event, ToolCallStarted):
                            begun = event.id
                        elif isinstance(event, ToolResult):
                            begun = ""
                        yield event
                self._dialogue.end()
                is_whole = True
            except TimeUp as error:
                end = TurnEnded(EndReason.TIME_LIMIT, str(error))
            except ContextFull:
                end = TurnEnded(EndReason.CONTEXT_FULL, "That is more than I can keep in mind at once.")
            except UtterError as error:
                end = TurnEnded(EndReason.FAILED, str(error))
            except Exception as error:
                what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                end = TurnEnded(EndReason.FAILED, f"Something went wrong in me, so I stopped: {what}.")
        finally:
            self._remember(request, turn, is_whole=is_whole)
        if begun:
            yield ToolResult(begun, False, f"error: {end.detail}")
        yield self._dialogue.usage()
        yield end

    async def _parts(self, request: str, turn: Turn) -> AsyncGenerator[Event, None]:
        """The requests of one sentence in turn, until one does not end well."""
        await self._dialogue.begin()
        for part in routing.split(request):
            async with aclosing(self._part(part, turn)) as events:
                async for event in events:
                    yield event
                    if isinstance(event, TurnEnded):
                        return

    async def _part(self, request: str, turn: Turn) -> AsyncGenerator[Event, None]:
        await asyncio.to_thread(self._tools.index.refresh)
        names = {item.symbol.bare_name for item in self._tools.index.located()}
        call = intents.direct(request, names)
        kind = routing.route(request)
        if call is not None:
            working = self._direct(call, request, turn)
        elif kind in (Route.FIX_TESTS, Route.EXPLAIN_FAILURE):
            working = self._mend(request, turn, explain=kind is Route.EXPLAIN_FAILURE)
        elif kind is Route.QUESTION:
            given = await asyncio.to_thread(context.for_question, request, self._tools.index)
            working = self._work(Task(request, given, _READING, may_say=True), turn)
        else:
            working = self._change(request, turn, may_say=kind is Route.UNCLEAR)
        async with aclosing(working):
            async for event in working:
                yield event

    async def _direct(
        self, call: intents.DirectCall, request: str, turn: Turn
    ) -> AsyncGenerator[Event, None]:
        """A call that needs no model."""
        tool = self._tools.registry[call.tool]
        call_id = next_call_id()
        yield ToolCallStarted(call_id, tool.name)
        yield ToolArgumentsDelta(call_id, json.dumps(call.arguments, ensure_ascii=False))
        yield ToolCallReady(call_id, tool.name, call.arguments)
        before = await self._hands.baseline() if call.tool == "rename" else None
        outcome = await self._hands.carry_out(tool, call.arguments, request, before)
        if isinstance(outcome, NeedsWord):
            yield ApprovalNeeded(call_id, outcome.question)
            outcome = refused(tool.name, "That needs your word first.")
        turn.deeds.append(f"{tool.name}: {outcome.content}")
        yield ToolResult(call_id, outcome.ok, outcome.content, outcome.facts)
        if outcome.ok and before is not None:
            async for event in self._tests_shown(turn):
                yield event

    async def _change(self, request: str, turn: Turn, *, may_say: bool) -> AsyncGenerator[Event, None]:
        """A change; the tests before it run while the model reads."""
        given, names = await asyncio.to_thread(self._scope, request)
        baseline = asyncio.create_task(self._hands.baseline())
        task = Task(request, given, names, may_say, baseline)
        deeds = len(turn.deeds)
        try:
            ended = None
            async for event in self._work(task, turn):
                ended = event if isinstance(event, TurnEnded) else ended
                yield event
            has_changed = ended is None and not any(deed.startswith("said:") for deed in turn.deeds[deeds:])
            if has_changed and await baseline is not None:
                async for event in self._tests_shown(turn):
                    yield event
        finally:
            baseline.cancel()

    def _scope(self, request: str) -> tuple[Context, tuple[str, ...]]:
        """What a change is given, and the tools for it: only the sure rules mask any."""
        index, wanted = self._tools.index, routing.new_code(request)
        if wanted is NewCode.TEST:
            given = context.for_new_test(request, index)
            return given, ("append",) if given.files else ("create_file",)
        if wanted is NewCode.METHOD and (given := context.for_new_method(request, index)).files:
            return given, ("append",)
        given = context.for_change(request, index)
        if wanted is NewCode.DEFINITION:
            return given, ("append", "create_file")
        return given, (*_WRITING, "read_file", "search")

    async def _mend(self, request: str, turn: Turn, *, explain: bool) -> AsyncGenerator[Event, None]:
        """Failing tests: run them, then take them one at a time with the code that they reach."""
        report = await self._tools.known_report(turn.started_s)
        if report is None or not report.broken:
            async for event in self._tests_shown(turn):
                yield event
            report = await self._tools.test_report()
        for _ in range(_MAX_MENDED):
            if not report.broken:
                return
            case = report.broken[0]
            fact = self._tools.test_facts(report)
            failure = told(replace(fact, failures=fact.failures[:1])).partition(f"{case.name}: ")[2]
            tests_too = routing.wants_test_edited(request)
            given = await asyncio.to_thread(
                context.for_failure, case, failure, self._tools.index, tests_too=tests_too
            )
            if explain:
                async for event in self._work(Task(request, given, (), may_say=True), turn):
                    yield event
                return
            task = Task(request, given, _WRITING[:2], may_say=False, baseline=report, must_mend=True)
            ended = None
            async for event in self._work(replace(task, max_failures=1), turn):
                if isinstance(event, TurnEnded):
                    ended = event
                else:
                    yield event
            if ended is not None and not tests_too:
                async for event in self._small_repair(case, report, request, turn):
                    ended = None
                    yield event
            if ended is not None:
                async for event in self._work(task, turn):
                    yield event
                    if isinstance(event, TurnEnded):
                        return
            async for event in self._tests_shown(turn):
                yield event
            report = await self._tools.test_report()

    async def _small_repair(
        self, case: TestCase, before: TestReport, request: str, turn: Turn
    ) -> AsyncGenerator[Event, None]:
        """What the model did not see may be one operator or number; no events when nothing is found."""
        found = await small_repair(case, before, self._tools)
        if found is None:
            return
        arguments = {"path": found.path, "old": found.repair.before, "new": found.repair.after}
        arguments |= self._unique_lines(found)
        call_id = next_call_id()
        yield ToolCallStarted(call_id, "edit_file")
        yield ToolArgumentsDelta(call_id, json.dumps(arguments, ensure_ascii=False))
        yield ToolCallReady(call_id, "edit_file", arguments)
        tool = self._tools.registry["edit_file"]
        outcome = await self._hands.carry_out(tool, arguments, request, before, must_mend=True)
        assert isinstance(outcome, Outcome)
        turn.deeds.append(outcome.content)
        yield ToolResult(call_id, outcome.ok, outcome.content, outcome.facts)

    def _unique_lines(self, found: Found) -> dict[str, str]:
        """The repaired line with as many lines before it as make it the only place of its kind."""
        lines = self._tools.index.sources[found.path].lines
        end = found.repair.line
        for start in range(end - 1, -1, -1):
            old = lines[start:end]
            if sum(lines[k : k + len(old)] == old for k in range(len(lines))) == 1:
                return {"old": "\n".join(old), "new": "\n".join([*old[:-1], found.repair.after])}
        return {}

    async def _work(self, task: Task, turn: Turn) -> AsyncGenerator[Event, None]:
        async with aclosing(work(task, turn, self._dialogue, self._hands, self._tools)) as events:
            async for event in events:
                yield event

    async def _tests_shown(self, turn: Turn) -> AsyncGenerator[Event, None]:
        """The test run of the files as they are, as a call of its own."""
        call_id = next_call_id()
        yield ToolCallStarted(call_id, "run_tests")
        yield ToolArgumentsDelta(call_id, "{}")
        yield ToolCallReady(call_id, "run_tests", {})
        report = await self._tools.test_report(turn.started_s)
        if report.trouble:
            outcome = refused("run_tests", report.trouble)
        else:
            fact = self._tools.test_facts(report)
            outcome = Outcome(True, told(fact), (fact,))
        turn.deeds.append(f"run_tests: {outcome.content}")
        yield ToolResult(call_id, outcome.ok, outcome.content, outcome.facts)

    def _remember(self, request: str, turn: Turn, *, is_whole: bool) -> None:
        """Keep what was done for later turns; what the model said itself is in the conversation already."""
        if turn.deeds:
            is_told = is_whole and all(deed.startswith("said:") for deed in turn.deeds)
            self._dialogue.remember(
                f"Earlier request: {request} Done: {'; '.join(turn.deeds)}", is_told=is_told
            )
