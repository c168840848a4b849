"""The dialogue over the prefix store: restarts, words that change, a window that fills, exact counts."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agent.cache.entry import Retention
from agent.cache.store import PrefixStore
from agent.dialogue import Dialogue
from agent.engine.protocol import ContextFull
from agent.engine.scripted import ScriptedEngine, ScriptedSession
from agent.events import TextDelta, Usage
from agent.loop import Agent
from agent.template import Answered, ChatTemplate
from agent.tools.process import project_environment
from agent.tools.toolbox import Toolbox
from agent.workspace import Workspace

PROMPT = "You are terse. " * 8
BRIEF = "The project counts birds. "
PLACE = "/projects/birds"


def engine_in(folder: Path, *, context_tokens: int = 100_000) -> ScriptedEngine:
    return ScriptedEngine(lambda _: "Yes.", context_tokens=context_tokens, keep_in=folder)


def dialogue_of(engine: ScriptedEngine, *, prompt: str = PROMPT, brief: str = BRIEF) -> Dialogue:
    return Dialogue(engine, ChatTemplate.of(engine), prompt, brief=brief, place=PLACE)


async def turn(dialogue: Dialogue, request: str) -> Usage:
    """One whole turn with one reply."""
    await dialogue.begin()
    await dialogue.ask(f"Request: {request}")
    async for _ in dialogue.fill('start: "Yes."', 20, 0.0, 0):
        pass
    dialogue.remember(request, "said yes", is_told=True)
    dialogue.end()
    return dialogue.usage()


def said(dialogue: Dialogue, engine: ScriptedEngine) -> str:
    assert dialogue.conversation is not None
    return engine.decode(dialogue.conversation.session.tokens)


def ruin(folder: Path) -> None:
    for file in folder.glob("*.kv"):
        file.write_bytes(file.read_bytes()[:-4] + b"ruin")


def run(body: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await body()

    asyncio.run(whole())


def test_a_new_process_goes_on_with_the_last_session_and_computes_none_of_it(tmp_path: Path) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path)
        dialogue = dialogue_of(engine)
        await turn(dialogue, "Are there robins?" * 5)
        before, n_tokens = said(dialogue, engine), len(said_tokens(dialogue))
        await dialogue.close()

        engine = engine_in(tmp_path)
        dialogue = dialogue_of(engine)
        usage = await turn(dialogue, "And owls?")
        assert usage.cache_read_input_tokens == n_tokens
        assert said(dialogue, engine).startswith(before + "<|im_end|>\n<|im_start|>user\nRequest: And owls?")

    run(body)


def test_a_turn_that_begins_while_the_session_is_brought_back_counts_and_is_cut_like_any_other(
    tmp_path: Path,
) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path)
        dialogue = dialogue_of(engine)
        await turn(dialogue, "Are there robins?" * 5)
        before, n_tokens = said(dialogue, engine), len(said_tokens(dialogue))
        await dialogue.close()

        dialogue = dialogue_of(engine_in(tmp_path))
        await dialogue.begin()
        await dialogue.warm()  # done while the turn looks at files, and before it asks
        await dialogue.ask("Request: And owls?")
        usage = dialogue.usage()
        assert usage.cache_read_input_tokens == n_tokens
        assert usage.cache_read_input_tokens + usage.cache_creation_input_tokens == len(said_tokens(dialogue))
        await dialogue.begin()  # that one was broken off
        await dialogue.ask("Request: And gulls?")
        assert said(dialogue, engine).startswith(before + "<|im_end|>\n<|im_start|>user\nRequest: And gulls?")
        await dialogue.close()

    run(body)


def test_another_place_shares_only_the_opening(tmp_path: Path) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path)
        dialogue = dialogue_of(engine)
        await turn(dialogue, "Are there robins?" * 5)
        await dialogue.close()
        other = Dialogue(engine, ChatTemplate.of(engine), PROMPT, brief=BRIEF, place="/projects/elsewhere")
        await other.warm()
        assert said(other, engine).count("<|im_start|>") == 2
        assert "robins" not in said(other, engine)
        assert other.usage() == Usage()
        n_tokens = len(said_tokens(other))
        assert (await turn(other, "Hello?")).cache_read_input_tokens == n_tokens

    run(body)


def test_the_prompt_is_instructions_then_brief_then_history_with_a_breakpoint_after_each(
    tmp_path: Path,
) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path)
        dialogue = dialogue_of(engine)
        await turn(dialogue, "Are there robins?")
        assert dialogue.conversation is not None
        transcript, tokens = dialogue.conversation.transcript, dialogue.conversation.session.tokens
        parts = [engine.decode(tokens[:end]) for end in transcript.breakpoints]
        assert parts[0].endswith(PROMPT)
        assert parts[1].endswith(f"{PROMPT}{BRIEF}<|im_end|>\n<|im_start|>user\n")
        assert parts[2].endswith("Are there robins?<|im_end|>\n")

    run(body)


def test_a_brief_that_changed_is_told_and_the_old_prefix_stays(tmp_path: Path) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path)
        dialogue = dialogue_of(engine)
        await turn(dialogue, "Are there robins?" * 5)
        before, n_tokens = said(dialogue, engine), len(said_tokens(dialogue))
        await dialogue.close()
        dialogue = dialogue_of(engine, brief="The project counts bees.")
        usage = await turn(dialogue, "And owls?")
        assert said(dialogue, engine).startswith(before)
        assert "The project is now: The project counts bees.\nRequest: And owls?" in said(dialogue, engine)
        assert usage.cache_read_input_tokens == n_tokens

    run(body)


def test_other_instructions_begin_anew_but_what_was_done_is_known(tmp_path: Path) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path)
        dialogue = dialogue_of(engine)
        await turn(dialogue, "Are there robins?" * 5)
        await dialogue.close()
        dialogue = dialogue_of(engine, prompt="You are verbose. " * 8)
        await turn(dialogue, "And owls?")
        assert "You are terse" not in said(dialogue, engine)
        assert "Earlier request: Are there robins?" in said(dialogue, engine)

    run(body)


@pytest.mark.parametrize("loss", ["file", "index", "newer"])
def test_a_lost_context_is_computed_anew_and_the_answers_are_the_same(tmp_path: Path, loss: str) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path)
        dialogue = dialogue_of(engine)
        await turn(dialogue, "Are there robins?")
        before = said(dialogue, engine)
        await dialogue.close()
        await engine.close()
        match loss:
            case "file":
                ruin(tmp_path)
            case "index":
                (tmp_path / "index.sqlite").write_bytes(b"no index at all " * 1000)
            case _:
                index = sqlite3.connect(tmp_path / "index.sqlite")
                index.execute("PRAGMA user_version = 99")
                index.close()
        engine = engine_in(tmp_path)
        dialogue = dialogue_of(engine)
        usage = await turn(dialogue, "And owls?")
        expected = before if loss == "file" else before[: before.index("Request:")]
        assert said(dialogue, engine).startswith(expected)
        whole = usage.cache_read_input_tokens + usage.cache_creation_input_tokens
        assert dialogue.conversation is not None
        assert whole == len(dialogue.conversation.session.tokens) - len("Yes.")
        await dialogue.close()
        notices = dialogue.take_notices()
        assert [("later version" in notice) for notice in notices] == [True] * (loss == "newer")
        await turn(dialogue, "And gulls?")
        await dialogue.close()
        assert dialogue.take_notices() == []

    run(body)


def test_words_computed_ahead_are_kept_as_far_as_they_stay(tmp_path: Path) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path)
        plain, ahead = (Dialogue(engine, ChatTemplate.of(engine), PROMPT) for _ in range(2))
        for dialogue in (plain, ahead):
            await turn(dialogue, "Are there robins?")
        for words in ("Request: And", "Request: And fowls", "Request: And foul weather"):
            await ahead.foresee(words)
        usages = [await turn(dialogue, "And owls?") for dialogue in (plain, ahead)]
        assert said(ahead, engine) == said(plain, engine)
        assert ahead.conversation is not None
        assert plain.conversation is not None
        assert ahead.conversation.transcript == plain.conversation.transcript
        sums = {usage.cache_read_input_tokens + usage.cache_creation_input_tokens for usage in usages}
        assert len(sums) == 1
        # What was computed ahead was computed for this turn: it is not claimed as read.
        assert usages[1].cache_read_input_tokens <= usages[0].cache_read_input_tokens

    run(body)


def test_words_computed_ahead_for_nothing_leave_no_trace(tmp_path: Path) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path)
        dialogue = dialogue_of(engine)
        await turn(dialogue, "Are there robins?")
        before = said(dialogue, engine)
        await dialogue.foresee("Request: Never mi")
        await dialogue.begin()
        dialogue.end()
        await dialogue.close()
        assert dialogue.usage() == Usage()
        again = dialogue_of(engine)
        await again.warm()
        assert said(again, engine) == before

    run(body)


def test_counts_are_disjoint_and_sum_to_the_prompt_in_every_turn(tmp_path: Path) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path)
        dialogue = dialogue_of(engine)
        await dialogue.warm()
        held = len(said_tokens(dialogue))
        for request in ("Are there robins?", "And owls?", "And gulls?"):
            usage = await turn(dialogue, request)
            assert usage.cache_read_input_tokens == held
            now = len(said_tokens(dialogue))
            assert usage.cache_read_input_tokens + usage.cache_creation_input_tokens == now - len("Yes.")
            assert (usage.input_tokens, usage.output_tokens) == (0, len("Yes."))
            held = now

    run(body)


def said_tokens(dialogue: Dialogue) -> tuple[int, ...]:
    assert dialogue.conversation is not None
    return dialogue.conversation.session.tokens


def test_a_window_that_fills_is_summed_up_at_a_turns_border_and_it_is_said(tmp_path: Path) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path, context_tokens=4_000)
        dialogue = dialogue_of(engine)
        notices: list[str] = []
        requests = [f"Are there birds of kind {number}? " + "x" * 300 for number in range(9)]
        await dialogue.warm()
        for request in requests:
            usage = await turn(dialogue, request)
            notices += dialogue.take_notices()
            opening = len(PROMPT) + len(BRIEF)
            assert usage.cache_read_input_tokens > opening
            assert said(dialogue, engine).startswith(f"<|im_start|>system\n{PROMPT}{BRIEF}")
        assert len(notices) >= 2
        assert "summed up" in notices[0]
        assert "Earlier request: Are there birds of kind 7?" in said(dialogue, engine)
        assert len(said_tokens(dialogue)) < 4_000

    run(body)


def test_a_turn_that_outgrows_the_window_goes_on_with_what_was_asked(tmp_path: Path) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path, context_tokens=4_500)
        dialogue = dialogue_of(engine)
        await turn(dialogue, "Are there robins? " + "y" * 900)
        await dialogue.begin()
        await dialogue.ask("Request: Count them.")
        for number in range(4):
            async for _ in dialogue.fill('start: "Yes."', 20, 0.0, 0):
                pass
            await dialogue.ask(f"result {number}: " + "z" * 900, goes_on=True)
        assert "Request: Count them.\n\nresult 3: " in said(dialogue, engine)
        assert len(dialogue.take_notices()) == 1
        dialogue.end()
        await dialogue.close()

    run(body)


def test_results_that_outgrow_the_window_are_given_with_what_was_asked(tmp_path: Path) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path, context_tokens=4_500)
        dialogue = dialogue_of(engine)
        await dialogue.begin()
        await dialogue.ask("Request: Count them.")
        for number in range(4):
            async for _ in dialogue.fill('start: "Yes."', 20, 0.0, 0):
                pass
            await dialogue.results([Answered("count", f"{number} of them " + "z" * 1_100)])
        assert "Request: Count them.\n\ncount: 3 of them" in said(dialogue, engine)
        assert len(dialogue.take_notices()) == 1
        with pytest.raises(ContextFull):
            await dialogue.ask("x" * 5_000)

    run(body)


@pytest.mark.parametrize("as_results", [True, False])
def test_a_reply_has_room_however_little_what_was_asked_has_left(tmp_path: Path, as_results: bool) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path, context_tokens=4_000)
        dialogue = dialogue_of(engine)
        await turn(dialogue, "Are there robins? " + "x" * 900)
        await dialogue.begin()
        await dialogue.ask("Request: Count them.")
        await dialogue.put("count: ")
        long = "y" * (4_000 - len(said_tokens(dialogue)) - 120)
        if as_results:
            await dialogue.results([Answered("count", long)])
        else:
            await dialogue.ask(long, goes_on=True)
        await dialogue.put("There are so many that it takes a whole sentence to say. " * 3)
        assert len(dialogue.take_notices()) == 1
        assert "Request: Count them." in said(dialogue, engine)
        dialogue.end()
        await dialogue.close()

    run(body)


def test_a_mark_from_before_a_summary_does_not_cut_away_what_was_asked(tmp_path: Path) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path, context_tokens=4_000)
        dialogue = dialogue_of(engine)
        await turn(dialogue, "Are there robins? " + "x" * 900)
        await dialogue.begin()
        await dialogue.ask("Request: Count them.")
        mark = dialogue.mark()
        await dialogue.results([Answered("count", "many " * 500)])
        assert len(dialogue.take_notices()) == 1
        asked = said(dialogue, engine)
        assert mark < len(said_tokens(dialogue))
        await dialogue.put("count again")
        await dialogue.rewind(mark)
        assert said(dialogue, engine) == asked
        dialogue.end()
        await dialogue.close()

    run(body)


def test_what_could_not_be_kept_is_kept_with_the_next_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(session: ScriptedSession, retention: Retention = Retention.RECENT) -> None:
        """As where another session has llama.cpp's slot."""

    async def body() -> None:
        engine = engine_in(tmp_path)
        dialogue = dialogue_of(engine)
        await dialogue.warm()
        with monkeypatch.context() as patch:
            patch.setattr(ScriptedSession, "save", nothing)
            await turn(dialogue, "Are there robins?" * 5)
            await dialogue.close()
        await turn(dialogue, "?")
        before, n_tokens = said(dialogue, engine), len(said_tokens(dialogue))
        await dialogue.close()
        dialogue = dialogue_of(engine_in(tmp_path))
        assert (await turn(dialogue, "And owls?")).cache_read_input_tokens == n_tokens
        assert said(dialogue, engine).startswith(before)
        await dialogue.close()

    run(body)


