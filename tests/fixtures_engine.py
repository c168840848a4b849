"""The real engines, loaded once for the whole run; the small model, because it is quick."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.engine.llamacpp import LlamaCppEngine
from agent.engine.mlx import MlxEngine
from agent.models.store import ModelStore

CONTEXT_TOKENS = 320  # small, so that filling it is quick


@pytest.fixture(scope="session")
def llama_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("llama-sessions")


@pytest.fixture(scope="session")
def mlx_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlx-sessions")


def load_llama(store: ModelStore, state: Path) -> LlamaCppEngine:
    return LlamaCppEngine(store.path("qwen2.5-coder-0.5b"), state, threads=1, context_tokens=CONTEXT_TOKENS)


def load_mlx(store: ModelStore, state: Path) -> MlxEngine:
    return MlxEngine(store.path("qwen2.5-coder-0.5b-mlx"), state, context_tokens=CONTEXT_TOKENS)


@pytest.fixture(scope="session")
def llama_engine(store: ModelStore, llama_state: Path) -> Iterator[LlamaCppEngine]:
    """Qwen2.5-Coder 0.5B in llama.cpp."""
    engine = load_llama(store, llama_state)
    yield engine
    asyncio.run(engine.close())


@pytest.fixture(scope="session")
def mlx_engine(store: ModelStore, mlx_state: Path) -> Iterator[MlxEngine]:
    """Qwen2.5-Coder 0.5B in MLX, float32."""
    engine = load_mlx(store, mlx_state)
    yield engine
    asyncio.run(engine.close())


@pytest.fixture(params=["llamacpp", "mlx"])
def engine(request: pytest.FixtureRequest) -> Any:
    """Each real engine in turn."""
    return request.getfixturevalue({"llamacpp": "llama_engine", "mlx": "mlx_engine"}[request.param])
