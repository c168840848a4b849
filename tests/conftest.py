"""Fixtures that the whole suite shares."""

from __future__ import annotations

import os

# Before anything loads a BLAS: the workers share the cores, and a matrix product whose threads wait for
# each other's core takes up to fifty times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

from agent.engine.blas import interpose_openblas
from agent.models.store import ModelStore
from voice import config
from voice.commands.context import store_of

# Before a test's own file loads MLX at its head: the reference BLAS would take seventy times as long.
interpose_openblas()

# No property is false because the machine was busy.
settings.register_profile("utter", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("utter")


@pytest.fixture(scope="session")
def store() -> ModelStore:
    """The models that `make test` fetched."""
    return store_of(config.load())


pytest_plugins = ["fixtures_engine", "fixtures_voices"]
