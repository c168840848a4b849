"""A reply that was interrupted: what was not heard is in nobody's mind, the model's neither."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from agent.engine.scripted import ScriptedEngine
from agent.events import TextDelta
from agent.loop import Agent
from agent.template import ChatTemplate
from agent.tools.process import project_environment
from agent.tools.toolbox import Toolbox
from agent.workspace import Workspace
from voice.conversation.heard_reply import HeardReply

WRITTEN = "It reads `config.py`. Then it splits each line. At last it returns a dictionary."


def reply(*clauses: tuple[str, int]) -> HeardReply:
    """Clauses, and how much was written when each came; each is said as the item of its place."""
    said, before = HeardReply(), 0
    for number, (clause, end) in enumerate(clauses, 1):
        said.wrote(WRITTEN[before:end])
        before = end
        said.gave(clause)
        said.says(number, clause)
    return said


THREE = (
    ("It reads config dot py.", 24),  # a little of the next sentence was written by then
    ("Then it splits each line.", 50),
    ("At last it returns a dictionary.", len(WRITTEN)),
)


@pytest.mark.parametrize(
    ("heard", "words", "left"),
    [
        ((), "", ""),
        ((), "It reads config", "It"),  # rather too little than too much
        ((1,), "", "It reads `config.py`."),
        ((1,), "Then it splits", "It reads `config.py`. Then it splits"),
        ((1, 2), "At", "It reads `config.py`. Then it splits each line. At"),
        ((1, 2, 3), "", WRITTEN),
    ],
)
def test_what_was_heard_is_counted_in_what_was_written(heard: tuple[int, ...], words: str, left: str) -> None:
    said = reply(*THREE)
    for item in heard:
        said.heard(item)
    said.cut(words)
    assert WRITTEN[: said.characters] == left
    assert not said.is_whole
    said.finish()
    assert said.is_whole == (len(heard) == 3)


def test_what_was_silenced_and_said_again_was_heard() -> None:
    said = reply(*THREE)
    said.heard(1)
    said.cut("Then it")
    said.says(7, "Then it splits each line.")
    said.says(8, "At last it returns a dictionary.")
    said.heard(7)
    said.heard(8)
    said.finish()
    assert said.is_whole and said.characters == len(WRITTEN)


def agent_of(folder: Path, engine: ScriptedEngine) -> Agent:
    (folder / "shapes.py").write_text("def area(width, height):\n    return width * height\n")
    toolbox = Toolbox(Workspace(folder), project_environment(os.environ, Path(sys.prefix)))
    return Agent(engine, ChatTemplate.of(engine), toolbox)


async def answered(agent: Agent, request: str, *, breaks_off_after: int = 0) -> None:
    """The whole turn, or until so many pieces of text have come."""
    n_pieces = 0
    async with aclosing(agent.turn(request)) as events:
        async for event in events:
            n_pieces += isinstance(event, TextDelta)
            if breaks_off_after and n_pieces == breaks_off_after:
                return


def last_prompt(engine: ScriptedEngine) -> str:
    return engine.prompts[-1]


def run(body: Callable[[], Awaitable[None]]) -> None:
    async def wait() -> None:
        await body()

    asyncio.run(wait())


ANSWERS = [" say\n", " It multiplies both. Then it returns the product.", " say\n", " Yes."]


@pytest.mark.parametrize("reads_ahead", [False, True])
@pytest.mark.parametrize(("heard", "left"), [("It multiplies both.", " It multiplies both."), ("", "")])
def test_the_rest_of_a_whole_answer_is_cut_from_the_conversation_and_the_cache(
    tmp_path: Path, heard: str, left: str, reads_ahead: bool
) -> None:
    async def body() -> None:
        engine = ScriptedEngine(ANSWERS)
        agent = agent_of(tmp_path, engine)
        await answered(agent, "What does area do?")
        agent.heard(len(heard))
        if reads_ahead:
            await agent.foresee("Is it right?")
            assert agent.conversation is not None
            assert "product" not in engine.decode(agent.conversation.session.tokens)
        await answered(agent, "Is it right?")
        prompt = last_prompt(engine)
        assert "product" not in prompt and "What does area do?" in prompt
        assert f"text:{left}" in prompt
        await agent.close()

    run(body)


def test_what_was_heard_of_an_answer_that_was_broken_off_stays(tmp_path: Path) -> None:
    async def body() -> None:
        engine = ScriptedEngine(ANSWERS)
        agent = agent_of(tmp_path, engine)
        await answered(agent, "What does area do?", breaks_off_after=12)
        agent.heard(len("It multi"))
        await answered(agent, "Is it right?")
        prompt = last_prompt(engine)
        assert "What does area do?" in prompt and "text: It multi" in prompt
        assert "It multiplies" not in prompt
        await agent.close()

    run(body)


def test_of_an_answer_that_was_broken_off_unheard_nothing_stays(tmp_path: Path) -> None:
    async def body() -> None:
        engine = ScriptedEngine(ANSWERS)
        agent = agent_of(tmp_path, engine)
        await answered(agent, "What does area do?", breaks_off_after=3)
        agent.heard(0)
        await agent.foresee("Is it right?")
        await answered(agent, "Is it right?")
        assert "What does area do?" not in last_prompt(engine)
        await agent.close()

    run(body)
