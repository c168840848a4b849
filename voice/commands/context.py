"""What every command is handed: settings, the model store, and consoles for results and for trouble."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from agent.models.store import ModelStore
from voice.config import Settings


@dataclass(frozen=True)
class Context:
    settings: Settings
    store: ModelStore
    console: Console
    errors: Console


def of(context: typer.Context) -> Context:
    """The `Context` that the command line made."""
    made = context.obj
    assert isinstance(made, Context)
    return made


def store_of(settings: Settings) -> ModelStore:
    """The model store that the settings name; else under `UTTER_CACHE`; else in the user's cache folder."""
    if settings.models.folder is not None:
        return ModelStore(Path(settings.models.folder).expanduser())
    cache = os.environ.get("UTTER_CACHE")
    return ModelStore(Path(cache) / "models") if cache else ModelStore.default()
