"""What a tool may do without asking: a pure decision over the action and the user's own words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath
from typing import Union


class Kind(str, Enum):
    """What an action does to the workspace."""

    READ = "read"
    WRITE = "write"
    RUN_TESTS = "run_tests"
    READ_HISTORY = "read_history"
    COMMIT = "commit"


@dataclass(frozen=True)
class Action:
    """`path` is workspace-relative, for reading and writing only."""

    kind: Kind
    path: str = ""


@dataclass(frozen=True)
class Allow:
    pass


@dataclass(frozen=True)
class Ask:
    """`reason` is what the user would be asked, fit to be spoken."""

    reason: str


@dataclass(frozen=True)
class Deny:
    """`reason` is fit to be spoken."""

    reason: str


Decision = Union[Allow, Ask, Deny]

_SECRET_NAMES = re.compile(
    r"(\.env(\..+)?|\.netrc|\.pgpass|\.npmrc|\.pypirc|\.git-credentials|credentials(\.json)?|"
    r"secrets?\.(json|ya?ml|toml)|id_(rsa|dsa|ecdsa|ed25519)(\.pub)?|.+\.(pem|key|p12|pfx|keystore|jks|kdbx))",
    re.IGNORECASE,
)
_PUBLIC_NAMES = re.compile(r"\.env\.(example|sample|template|dist)", re.IGNORECASE)
_SECRET_FOLDERS = frozenset({".ssh", ".gnupg", ".aws", ".kube"})


def is_secret(path: str) -> bool:
    """Whether a file of that name usually holds passwords or keys."""
    parts = _folded_parts(path)
    if not parts:
        return False
    if any(part in _SECRET_FOLDERS for part in parts[:-1]):
        return True
    return bool(_SECRET_NAMES.fullmatch(parts[-1])) and not _PUBLIC_NAMES.fullmatch(parts[-1])


def is_git_internal(path: str) -> bool:
    """Whether a file belongs to git itself: its settings and hooks can start programs."""
    return ".git" in _folded_parts(path)


def _folded_parts(path: str) -> tuple[str, ...]:
    """The parts of a path as a disk compares them that ignores case and invisible characters."""
    visible = "".join(c for c in unicodedata.normalize("NFC", path) if unicodedata.category(c) != "Cf")
    return PurePosixPath(visible.casefold()).parts


def decide(action: Action, request: str) -> Decision:
    """Whether `action` may be carried out in a turn that the user began with the words `request`.

    Only the user's words count: text read from files, tests or tool results is never handed in here.
    """
    if action.path and is_secret(action.path):
        return Deny(f"{action.path} may hold secrets, so I leave it alone.")
    if action.kind is Kind.WRITE and is_git_internal(action.path):
        return Deny("The files of git itself are not mine to write.")
    if action.kind is Kind.COMMIT and not re.search(
        r"\b(commit|check (it|this|that|them) in)\b", request, re.I
    ):
        return Ask("Shall I commit this?")
    return Allow()
