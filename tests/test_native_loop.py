"""Turns in the native dialect with a scripted model: what runs when, what goes back, what is on record."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from native_templates import QWEN_2_5, QWEN_3, TEMPLATES
from toolcall_samples import READS

from agent.engine.scripted import ScriptedEngine
from agent.events import (
    EndReason,
    Event,
    TextDelta,
    ToolArgumentsDelta,
    ToolCallReady,
    ToolCallStarted,
    ToolResult,
    TurnEnded,
    Usage,
)
from agent.loop import Agent, Limits
from agent.template import ChatTemplate
from agent.tongue import Tongue
from agent.tools.process import project_environment
from agent.tools.registry import Outcome, Param, ParamKind, Registry, Tool
from agent.tools.toolbox import Toolbox
from agent.workspace import Workspace

Handler = Callable[[Mapping[str, Any]], Any]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text("def area(width, height):\n    return width * height\n")
    return tmp_path


def agent(
    root: Path,
    engine: ScriptedEngine,
    *tools: Tool,
    source: str = QWEN_2_5,
    limits: Limits | None = None,
) -> Agent:
    toolbox = Toolbox(Workspace(root), project_environment(os.environ, Path(sys.prefix)))
    if tools:
        toolbox.registry = Registry(tools)
    template = ChatTemplate(source, bos_token="<s>", eos_token="</s>")
    return Agent(engine, template, toolbox, limits, tongue=Tongue.of(template, toolbox.registry))


def tool(name: str, handler: Handler, *, read_only: bool = True, params: str = "") -> Tool:
    declared = tuple(Param(param, ParamKind.WORDS) for param in params.split())
    return Tool(name, f"does {name}", declared, read_only, handler, lambda arguments: None)


def call(name: str, **arguments: str) -> str:
    pairs = ", ".join(f'"{key}": "{value}"' for key, value in arguments.items())
    return f'<tool_call>\n{{"name": "{name}", "arguments": {{{pairs}}}}}\n</tool_call>'


def turns(one: Agent, *requests: str) -> list[list[Event]]:
    async def run() -> list[list[Event]]:
        done: list[list[Event]] = []
        for request in requests:
            done.append([event async for event in one.turn(request)])
        return done

    return asyncio.run(run())


def ending(events: list[Event]) -> TurnEnded:
    assert isinstance(events[-1], TurnEnded)
    assert isinstance(events[-2], Usage)
    return events[-1]


def said(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def results(events: list[Event]) -> list[ToolResult]:
    return [event for event in events if isinstance(event, ToolResult)]


def always(content: str) -> Handler:
    async def handler(arguments: Mapping[str, Any]) -> Outcome:
        return Outcome(True, content)

    return handler


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_family_reads_a_file_and_answers_from_it(name: str, root: Path) -> None:
    source, format_name = TEMPLATES[name]
    answer = "It multiplies the sides."
    if format_name == "harmony":
        answer = (
            f"<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>{answer}"
        )
    engine = ScriptedEngine([READS[format_name], answer])
    (events,) = turns(agent(root, engine, source=source), "What does area do?")
    kinds = [type(event) for event in events if not isinstance(event, TextDelta)]
    assert [kind for at, kind in enumerate(kinds) if kinds[at - 1 : at] != [kind]] == [
        ToolCallStarted,
        ToolArgumentsDelta,
        ToolCallReady,
        ToolResult,
        Usage,
        TurnEnded,
    ]
    assert results(events)[0].ok
    assert said(events) == "It multiplies the sides."
    assert ending(events) == TurnEnded(EndReason.ANSWERED)
    first, second = engine.prompts
    assert second.startswith(first + READS[format_name])
    assert "width * height" in second[len(first) :]


def test_the_prompt_is_tools_then_system_then_project_then_history(root: Path) -> None:
    engine = ScriptedEngine(["It is small.", "Yes."])
    turns(agent(root, engine), "How large is it?", "Really?")
    first, second = engine.prompts
    places = [
        first.index(text) for text in ("coding assistant", "<tools>", "has these files: a.py", "How large")
    ]
    assert places == sorted(places)
    assert second.startswith(first + "It is small.")
    assert second.count("has these files") == 1


def test_a_reading_call_runs_while_the_model_goes_on(root: Path) -> None:
    log: list[str] = []

    async def look(arguments: Mapping[str, Any]) -> Outcome:
        log.append("looked")
        return Outcome(True, "seen")

    one = agent(
        root,
        ScriptedEngine([call("look") + "\nI look at it and " + "go on, " * 20 + "so.", "Done."]),
        tool("look", look),
    )

    async def run() -> None:
        async for event in one.turn("Look."):
            if isinstance(event, TextDelta):
                log.append(event.text)
            elif isinstance(event, ToolResult):
                log.append("told")

    asyncio.run(run())
    assert log.index("looked") < log.index("told") < len(log) - 10


def test_reading_calls_run_side_by_side_and_their_results_keep_their_order(root: Path) -> None:
    first_waits, second_waits = asyncio.Event(), asyncio.Event()

    async def one(arguments: Mapping[str, Any]) -> Outcome:
        first_waits.set()
        await second_waits.wait()
        await asyncio.sleep(0)
        return Outcome(True, "one")

    async def two(arguments: Mapping[str, Any]) -> Outcome:
        await first_waits.wait()
        second_waits.set()
        return Outcome(True, "two")

    engine = ScriptedEngine([call("one") + call("two"), "Done."])
    (events,) = turns(
        agent(root, engine, tool("one", one), tool("two", two), limits=Limits(time_s=20)), "Go."
    )
    assert [result.content for result in results(events)] == ["one", "two"]
    assert engine.prompts[1].endswith(
        "<tool_response>\none\n</tool_response>\n<tool_response>\ntwo\n</tool_response><|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_a_change_waits_for_the_reply_and_what_comes_after_it_waits_for_the_change(root: Path) -> None:
    log: list[str] = []

    def noted(name: str) -> Handler:
        async def handler(arguments: Mapping[str, Any]) -> Outcome:
            log.append(f"{name} begins")
            await asyncio.sleep(0)
            log.append(f"{name} ends")
            return Outcome(True, name)

        return handler

    tools = (tool("look", noted("look")), tool("change", noted("change"), read_only=False))
    script = [call("look") + call("change") + call("look") + "That is it.", "Done."]
    one = agent(root, ScriptedEngine(script), *tools)

    async def run() -> None:
        said = ""
        async for event in one.turn("Go."):
            if isinstance(event, TextDelta):
                said += event.text
                if said.endswith("it."):
                    log.append("reply ends")

    asyncio.run(run())
    look, change = ["look begins", "look ends"], ["change begins", "change ends"]
    assert log == [*look, "reply ends", *change, *look]


def test_a_bad_call_comes_back_with_what_is_valid(root: Path) -> None:
    script = [call("lok"), call("look", at="x"), call("look", where="here"), "Done."]
    engine = ScriptedEngine(script)
    (events,) = turns(agent(root, engine, tool("look", always("seen"), params="where")), "Look.")
    told = [result.content for result in results(events)]
    assert [result.ok for result in results(events)] == [False, False, True]
    assert told[0] == "error: there is no tool called lok. Did you mean look?"
    assert told[1] == "error: where must be given. It has no at. look takes where (string)."
    assert told[1] in engine.prompts[2]
    assert said(events) == "Done."


def test_the_third_same_call_is_refused_and_leaves_no_trace(root: Path) -> None:
    count = 0

    async def look(arguments: Mapping[str, Any]) -> Outcome:
        nonlocal count
        count += 1
        return Outcome(True, "nothing there")

    engine = ScriptedEngine([call("look")] * 3 + ["There is nothing."])
    (events,) = turns(agent(root, engine, tool("look", look)), "Look.")
    assert count == 2
    assert [result.ok for result in results(events)] == [True, True, False]
    assert engine.prompts[3].count('"name": "look", "arguments"') == 2
    assert "twice in this request" in engine.prompts[3]
    assert said(events) == "There is nothing."


def test_what_was_read_may_be_read_again_after_a_change(root: Path) -> None:
    steps = [text for to in "12345" for text in (call("look"), call("change", to=to))]
    engine = ScriptedEngine([*steps, call("change", to="1"), call("change", to="1"), "Done."])
    change = tool("change", always("changed"), read_only=False, params="to")
    limits = Limits(steps=20)
    (events,) = turns(agent(root, engine, tool("look", always("there")), change, limits=limits), "Do it.")
    assert [result.ok for result in results(events)] == [True] * 11 + [False]
    assert said(events) == "Done."


def test_a_model_that_only_repeats_itself_is_stopped_in_words(root: Path) -> None:
    engine = ScriptedEngine(lambda prompt: call("look"))
    (events,) = turns(agent(root, engine, tool("look", always("nothing")), limits=Limits(steps=50)), "Look.")
    assert ending(events) == TurnEnded(EndReason.STEP_LIMIT, "I kept trying the same thing, so I stopped.")
    assert len(engine.prompts) == 5


def test_the_last_step_is_for_the_answer(root: Path) -> None:
    looks = [call("look", at=str(number)) for number in range(4)]
    tools = tool("look", always("seen"), params="at")
    engine = ScriptedEngine([*looks[:2], "I saw it."])
    (events,) = turns(agent(root, engine, tools, limits=Limits(steps=3)), "Look.")
    assert "no calls left" in engine.prompts[2]
    assert said(events) == "I saw it."
    (events,) = turns(agent(root, ScriptedEngine(looks), tools, limits=Limits(steps=3)), "Look.")
    assert [result.ok for result in results(events)] == [True, True, False]
    assert ending(events).reason is EndReason.STEP_LIMIT


def test_a_call_that_is_cut_off_is_not_carried_out(root: Path) -> None:
    engine = ScriptedEngine([call("look", at="x" * 5_000), "Done."])
    (events,) = turns(agent(root, engine, tool("look", always("seen"), params="at")), "Look.")
    assert [result.ok for result in results(events)] == [False]
    assert "cut off" in results(events)[0].content
    assert not any(isinstance(event, ToolCallReady) for event in events)


def test_a_reply_of_nothing_ends_in_words(root: Path) -> None:
    (events,) = turns(agent(root, ScriptedEngine(["<think>Hm.</think>"]), source=QWEN_3), "Well?")
    assert said(events) == ""
    assert ending(events) == TurnEnded(EndReason.FAILED, "I have no answer to that.")


def test_a_long_result_keeps_its_ends(root: Path) -> None:
    engine = ScriptedEngine([call("look"), "Done."])
    turns(agent(root, engine, tool("look", always("begin" + "x" * 50_000 + "end"))), "Look.")
    told = engine.prompts[1].rpartition("<tool_response>")[2]
    assert told.startswith("\nbegin")
    assert "end\n</tool_response>" in told
    assert len(told) < 4_300


def test_the_time_limit_ends_tools_that_do_not_end(root: Path) -> None:
    async def wait(arguments: Mapping[str, Any]) -> Outcome:
        await asyncio.Event().wait()
        return Outcome(True, "never")

    one = agent(root, ScriptedEngine([call("wait"), "Done."]), tool("wait", wait), limits=Limits(time_s=0.3))
    (events,) = turns(one, "Wait.")
    assert ending(events).reason is EndReason.TIME_LIMIT
    assert [result.ok for result in results(events)] == [False]


def test_a_tool_outlives_the_turn_and_what_it_gave_is_on_record(root: Path) -> None:
    may_end = asyncio.Event()

    async def work(arguments: Mapping[str, Any]) -> Outcome:
        await may_end.wait()
        return Outcome(True, "worked to the end")

    engine = ScriptedEngine([call("work") + call("work", x="1") + "Now I wait.", "Yes."])
    one = agent(root, engine, tool("work", work))

    async def run() -> None:
        events = one.turn("Work.")
        async for event in events:
            if isinstance(event, ToolCallReady):
                break
        await events.aclose()
        asyncio.get_running_loop().call_later(0.01, may_end.set)
        assert said([event async for event in one.turn("Did you?")]) == "Yes."

    asyncio.run(run())
    after = engine.prompts[1][len(engine.prompts[0]) :]
    assert after == (
        call("work") + "<|im_end|>\n<|im_start|>user\n<tool_response>\nworked to the end\n</tool_response>"
        "<|im_end|>\n<|im_start|>user\n(The user interrupted you here.)\nDid you?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_a_change_that_was_not_begun_when_the_user_spoke_is_not_made(root: Path) -> None:
    async def change(arguments: Mapping[str, Any]) -> Outcome:
        raise AssertionError

    engine = ScriptedEngine([call("change") + "So be it, " * 9, "I did not."])
    one = agent(root, engine, tool("change", change, read_only=False))

    async def run() -> None:
        events = one.turn("Change it.")
        async for event in events:
            if isinstance(event, TextDelta):
                break
        await events.aclose()
        assert said([event async for event in one.turn("Did you?")]) == "I did not."

    asyncio.run(run())
    assert "not carried out, because the user interrupted" in engine.prompts[1]


def test_words_that_were_broken_off_stay_as_far_as_they_came(root: Path) -> None:
    engine = ScriptedEngine(["It is a long story about areas.", "Yes."])
    one = agent(root, engine)

    async def run() -> None:
        events = one.turn("Tell me.")
        async for event in events:
            if isinstance(event, TextDelta) and event.text.endswith("l"):
                break
        await events.aclose()
        async for _ in one.turn("Stop?"):
            pass

    asyncio.run(run())
    kept = engine.prompts[1][len(engine.prompts[0]) :].partition("<|im_end|>")[0]
    assert kept == "It is a l"


def test_stop_ends_a_tool_and_says_which(root: Path) -> None:
    begun = asyncio.Event()

    async def work(arguments: Mapping[str, Any]) -> Outcome:
        begun.set()
        await asyncio.Event().wait()
        return Outcome(True, "never")

    engine = ScriptedEngine([call("work"), "I was stopped."])
    one = agent(root, engine, tool("work", work))

    async def run() -> None:
        events = one.turn("Work.")
        async for event in events:
            if isinstance(event, ToolCallReady):
                break
        await begun.wait()
        await events.aclose()
        assert await one.stop() == ("work",)
        assert await one.stop() == ()
        async for _ in one.turn("Well?"):
            pass

    asyncio.run(run())
    assert "error: it was stopped before it was done" in engine.prompts[1]


def test_what_went_wrong_in_a_tool_does_not_end_the_next_turn_too(root: Path) -> None:
    async def fail(arguments: Mapping[str, Any]) -> Outcome:
        raise ValueError("nobody expected this")

    engine = ScriptedEngine([call("fail"), "Better now."])
    first, second = turns(agent(root, engine, tool("fail", fail)), "Try it.", "And now?")
    assert ending(first).reason is EndReason.FAILED
    assert ending(second).reason is EndReason.ANSWERED
    assert "nobody expected this" in engine.prompts[1]


def test_what_was_done_without_the_model_outlives_the_turn_and_is_told_with_the_next(root: Path) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def run_tests(arguments: Mapping[str, Any]) -> Outcome:
        begun.set()
        await may_end.wait()
        return Outcome(True, "9 passed")

    engine = ScriptedEngine(["They passed."])
    one = agent(root, engine, tool("run_tests", run_tests))

    async def run() -> None:
        async def turn() -> None:
            async for _ in one.turn("Run the tests."):
                pass

        under_way = asyncio.ensure_future(turn())
        await begun.wait()
        under_way.cancel()
        await asyncio.wait([under_way])
        assert under_way.cancelled()
        may_end.set()
        async for _ in one.turn("Well?"):
            pass

    asyncio.run(run())
    assert "Earlier request: Run the tests. Done: run_tests: 9 passed\n" in engine.prompts[0]


def test_what_it_says_of_the_tests_has_to_be_run(root: Path) -> None:
    (root / "test_a.py").write_text("from a import area\n\n\ndef test_area():\n    assert area(2, 3) == 5\n")
    one = agent(root, ScriptedEngine(["I had a look. All the tests pass.", "Yes, one test fails."]))
    untrue, true = turns(one, "Is area right?", "Really?")
    assert "".join(event.text for event in untrue if isinstance(event, TextDelta)).strip() == "I had a look."
    assert [event.name for event in untrue if isinstance(event, ToolCallReady)] == ["run_tests"]
    assert "".join(event.text for event in true if isinstance(event, TextDelta)) == "Yes, one test fails."
    assert not any(isinstance(event, ToolCallReady) for event in true)
    assert one.conversation is not None
    kept = "".join(entry.text for entry in one.conversation.transcript.entries)
    assert "I ran the tests." in kept
    assert "All the tests pass" not in kept
