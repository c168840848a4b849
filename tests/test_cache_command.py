"""`utter cache`: what it says of a store, plainly, and what it removes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cache.store import PrefixStore
from agent.dialogue import Dialogue
from agent.engine.scripted import ScriptedEngine
from agent.template import ChatTemplate


def utter(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "voice.cli", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "UTTER_CACHE": str(folder), "COLUMNS": "200"},
    )
    return done.stdout


@pytest.fixture
def contexts(tmp_path: Path) -> Path:
    """A store that a short session left, with one damaged file set aside."""
    folder = tmp_path / "models" / "contexts"

    async def session() -> None:
        engine = ScriptedEngine(lambda _: "Yes.", keep_in=folder)
        dialogue = Dialogue(engine, ChatTemplate.of(engine), "You are terse. " * 4, place="/projects/birds")
        for request in ("Are there robins? " * 6, "And owls? " * 12):
            await dialogue.begin()
            await dialogue.ask(request)
            async for _ in dialogue.fill('start: "Yes."', 9, 0.0, 0):
                pass
            dialogue.end()
        await dialogue.close()

    asyncio.run(session())
    (folder / "holiday.jpg").write_bytes(b"not ours")
    return folder


def test_figures_are_plain_lines_where_nobody_looks(tmp_path: Path, contexts: Path) -> None:
    store = PrefixStore(contexts)
    n_tokens = sum(entry.n_tokens for entry in store.entries())
    day = store.days()[-1]
    lines = utter(tmp_path, "cache").splitlines()
    assert "entries: 2" in lines
    assert f"tokens: {n_tokens}" in lines
    percent = round(100 * day.read_tokens / (day.read_tokens + day.computed_tokens))
    assert any(line.startswith(f"hit rate: {percent} %") for line in lines)
    assert f"{day.day}: {day.read_tokens} tokens read, {day.computed_tokens} computed" in lines
    assert any(line.startswith("set aside: holiday.jpg") for line in lines)
    assert lines == [line.rstrip() for line in lines]


def test_clearing_leaves_nothing(tmp_path: Path, contexts: Path) -> None:
    assert "removed" in utter(tmp_path, "cache", "clear")
    assert not contexts.exists()
    assert "entries: 0" in utter(tmp_path, "cache").splitlines()
