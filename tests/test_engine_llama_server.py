"""The server of llama.cpp inside this process: what happens when it does not end."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from agent.engine import llama_server
from agent.engine.llama_server import LlamaServer

LET_GO = threading.Event()


class Endless:
    """A native server whose destructor waits for what never comes."""

    listening_address = "http://127.0.0.1:1"
    has_begun_to_end = threading.Event()

    def __init__(self, parameters: object) -> None:
        """Takes anything."""

    def __del__(self) -> None:
        """Until the test lets go."""
        self.has_begun_to_end.set()
        LET_GO.wait()


def test_a_server_that_never_ends_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama_server._native, "Server", Endless)  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(llama_server, "_STOP_S", 0.05)
    server = LlamaServer(tmp_path / "model.gguf", tmp_path, threads=1, context_tokens=512)
    try:
        asyncio.run(server.close())
        assert Endless.has_begun_to_end.wait(5)
    finally:
        LET_GO.set()
