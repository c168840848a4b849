"""The tools that look: listing files, reading a window of one, its outline, searching them all."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable, Mapping
from typing import Any

from agent.code.index import CodeIndex
from agent.code.languages import is_test_code
from agent.code.symbols import Symbol
from agent.facts import FileRead, FilesListed, Outlined, SearchFound
from agent.tools import arguments as given
from agent.tools.registry import Outcome, refused
from agent.tools.searching import Match, Matches, in_index, with_ripgrep
from agent.workspace import Workspace

_SHOWN_FILES = 60
_SHOWN_LINES = 80
_SHOWN_MATCHES = 12
_SHOWN_SYMBOLS = 60
_MAX_LINE_CHARS = 160


class FileTools:
    """Handlers of the reading tools.

    `environment` is where ripgrep is looked for; `on_read` is told of each file that is shown, with its text.
    """

    def __init__(
        self,
        workspace: Workspace,
        index: CodeIndex,
        environment: Mapping[str, str] | None = None,
        on_read: Callable[[str, str], None] | None = None,
    ) -> None:
        self._workspace = workspace
        self._index = index
        self._environment = environment or {}
        self._ripgrep = shutil.which("rg", path=self._environment.get("PATH", ""))
        self._on_read = on_read

    async def list_files(self, arguments: Mapping[str, Any]) -> Outcome:
        """List the project's files, those at the top first; with a path, those under that folder."""
        files = await asyncio.to_thread(self._workspace.files)
        folder = given.text(arguments, "path", "").strip().removeprefix("./").strip("/")
        if folder not in ("", "."):
            files = tuple(name for name in files if name.startswith(f"{folder}/"))
            if not files:
                return refused("list_files", f"there is no folder {folder}")
        else:
            folder = ""
        shown = files[:_SHOWN_FILES]
        rest = f"\nand {len(files) - len(shown)} more" if len(files) > len(shown) else ""
        names = "\n".join(_printable(name) for name in shown)
        content = f"{names}{rest}" if files else "there are no files"
        return Outcome(True, content, (FilesListed(folder, tuple(_printable(n) for n in shown), len(files)),))

    async def read_file(self, arguments: Mapping[str, Any]) -> Outcome:
        """Show a window of a file's lines, each number in a column of its own."""
        path = given.path(arguments, self._workspace, self._index.files)
        start = given.line_number(arguments, "start", 1)
        if not self._workspace.permitted(path).exists():
            return refused("read_file", f"there is no file {path}{given.nearest(path, self._index.files)}")
        text = self._workspace.read(path).text
        lines = text.rstrip("\n").split("\n")
        if start > len(lines):
            return refused("read_file", f"{path} has only {len(lines)} lines")
        end = given.line_number(arguments, "end", start + _SHOWN_LINES - 1)
        end = max(start, min(len(lines), end, start + _SHOWN_LINES - 1))
        if self._on_read is not None:
            self._on_read(path, text)
        width = len(str(end))
        body = "\n".join(
            f"{number:>{width}}\u2502{line[:_MAX_LINE_CHARS]}"
            for number, line in enumerate(lines[start - 1 : end], start)
        )
        rest = f"\n({len(lines) - end} more lines)" if end < len(lines) else ""
        return Outcome(True, f"{path}:\n{fenced(body)}{rest}", (FileRead(path, start, end, len(lines)),))

    async def outline(self, arguments: Mapping[str, Any]) -> Outcome:
        """List what a file defines, each with its line."""
        path = given.path(arguments, self._workspace, self._index.files)
        await asyncio.to_thread(self._index.refresh)
        source = self._index.sources.get(path)
        if source is None:
            why = "is not a text file that I can read" if path in self._index.files else "is not there"
            return refused("outline", f"{path} {why}{given.nearest(path, self._index.files)}")
        if not source.symbols:
            return Outcome(True, f"{path} defines nothing that I know of", (Outlined(path, (), 0),))
        shown = source.symbols[:_SHOWN_SYMBOLS]
        rest = len(source.symbols) - len(shown)
        rows = [_row(symbol) for symbol in shown] + ([f"and {rest} more"] if rest else [])
        names = tuple((symbol.name, symbol.kind.value, symbol.def_line) for symbol in shown)
        return Outcome(True, f"{path}:\n" + "\n".join(rows), (Outlined(path, names, len(source.symbols)),))

    async def search(self, arguments: Mapping[str, Any]) -> Outcome:
        """Find the lines that a text is in, in any case; `\\b` around a name stands for a word's edges.

        With `where` as `definition`, the lines that define the name.
        """
        pattern = given.text(arguments, "pattern").strip()
        if not pattern:
            return refused("search", "there is nothing to search for")
        await asyncio.to_thread(self._index.refresh)
        if given.text(arguments, "where", "") == "definition":
            return _told(pattern, self._definitions(pattern))
        matches: Matches | None = None
        if self._ripgrep is not None:
            root = self._workspace.root
            matches = await with_ripgrep(self._ripgrep, pattern, root, self._index, self._environment)
        return _told(
            pattern, matches or await asyncio.to_thread(in_index, pattern, self._index, self._workspace)
        )

    def _definitions(self, name: str) -> Matches:
        return Matches(
            tuple(
                Match(
                    item.path,
                    item.symbol.def_line,
                    self._index.sources[item.path].lines[item.symbol.def_line - 1],
                )
                for item in self._index.find(name)
            )
        )


def _told(pattern: str, matches: Matches) -> Outcome:
    found = sorted(matches.found, key=lambda match: (is_test_code(match.path), match.path, match.line))
    places = tuple((match.path, match.line) for match in found[:_SHOWN_MATCHES])
    shown = [f"{m.path}:{m.line}: {m.text.strip()[:_MAX_LINE_CHARS]}" for m in found[:_SHOWN_MATCHES]]
    rest = f"\nand {len(found) - len(places)} more" if len(found) > len(places) else ""
    words = re.sub(r"\\b", "", pattern)
    literally = ", searched for letter by letter" if matches.as_text else ""
    content = "\n".join(shown) + rest if found else f"{words} was not found{literally}"
    if matches.left_out:
        names = ", ".join(map(_printable, matches.left_out[:3]))
        content += f"\n(not searched, because too large: {names})"
    return Outcome(True, content, (SearchFound(words, places, len(found), len(matches.left_out)),))


def _row(symbol: Symbol) -> str:
    depth = symbol.name.count(".")
    return f"{symbol.def_line}: {'  ' * depth}{symbol.kind.value} {symbol.bare_name}"


def fenced(text: str) -> str:
    """`text` as a labelled block of data; a fence inside it cannot end it."""
    return f"```\n{text.replace('```', chr(39) * 3)}\n```"


def _printable(name: str) -> str:
    """A file name on one line, whatever is in it."""
    return "".join(character if character.isprintable() else "?" for character in name)
