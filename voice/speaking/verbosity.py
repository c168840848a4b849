"""How much of an answer is said: the rest is kept for "tell me more". Pure."""

from __future__ import annotations

import re
from enum import Enum

_BRIEF_CLAUSES = 2
_FAILURE = re.compile(
    r"\b(?:fail(?:s|ed|ure|ures|ing)?|errors?|could not|couldn't|cannot|can't|did not|didn't|does not|doesn't"
    r"|unable|refused|denied|crash(?:es|ed)?|took too long|ran out|gone wrong|went wrong|conflicts?"
    r"|may hold secrets|expected .* but got|not (?:found|allowed|resolved))\b",
    re.IGNORECASE,
)


class Level(str, Enum):
    """As the user chose by "quiet mode", "shorter", "more detail" and "full narration"."""

    QUIET = "quiet"  # the last sentence of a turn, what came of it; and failures and questions
    BRIEF = "brief"  # the first sentences
    NORMAL = "normal"
    FULL = "full"  # and what is being done, as it begins


_ORDER = (Level.QUIET, Level.BRIEF, Level.NORMAL, Level.FULL)


class Verbosity:
    """Fed with the clauses of one turn after another."""

    def __init__(self, level: Level = Level.NORMAL) -> None:
        self.level = level
        self._said = 0
        self._tells_failure = False
        self._is_last_said = False
        self._kept: list[str] = []

    def begin(self) -> None:
        """A turn begins."""
        self._said = 0
        self._tells_failure = self._is_last_said = False
        self._kept.clear()

    def keep(self, clauses: list[str]) -> None:
        """These are left for "tell me more"."""
        self._kept += clauses

    def filter(self, clauses: list[str]) -> list[str]:
        """Those of `clauses` that are to be said now; failures and questions always are."""
        if self.level in (Level.NORMAL, Level.FULL):
            return clauses
        now: list[str] = []
        for clause in clauses:
            has_room = self.level is Level.BRIEF and self._said < _BRIEF_CLAUSES
            self._said += has_room
            is_due = has_room or self._tells_failure or matters(clause)
            # What a failure announces with a colon belongs to it.
            self._tells_failure = is_due and not has_room and clause.endswith(":")
            self._is_last_said = is_due
            (now if is_due else self._kept).append(clause)
        return now

    def finish(self) -> list[str]:
        """The turn is over; gives what must be said all the same: in quiet mode what came of it."""
        is_due = self.level is Level.QUIET and not self._is_last_said
        return [self._kept.pop()] if is_due and self._kept else []

    def more(self) -> list[str]:
        """What was kept; it is not kept any longer."""
        kept, self._kept = self._kept, []
        return kept

    def step(self, by: int) -> Level:
        """One level shorter or longer."""
        self.level = _ORDER[max(0, min(len(_ORDER) - 1, _ORDER.index(self.level) + by))]
        return self.level


def matters(clause: str) -> bool:
    """Whether a clause asks something, or tells that something went wrong: that is said at every level."""
    return clause.rstrip().endswith("?") or _FAILURE.search(clause) is not None
