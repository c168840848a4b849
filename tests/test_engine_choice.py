"""Which engine a machine gets when the user names none, and that the user may name one."""

from __future__ import annotations

import os
import platform
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from agent.engine.llamacpp import LlamaCppEngine
from agent.models.store import ModelStore
from voice.app import engine_name
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
    niceness: list[int] = []
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # it has just ended
            niceness.append(os.getpriority(os.PRIO_PROCESS, int(thread.name)))
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert max(niceness) == own + 5
