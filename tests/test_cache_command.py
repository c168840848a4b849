"""`utter cache`: what it says of a store, plainly, and what it removes."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from agent.cache.entry import Retention
from agent.cache.store import PrefixStore
from agent.dialogue import Dialogue
from agent.engine.scripted import ScriptedEngine
from agent.models.store import ModelStore
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


def test_on_a_terminal_a_bar_shows_each_days_tokens(tmp_path: Path, contexts: Path) -> None:
    pty = pytest.importorskip("pty")  # not on Windows
    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "ACCESSIBLE")}
    done = subprocess.Popen(
        [sys.executable, "-m", "voice.cli", "cache"],
        stdout=theirs,
        env={**environment, "UTTER_CACHE": str(tmp_path), "COLUMNS": "200", "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # which is how Linux says that the other side has hung up
        while part := os.read(ours, 1 << 16):
            shown += part
    os.close(ours)
    assert done.wait(60) == 0
    day = PrefixStore(contexts).days()[-1]
    row = next(line for line in shown.decode().splitlines() if day.day in line)
    whole = day.read_tokens + day.computed_tokens
    full, light = row.count("\u2588"), row.count("\u2591")
    assert full + light == 40
    assert full == round(40 * day.read_tokens / whole)
    assert str(day.read_tokens) in row
    assert str(day.computed_tokens) in row


def test_warming_computes_the_opening_of_a_project_and_pins_it(tmp_path: Path, store: ModelStore) -> None:
    models, project = tmp_path / "models", tmp_path / "birds"
    models.mkdir()
    project.mkdir()
    (project / "robin.py").write_text("def sing():\n    return 'tsee'\n")
    model = "qwen2.5-coder-0.5b"
    store.path(model)
    (models / model).symlink_to(store.folder(model), target_is_directory=True)
    shutil.copytree(store.root / ".verified", models / ".verified")
    settings = ("--set", f"models.language_model={model}", "--set", "engine.name=llamacpp")
    told = utter(tmp_path, *settings, "cache", "warm", "--repo", str(project))
    n_tokens = int(told.removeprefix("ready: ").removesuffix(" tokens\n"))
    assert n_tokens > 100
    (entry,) = PrefixStore(models / "contexts").entries()
    # llama.cpp leaves the last token to the request that follows.
    assert n_tokens - 1 <= entry.n_tokens <= n_tokens
    assert entry.retention is Retention.PINNED


def test_clearing_leaves_nothing(tmp_path: Path, contexts: Path) -> None:
    assert "removed" in utter(tmp_path, "cache", "clear")
    assert not contexts.exists()
    assert "entries: 0" in utter(tmp_path, "cache").splitlines()
