"""The steps of one task: the model chooses calls, they are carried out, until there is an end to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum

from agent.dialogue import Dialogue
from agent.direct import direct
from agent.events import (
    EndReason,
    Event,
    ToolCallReady,
    ToolCallStarted,
    ToolResult,
    TurnEnded,
)
from agent.guided.context import Context
from agent.hands import Hands, NeedsWord
from agent.intents import DirectCall
from agent.proving import Unproven, proven
from agent.toolcalls import guided
from agent.toolcalls.grammar import FENCE
from agent.toolcalls.guided import CallFailed, Menu, Said
from agent.tools.files import fenced
from agent.tools.registry import Outcome
from agent.tools.testreport import TestReport
from agent.tools.toolbox import Toolbox
from agent.turn import Turn

_RETRY_TEMPERATURE = 0.5
_MAX_FAILURES = 3
_RESULT_CHARS = 1_600
_OFFERED_LINES = 400
_HINT_CHARS = 160


class Wants(str, Enum):
    """What a request is after, as the model reads and writes it in the line before its first call."""

    ANSWER = "answer"
    CHANGE = "change"
    REPAIR = "repair"


@dataclass(frozen=True)
class Task:
    """What the model is to do. `tools` are the names not masked; `baseline` is the tests before it.

    With `is_asked` the request and what it wants are in the open reply already. `anew` is what is asked where
    the model has to forget what was said before.
    """

    request: str
    given: Context
    tools: tuple[str, ...]
    may_say: bool
    wants: Wants
    is_asked: bool = False
    baseline: asyncio.Task[TestReport | None] | TestReport | None = None
    must_mend: bool = False
    max_failures: int = _MAX_FAILURES
    anew: str = ""


async def work(
    task: Task, turn: Turn, dialogue: Dialogue, hands: Hands, toolbox: Toolbox
) -> AsyncGenerator[Event, None]:
    """Ends after an answer or a change that stays; a `TurnEnded` says that it went otherwise."""
    if not task.is_asked:
        await dialogue.ask(request_text(task.given, task.request), anew=task.anew)
        await dialogue.put(f"wants: {task.wants.value}\n")
    start = dialogue.mark()
    seen: dict[str, Outcome] = {}
    masked: set[str] = set()
    failures, temperature, reason, is_hopeless, took_s = 0, 0.0, "", False, 0.0
    for step in range(turn.steps_left):
        turn.steps_left -= 1
        begun_s = turn.left_s()
        is_last = turn.steps_left == 0 or (task.may_say and begun_s < took_s)
        menu = _menu(task, toolbox, masked, only_say=is_last and task.may_say)
        call: ToolCallReady | None = None
        begun = ""
        outcome = Outcome(False, "error: there was no call")
        try:
            steps = guided.next_step(dialogue, menu, temperature, seed=step)
            async with aclosing(steps), aclosing(proven(steps, task.request, toolbox)) as events:
                async for event in events:
                    if isinstance(event, Said):
                        turn.deeds.append(f"said: {event.text}")
                        return
                    if failures and turn.left_s() < 0:
                        raise CallFailed("That took too long.")
                    if isinstance(event, ToolCallStarted):
                        begun = event.id
                    elif isinstance(event, ToolCallReady):
                        call = event
                    yield event
        except Unproven:
            await dialogue.rewind(start)
            await dialogue.put("tool: run_tests\n")
            async for event in direct(DirectCall("run_tests"), task.request, turn, hands, toolbox):
                yield event
            if task.wants is not Wants.ANSWER:  # words in the place of a change
                yield TurnEnded(EndReason.FAILED, "I changed nothing.")
            return
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
        took_s = begun_s - turn.left_s()
        if outcome.ok:
            temperature = 0.0
        else:
            failures, temperature = failures + 1, _RETRY_TEMPERATURE
            # The first reason is the telling one: after it a small model mostly repeats itself.
            reason = reason or outcome.content.removeprefix("error: ").partition("\n")[0].rstrip(".")
            if failures == task.max_failures or is_hopeless or turn.left_s() < took_s:
                is_hopeless = True
                break
        if is_last:
            break
        if not outcome.ok and (outcome.has_crashed or not outcome.was_taken_back):
            # Tried anew: what it has written once it would write again. What the tests forbid it has to know.
            await dialogue.rewind(start)
            await dialogue.put(f"problem:{_hint(outcome)}\n")
        else:
            told = _told(outcome, is_search=call is not None and call.name == "search")
            await dialogue.ask(told, goes_on=True)
    turn.deeds.append(f"could not: {reason}")
    what = "I could not fix it" if task.must_mend else "I could not do that"
    ended = EndReason.FAILED if failures == task.max_failures or is_hopeless else EndReason.STEP_LIMIT
    yield TurnEnded(ended, f"{what}: {reason}." if reason else f"{what}.")


def request_text(given: Context, request: str) -> str:
    """What a task begins with, as the model reads it."""
    return f"{given.text}Request: {' '.join(request.split())}"


def _hint(outcome: Outcome) -> str:
    """What went wrong in a first try, in a line that nobody hears."""
    why = outcome.content.removeprefix("error: ").partition("\n")[0][:_HINT_CHARS]
    kept = ". All that the code does now must stay" if outcome.has_crashed else ""
    return f" a first try went wrong: {why}{kept}."


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
        first, last = task.given.span or (1, _OFFERED_LINES)
        return source.lines[first - 1 : last] if source is not None else []

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
        is_named=task.given.is_named,
    )
