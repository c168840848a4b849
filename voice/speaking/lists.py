"""Long lists in prose: the first items are said, the rest is counted, and kept for who wants more. Pure."""

from __future__ import annotations

import re

from voice.speaking.names_aloud import count
from voice.speaking.verbosity import matters

_SAID = 4
_COUNTED = 3  # at least: to leave out fewer is not worth the words
_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d+[.)])[ \t]+")
_DIGITS = re.compile(r"\d")


class Lists:
    """Takes the written clauses of one reply, and gives those to be said.

    Items that hold numbers, tell a failure or ask something are said wherever they stand.
    """

    def __init__(self) -> None:
        self._items = 0
        self._held: list[str] = []
        self.kept: list[str] = []
        """What was left out, in the order of the reply."""

    def feed(self, clause: str) -> list[str]:
        """What is to be said now, of this clause and of what was held back before it."""
        if clause.lstrip().startswith("```"):
            return [*self._end(), clause]
        before: list[str] = []
        said: list[str] = []
        for line in clause.split("\n"):
            item = _ITEM.match(line)
            if item is None and line.strip():
                before, said = [*before, *said, *self._end()], [line]
            elif item is not None:
                self._items += 1
                if self._items <= _SAID or matters(line) or _DIGITS.search(line[item.end() :]):
                    said.append(line)
                else:
                    self._held.append(line)
        return [*before, *(["\n".join(said)] if said else [])]

    def finish(self) -> list[str]:
        """The reply is over."""
        return self._end()

    def _end(self) -> list[str]:
        """The list is over: what was held is counted, or said if it is little."""
        held, self._held, self._items = self._held, [], 0
        if len(held) < _COUNTED:
            return held
        self.kept += held
        return [f"And {count(len(held), 'more item')}."]
