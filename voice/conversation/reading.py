"""Reads files aloud line by line, with a place of its own: what was worked on last, or read last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from agent.code.outline import symbols_of
from agent.code.symbols import Symbol, SymbolKind, enclosing
from agent.errors import UtterError
from agent.workspace import Workspace
from voice.speaking.code_aloud import code
from voice.speaking.exactly import Punctuation, exactly
from voice.speaking.names_aloud import capital, count, file_name, identifier, listed

_MOST_LINES = 40  # at a time
_MOST_WORDS = 40  # of one line
_TAB = 4
_NAMED = 3


class Reader:
    """One place in one file. Each method gives sentences."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.path = ""
        self.line = 0
        self.punctuation = Punctuation.NONE
        self._outlined: set[str] = set()

    def go_to(self, path: str, line: int = 0) -> None:
        """Something was done there."""
        if path != self.path or line:
            self.path, self.line = path, line

    def lines(self, first: int, last: int) -> list[str]:
        """Lines of the file, from 1; the place is behind them then. Before the first few, its outline."""
        text = self._text()
        if isinstance(text, str):
            return [text]
        if not 1 <= first <= len(text):
            return [f"{file_name(self.path)} has {len(text)} lines."]
        last = min(max(first, last), len(text), first + _MOST_LINES - 1)
        said = self._outline(text, first) if last > first and self.path not in self._outlined else []
        unit = indent_unit(text)
        indent: int | None = None
        for number in range(first, last + 1):
            line = text[number - 1].expandtabs(_TAB)
            depth = (len(line) - len(line.lstrip())) // unit if line.strip() else indent
            change = f"indent {depth}, " if depth != indent and (depth or indent) else ""
            indent = depth
            said.append(f"Line {number}: {change}{self.spoken(line.strip()) or 'empty'}.")
        self.line = last
        return said

    def spoken(self, line: str) -> str:
        """A line in words, at the chosen punctuation."""
        if self.punctuation is Punctuation.NONE:
            return code(line, _MOST_WORDS)
        return exactly(line, self.punctuation)

    def step(self, by: int) -> list[str]:
        """The next line, or the one before."""
        return self.lines(max(1, self.line + by), max(1, self.line + by))

    def function(self) -> list[str]:
        """The function around the place."""
        text = self._text()
        if isinstance(text, str):
            return [text]
        found = enclosing(symbols_of(self.path, "\n".join(text)), max(1, self.line))
        if found is None:
            return ["You are in no function. Say, for example, read line 10."]
        return self.lines(found.first_line, found.last_line)

    def where(self, branch: str) -> list[str]:
        """File, line, function and branch."""
        on = f" on the branch {branch}" if branch else ""
        if not self.path:
            return [f"You are in {self._workspace.root.name}{on}. No file has been worked on yet."]
        text = self._text()
        found = None
        if not isinstance(text, str) and self.line:
            found = enclosing(symbols_of(self.path, "\n".join(text)), self.line)
        within = f", in {identifier(found.name)}" if found is not None else ""
        line = f", line {self.line}" if self.line else ""
        folder = PurePosixPath(self.path).parent
        place = f" in the folder {folder.name}" if folder.name else ""
        return [f"{file_name(self.path)}{place}{line}{within}{on}."]

    def _outline(self, text: list[str], line: int) -> list[str]:
        """What the file holds, and what the line is in: once for each file."""
        self._outlined.add(self.path)
        symbols = symbols_of(self.path, "\n".join(text))
        functions = [one.name for one in symbols if one.kind is SymbolKind.FUNCTION]
        classes = [one.name for one in symbols if one.kind is SymbolKind.CLASS and "." not in one.name]
        parts = [_functions(functions), *(_class(name, symbols) for name in classes[:_NAMED])]
        if len(classes) > _NAMED:
            parts.append(count(len(classes) - _NAMED, "more class", "more classes"))
        held = "; ".join(filter(None, parts))
        if not held:
            return []
        within = enclosing(symbols, line)
        place = f" Line {line} is in {identifier(within.name)}." if within is not None else ""
        return [f"{capital(file_name(self.path))} has {count(len(text), 'line')}: {held}.{place}"]

    def _text(self) -> list[str] | str:
        """The file's lines, or why there are none."""
        if not self.path:
            return "No file has been worked on yet. Ask for one first."
        try:
            return self._workspace.read(self.path).text.splitlines()
        except (UtterError, OSError) as error:
            return f"{file_name(self.path)} cannot be read: {error}"


def indent_unit(lines: Sequence[str]) -> int:
    """By how many columns one step of indentation goes in these lines, tabs being `_TAB` wide."""
    wide = (line.expandtabs(_TAB) for line in lines if line.strip())
    widths = (len(line) - len(line.lstrip()) for line in wide)
    return min((width for width in widths if width > 1), default=_TAB)


def _functions(names: Sequence[str]) -> str:
    """ "functions add, subtract and two more"; empty for none."""
    if not names:
        return ""
    said = listed([identifier(name) for name in names[:_NAMED]], len(names) - min(len(names), _NAMED))
    return f"{'function' if len(names) == 1 else 'functions'} {said}"


def _class(name: str, symbols: Sequence[Symbol]) -> str:
    methods = sum(one.kind is SymbolKind.METHOD and one.name.startswith(f"{name}.") for one in symbols)
    return f"class {identifier(name)}" + (f" with {count(methods, 'method')}" if methods else "")
