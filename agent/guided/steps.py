"""The steps of one task: the model chooses calls, they are carried out, until there is an end to it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from agent.dialogue import Dialogue
from agent.errors import UtterError
from agent.events import (
    ApprovalNeeded,
    EndReason,
    Event,
    ToolCallReady,
    ToolCallStarted,
    ToolResult,
    TurnEnded,
)
from agent.guided.context import Context
from agent.hands import Hands, NeedsWord
from agent.toolcalls import guided
from agent.toolcalls.grammar import FENCE
from agent.toolcalls.guided import CallFailed, Menu, Said
from agent.tools.files import fenced
from agent.tools.registry import Outcome
from agent.tools.testreport import TestReport
from agent.tools.toolbox import Toolbox

_RETRY_TEMPERATURE = 0.5
_MAX_FAILURES = 3
_RESULT_CHARS = 1_600
_OFFERED_LINES = 400


class TimeUp(UtterError):
    """The turn has used up its time."""


@dataclass
class Turn:
    """A turn while it runs, begun at `started_s` of the monotonic clock.

    `deeds` are its calls and answers in a few words each, in order; `told` those that the conversation holds.
    """

    started_s: float
    time_s: float
    steps_left: int
    deeds: list[str] = field(default_factory=list[str])
    told: list[str] = field(default_factory=list[str])

    async def in_time(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """Pass `events` on; raises `TimeUp` and ends what they wait for when the turn's time is over."""
        is_asking = False
        while True:
            begun_s = time.monotonic()
            left_s = None if is_asking else max(self.started_s + self.time_s - begun_s, 0.0)
            try:
                event = await asyncio.wait_for(events.__anext__(), left_s)
            except StopAsyncIteration:
                return
            except asyncio.TimeoutError:
                raise TimeUp("That took too long, so I stopped.") from None
            if is_asking:  # the user's time to answer is not the turn's
                self.time_s += time.monotonic() - begun_s
            is_asking = isinstance(event, ApprovalNeeded)
            yield event


@dataclass(frozen=True)
class Task:
    """What the model is to do. `tools` are the names not masked; `baseline` is the tests before it."""

    request: str
    given: Context
    tools: tuple[str, ...]
    may_say: bool
    baseline: asyncio.Task[TestReport | None] | TestReport | None = None
    must_mend: bool = False
    max_failures: int = _MAX_FAILURES


async def work(
    task: Task, turn: Turn, dialogue: Dialogue, hands: Hands, toolbox: Toolbox
) -> AsyncGenerator[Event, None]:
    """Ends after an answer or a change that stays; a `TurnEnded` says that it went otherwise."""
    await dialogue.ask(request_text(task.given, task.request))
    seen: dict[str, Outcome] = {}
    masked: set[str] = set()
    failures, temperature, reason, is_hopeless = 0, 0.0, "", False
    for step in range(turn.steps_left):
        turn.steps_left -= 1
        is_last = turn.steps_left == 0
        menu = _menu(task, toolbox, masked, only_say=is_last and task.may_say)
        call: ToolCallReady | None = None
        begun = ""
        outcome = Outcome(False, "error: there was no call")
        try:
            async with aclosing(guided.next_step(dialogue, menu, temperature, seed=step)) as events:
                async for event in events:
                    if isinstance(event, Said):
                        turn.deeds.append(f"said: {event.text}")
                        return
                    if isinstance(event, ToolCallStarted):
                        begun = event.id
                    elif isinstance(event, ToolCallReady):
                        call = event
                    yield event
        except CallFailed as error:
            outcome = Outcome(False, f"error: {error}")
            if begun:
                yield ToolResult(begun, False, outcome.content)
        if call is not None:
            signature = json.dumps([call.name, dict(call.arguments)], sort_keys=True)
            if signature in seen:
                outcome = Outcome(False, "error: that was tried before, with the same result")
                masked.add(call.name)
                # It insists on what the tests forbid: what it would think of next is not what was asked for.
                is_hopeless = seen[signature].was_taken_back
            else:
                tool = toolbox.registry[call.name]
                before = task.baseline
                if isinstance(before, asyncio.Task):
                    before = await before
                done = await hands.carry_out(
                    tool, call.arguments, task.request, before, must_mend=task.must_mend
                )
                if isinstance(done, NeedsWord):
                    asked = done.asked(call.id)
                    yield asked
                    done = await hands.settle(done, asked)
                outcome = seen[signature] = done
            is_done = outcome.ok and not toolbox.registry[call.name].read_only
            if is_done:  # kept before it is told: whoever is told may break off
                turn.deeds.append(outcome.content)
            # A failed try is the model's affair: the user hears how the turn ends.
            yield ToolResult(call.id, outcome.ok, outcome.content, outcome.facts if outcome.ok else ())
            if is_done:
                return
        if outcome.ok:
            temperature = 0.0
        else:
            failures, temperature = failures + 1, _RETRY_TEMPERATURE
            # The first reason is the telling one: after it a small model mostly repeats itself.
            reason = reason or outcome.content.removeprefix("error: ").partition("\n")[0].rstrip(".")
            if failures == task.max_failures or is_hopeless:
                break
        if not is_last:
            told = _told(outcome, is_search=call is not None and call.name == "search")
            await dialogue.ask(told, goes_on=True)
    turn.deeds.append(f"could not: {reason}")
    what = "I could not fix it" if task.must_mend else "I could not do that"
    ended = EndReason.FAILED if failures == task.max_failures or is_hopeless else EndReason.STEP_LIMIT
    yield TurnEnded(ended, f"{what}: {reason}." if reason else f"{what}.")


def request_text(given: Context, request: str) -> str:
    """What a task begins with, as the model reads it."""
    return f"{given.text}Request: {' '.join(request.split())}"


def _told(outcome: Outcome, *, is_search: bool) -> str:
    """A result as the model reads it: what comes from files stands between fences, also when cut short."""
    content = outcome.content[:_RESULT_CHARS]
    if is_search and outcome.ok:
        return f"result:\n{fenced(content)}"
    return f"result: {content}" + (f"\n{FENCE}" if content.count(FENCE) % 2 else "")


def _menu(task: Task, toolbox: Toolbox, masked: set[str], *, only_say: bool) -> Menu:
    index = toolbox.index

    def lines_of(path: str) -> list[str]:
        source = index.sources.get(path)
        return source.lines[:_OFFERED_LINES] if source is not None else []

    def opening_of(name: str) -> str:
        found = index.find(name)
        return found[0].symbol.opening if found else ""

    names = () if only_say else tuple(name for name in task.tools if name not in masked)
    return Menu(
        tools=tuple(toolbox.registry[name] for name in names),
        may_say=task.may_say,
        files=task.given.files,
        symbols=task.given.symbols,
        lines_of=lines_of,
        opening_of=opening_of,
        says_problem=task.must_mend,
        head_of=lambda path: task.given.heads.get(path, ""),
    )