def test_figures_are_kept_for_the_day(tmp_path: Path) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path)
        dialogue = dialogue_of(engine)
        usages = [await turn(dialogue, request) for request in ("Are there robins?", "And owls?")]
        await dialogue.close()
        day = PrefixStore(tmp_path).days()[-1]
        assert day.read_tokens == sum(usage.cache_read_input_tokens for usage in usages)
        assert day.computed_tokens == sum(usage.cache_creation_input_tokens for usage in usages)

    run(body)


@pytest.mark.parametrize("ending", ["whole", "broken off", "taken back", "cut to what was heard"])
def test_the_figures_of_the_day_count_each_prompt_once_however_its_turn_ends(
    tmp_path: Path, ending: str
) -> None:
    async def body() -> None:
        dialogue = dialogue_of(engine_in(tmp_path))
        first = await turn(dialogue, "Are there robins?")
        await dialogue.begin()
        point = dialogue.point()
        await dialogue.ask("Request: And owls?")
        async for _ in dialogue.fill('start: "Yes."', 20, 0.0, 0):
            pass
        second = dialogue.usage()
        if ending == "taken back":
            await dialogue.go_back(point)
        if ending != "broken off":
            dialogue.end()
        if ending == "cut to what was heard":
            await dialogue.cut_to_heard("Ye", is_whole=True)
        usages = [first, second, await turn(dialogue, "And gulls?")]
        await dialogue.close()
        day = PrefixStore(tmp_path).days()[-1]
        assert day.read_tokens == sum(usage.cache_read_input_tokens for usage in usages)
        assert day.computed_tokens == sum(usage.cache_creation_input_tokens for usage in usages)

    run(body)


