"""What was heard and what is written for it: values that the rest of Utter reads."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest

_MOST_READINGS = 9
_MOST_TOLD = 3


class Source(str, Enum):
    """Where the written form comes from."""

    FILE = "file"
    IDENTIFIER = "identifier"
    HOMOPHONE = "homophone"
    SIMILAR_FILE = "similar_file"
    SIMILAR_IDENTIFIER = "similar_identifier"
    FORMATTER = "formatter"
    LETTERS = "letters"
    OPERATOR = "operator"
    NUMBER = "number"


OF_A_NAME = frozenset((Source.FILE, Source.IDENTIFIER, Source.SIMILAR_FILE, Source.SIMILAR_IDENTIFIER))
"""Of these a change writes a name of the repository."""


@dataclass(frozen=True)
class Change:
    """`before` stood at `start` to `end` (exclusive) of the raw text; `after` is written in its place.

    `others` are what else it could be, the likeliest first.
    """

    start: int
    end: int
    before: str
    after: str
    source: Source
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unsure:
    """`heard` stands at `start` to `end` (exclusive) of the raw text and was left: it is one of `options`."""

    start: int
    end: int
    heard: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Written:
    """What was heard, what is made of it, every difference in order, and what was left as unsure."""

    raw: str
    text: str
    changes: tuple[Change, ...]
    unsure: tuple[Unsure, ...] = ()
    guesses: tuple[Unsure, ...] = ()
    """Names that may have been said, but are too unlikely to be written or asked about."""
    taught: str | None = None
    """`raw` with the user's own words put in, where that was done first: then the places are in this."""

    @property
    def question(self) -> str:
        """What to ask about the first place that is unsure, or nothing: "parse_config or pass_config?"."""
        return f"{' or '.join(self.unsure[0].options[:_MOST_TOLD])}?" if self.unsure else ""

    @property
    def note(self) -> str:
        """What the agent must know of words that were spoken, or nothing when there is no doubt."""
        doubts = [f'"{one.heard}" may be {" or ".join(one.options[:_MOST_TOLD])}' for one in self.unsure]
        return f"This was spoken, and {'; '.join(doubts)}." if doubts else ""

    @property
    def request(self) -> str:
        """What the agent gets: the text, and the doubts about it."""
        return f"{self.text} ({self.note})" if self.unsure else self.text

    def readings(self, others: Sequence[str] = ()) -> tuple[str, ...]:
        """Other texts that may have been meant, the likeliest first; none is `text`.

        `others` are what else was heard, as it would be written.
        """
        found: list[str] = []
        for one in self.unsure:
            for option in one.options:
                found.append(self._with(one.start, one.end, option, Source.SIMILAR_IDENTIFIER))
        for change in self.changes:
            for other in change.others:
                found.append(self._with(change.start, change.end, other, change.source))
        if self.changes:
            found.append(self._base)
        guesses = [
            self._with(one.start, one.end, one.options[0], Source.SIMILAR_IDENTIFIER) for one in self.guesses
        ]
        # There is nothing by which a guess at a name and another text can be compared: by turns.
        for both in zip_longest(guesses, others):
            found += [one for one in both if one is not None]
        distinct = {_plain(self.text): self.text}
        for text in found:
            distinct.setdefault(_plain(text), text)
        return tuple(distinct.values())[1 : _MOST_READINGS + 1]

    @property
    def _base(self) -> str:
        return self.raw if self.taught is None else self.taught

    def _with(self, start: int, end: int, written: str, source: Source) -> str:
        kept = [one for one in self.changes if one.end <= start or one.start >= end]
        change = Change(start, end, self._base[start:end], written, source)
        return applied(self._base, sorted([*kept, change], key=lambda one: one.start))


def _plain(text: str) -> str:
    """Without what makes no other reading: capitals of the first word, marks at the end of words."""
    words = [word.rstrip(string.punctuation) for word in text.split()]
    return " ".join([words[0].lower(), *words[1:]]) if words else ""


def applied(raw: str, changes: Iterable[Change]) -> str:
    """`raw` with the changes made; they are in order and do not overlap."""
    pieces: list[str] = []
    end = 0
    for change in changes:
        # "OpenCalc.py"
        run_together = end < change.start and raw[change.start - 1 : change.start + 1].isalnum()
        pieces += [raw[end : change.start], " " if run_together else "", change.after]
        end = change.end
    return "".join([*pieces, raw[end:]])
