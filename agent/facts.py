"""Facts about what a tool did: values that speech is made from, so that nothing said depends on the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True)
class FilesListed:
    """`paths` are workspace-relative, in listing order; `total` counts those left out too."""

    directory: str
    paths: tuple[str, ...]
    total: int


@dataclass(frozen=True)
class FileRead:
    path: str
    first_line: int
    last_line: int
    total_lines: int


@dataclass(frozen=True)
class SearchFound:
    """`places` are (path, line number) of the first matches; `total` counts all.

    `left_out` counts the files that were too large to be searched.
    """

    pattern: str
    places: tuple[tuple[str, int], ...]
    total: int
    left_out: int = 0


@dataclass(frozen=True)
class Outlined:
    """What a file defines: (name, kind, line) of the first symbols; `total` counts all."""

    path: str
    symbols: tuple[tuple[str, str, int], ...]
    total: int


@dataclass(frozen=True)
class Remarked:
    """Words that the model wants said while it works."""

    text: str


@dataclass(frozen=True)
class LineChange:
    """One changed place: the old and the new line, stripped; empty where there is none."""

    line: int
    before: str
    after: str


@dataclass(frozen=True)
class FileEdited:
    """`created` for a new file; `changes` holds the first few changed places in line order.

    `symbol` is the function or class that the change lies in, when it lies in one.
    """

    path: str
    added: int
    removed: int
    changes: tuple[LineChange, ...] = ()
    symbol: str = ""
    created: bool = False


@dataclass(frozen=True)
class TestFailure:
    """`name` is the bare test name; `expected` and `got` are empty when the runner does not tell."""

    __test__ = False

    name: str
    expected: str = ""
    got: str = ""
    message: str = ""


@dataclass(frozen=True)
class TestsRun:
    """A test run's result. `failures` holds every failing test, `errors` counts those that could not run."""

    __test__ = False

    runner: str
    passed: int
    failed: int
    errors: int = 0
    skipped: int = 0
    failures: tuple[TestFailure, ...] = ()
    duration_s: float = 0.0


@dataclass(frozen=True)
class FileChange:
    """One file of a diff; `status` is one of added, deleted, modified, renamed."""

    path: str
    added: int
    removed: int
    status: str = "modified"
    changes: tuple[LineChange, ...] = ()
    symbol: str = ""


@dataclass(frozen=True)
class ChangesShown:
    """The difference of the work tree to its last commit, or to the state when the session began."""

    files: tuple[FileChange, ...]


@dataclass(frozen=True)
class GitStatus:
    branch: str
    modified: tuple[str, ...]
    added: tuple[str, ...]
    deleted: tuple[str, ...]
    untracked: tuple[str, ...]


@dataclass(frozen=True)
class Committed:
    commit: str
    message: str
    files: int


@dataclass(frozen=True)
class CommandRun:
    """A command that was run. `last_line` is the last that it wrote; `left_behind` what it had left running.

    What was left behind has been ended.
    """

    command: str
    exit_status: int
    lines: int
    last_line: str = ""
    timed_out: bool = False
    left_behind: tuple[str, ...] = ()


@dataclass(frozen=True)
class FilesRestored:
    """What the request `deed` did to the files was taken back, or (`again`) done again.

    `changed` files have their other content, `removed` ones are gone, `returned` ones are there again; `left`
    are files that could not be followed, so that they stay as they are.
    """

    deed: str
    request: str
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    returned: tuple[str, ...]
    left: tuple[str, ...] = ()
    again: bool = False


@dataclass(frozen=True)
class Refused:
    """A call that was not carried out, and why, in words fit to be spoken."""

    tool: str
    reason: str


Fact = Union[
    FilesListed,
    FileRead,
    SearchFound,
    Outlined,
    Remarked,
    FileEdited,
    TestsRun,
    ChangesShown,
    GitStatus,
    Committed,
    CommandRun,
    FilesRestored,
    Refused,
]
