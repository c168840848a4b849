"""Which engine a machine gets when the user names none, and that the user may name one."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from agent.engine.llama_server import NICENESS
from agent.engine.llamacpp import LlamaCppEngine
from agent.models.store import ModelStore
from voice.app import engine_name, open_engine
from voice.config import Settings


@pytest.mark.parametrize(
    ("system", "machine", "model", "expected"),
    [
        ("darwin", "arm64", "qwen2.5-coder-0.5b", "mlx"),
        ("darwin", "arm64", "qwen2.5-coder-1.5b", "llamacpp"),  # has no build for MLX
        ("darwin", "x86_64", "qwen2.5-coder-0.5b", "llamacpp"),
        ("linux", "x86_64", "qwen2.5-coder-0.5b", "llamacpp"),
        ("linux", "aarch64", "qwen2.5-coder-0.5b", "llamacpp"),
        ("win32", "AMD64", "qwen2.5-coder-0.5b", "llamacpp"),
    ],
)
def test_the_engine_is_chosen_by_machine_and_model_unless_it_is_named(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch, system: str, machine: str, model: str, expected: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    for name, chosen in (("auto", expected), ("mlx", "mlx"), ("llamacpp", "llamacpp")):
        settings = Settings.model_validate({"models": {"language_model": model}, "engine": {"name": name}})
        assert engine_name(settings, store) == chosen


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads have no priorities of their own")
def test_the_threads_of_the_language_model_stand_back_behind_those_that_hear(
    llama_engine: LlamaCppEngine,
) -> None:
    assert llama_engine.server.address
    assert nicest() == os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) + NICENESS


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads have no priorities of their own")
def test_while_somebody_speaks_they_stand_back_as_far_as_they_can(store: ModelStore, tmp_path: Path) -> None:
    async def opened() -> int:
        settings = Settings.model_validate({"models": {"language_model": "qwen2.5-coder-0.5b"}})
        engine = await open_engine(settings, store, is_live=True)
        try:
            return nicest()
        finally:
            await engine.close()

    assert asyncio.run(opened()) == 19


def nicest() -> int:
    """The niceness of the thread of this process that stands back furthest."""
    found: list[int] = []
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # it has just ended
            found.append(os.getpriority(os.PRIO_PROCESS, int(thread.name)))
    return max(found)