def test_what_is_asked_after_going_back_in_the_same_turn_is_counted_from_there(tmp_path: Path) -> None:
    async def body() -> None:
        dialogue = dialogue_of(engine_in(tmp_path))
        await turn(dialogue, "Are there robins?")
        held = len(said_tokens(dialogue))
        await dialogue.begin()
        point = dialogue.point()
        await dialogue.ask("Request: And owls?")
        dialogue.end()
        await dialogue.begin()
        await dialogue.go_back(point)
        await dialogue.ask("Request: And gulls?")
        usage = dialogue.usage()
        assert usage.cache_read_input_tokens == held
        assert usage.cache_read_input_tokens + usage.cache_creation_input_tokens == len(said_tokens(dialogue))
        await dialogue.close()

    run(body)


def test_after_a_restart_what_was_spared_is_reckoned_with_the_speed_that_was_measured_before(
    tmp_path: Path,
) -> None:
    async def body() -> None:
        first = engine_in(tmp_path)
        first.prefill_rate = 50.0
        dialogue = dialogue_of(first)
        await dialogue.warm()  # and nothing is asked
        await dialogue.close()
        spared_s = 0.0
        for measured in (0.0, 25.0, 0.0):
            engine = engine_in(tmp_path)
            engine.prefill_rate = measured
            dialogue = dialogue_of(engine)
            usage = await turn(dialogue, "Are there robins?")
            await dialogue.close()
            assert usage.cache_read_input_tokens > 0
            spared_s += usage.cache_read_input_tokens / (50.0 if spared_s == 0.0 else 25.0)
            assert PrefixStore(tmp_path).days()[-1].spared_s == pytest.approx(spared_s)

    run(body)


