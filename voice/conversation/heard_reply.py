"""How far the reply of a turn was heard, counted in what the model wrote. Pure.

What is spoken is not what was written: code is said in words, and much is left out. So each clause remembers
how much had been written when it came, and the place of its last word in that.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

_MARKS = string.punctuation + string.whitespace


@dataclass
class _Clause:
    text: str
    end: int  # in characters of what was written
    item: int = 0  # the number under which it was said last; 0 before
    share: float = 0.0  # of its words that were heard


class HeardReply:
    """One turn. Clauses are given out, then said as items, then heard, or cut in the middle."""

    def __init__(self) -> None:
        self._written = ""
        self._clauses: list[_Clause] = []
        self._sounding: dict[int, str] = {}  # items not yet heard to their end, notices too
        self._is_finished = False

    def wrote(self, text: str) -> None:
        """The model wrote more."""
        self._written += text

    def gave(self, clause: str) -> None:
        """This follows from what was written so far, and is to be said."""
        self._clauses.append(_Clause(clause, self._end_of(clause)))

    def finish(self) -> None:
        """The turn came to its end."""
        self._is_finished = True

    def says(self, item: int, text: str) -> None:
        """An item goes to the speaker."""
        self._sounding[item] = text
        clause = next((one for one in self._clauses if one.text == text and one.share < 1.0), None)
        if clause is not None:
            clause.item = item

    def heard(self, item: int) -> None:
        """An item has sounded to its end."""
        self._sounding.pop(item, None)
        self._mark(item, 1.0)

    def cut(self, words: str) -> None:
        """What sounded was dropped when `words` of it had been heard."""
        left = len(words.split())
        for item, text in self._sounding.items():
            n_words = len(text.split())
            self._mark(item, min(1.0, left / max(1, n_words)))
            left = max(0, left - n_words)
        self._sounding.clear()

    @property
    def is_whole(self) -> bool:
        """Whether the turn came to its end and all that was given out was heard."""
        return self._is_finished and all(clause.share == 1.0 for clause in self._clauses)

    @property
    def characters(self) -> int:
        """How much of what was written was heard, to the end of a word."""
        number = max((n for n, clause in enumerate(self._clauses) if clause.share), default=-1)
        if number < 0:
            return 0
        clause = self._clauses[number]
        if clause.share == 1.0:
            return clause.end
        start = self._clauses[number - 1].end if number else 0
        words = [match.end() for match in re.finditer(r"\S+", self._written[start : clause.end])]
        n_heard = int(len(words) * clause.share)
        return start + words[n_heard - 1] if n_heard else start

    def _mark(self, item: int, share: float) -> None:
        for clause in self._clauses:
            if clause.item == item and clause.item:
                clause.share = max(clause.share, share)

    def _end_of(self, clause: str) -> int:
        """The end of the clause's last word in what was written; all of it where that word is not there."""
        words = clause.strip(_MARKS).split()
        at = self._written.rfind(words[-1]) if words else -1
        if at < (self._clauses[-1].end if self._clauses else 0):
            return len(self._written)
        rest = self._written[at + len(words[-1]) :]
        return len(self._written) - len(rest.lstrip(string.punctuation))
