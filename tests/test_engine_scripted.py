"""The scripted engine keeps the contract that tests of the loop rely on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.engine.protocol import ContextFull, EngineError, Finish, Piece, Session
from agent.engine.scripted import ScriptedEngine


async def say(
    session: Session, constraint: str | None = None, stop: tuple[str, ...] = (), n: int = 99
) -> list[Piece]:
    return [piece async for piece in session.generate(constraint, stop, n)]


def test_it_says_its_texts_in_turn_and_then_complains() -> None:
    async def body() -> None:
        engine = ScriptedEngine(["one", "two"])
        session = await engine.open()
        await session.prefill(engine.encode("<|im_start|>user\nhi", special=True))
        assert "".join(piece.text for piece in await say(session)) == "one"
        assert "".join(piece.text for piece in await say(session)) == "two"
        assert engine.prompts == ["<|im_start|>user\nhi", "<|im_start|>user\nhione"]
        with pytest.raises(EngineError, match="generation 3"):
            await say(session)

    asyncio.run(body())


def test_it_may_not_break_a_grammar() -> None:
    async def body() -> None:
        engine = ScriptedEngine(lambda prompt: " red" if "colour" in prompt else " cat")
        session = await engine.open()
        await session.prefill(engine.encode("colour:", special=False))
        colour = 'start: " red" | " blue"'
        assert (await say(session, colour))[-1].finish is Finish.END_OF_TURN
        await session.rewind(0)
        await session.prefill(engine.encode("animal:", special=False))
        with pytest.raises(EngineError, match="does not allow"):
            await say(session, colour)

    asyncio.run(body())


def test_stops_lengths_and_special_names_are_as_with_a_model() -> None:
    async def body() -> None:
        engine = ScriptedEngine(["say it\nnow", "say it\nnow"], context_tokens=40)
        session = await engine.open()
        await session.prefill(engine.encode("<|im_start|>", special=True))
        assert len(session.tokens) == 1
        stopped = await say(session, stop=("\n",))
        assert ("".join(piece.text for piece in stopped), stopped[-1].finish) == ("say it", Finish.STOP)
        assert len(session.tokens) == 1 + len("say it")
        cut = await say(session, n=3)
        assert ("".join(piece.text for piece in cut), cut[-1].finish) == ("say", Finish.LENGTH)
        with pytest.raises(ContextFull):
            await session.prefill(engine.encode("<|im_start|>" * 4, special=False))
        assert engine.decode(session.tokens) == "<|im_start|>say itsay"

    asyncio.run(body())


def test_a_saved_session_is_a_copy(tmp_path: Path) -> None:
    async def body() -> None:
        engine = ScriptedEngine([], keep_in=tmp_path)
        session = await engine.open()
        await session.prefill(range(40))
        await session.save()
        await session.rewind(1)
        assert (await engine.restore(range(40))).tokens == tuple(range(40))
        assert (await engine.restore(range(1, 40))).tokens == ()

    asyncio.run(body())
