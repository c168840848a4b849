"""What both real engines must do alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import httpx
import pytest
from fixtures_engine import CONTEXT_TOKENS, load_llama, load_mlx

from agent.cache.entry import StoreError
from agent.conversation import Conversation
from agent.engine import prefix
from agent.engine.llamacpp import LlamaCppEngine
from agent.engine.mlx import MlxEngine
from agent.engine.protocol import ContextFull, Engine, EngineError, Finish, Piece, Session
from agent.template import ChatTemplate

COUNT = (
    "<|im_start|>user\nCount from one to twenty in words.<|im_end|>\n<|im_start|>assistant\nOne, two, three,"
)
COLOURS = "<|im_start|>user\nList the colours of the rainbow.<|im_end|>\n<|im_start|>assistant\nRed, orange,"

_ALONE: dict[tuple[str, str], tuple[int, ...]] = {}


async def begun(engine: Engine, text: str) -> Session:
    session = await engine.open()
    await session.prefill(engine.encode(text, special=True))
    return session


async def alone(engine: Engine, text: str, n_tokens: int) -> tuple[int, ...]:
    """What a session that nothing disturbs says after `text`: at most ten tokens, found out once."""
    if (engine.name, text) not in _ALONE:
        _ALONE[engine.name, text] = await say(await begun(engine, text), 10)
    return _ALONE[engine.name, text][:n_tokens]


async def collect(pieces: AsyncGenerator[Piece, None]) -> list[Piece]:
    async with aclosing(pieces):
        return [piece async for piece in pieces]


async def say(session: Session, n_tokens: int, stop: Sequence[str] = ()) -> tuple[int, ...]:
    """The next tokens, greedily."""
    return tokens_of(await collect(session.generate(None, stop, n_tokens)))


def tokens_of(pieces: list[Piece]) -> tuple[int, ...]:
    return tuple(token for piece in pieces for token in piece.tokens)


def text_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def test_the_same_prompt_gives_the_same_tokens_at_temperature_zero(engine: Engine) -> None:
    async def body() -> None:
        first = await say(await begun(engine, COUNT), 6)
        assert len(first) == 6
        assert await say(await begun(engine, COUNT), 6) == first

    asyncio.run(body())


def test_the_same_seed_gives_the_same_tokens_and_seeds_differ(engine: Engine) -> None:
    async def body() -> None:
        session = await begun(engine, "<|im_start|>user\nWrite a poem.<|im_end|>\n<|im_start|>assistant\n")
        start = len(session.tokens)
        drawn: list[tuple[int, ...]] = []
        for seed in (1, 1, 2, 3):
            drawn.append(tokens_of(await collect(session.generate(None, (), 5, temperature=1.5, seed=seed))))
            await session.rewind(start)
        assert drawn[0] == drawn[1]
        assert len(set(drawn)) > 1

    asyncio.run(body())


def test_counts_are_exact_and_each_prompt_token_is_counted_once(engine: Engine) -> None:
    async def body() -> None:
        prompt = engine.encode("Like no other prompt. " + COUNT, special=True)
        session = await engine.open()
        first = await session.prefill(prompt[:-3])
        second = await session.prefill(prompt[-3:])
        assert (first.cached_tokens, first.computed_tokens) == (0, len(prompt) - 3)
        assert (second.cached_tokens, second.computed_tokens) == (len(prompt) - 3, 3)
        said = await say(session, 6)
        assert session.tokens == (*prompt, *said)
        third = await session.prefill(
            engine.encode(" and so on, until the very end of it all: ", special=False)
        )
        assert third.cached_tokens == len(prompt) + 6
        assert third.cached_tokens + third.computed_tokens == len(session.tokens)

    asyncio.run(body())


def test_what_is_left_to_the_next_call_is_counted_once_and_changes_nothing(engine: Engine) -> None:
    async def body() -> None:
        text = f"What is left for later. {COUNT}"
        prompt = engine.encode(text, special=True)
        session = await engine.open()
        for at in range(0, len(prompt), 9):
            done = await session.prefill(prompt[at : at + 9], leave_tail=True)
            assert (done.cached_tokens, done.computed_tokens) == (at, len(prompt[at : at + 9]))
        await session.rewind(len(prompt) - 4)  # where nothing is computed yet
        assert (await session.prefill(prompt[-4:], leave_tail=True)).computed_tokens == 4
        said = await say(session, 6)
        assert session.computed_tokens == len(prompt) + 4
        assert (await session.prefill(prompt[:3], leave_tail=True)).computed_tokens == 3
        assert await say(await begun(engine, text), 6) == said

    asyncio.run(body())


def test_what_was_left_to_a_generation_that_is_broken_off_is_not_counted_again(engine: Engine) -> None:
    async def body() -> None:
        prompt = engine.encode(f"Broken off at once. {COUNT}", special=True)
        session = await engine.open()
        await session.prefill(prompt)
        await session.rewind(12)
        await session.prefill(prompt[5:15], leave_tail=True)
        counted = session.computed_tokens
        await collect(session.generate(None, (), 0))
        assert (await session.prefill([prompt[0]], leave_tail=True)).computed_tokens == 1
        assert session.computed_tokens == counted + 1

    asyncio.run(body())


@pytest.mark.parametrize(
    ("left", "before", "held", "whole", "counted"),
    [
        (0, 100, 100, 120, 0),
        (0, 100, 60, 120, 0),  # lost by the engine
        (7, 100, 93, 120, 7),
        (7, 100, 60, 120, 7),  # lost, but for what had never been there
        (7, 100, 97, 120, 3),  # of what was left a part came to be held
        (0, 100, 99, 100, 1),  # the last one, for its logits
        (7, 100, 93, 100, 7),
    ],
)
def test_what_was_counted_before_is_not_counted_again(
    left: int, before: int, held: int, whole: int, counted: int
) -> None:
    assert prefix.counted_before(left, before, held, whole) == counted


def test_a_generation_that_is_broken_off_can_be_continued_as_if_it_had_not_been(engine: Engine) -> None:
    async def body() -> None:
        whole = await alone(engine, COUNT, 10)
        session = await begun(engine, COUNT)
        start = session.tokens
        pieces = session.generate(None, (), 10)
        got: tuple[int, ...] = ()
        async for piece in pieces:
            got += piece.tokens
            if len(got) >= 4:
                break
        await pieces.aclose()
        assert session.tokens == start + got
        assert got + await say(session, 10 - len(got)) == whole

    asyncio.run(body())


def test_a_cancelled_generation_leaves_the_session_usable(engine: Engine) -> None:
    async def body() -> None:
        whole = await alone(engine, COUNT, 4)
        session = await begun(engine, COUNT)
        start = session.tokens
        heard = asyncio.Event()

        async def speak() -> None:
            async with aclosing(session.generate(None, (), 200)) as pieces:
                async for _ in pieces:
                    heard.set()

        task = asyncio.create_task(speak())
        await heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert session.tokens[: len(start)] == start
        await session.rewind(len(start))
        assert await say(session, 4) == whole

    asyncio.run(body())


def test_after_a_rewind_other_text_gives_what_a_fresh_session_gives(engine: Engine) -> None:
    async def body() -> None:
        fresh = await alone(engine, COLOURS, 4)
        session = await begun(engine, COUNT)
        await say(session, 3)
        colours = engine.encode(COLOURS, special=True)
        shared = next(n for n, (a, b) in enumerate(zip(session.tokens, colours, strict=False)) if a != b)
        await session.rewind(shared)
        assert session.tokens == tuple(colours[:shared])
        counts = await session.prefill(colours[shared:])
        assert (counts.cached_tokens, counts.computed_tokens) == (shared, len(colours) - shared)
        assert await say(session, 4) == fresh

    asyncio.run(body())


def test_two_sessions_in_turn_give_what_each_gives_alone(engine: Engine) -> None:
    async def body() -> None:
        count, colours = await alone(engine, COUNT, 4), await alone(engine, COLOURS, 4)
        one, other = await begun(engine, COUNT), await begun(engine, COLOURS)
        assert await say(one, 2) + await say(one, 2) == count
        assert await say(other, 4) == colours

    asyncio.run(body())


def test_two_generations_read_in_turn_do_not_wait_for_each_other_for_ever(engine: Engine) -> None:
    async def body() -> None:
        count, colours = await alone(engine, COUNT, 3), await alone(engine, COLOURS, 3)
        one, other = await begun(engine, COUNT), await begun(engine, COLOURS)
        async with (
            aclosing(one.generate(None, (), 3)) as ones,
            aclosing(other.generate(None, (), 3)) as others,
        ):
            pairs = [(await anext(ones), await anext(others)) for _ in range(3)]
        assert tokens_of([pair[0] for pair in pairs]) == count
        assert tokens_of([pair[1] for pair in pairs]) == colours

    asyncio.run(body())


def test_a_prefill_cancelled_between_chunks_keeps_what_was_computed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefix, "CHUNK_TOKENS", 24)

    async def body() -> None:
        prompt = engine.encode("<|im_start|>user\nFruit: " + "apple, pear, plum, " * 12 + COUNT, special=True)
        session = await engine.open()
        task = asyncio.create_task(session.prefill(prompt))
        while not session.tokens:
            await asyncio.wait([task], timeout=0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        done = len(session.tokens)
        assert 0 < done < len(prompt)
        assert session.tokens == tuple(prompt[:done])
        counts = await session.prefill(prompt[done:])
        assert counts.cached_tokens >= done
        assert counts.cached_tokens + counts.computed_tokens == len(prompt)
        # The chunk under way when it was cancelled may have been computed: nobody claims it as read.
        assert session.computed_tokens >= len(prompt)
        fresh = await engine.open()
        await fresh.prefill(prompt)
        assert await say(session, 3) == await say(fresh, 3)

    asyncio.run(body())


def test_too_long_a_prompt_is_refused_before_anything_is_computed(engine: Engine) -> None:
    async def body() -> None:
        session = await begun(engine, COUNT)
        before = session.tokens
        with pytest.raises(ContextFull, match=str(CONTEXT_TOKENS)):
            await session.prefill([100] * (CONTEXT_TOKENS - len(before)))
        assert session.tokens == before
        assert len(await say(session, 3)) == 3

    asyncio.run(body())


def test_generation_ends_where_the_context_does(engine: Engine) -> None:
    async def body() -> None:
        session = await engine.open()
        words = engine.encode("one two three four five six seven eight nine ten " * 40, special=False)
        await session.prefill(words[: CONTEXT_TOKENS - 3])
        pieces = await collect(session.generate(None, (), 50))
        assert pieces[-1].finish is Finish.LENGTH
        assert len(session.tokens) <= CONTEXT_TOKENS
        assert tokens_of(pieces)

    asyncio.run(body())


def test_an_empty_session_has_nothing_to_continue(engine: Engine) -> None:
    async def body() -> None:
        session = await engine.open()
        with pytest.raises(EngineError, match="nothing to continue"):
            await say(session, 1)

    asyncio.run(body())


def test_a_grammar_is_obeyed_to_its_end(engine: Engine) -> None:
    async def body() -> None:
        session = await begun(
            engine, "<|im_start|>user\nRun the tests.<|im_end|>\n<|im_start|>assistant\ntool:"
        )
        start = session.tokens
        pieces = await collect(session.generate('start: " " ("read_file"|"run_tests") "\\n"', (), 30))
        assert text_of(pieces) in (" read_file\n", " run_tests\n")
        assert pieces[-1].finish is Finish.END_OF_TURN
        assert session.tokens == start + tokens_of(pieces)

    asyncio.run(body())


def test_a_faulty_grammar_is_an_error_and_not_free_text(engine: Engine) -> None:
    async def body() -> None:
        session = await begun(engine, COUNT)
        with pytest.raises(EngineError, match="faulty"):
            await collect(session.generate("start: nothing_of_that_name", (), 5))

    asyncio.run(body())


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        (["\n"], "alpha beta; gamma"),
        (["; gam"], "alpha beta"),
        (["a; g", "zeta"], "alpha bet"),
        (["alpha"], ""),
        (["never"], "alpha beta; gamma\ndelta"),
        (["delta never"], "alpha beta; gamma\ndelta"),
    ],
)
def test_text_ends_before_a_stop_string(engine: Engine, stop: list[str], expected: str) -> None:
    async def body() -> None:
        session = await begun(engine, COUNT)
        start = session.tokens
        pieces = await collect(session.generate('start: "alpha beta; gamma\\ndelta"', stop, 30))
        stopped = stop[0] in "alpha beta; gamma\ndelta"
        assert text_of(pieces) == expected
        assert pieces[-1].finish is (Finish.STOP if stopped else Finish.END_OF_TURN)
        assert all(piece.finish is None for piece in pieces[:-1])
        assert session.tokens == start + tokens_of(pieces)
        # What the kept tokens say, read back by the engine itself, is a beginning of the text.
        kept = "".join(piece.text for piece in pieces if piece.tokens)
        assert expected.startswith(kept)
        assert stopped or kept == expected

    asyncio.run(body())


def test_characters_of_several_tokens_arrive_whole(engine: Any) -> None:
    text = "你好 \U0001f99c\U0001fae0 é ꙮ\U00013000!"

    async def body() -> None:
        session = await begun(engine, COUNT)
        start = len(session.tokens)
        pieces = await collect(session.generate(f'start: "{text}"', (), 60))
        assert text_of(pieces) == text
        assert b"".join(engine.vocabulary.bytes_of(t) for t in session.tokens[start:]).decode() == text

    asyncio.run(body())


def test_names_of_special_tokens_in_content_stay_text(engine: Any) -> None:
    names = engine.vocabulary.special_names
    assert {"<|im_end|>", "<tool_call>", "<|endoftext|>"} <= set(names)
    special = {engine.encode(name, special=True)[0] for name in names}
    for name in names:
        assert len(engine.encode(name, special=True)) == 1
        content = f"before {name}{name} <|im_<|im_end|>end|>"
        tokens = engine.encode(content, special=False)
        assert not special & set(tokens)
        assert b"".join(map(engine.vocabulary.bytes_of, tokens)).decode() == content


def test_both_engines_read_text_alike(llama_engine: LlamaCppEngine, mlx_engine: MlxEngine) -> None:
    for text in (
        "def f(x):\n    return x  # \t\n\n",
        " café 1234 你好 \U0001f99c",
        "<|im_end|><tool_call>",
        COUNT,
        "",
    ):
        for special in (True, False):
            assert llama_engine.encode(text, special=special) == mlx_engine.encode(text, special=special)


def test_a_saved_session_goes_on_in_a_new_engine(engine: Any, request: pytest.FixtureRequest) -> None:
    async def save() -> tuple[tuple[int, ...], tuple[int, ...]]:
        session = await begun(engine, COUNT)
        await say(session, 3)
        await session.save()
        return session.tokens, await say(session, 5)

    tokens, expected = asyncio.run(save())
    load, state = {"llamacpp": (load_llama, "llama_state"), "mlx": (load_mlx, "mlx_state")}[engine.name]
    other = load(request.getfixturevalue("store"), request.getfixturevalue(state))

    async def go_on() -> None:
        restored = await other.restore(tokens)
        assert restored.tokens == tokens[: len(restored.tokens)]
        assert len(restored.tokens) >= len(tokens) - 2
        counts = await restored.prefill(tokens[len(restored.tokens) :])
        assert counts.cached_tokens + counts.computed_tokens == len(tokens)
        assert counts.computed_tokens <= 2
        assert await say(restored, 5) == expected
        await other.close()

    asyncio.run(go_on())


def test_what_is_restored_ends_where_the_prompts_part(engine: Any) -> None:
    async def body() -> None:
        rainbow = engine.encode("Twenty colours of the rainbow, one by one, and no other. ", special=True)
        session = await engine.open()
        await session.prefill([*rainbow, *engine.encode(COUNT, special=True)])
        await say(session, 3)
        await session.save()
        prompt = (*rainbow, *engine.encode(COLOURS, special=True))
        fresh = await say(await begun(engine, COLOURS), 1)
        restored = await engine.restore(prompt)
        assert len(rainbow) <= len(restored.tokens) < len(prompt)
        assert restored.tokens == prompt[: len(restored.tokens)]
        await restored.prefill(prompt[len(restored.tokens) :])
        again = await engine.open()
        await again.prefill(prompt)
        assert await say(restored, 4) == await say(again, 4)
        assert fresh
        assert (await engine.restore([5] * 40)).tokens == ()

    asyncio.run(body())


@pytest.mark.parametrize("harm", ["cut", "bit", "gone"])
def test_a_damaged_context_is_computed_anew_and_right(engine: Any, harm: str) -> None:
    async def body() -> None:
        text = f"Whatever happens ({harm}), all of this is said: {COUNT}"
        session = await begun(engine, text)
        expected = await say(session, 3)
        await session.save()
        files_then = set(engine.keeper.folder.iterdir())
        entry = max(engine.keeper.store.entries(), key=lambda entry: entry.id)
        data = engine.keeper.folder / entry.file
        assert data in files_then
        content = data.read_bytes()
        match harm:
            case "cut":
                data.write_bytes(content[:-1000])
            case "bit":
                data.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
            case _:
                data.unlink()
        tokens = engine.encode(text, special=True)
        restored = await engine.restore(tokens)
        assert len(restored.tokens) < len(tokens) - 8
        assert entry.file in [trouble.file for trouble in engine.keeper.store.troubles()]
        await restored.prefill(tokens[len(restored.tokens) :])
        assert await say(restored, 3) == expected

    asyncio.run(body())


def test_a_disk_that_fills_while_saving_is_told_and_the_session_goes_on(engine: Any) -> None:
    resource = pytest.importorskip("resource")  # not on Windows

    async def body() -> None:
        session = await begun(engine, "Even where the disk is full, we go on. " + COUNT)
        expected = await say(session, 2)
        await session.rewind(len(session.tokens) - len(expected))
        before = {entry.id for entry in engine.keeper.store.entries()}
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        try:
            with pytest.raises(StoreError, match=r"not be saved|cannot be used"):
                await session.save()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert {entry.id for entry in engine.keeper.store.entries()} == before
        assert not list(engine.keeper.folder.glob("tmp-*"))
        assert await say(session, 2) == expected

    asyncio.run(body())


def test_a_session_that_others_interrupt_computes_nothing_twice(engine: Any) -> None:
    async def body() -> None:
        story = engine.encode("The cat sat on the mat and the dog on the log. " * 12, special=False)
        session = await engine.open()
        await session.prefill(story)
        for text in (COUNT, COLOURS):
            await say(await begun(engine, text), 2)
        counts = await session.prefill(engine.encode(" And so", special=False))
        assert counts.cached_tokens >= len(story) - 1

    asyncio.run(body())


def test_what_another_session_has_driven_out_is_not_claimed_as_read(
    llama_engine: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llama_engine.slot, "_parked_bytes", 0)

    async def body() -> None:
        talk = Conversation(llama_engine, await llama_engine.open(), ChatTemplate.of(llama_engine))
        await talk.system("Nobody else was ever told this. " * 12)
        mark = talk.mark()
        await talk.user("Count.")
        await talk.open_reply()
        assert talk.spent(mark).cached_tokens == mark.n_tokens
        n_tokens = talk.transcript.n_tokens
        await say(await begun(llama_engine, COUNT), 1)  # between the prefill and the reply
        said = [piece async for piece in talk.generate(max_tokens=2)]
        spent = talk.spent(mark)
        assert spent.cached_tokens + spent.computed_tokens == n_tokens
        assert spent.cached_tokens < 16
        assert tokens_of(said)

    asyncio.run(body())


def test_a_session_that_is_over_serves_the_next_one(mlx_engine: MlxEngine) -> None:
    async def body() -> None:
        words = mlx_engine.encode("Over and over, until it is over and done with. " + COUNT, special=True)
        session = await mlx_engine.open()
        await session.prefill(words)
        expected = await say(session, 3)
        del session
        again = await mlx_engine.restore(words)
        assert len(again.tokens) >= len(words) - 1
        await again.prefill(words[len(again.tokens) :])
        assert await say(again, 3) == expected

    asyncio.run(body())


def test_saving_leaves_no_temporary_files(engine: Any) -> None:
    async def body() -> None:
        session = await begun(engine, COUNT)
        for _ in range(2):
            await session.save()
            await say(session, 2)

    before = set(engine.keeper.folder.glob("tmp-*"))
    asyncio.run(body())
    assert set(engine.keeper.folder.glob("tmp-*")) <= before


def test_the_llama_server_answers_nobody_without_its_key_and_no_web_page(
    llama_engine: LlamaCppEngine,
) -> None:
    address = llama_engine.server.address
    assert address.startswith("http://127.0.0.1:")
    request = {"prompt": "x", "n_predict": 1}
    with httpx.Client(trust_env=False) as client:
        assert client.post(f"{address}/completion", json=request).status_code == 401
        asked = client.options(f"{address}/completion", headers={"Origin": "http://localhost"})
        assert asked.headers.get("Access-Control-Allow-Origin") not in ("*", "http://localhost")
        assert asked.headers.get("Access-Control-Allow-Credentials") != "true"


def test_a_file_that_is_no_model_is_named_in_the_error(tmp_path: Any) -> None:
    no_model = tmp_path / "notes.gguf"
    no_model.write_text("not a model")
    with pytest.raises(EngineError, match=r"notes\.gguf"):
        LlamaCppEngine(no_model, tmp_path, threads=1)
    with pytest.raises(EngineError, match="cannot be read"):
        MlxEngine(tmp_path, tmp_path)
