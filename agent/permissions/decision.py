"""Actions and the decisions about them. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol, Union


class Kind(str, Enum):
    """What an action does to the workspace."""

    READ = "read"
    WRITE = "write"
    RUN_TESTS = "run_tests"
    READ_HISTORY = "read_history"
    COMMIT = "commit"
    RUN = "run"
    UNDO = "undo"


class Mode(str, Enum):
    """How freely the assistant works: it only looks, asks before every change, or asks before risky ones."""

    READ_ONLY = "read-only"
    ASK_FIRST = "ask-first"
    WORK = "work"


@dataclass(frozen=True)
class Action:
    """`path` is workspace-relative, for reading and writing; `command` is a line of shell, for running."""

    kind: Kind
    path: str = ""
    command: str = ""


@dataclass(frozen=True)
class Allow:
    pass


@dataclass(frozen=True)
class Ask:
    """`reason` says in a sentence, fit to be spoken, why the user is asked.

    What is approved then gets the network, or the user's keys for git, as far as it needs them. What is
    destructive may not be possible to take back.
    """

    reason: str
    network: bool = False
    credentials: bool = False
    is_destructive: bool = False


@dataclass(frozen=True)
class Deny:
    """`reason` is fit to be spoken."""

    reason: str


Decision = Union[Allow, Ask, Deny]


class Ground(Protocol):
    """The disk as decisions see it."""

    @property
    def home(self) -> str:
        """The user's home folder, absolute."""
        ...

    @property
    def root(self) -> str:
        """The workspace, absolute and without links."""
        ...

    def real(self, path: str, folder: str) -> str:
        """Where `path`, seen from the absolute `folder`, leads: absolute, links followed."""
        ...

    def matches(self, pattern: str, folder: str) -> tuple[str, ...]:
        """The paths that a shell pattern stands for, seen from `folder`."""
        ...

    def holds_secrets(self, *, ignored_too: bool) -> bool:
        """Whether any file of the workspace may hold secrets; those that git ignores count when asked for."""
        ...
