"""A request in the guided dialect: its kind decides what is put before it, and which tools are at hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from agent.code.culprits import plainest
from agent.code.languages import is_test_code
from agent.code.mentions import mentioned, spelled
from agent.dialogue import Dialogue
from agent.direct import begun, direct, tests_shown
from agent.events import EndReason, Event, ToolResult, TurnEnded
from agent.guided import context, routing
from agent.guided.context import NOTHING, Context
from agent.guided.general import is_general, may_be_general
from agent.guided.mending import Found, small_repair
from agent.guided.routing import NewCode, Route
from agent.guided.steps import Task, Wants, request_text, work
from agent.hands import Hands, NeedsWord
from agent.intents import DirectCall
from agent.toolcalls.calls import next_call_id
from agent.toolcalls.guided import CallFailed, choose
from agent.tools.testreport import Outcome, TestCase, TestReport
from agent.tools.toolbox import Toolbox, told
from agent.turn import Turn
from agent.verdicts import is_about_a_run

_MAX_MENDED = 3

_READING = ("read_file", "search", "list_files")
_WRITING = ("rewrite_function", "edit_file", "append", "create_file")


class Guided:
    """Works a request out with a small model, which is led by the hand."""

    def __init__(self, dialogue: Dialogue, hands: Hands, toolbox: Toolbox) -> None:
        self._dialogue = dialogue
        self._hands = hands
        self._tools = toolbox
        self._overview = ""  # of the project, as the model was given it last

    has_left = False

    async def settle(self) -> None:
        """Nothing to put on record: a turn that was broken off is cut out of the conversation."""

    async def request(self, request: str, turn: Turn) -> AsyncGenerator[Event, None]:
        """Carry out one request; a `TurnEnded` says that it went otherwise."""
        kind = await asyncio.to_thread(self._kind, request)
        if kind in (Route.QUESTION, Route.UNCLEAR) and routing.is_run_asked_in(request):
            async for event in direct(DirectCall("run_tests"), request, turn, self._hands, self._tools):
                yield event
            if not routing.asks_more_than_a_run(request):
                return
        reading = (*_READING, "run_tests") if is_about_a_run(request) else _READING
        scope = chosen = None
        if kind is Route.UNCLEAR:
            scope = await asyncio.to_thread(self._scope, request)
            chosen = await self._chosen(request, scope[0])
        if kind in (Route.FIX_TESTS, Route.EXPLAIN_FAILURE) or chosen is Wants.REPAIR:
            working = self._mend(request, turn, explain=kind is Route.EXPLAIN_FAILURE)
        elif scope is not None and chosen is Wants.ANSWER:
            task = Task(request, scope[0], reading, may_say=True, wants=chosen, is_asked=True)
            working = self._work(task, turn)
        elif kind is Route.QUESTION:
            given = await asyncio.to_thread(self._asked_about, request)
            new, anew = self._new_in(given), request_text(given, request)
            self._overview = given.overview or self._overview
            names = reading if given is not NOTHING else ()
            working = self._work(Task(request, new, names, may_say=True, wants=Wants.ANSWER, anew=anew), turn)
        else:
            working = self._change(request, turn, scope)
        async with aclosing(working):
            async for event in working:
                yield event

    def _kind(self, request: str) -> Route:
        return routing.route(spelled(request, self._tools.index))

    def _asked_about(self, request: str) -> Context:
        """What a question is given; nothing where it is about no project's code."""
        index = self._tools.index
        return NOTHING if is_general(request, index) else context.for_question(request, index)

    def _new_in(self, given: Context) -> Context:
        """`given` without the overview, where the model was given the same one last and has it in mind."""
        known = given.overview and given.overview == self._overview and self._dialogue.holds(given.overview)
        return given.without_overview() if known else given

    async def _chosen(self, request: str, given: Context) -> Wants:
        """What the request is after, by the model's own choice; it stays in the open reply."""
        await self._dialogue.ask(request_text(given, request))
        try:
            return Wants(await choose(self._dialogue, "wants", [wants.value for wants in Wants]))
        except CallFailed:
            return Wants.ANSWER  # what changes nothing

    async def opening(self, request: str) -> str:
        """The beginning of what the model would be asked for `request`, as far as it can be told by now."""
        kind = await asyncio.to_thread(self._kind, request)
        if kind in (Route.FIX_TESTS, Route.EXPLAIN_FAILURE):
            return ""
        if kind is Route.QUESTION:
            given = self._new_in(await asyncio.to_thread(self._asked_about, request))
        else:
            given, _ = await asyncio.to_thread(self._scope, request)
        return request_text(given, request)

    async def beginning(self, words: str) -> str:
        """What `opening` will most likely begin with, as more `words` follow.

        That is "" where it may be about the project: its code then comes before them.
        """
        index = self._tools.index
        is_about_none = await asyncio.to_thread(may_be_general, words, index)
        return request_text(NOTHING, words) if is_about_none else ""

    async def _change(
        self, request: str, turn: Turn, asked: tuple[Context, tuple[str, ...]] | None = None
    ) -> AsyncGenerator[Event, None]:
        """A change; the tests before it run while the model reads. What was `asked` may end in words."""
        given, names = asked or await asyncio.to_thread(self._scope, request)
        baseline = asyncio.create_task(self._hands.baseline())
        is_asked = asked is not None
        task = Task(request, given, names, is_asked, Wants.CHANGE, is_asked, baseline)
        deeds = len(turn.deeds)
        try:
            ended = None
            async for event in self._work(task, turn):
                ended = event if isinstance(event, TurnEnded) else ended
                yield event
            has_changed = ended is None and not any(deed.startswith("said:") for deed in turn.deeds[deeds:])
            if has_changed and await baseline is not None:
                async for event in tests_shown(turn, self._tools):
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
        if wanted is NewCode.COMMENT and (given := context.for_comment(request, index)).symbols:
            return given, ("document",)
        if wanted is NewCode.FUNCTION:
            return context.for_new_function(request, index), ("append", "create_file")
        given = context.for_change(request, index)
        if wanted is NewCode.DEFINITION:
            return given, ("append", "create_file")
        return given, (*_WRITING, "read_file", "search")

    async def _mend(self, request: str, turn: Turn, *, explain: bool) -> AsyncGenerator[Event, None]:
        """Failing tests: run them, then take them one at a time with the code that they reach."""
        report = await self._tools.known_report(turn.started_s)
        if report is None or not report.broken:
            async for event in tests_shown(turn, self._tools):
                yield event
            report = await self._tools.test_report()
            if not report.broken and not report.trouble and not explain and self._names_code(request):
                async for event in self._change(request, turn):
                    yield event
                return
        took_s = 0.0
        for n in range(_MAX_MENDED):
            if not report.broken or (n and turn.left_s() < took_s):
                return
            begun_s = turn.left_s()
            case = await asyncio.to_thread(plainest, report.broken, self._tools.index)
            fact = self._tools.test_facts(report)
            failed = fact.failures[report.broken.index(case)]
            failure = told(replace(fact, failures=(failed,))).partition(f"{case.name}: ")[2]
            tests_too = routing.wants_test_edited(request)
            given = await asyncio.to_thread(
                context.for_failure, case, failure, self._tools.index, tests_too=tests_too
            )
            if explain:
                async for event in self._work(
                    Task(request, given, (), may_say=True, wants=Wants.ANSWER), turn
                ):
                    yield event
                return
            task = Task(
                request,
                given,
                _WRITING[:2],
                may_say=False,
                wants=Wants.REPAIR,
                baseline=report,
                must_mend=True,
            )
            ended: TurnEnded | None = TurnEnded(EndReason.FAILED, "I could not fix it in time.")
            if case.outcome is not Outcome.ERROR:  # a missing bracket needs no model
                ended = None
                async for event in self._work(replace(task, max_failures=1), turn):
                    if isinstance(event, TurnEnded):
                        ended = event
                    else:
                        yield event
            tried_s = begun_s - turn.left_s()
            if ended is not None and not tests_too:
                async for event in self._small_repair(case, report, request, turn):
                    ended = None
                    yield event
            if ended is not None:
                # The model's next try may take as long as its first.
                if turn.left_s() < tried_s:
                    yield ended
                    return
                async for event in self._work(task, turn):
                    yield event
                    if isinstance(event, TurnEnded):
                        return
            async for event in tests_shown(turn, self._tools):
                yield event
            report = await self._tools.test_report()
            took_s = begun_s - turn.left_s()

    def _names_code(self, request: str) -> bool:
        """Whether it names what is to be mended, so that green tests say nothing of it."""
        symbols = mentioned(request, self._tools.index).symbols
        return any(not is_test_code(item.path) for item in symbols)

    async def _small_repair(
        self, case: TestCase, before: TestReport, request: str, turn: Turn
    ) -> AsyncGenerator[Event, None]:
        """What the model did not see may be one operator or number; no events when nothing is found.

        It has a time limit of its own: where the model is slow, the search is what mends.
        """
        found = await small_repair(case, before, self._tools)
        if found is None:
            return
        arguments = {"path": found.path, "old": found.repair.before, "new": found.repair.after}
        arguments |= self._unique_lines(found)
        call_id = next_call_id()
        for event in begun(call_id, DirectCall("edit_file", arguments)):
            yield event
        tool = self._tools.registry["edit_file"]
        outcome = await self._hands.carry_out(tool, arguments, request, before, must_mend=True)
        if isinstance(outcome, NeedsWord):
            asked = outcome.asked(call_id)
            yield asked
            outcome = await self._hands.settle(outcome, asked)
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
