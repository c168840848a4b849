"""The names that a repository uses, for writing out what was spoken: its files and its identifiers."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voice.hearing.names import key, path_keys, spoken_words

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,63}")
_SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", "env", ".tox", "dist", "build"}
)
_SOURCE_SUFFIXES = (
    ".py .pyi .js .jsx .mjs .ts .tsx .rs .go .java .kt .swift .c .h .cc .cpp .hpp .cs .rb .php .sh .lua .sql"
    " .scala .toml .yaml .yml .json .ini .cfg .html .css .vue .zig .ex .exs .jl .r .pl .m .mm .proto"
)


@dataclass(frozen=True)
class Bounds:
    """How much of a repository is looked at; what lies beyond is simply not in the lexicon."""

    files: int = 20_000
    bytes_per_file: int = 300_000
    bytes_in_all: int = 20_000_000
    seconds: float = 3.0


@dataclass(frozen=True)
class Lexicon:
    """`files` are relative paths with `/`; `identifiers` counts how often each is written."""

    files: tuple[str, ...] = ()
    identifiers: Mapping[str, int] = field(default_factory=dict[str, int])
    by_path: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    by_words: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    many_worded: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index files by `path_keys` and identifiers by `key`; the names of one key by falling frequency."""
        by_path: defaultdict[str, list[str]] = defaultdict(list)
        for path in self.files:
            for spoken in path_keys(path):
                by_path[spoken].append(path)
        by_words: defaultdict[str, list[str]] = defaultdict(list)
        many_worded: list[str] = []
        for name in sorted(self.identifiers, key=lambda name: (-self.identifiers[name], name)):
            words = spoken_words(name)
            by_words[key(words)].append(name)
            if len(words) > 1:
                many_worded.append(key(words))
        object.__setattr__(self, "by_path", {k: tuple(v) for k, v in by_path.items()})
        object.__setattr__(self, "by_words", {k: tuple(v) for k, v in by_words.items() if k})
        object.__setattr__(self, "many_worded", tuple(dict.fromkeys(many_worded)))

    @staticmethod
    def from_folder(folder: Path, bounds: Bounds | None = None) -> Lexicon:
        """Read the names of a repository, respecting its .gitignore; empty where it cannot be read."""
        bounds = bounds or Bounds()
        end = time.monotonic() + bounds.seconds
        files = _files(folder, bounds, end)
        return Lexicon(tuple(files), _identifiers(folder, files, bounds, end))


def _files(folder: Path, bounds: Bounds, end: float) -> list[str]:
    listed = _git_files(folder, bounds.seconds)
    files: list[str] = []
    for path in _walk(folder) if listed is None else listed:
        files.append(path)
        if len(files) == bounds.files or time.monotonic() > end:
            break
    return files


def _git_files(folder: Path, seconds: float) -> list[str] | None:
    """What git knows and what it would, or None where git cannot tell."""
    command = ["git", "-C", str(folder), "ls-files", "-co", "--exclude-standard", "-z"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return [path for path in os.fsdecode(done.stdout).split("\0") if path]


def _walk(folder: Path) -> Iterator[str]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED_FOLDERS)
        for name in sorted(names):
            yield (Path(root) / name).relative_to(folder).as_posix()


def _identifiers(folder: Path, files: Iterable[str], bounds: Bounds, end: float) -> dict[str, int]:
    counts: Counter[str] = Counter()
    suffixes = frozenset(_SOURCE_SUFFIXES.split())
    left = bounds.bytes_in_all
    for path in files:
        if left <= 0 or time.monotonic() > end:
            break
        if Path(path).suffix.lower() in suffixes:
            text = _text(folder / path, bounds.bytes_per_file)
            left -= len(text)
            counts.update(_IDENTIFIER.findall(text))
    return dict(counts)


def _text(path: Path, most_bytes: int) -> str:
    """A file's text; nothing when it is too large, binary, or no longer there."""
    try:
        if not path.is_file() or path.stat().st_size > most_bytes:
            return ""
        data = path.read_bytes()
    except OSError:
        return ""
    return "" if b"\0" in data else data.decode("utf-8", "replace")
