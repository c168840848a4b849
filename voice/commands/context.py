"""What every command is handed: settings, the model store, and consoles for results and for trouble."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs
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
    options: tuple[str, ...] = ()  # of the command line, that led to these settings


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


def sessions_folder() -> Path:
    """Where sessions are written down."""
    return platformdirs.user_data_path("utter") / "sessions"


def make_console(environment: dict[str, str], *, stderr: bool = False) -> Console:
    """A console that is plain when not a terminal, or when NO_COLOR, ACCESSIBLE or TERM=dumb ask for it."""
    plain = any(environment.get(name) for name in ("NO_COLOR", "ACCESSIBLE"))
    plain = plain or environment.get("TERM") == "dumb"
    console = Console(stderr=stderr, highlight=False, soft_wrap=True)
    if plain or not console.is_terminal:
        return Console(
            stderr=stderr, highlight=False, soft_wrap=True, no_color=True, force_terminal=False, emoji=False
        )
    return console
