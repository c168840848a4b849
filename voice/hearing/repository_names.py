"""Reads the names of a repository: its files, its symbols, its branches; again only what has changed."""

from __future__ import annotations

import re
import stat
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from agent.permissions import is_secret
from agent.workspace import Workspace
from voice.conversation.words import word_list
from voice.hearing.definitions import defined_in
from voice.hearing.lexicon import Lexicon

# A word of code in any script; one letter is no name.
_IDENTIFIER = re.compile(r"[^\W\d]\w{1,63}")
_SOURCE_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in word_list(
        "py pyi js jsx mjs cjs ts tsx mts cts rs go java kt swift c h cc cpp cxx hpp cs rb php sh lua sql"
        " scala toml yaml yml json ini cfg html css vue zig ex exs jl r pl m mm proto graphql"
    )
)
_KEYWORDS = frozenset(
    word_list(
        "abstract and assert async await bool boolean break case catch chan char class const"
        " constexpr continue default def defer del delete double else elif enum except export"
        " extends extern false final finally float fn for from func function global goto if impl"
        " implements import in include inline instanceof int interface is lambda let long loop map"
        " match mod module mut namespace new nil none nonlocal not null or package pass private"
        " protected pub public raise range require return select self short signed sizeof static str"
        " string struct super switch synchronized template this throw throws trait true try type"
        " typedef typeof undefined union unsafe unsigned use using var virtual void volatile where"
        " while with yield None True False"
    )
)
_SHORTEST = 3  # letters of a name in Latin script
_LONGEST_LINE = 1_000  # letters on average: more is minified or data
_MOST_NAMES = 20_000
_DEFINED, _RECENT, _BRANCH = 5, 3, 20.0  # weights; a file that names it is 1
_MOST_RECENT = 20  # files
_GIT_S = 2.0


@dataclass(frozen=True)
class Bounds:
    """How much of a repository is read at a time; what is left is read the next time."""

    files: int = 20_000
    bytes_per_file: int = 300_000
    bytes_in_all: int = 20_000_000
    seconds: float = 1.0


@dataclass(frozen=True)
class _Read:
    """What one file gave: its names, and which are defined there; None where that was not looked for yet."""

    stamp: tuple[int, int]
    names: tuple[str, ...]
    defined: frozenset[str] | None = None


class RepositoryNames:
    """Keeps the names of one repository. May be called from any thread; a second call waits for the first."""

    def __init__(self, workspace: Workspace, bounds: Bounds | None = None) -> None:
        self._workspace = workspace
        self._bounds = bounds or Bounds()
        self._read: dict[str, _Read] = {}
        self._lexicon: Lexicon | None = None
        self._state: object = None
        self._lock = threading.Lock()

    def lexicon(self) -> Lexicon:
        """The names as they are now; files that may hold secrets are listed and not read."""
        with self._lock:
            files = self._workspace.files()[: self._bounds.files]
            branches = _branches(self._workspace)
            has_news = self._refresh(files)
            state = (files, branches)
            if self._lexicon is None or has_news or state != self._state:
                self._lexicon, self._state = Lexicon(files, self._weights(branches)), state
            return self._lexicon

    def _refresh(self, files: Sequence[str]) -> bool:
        """Read what has changed, the newest first, as far as the bounds let; True if anything has."""
        end = time.monotonic() + self._bounds.seconds
        stamps = {path: stamp for path in files if (stamp := self._stamp(path)) is not None}
        gone = self._read.keys() - stamps.keys()
        for path in gone:
            del self._read[path]
        newest = sorted(stamps, key=lambda path: -stamps[path][0])
        left = self._bounds.bytes_in_all - sum(one.stamp[1] for one in self._read.values())
        has_news = bool(gone)
        for path in newest:
            known = self._read.get(path)
            if known is not None and known.stamp == stamps[path]:
                continue
            left -= stamps[path][1]
            if left < 0 or time.monotonic() > end:
                return has_news
            names = dict.fromkeys(filter(_is_name, _IDENTIFIER.findall(self._text(path))))
            self._read[path], has_news = _Read(stamps[path], tuple(names)), True
        for path in newest:
            known = self._read[path]
            if known.defined is None:
                if time.monotonic() > end:
                    return has_news
                self._read[path], has_news = replace(known, defined=defined_in(path, self._text(path))), True
        return has_news

    def _stamp(self, path: str) -> tuple[int, int] | None:
        """When a file was changed last, and its size; None for what is not read."""
        if PurePosixPath(path).suffix.lower() not in _SOURCE_SUFFIXES or is_secret(path):
            return None
        try:
            status = (self._workspace.root / path).lstat()
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode) or status.st_size > self._bounds.bytes_per_file:
            return None
        return status.st_mtime_ns, status.st_size

    def _text(self, path: str) -> str:
        """A file's text; nothing when it is binary, minified or no longer there."""
        try:
            data = (self._workspace.root / path).read_bytes()
        except OSError:
            return ""
        if b"\0" in data or len(data) > _LONGEST_LINE * (data.count(b"\n") + 1):
            return ""
        return data.decode("utf-8", "replace")

    def _weights(self, branches: Sequence[str]) -> dict[str, float]:
        newest = sorted(self._read.values(), key=lambda one: -one.stamp[0])
        weights: Counter[str] = Counter()
        for number, one in enumerate(newest):
            weights.update(one.names)
            defined = tuple(one.defined or ())
            weights.update(defined * (_DEFINED + (_RECENT if number < _MOST_RECENT else 0)))
        found: dict[str, float] = {name: float(weight) for name, weight in weights.most_common(_MOST_NAMES)}
        return {**found, **dict.fromkeys(branches, _BRANCH)}


def _is_name(word: str) -> bool:
    return word not in _KEYWORDS and (len(word) >= _SHORTEST or not word.isascii())


def _branches(workspace: Workspace) -> tuple[str, ...]:
    """The local branches but for the names that everyone uses; none without git."""
    command = [
        *workspace.reading_git,
        "for-each-ref",
        "--format=%(refname:short)",
        "--count=200",
        "refs/heads",
    ]
    try:
        done = subprocess.run(command, cwd=workspace.root, capture_output=True, timeout=_GIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    names = done.stdout.decode("utf-8", "replace").split() if done.returncode == 0 else []
    return tuple(name for name in names if name not in ("main", "master", "develop", "trunk"))
