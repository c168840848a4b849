"""The append-only record of a conversation: what was said, by whom, and as which tokens. Pure values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any


class Kind(str, Enum):
    """What an entry is."""

    OPENING = "opening"  # the system text
    USER = "user"
    REPLY_OPENED = "reply_opened"
    WRITTEN = "written"  # fixed text that the client put into the reply
    GENERATED = "generated"  # by the model
    REPLY_CLOSED = "reply_closed"
    RESULTS = "results"  # what the calls of a reply gave; ends that reply


_TURN_ENDS = (Kind.OPENING, Kind.USER, Kind.REPLY_CLOSED, Kind.RESULTS)


@dataclass(frozen=True)
class Cut:
    """A place where an entry may be cut: so many characters of its text are so many of its tokens."""

    characters: int
    tokens: int


@dataclass(frozen=True)
class Entry:
    """A stretch of the conversation. `text` is what was said, without the template's frame.

    `cuts` are the places inside it where a rewind may stop, the end not included.
    """

    kind: Kind
    text: str
    token_start: int
    token_end: int
    cuts: tuple[Cut, ...] = ()

    def cut_to(self, n_tokens: int) -> Entry | None:
        """The longest beginning within the conversation's first `n_tokens` tokens; None when empty."""
        if n_tokens >= self.token_end:
            return self
        fitting = [cut for cut in self.cuts if self.token_start + cut.tokens <= n_tokens]
        if not fitting:
            return None
        last = fitting[-1]
        end = self.token_start + last.tokens
        return replace(self, text=self.text[: last.characters], token_end=end, cuts=tuple(fitting[:-1]))

    def tokens_of(self, characters: int) -> int:
        """The conversation's length in tokens when only the first `characters` of this entry's text are kept.

        Rounded down to the nearest cut.
        """
        if characters >= len(self.text):
            return self.token_end
        return self.token_start + max((c.tokens for c in self.cuts if c.characters <= characters), default=0)


@dataclass(frozen=True)
class Transcript:
    """Entries in order, without gaps between their tokens."""

    entries: tuple[Entry, ...] = ()

    @property
    def n_tokens(self) -> int:
        return self.entries[-1].token_end if self.entries else 0

    @property
    def breakpoints(self) -> tuple[int, ...]:
        """Token counts at which a prefix is worth keeping: after the opening and after each turn."""
        return tuple(entry.token_end for entry in self.entries if entry.kind in _TURN_ENDS)

    def append(self, kind: Kind, text: str, n_tokens: int) -> Transcript:
        """With one entry more. What the model generates in a row is one entry, cut between pieces."""
        last = self.entries[-1] if self.entries else None
        if last is not None and last.kind is kind is Kind.GENERATED:
            cut = Cut(len(last.text), last.token_end - last.token_start)
            longer = replace(
                last, text=last.text + text, token_end=last.token_end + n_tokens, cuts=(*last.cuts, cut)
            )
            return Transcript((*self.entries[:-1], longer))
        return Transcript((*self.entries, Entry(kind, text, self.n_tokens, self.n_tokens + n_tokens)))

    def cut_to(self, n_tokens: int) -> Transcript:
        """The longest beginning that has at most `n_tokens` tokens and ends where an entry can be cut."""
        kept: list[Entry] = []
        for entry in self.entries:
            if (part := entry.cut_to(n_tokens)) is not None:
                kept.append(part)
            if part is not entry:
                break
        return Transcript(tuple(kept))

    def json_lines(self) -> Iterator[str]:
        """One JSON object per entry, without line ends."""
        for entry in self.entries:
            cuts = [[cut.characters, cut.tokens] for cut in entry.cuts]
            row: dict[str, Any] = {"kind": entry.kind.value, "text": entry.text}
            yield json.dumps(row | {"tokens": [entry.token_start, entry.token_end], "cuts": cuts})

    @staticmethod
    def from_json_lines(lines: Iterable[str]) -> Transcript:
        """The reverse of `json_lines`. Raises `ValueError` for anything else."""
        entries: list[Entry] = []
        try:
            for line in lines:
                row: dict[str, Any] = json.loads(line)
                start, end = row["tokens"]
                cuts = tuple(Cut(*cut) for cut in row["cuts"])
                entries.append(Entry(Kind(row["kind"]), row["text"], start, end, cuts))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a line of a transcript: {error}") from error
        return Transcript(tuple(entries))
