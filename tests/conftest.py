"""Fixtures that the whole suite shares."""

from __future__ import annotations

import os

# Before anything loads a BLAS: the workers share the cores, and a matrix product whose threads wait for
# each other's core takes up to fifty times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

from agent.models.store import ModelStore
from voice import config
from voice.commands.context import store_of


@pytest.fixture(scope="session")
def store() -> ModelStore:
    """The models that `make test` fetched."""
    return store_of(config.load())


pytest_plugins = ["fixtures_engine"]
