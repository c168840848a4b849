"""The names that a repository uses, for writing out what was spoken: its files and its identifiers."""

from __future__ import annotations

import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from agent.errors import UtterError
from agent.workspace import Workspace
from voice.hearing.names import key, path_keys, spoken_words

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,63}")
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
    def of(workspace: Workspace, bounds: Bounds | None = None) -> Lexicon:
        """Read the names of a repository; files that may hold secrets are listed and not read."""
        bounds = bounds or Bounds()
        end = time.monotonic() + bounds.seconds
        files = workspace.files()[: bounds.files]
        return Lexicon(files, _identifiers(workspace, files, bounds, end))


def _identifiers(workspace: Workspace, files: Iterable[str], bounds: Bounds, end: float) -> dict[str, int]:
    counts: Counter[str] = Counter()
    suffixes = frozenset(_SOURCE_SUFFIXES.split())
    left = bounds.bytes_in_all
    for path in files:
        if left <= 0 or time.monotonic() > end:
            break
        if PurePosixPath(path).suffix.lower() in suffixes:
            text = _text(workspace, path, bounds.bytes_per_file)
            left -= len(text)
            counts.update(_IDENTIFIER.findall(text))
    return dict(counts)


def _text(workspace: Workspace, path: str, most_bytes: int) -> str:
    """A file's text; nothing when it is too large, binary, secret or no longer there."""
    try:
        if workspace.resolve(path).stat().st_size > most_bytes:
            return ""
        return workspace.read(path).text
    except (OSError, UtterError):
        return ""
