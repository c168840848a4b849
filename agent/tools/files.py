"""The tools that look: listing files, reading a window of one, searching them all."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from agent.codeindex import CodeIndex
from agent.facts import FileRead, FilesListed, SearchFound
from agent.tools.registry import Outcome, refused
from agent.tools.tests_runner import is_test_code
from agent.workspace import Workspace

_SHOWN_FILES = 60
_SHOWN_LINES = 80
_SHOWN_MATCHES = 12
_MAX_LINE_CHARS = 160
# The few expressions that searches need: whole names, definitions, one of several words.
_WORDS = re.compile(r"\\b\w+\\b|\(def\|class\) \w+\\b|\w+(?:\|\w+)*")
_SPECIAL = re.compile(r"[\\^$*+?\[\](){}|]")


class FileTools:
    """Handlers of the reading tools."""

    def __init__(self, workspace: Workspace, index: CodeIndex) -> None:
        self._workspace = workspace
        self._index = index

    async def list_files(self, arguments: Mapping[str, Any]) -> Outcome:
        """List the project's files, those at the top first."""
        files = await asyncio.to_thread(self._workspace.files)
        shown = files[:_SHOWN_FILES]
        rest = f"\nand {len(files) - len(shown)} more" if len(files) > len(shown) else ""
        names = "\n".join(_printable(name) for name in shown)
        content = f"{names}{rest}" if files else "there are no files"
        return Outcome(True, content, (FilesListed("", tuple(_printable(n) for n in shown), len(files)),))

    async def read_file(self, arguments: Mapping[str, Any]) -> Outcome:
        """Show a window of a file's lines."""
        path, start = str(arguments["path"]), max(1, int(arguments.get("start", 1)))
        lines = self._workspace.read(path).text.rstrip("\n").split("\n")
        if start > len(lines):
            return refused("read_file", f"{path} has only {len(lines)} lines")
        end = min(len(lines), start + _SHOWN_LINES - 1)
        body = "\n".join(line[:_MAX_LINE_CHARS] for line in lines[start - 1 : end])
        rest = f"\n({len(lines) - end} more lines)" if end < len(lines) else ""
        return Outcome(True, f"{path}:\n{fenced(body)}{rest}", (FileRead(path, start, end, len(lines)),))

    async def search(self, arguments: Mapping[str, Any]) -> Outcome:
        """Find the lines that a text is in, in any case; `\\b` around a name stands for a word's edges."""
        pattern = str(arguments["pattern"]).strip()
        if not pattern:
            return refused("search", "there is nothing to search for")
        return await asyncio.to_thread(self._search, pattern)

    def _search(self, pattern: str) -> Outcome:
        self._index.refresh()
        # Anything else is literal text: an expression can take for ever on one line, and hold every thread.
        is_words = _WORDS.fullmatch(pattern) is not None
        expression = re.compile(pattern if is_words else re.escape(pattern), re.IGNORECASE)
        places: list[tuple[str, int]] = []
        shown: list[str] = []
        total = 0
        for path, source in sorted(self._index.sources.items(), key=lambda entry: is_test_code(entry[0])):
            for number, line in enumerate(source.lines, 1):
                if expression.search(line[:2000]):
                    total += 1
                    if len(places) < _SHOWN_MATCHES:
                        places.append((path, number))
                        shown.append(f"{path}:{number}: {line.strip()[:_MAX_LINE_CHARS]}")
        rest = f"\nand {total - len(places)} more" if total > len(places) else ""
        words = re.sub(r"\(def\|class\) |\\b", "", pattern)
        literally = ", searched for letter by letter" if not is_words and _SPECIAL.search(pattern) else ""
        content = "\n".join(shown) + rest if total else f"{words} was not found{literally}"
        return Outcome(True, content, (SearchFound(words, tuple(places), total),))


def fenced(text: str) -> str:
    """`text` as a labelled block of data; a fence inside it cannot end it."""
    return f"```\n{text.replace('```', chr(39) * 3)}\n```"


def _printable(name: str) -> str:
    """A file name on one line, whatever is in it."""
    return "".join(character if character.isprintable() else "?" for character in name)
