"""Calls that the client makes itself, as events like any other call: what needs no model does not use one."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator

from agent.events import Event, ToolArgumentsDelta, ToolCallReady, ToolCallStarted, ToolResult
from agent.hands import Hands, NeedsWord
from agent.intents import DirectCall
from agent.toolcalls.calls import next_call_id
from agent.tools.registry import Outcome, refused
from agent.tools.toolbox import Toolbox, told
from agent.turn import Turn


def begun(call_id: str, call: DirectCall) -> tuple[Event, ...]:
    """The events of a call whose arguments are known at once."""
    return (
        ToolCallStarted(call_id, call.tool),
        ToolArgumentsDelta(call_id, json.dumps(call.arguments, ensure_ascii=False)),
        ToolCallReady(call_id, call.tool, call.arguments),
    )


async def direct(
    call: DirectCall, request: str, turn: Turn, hands: Hands, toolbox: Toolbox
) -> AsyncGenerator[Event, None]:
    """Carry out the call that the words of `request` give."""
    tool, call_id = toolbox.registry[call.tool], next_call_id()
    for event in begun(call_id, call):
        yield event
    before = await hands.baseline() if call.tool in ("rename", "edit_file", "remove") else None
    outcome = await hands.carry_out(tool, call.arguments, request, before)
    if isinstance(outcome, NeedsWord):
        asked = outcome.asked(call_id)
        yield asked
        outcome = await hands.settle(outcome, asked)
    turn.deeds.append(f"{tool.name}: {outcome.content}")
    yield ToolResult(call_id, outcome.ok, outcome.content, outcome.facts)
    if outcome.ok and before is not None:
        async for event in tests_shown(turn, toolbox):
            yield event


async def tests_shown(turn: Turn, toolbox: Toolbox) -> AsyncGenerator[Event, None]:
    """The test run of the files as they are, as a call of its own."""
    call_id = next_call_id()
    for event in begun(call_id, DirectCall("run_tests")):
        yield event
    report = await toolbox.test_report(turn.started_s)
    if report.trouble:
        outcome = refused("run_tests", report.trouble)
    else:
        fact = toolbox.test_facts(report)
        outcome = Outcome(True, told(fact), (fact,))
    turn.deeds.append(f"run_tests: {outcome.content}")
    yield ToolResult(call_id, outcome.ok, outcome.content, outcome.facts)
