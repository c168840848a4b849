"""What is in the repository, kept current: files, the text of the small ones, symbols."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from agent.code.languages import language_of
from agent.code.outline import blocks_of, symbols_of
from agent.code.symbols import Symbol, SymbolKind
from agent.permissions import is_secret
from agent.textfile import NotText
from agent.workspace import Workspace, WorkspaceError

_MAX_FILE_BYTES = 200_000
_MAX_TOTAL_BYTES = 20_000_000


@dataclass(frozen=True)
class Source:
    """One indexed text file."""

    path: str
    text: str
    symbols: tuple[Symbol, ...]

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def tests(self) -> tuple[Symbol, ...]:
        """Tests that are calls with a title rather than functions with a name."""
        return blocks_of(self.path, self.text)


@dataclass(frozen=True)
class Located:
    """A symbol and the file it is in."""

    path: str
    symbol: Symbol


class CodeIndex:
    """An index of one workspace. `refresh` reads only what has changed; nothing secret is ever in it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._stamps: dict[str, tuple[int, int]] = {}
        self.files: tuple[str, ...] = ()
        self.sources: dict[str, Source] = {}
        self.large: dict[str, int] = {}  # bytes of the files that are too large to be kept here

    def refresh(self) -> None:
        """Bring the index up to date with the files on disk."""
        self.files = self._workspace.files()
        total = 0
        sources: dict[str, Source] = {}
        stamps: dict[str, tuple[int, int]] = {}
        large: dict[str, int] = {}
        for path in self.files:
            try:
                status = self._workspace.resolve(path).stat()
            except (OSError, WorkspaceError):
                continue
            if is_secret(path):
                continue
            if status.st_size > _MAX_FILE_BYTES or total + status.st_size > _MAX_TOTAL_BYTES:
                large[path] = status.st_size
                continue
            total += status.st_size
            stamp = (status.st_mtime_ns, status.st_size)
            stamps[path] = stamp
            if self._stamps.get(path) == stamp:
                if path in self.sources:
                    sources[path] = self.sources[path]
                continue
            try:
                text = self._workspace.read(path).text
            except (NotText, WorkspaceError):
                continue
            sources[path] = Source(path, text, symbols_of(path, text))
        self.sources, self._stamps, self.large = sources, stamps, large

    def fingerprint(self) -> int:
        """Equal for two moments at which all indexed files hold the same text."""
        return hash(frozenset((path, source.text) for path, source in self.sources.items()))

    def located(self) -> Iterable[Located]:
        """Every symbol of the repository."""
        return (Located(path, symbol) for path, source in self.sources.items() for symbol in source.symbols)

    def in_file(self, path: str) -> list[Located]:
        """The symbols of one file."""
        return [Located(path, symbol) for symbol in self.sources[path].symbols]

    def find(self, name: str) -> list[Located]:
        """The symbols of that qualified name, or else of that bare name; `path:name` means one file's."""
        path, _, wanted = name.rpartition(":")
        found = [item for item in self.located() if not path or item.path == path]
        exact = [item for item in found if item.symbol.name == wanted]
        return exact or [item for item in found if item.symbol.bare_name == wanted]

    def source_of(self, item: Located) -> str:
        """The symbol's own lines, decorators included, as they stand in the file."""
        lines = self.sources[item.path].lines
        return "\n".join(lines[item.symbol.first_line - 1 : item.symbol.last_line])

    def users_of(self, item: Located) -> tuple[str, ...]:
        """The files that name the symbol, outside its own lines."""
        pattern = re.compile(rf"\b{re.escape(item.symbol.bare_name)}\b")
        users: list[str] = []
        for path, source in self.sources.items():
            if language_of(path) is None or item.symbol.bare_name not in source.text:
                continue
            for number, line in enumerate(source.lines, 1):
                inside = path == item.path and item.symbol.first_line <= number <= item.symbol.last_line
                if not inside and pattern.search(line):
                    users.append(path)
                    break
        return tuple(users)

    def constants(self) -> list[Located]:
        """Every module-level and class-level assignment."""
        return [item for item in self.located() if item.symbol.kind is SymbolKind.CONSTANT]
