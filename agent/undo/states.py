"""What a file was at one moment, and what has to be done to bring it back. Pure values and decisions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Union

# Names that no file has: what `Snapshot.modes` says of all files that it does not name.
PLAIN, PROGRAM = "/", "/x"


class FileKind(str, Enum):
    FILE = "file"
    LINK = "link"


@dataclass(frozen=True)
class FileState:
    """`oid` is the git object of the content, of a link the path that it leads to; `mode` the permissions."""

    kind: FileKind
    mode: int
    oid: str


@dataclass(frozen=True)
class Unknown:
    """Something is there that no snapshot holds: a folder in a file's place, a socket, a file too large."""


Found = Union[FileState, Unknown, None]


@dataclass(frozen=True)
class Snapshot:
    """The files of a workspace at one moment. `tree` is a git tree; `modes` the permissions that git forgets.

    `left_out` are files of the project that it does not hold, because of their size or since they may hold
    secrets, each with a stamp that is another one when it has changed. `ignored` are files and folders
    (ending in `/`) that are none of the project's; None when not known. `head` is the commit that the work
    tree was based on.
    """

    tree: str
    modes: Mapping[str, int] = field(default_factory=dict[str, int])
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    ignored: tuple[str, ...] | None = ()
    head: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "tree": self.tree,
            "modes": dict(self.modes),
            "left_out": dict(self.left_out),
            "ignored": None if self.ignored is None else list(self.ignored),
            "head": self.head,
        }

    @staticmethod
    def from_json(row: dict[str, Any]) -> Snapshot:
        """The reverse of `as_json`. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        ignored = row["ignored"]
        return Snapshot(
            row["tree"],
            dict(row["modes"]),
            dict(row["left_out"]),
            None if ignored is None else tuple(ignored),
            row["head"],
        )


@dataclass(frozen=True)
class Written:
    """What a request did to one file: the bytes that it `found` first, None for no file, and the SHA-256 of
    those that it wrote last. `is_alone` when nobody else saved the file between its writes.
    """

    found: bytes | None
    last: bytes
    is_alone: bool = True

    @property
    def has_changed(self) -> bool:
        """Whether the last bytes are others than the first."""
        return self.found is None or hashlib.sha256(self.found).digest() != self.last


@dataclass(frozen=True)
class Difference:
    """A file that is not the same in two snapshots; None where it was not there."""

    path: str
    before: FileState | None
    after: FileState | None


@dataclass(frozen=True)
class Plan:
    """`steps` bring each file from what it has to be now to what it was; `left` are files not covered."""

    steps: tuple[Difference, ...]
    left: tuple[str, ...]

    @property
    def changed(self) -> tuple[str, ...]:
        return tuple(s.path for s in self.steps if s.before is not None and s.after is not None)

    @property
    def removed(self) -> tuple[str, ...]:
        return tuple(s.path for s in self.steps if s.after is None)

    @property
    def returned(self) -> tuple[str, ...]:
        return tuple(s.path for s in self.steps if s.before is None)


def plan(differences: Iterable[Difference], before: Snapshot, after: Snapshot, *, back: bool) -> Plan:
    """How the files get from `after` to `before` (`back`), or the other way.

    A file that one of the snapshots does not hold although it was there is left alone, for what it was is
    not known.
    """
    unknown = {*before.left_out, *after.left_out}
    folders = tuple(name for name in before.ignored or () if name.endswith("/"))
    files = frozenset(before.ignored or ())
    steps: list[Difference] = []
    left: list[str] = []
    for item in differences:
        is_new = item.before is None
        was_there = before.ignored is None or item.path in files or item.path.startswith(folders)
        if item.path in unknown or (is_new and was_there):
            left.append(item.path)
        else:
            steps.append(Difference(item.path, item.after, item.before) if back else item)
    left += sorted(path for path in unknown if before.left_out.get(path) != after.left_out.get(path))
    return Plan(tuple(steps), tuple(dict.fromkeys(left)))


def conflicts(steps: Iterable[Difference], now: Mapping[str, Found]) -> tuple[str, ...]:
    """The files that are not as the steps expect them: somebody has changed them since."""
    return tuple(step.path for step in steps if now.get(step.path) != step.before)
