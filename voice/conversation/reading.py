"""Reads files aloud line by line, with a place of its own: what was worked on last, or read last."""

from __future__ import annotations

from pathlib import PurePosixPath

from agent.code.outline import symbols_of
from agent.code.symbols import enclosing
from agent.errors import UtterError
from agent.workspace import Workspace
from voice.speaking.code_aloud import code
from voice.speaking.exactly import Punctuation, exactly
from voice.speaking.names_aloud import file_name, identifier

_MOST_LINES = 40  # at a time
_MOST_WORDS = 40  # of one line
_INDENT = 4


class Reader:
    """One place in one file. Each method gives sentences."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.path = ""
        self.line = 0
        self.punctuation = Punctuation.NONE

    def go_to(self, path: str, line: int = 0) -> None:
        """Something was done there."""
        if path != self.path or line:
            self.path, self.line = path, line

    def lines(self, first: int, last: int) -> list[str]:
        """Lines of the file, from 1; the place is behind them then."""
        text = self._text()
        if isinstance(text, str):
            return [text]
        if not 1 <= first <= len(text):
            return [f"{file_name(self.path)} has {len(text)} lines."]
        last = min(max(first, last), len(text), first + _MOST_LINES - 1)
        said: list[str] = []
        indent: int | None = None
        for number in range(first, last + 1):
            line = text[number - 1].expandtabs(_INDENT)
            depth = (len(line) - len(line.lstrip())) // _INDENT if line.strip() else indent
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

    def _text(self) -> list[str] | str:
        """The file's lines, or why there are none."""
        if not self.path:
            return "No file has been worked on yet. Ask for one first."
        try:
            return self._workspace.read(self.path).text.splitlines()
        except (UtterError, OSError) as error:
            return f"{file_name(self.path)} cannot be read: {error}"