@pytest.mark.parametrize(
    ("request_", "ahead"),
    [
        ("What does area do?", [("What does", True), ("What does area", True), ("What does air", True)]),
        ("What does area do?", [("What does area do?", True), ("Run the tests.", True)]),
        ("What does area do?", [("What does", False), ("What does area", False)]),
        ("What is a list good for?", [("What is", False), ("What is a list", False), ("What", False)]),
    ],
)
def test_an_agent_reads_ahead_while_the_user_speaks_and_answers_as_without(
    tmp_path: Path, request_: str, ahead: list[tuple[str, bool]]
) -> None:
    (tmp_path / "shapes.py").write_text("def area(width, height):\n    return width * height\n")
    prompts: list[list[str]] = []

    async def body() -> None:
        for words in ([], ahead):
            chosen = [] if request_.endswith("good for?") else [" say\n"]  # no tool is offered for that
            engine = ScriptedEngine([*chosen, " It multiplies."])
            toolbox = Toolbox(Workspace(tmp_path), project_environment(os.environ, Path(sys.prefix)))
            agent = Agent(engine, ChatTemplate.of(engine), toolbox)
            for heard, is_whole in words:
                await agent.foresee(heard, is_whole=is_whole)
            events = [event async for event in agent.turn(request_)]
            said = "".join(event.text for event in events if isinstance(event, TextDelta))
            assert said.strip() == "It multiplies."
            prompts.append(engine.prompts)
            await agent.close()

    run(body)
    assert prompts[0] == prompts[1]


