"""Fixtures that the whole suite shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.models.store import ModelStore


@pytest.fixture(scope="session")
def store() -> ModelStore:
    """The models that `make test` fetched."""
    cache = os.environ.get("UTTER_CACHE")
    return ModelStore(Path(cache) / "models") if cache else ModelStore.default()


pytest_plugins = ["fixtures_engine"]
