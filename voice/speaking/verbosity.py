"""How much of an answer is said: the rest is kept for "tell me more". Pure."""

from __future__ import annotations

from enum import Enum

_BRIEF_CLAUSES = 2


class Level(str, Enum):
    """As the user chose by "quiet mode", "shorter", "more detail" and "full narration"."""

    QUIET = "quiet"  # the last sentence of a turn: what came of it
    BRIEF = "brief"  # the first sentences
    NORMAL = "normal"
    FULL = "full"  # and what is being done, as it begins


_ORDER = (Level.QUIET, Level.BRIEF, Level.NORMAL, Level.FULL)


class Verbosity:
    """Fed with the clauses of one turn after another."""

    def __init__(self, level: Level = Level.NORMAL) -> None:
        self.level = level
        self._said = 0
        self._kept: list[str] = []

    def begin(self) -> None:
        """A turn begins."""
        self._said = 0
        self._kept.clear()

    def filter(self, clauses: list[str]) -> list[str]:
        """Those of `clauses` that are to be said now."""
        if self.level is Level.QUIET:
            self._kept += clauses
            return []
        room = _BRIEF_CLAUSES - self._said if self.level is Level.BRIEF else len(clauses)
        now, later = clauses[: max(0, room)], clauses[max(0, room) :]
        self._said += len(now)
        self._kept += later
        return now

    def finish(self) -> list[str]:
        """The turn is over; gives what must be said all the same."""
        return [self._kept.pop()] if self.level is Level.QUIET and self._kept else []

    def more(self) -> list[str]:
        """What was kept; it is not kept any longer."""
        kept, self._kept = self._kept, []
        return kept

    def step(self, by: int) -> Level:
        """One level shorter or longer."""
        self.level = _ORDER[max(0, min(len(_ORDER) - 1, _ORDER.index(self.level) + by))]
        return self.level