def test_what_was_computed_for_all_words_is_not_given_up_for_the_first(tmp_path: Path) -> None:
    async def body() -> None:
        engine = engine_in(tmp_path)
        dialogue = dialogue_of(engine)
        await dialogue.foresee("The project has a file. Request: What does it do?")
        assert dialogue.conversation is not None
        ahead = dialogue.conversation.session.tokens
        for begun in ("Request: What", "The project", ""):
            await dialogue.foresee(begun, is_whole=False)
            assert dialogue.conversation.session.tokens == ahead
        await dialogue.foresee("Request: What else?")
        assert "Request: What else?" in engine.decode(dialogue.conversation.session.tokens)

    run(body)


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("What is a list good", "Request: What is a list good"),
        ("What does area", ""),  # its code comes before the words,
        ("What does this project", ""),  # and what the project is
        ("Add a test for", ""),
    ],
)
def test_of_what_the_user_has_begun_to_say_only_what_will_stay_is_read(
    tmp_path: Path, words: str, read: str
) -> None:
    (tmp_path / "shapes.py").write_text("def area(width, height):\n    return width * height\n")

    async def body() -> None:
        engine = ScriptedEngine([])
        toolbox = Toolbox(Workspace(tmp_path), project_environment(os.environ, Path(sys.prefix)))
        agent = Agent(engine, ChatTemplate.of(engine), toolbox)
        await agent.foresee(words, is_whole=False)
        assert agent.conversation is not None
        opening = agent.conversation.transcript.n_tokens
        assert engine.decode(agent.conversation.session.tokens[opening:]) == read
        await agent.close()

    run(body)
