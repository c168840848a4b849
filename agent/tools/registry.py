"""What a tool is, and the set of them that a turn may use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from agent.facts import Fact, Refused
from agent.permissions import Action


class ParamKind(str, Enum):
    """What a parameter's value is; it decides the grammar that a model writes it under."""

    PATH = "path"  # a file that is there
    NEW_PATH = "new_path"  # a file that is to be made
    SYMBOL = "symbol"  # a function or class of the repository
    LINES = "lines"  # consecutive lines of the file named before
    CODE = "code"  # any lines
    WORDS = "words"  # any text on one line
    SENTENCE = "sentence"
    LINE_NUMBER = "line_number"


@dataclass(frozen=True)
class Param:
    name: str
    kind: ParamKind
    is_required: bool = True


@dataclass(frozen=True)
class Outcome:
    """What a call gave: `content` for the model, `facts` for speech.

    `was_taken_back` when it was carried out and then undone, because of what the tests said; `has_crashed`
    when they said that the code could not be run, rather than that it gives something else.
    """

    ok: bool
    content: str
    facts: tuple[Fact, ...] = ()
    was_taken_back: bool = False
    has_crashed: bool = False


Handler = Callable[[Mapping[str, Any]], Awaitable[Outcome]]


@dataclass(frozen=True)
class Tool:
    """`description` is one short line, for the model; `action` says what a call would do.

    One that is not `for_model` only the user's own words call. Handlers raise only `UtterError`s.
    """

    name: str
    description: str
    params: tuple[Param, ...]
    read_only: bool
    handler: Handler
    action: Callable[[Mapping[str, Any]], Action | None]
    for_model: bool = True


class Registry:
    """Tools by name, in the order they are shown to the model."""

    def __init__(self, tools: tuple[Tool, ...]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __getitem__(self, name: str) -> Tool:
        return self._tools[name]

    def __contains__(self, name: str) -> bool:
        return name in self._tools


def refused(tool: str, reason: str) -> Outcome:
    """The outcome of a call that was not carried out."""
    return Outcome(False, f"error: {reason}", (Refused(tool, reason),))
