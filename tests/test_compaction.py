"""A window that fills, on the real engines: what was asked and done survives, the opening stays cached."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fixtures_engine import CONTEXT_TOKENS

from agent.dialogue import Dialogue
from agent.engine.protocol import Engine
from agent.engine.scripted import ScriptedEngine
from agent.template import ChatTemplate

PROMPT = "You answer in a word. The project counts birds."


def dialogue_of(engine: Engine, prompt: str = PROMPT) -> Dialogue:
    return Dialogue(engine, ChatTemplate.of(engine), prompt)


async def turn(dialogue: Dialogue, request: str, done: str) -> None:
    await dialogue.begin()
    await dialogue.ask(f"Request: {request}")
    async for _ in dialogue.fill(None, 4, 0.0, 0):
        pass
    dialogue.remember(request, done, is_told=True)
    dialogue.end()


def test_the_opening_stays_cached_and_what_was_asked_and_done_is_told_again(engine: Any) -> None:
    async def body() -> None:
        dialogue = dialogue_of(engine)
        await dialogue.warm()
        talk = dialogue.conversation
        assert talk is not None
        opening = talk.transcript.n_tokens
        await turn(dialogue, "Rename robin to thrush.", "renamed robin to thrush in birds.py")
        await turn(dialogue, "Why do the tests fail?", "nothing was changed.")
        heard = dialogue.take_notices()
        await turn(dialogue, "And owls?", "said: No.")
        assert any("summed up" in notice for notice in [*heard, *dialogue.take_notices()])
        asked = talk.transcript.entries
        text = "".join(entry.text for entry in asked)
        assert text.startswith(talk.transcript.entries[0].text) and PROMPT in text
        assert "Rename robin to thrush. Done: renamed robin to thrush in birds.py" in text
        assert "Why do the tests fail? Done: nothing was changed." in text
        assert text.index("Why do the tests fail?") < text.index("Request: And owls?")
        # Not a token of the opening is computed again, and none of what was left out is still there.
        assert dialogue.usage().cache_read_input_tokens >= opening
        assert text.count("Request: ") == 1
        assert len(talk.session.tokens) <= CONTEXT_TOKENS
        await dialogue.close()

    asyncio.run(body())


@pytest.mark.parametrize(
    ("request_chars", "done"),
    [(20, "tested"), (900, "tested"), (900, "changed " + "x" * 300), (20, "y" * 900)],
)
def test_however_long_the_request_what_was_done_is_in_the_summary(request_chars: int, done: str) -> None:
    async def body() -> None:
        engine = ScriptedEngine(lambda _: "Yes.", context_tokens=9_000)
        dialogue = dialogue_of(engine)
        request = "Please " + "a" * (request_chars - 7)
        await turn(dialogue, request, done)
        await turn(dialogue, "b" * 6_500, "said: yes")
        await turn(dialogue, "c" * 200, "said: yes")
        assert dialogue.conversation is not None
        text = engine.decode(dialogue.conversation.session.tokens)
        assert dialogue.take_notices()
        line = next(line for line in text.splitlines() if "Earlier request: Please aaaaa" in line)
        assert done[:60] in line and len(line) < 300

    asyncio.run(body())
