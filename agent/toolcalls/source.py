"""Text as it arrives, read by generators that wait where they cannot decide yet.

A reader is a generator that yields whenever it needs more text. Every decision is made by one of these few
functions, and waits until more text could not change it: what is read never depends on where text was cut.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from functools import lru_cache
from typing import TypeVar

from agent.errors import UtterError

Result = TypeVar("Result")
Wait = Generator[None, None, Result]

_SPACE = re.compile(r"\s*")


class Malformed(UtterError):
    """What was written is no call; the message says why, for the model."""


class Unfinished(Malformed):
    """The text ended inside a call."""


class Source:
    """The text of one reply, from where it has been read to. Everything is read once, in order."""

    def __init__(self) -> None:
        self._text = ""
        self._at = 0
        self.is_over = False
        self.was_cut = False  # it ended because of a limit, not because the writer was done
        self.room: int | None = None  # characters that may still be read; `Malformed` after them
        self.taken: list[str] | None = None  # when a list, what is read is kept there too

    @property
    def is_held(self) -> bool:
        """Whether there is text that could not be read yet."""
        return self._at < len(self._text)

    def feed(self, text: str) -> None:
        """Some more text."""
        self._text = self._text[self._at :] + text
        self._at = 0

    def close(self, *, was_cut: bool) -> None:
        """There is no more."""
        self.is_over, self.was_cut = True, was_cut

    def peek(self) -> Wait[str]:
        """The next character; nothing at the end."""
        while self._at >= len(self._text):
            if self.is_over:
                return ""
            yield
        return self._text[self._at]

    def take(self) -> Wait[str]:
        """The next character, read."""
        char = yield from self.peek()
        self._read(len(char))
        return char

    def follows(self, *options: str) -> Wait[str]:
        """Which of `options` comes next, an earlier one before a later one; nothing when none does."""
        longest = max(map(len, options))
        while True:
            rest = self._text[self._at : self._at + longest]
            for option in options:
                if rest.startswith(option):
                    return option
                if not self.is_over and option.startswith(rest):
                    break
            else:
                return ""
            yield

    def accept(self, *options: str) -> Wait[str]:
        """As `follows`, and read."""
        option = yield from self.follows(*options)
        self._read(len(option))
        return option

    def space(self) -> Wait[None]:
        """Read white space."""
        while True:
            found = _SPACE.match(self._text, self._at)
            assert found is not None
            self._read(found.end() - self._at)
            if self._at < len(self._text) or self.is_over:
                return
            yield

    def run(self, plain: re.Pattern[str]) -> Wait[str]:
        """What there is now of characters that `plain` matches; nothing only if the next is none of them."""
        if not (yield from self.peek()):
            return ""
        found = plain.match(self._text, self._at)
        return self._read(found.end() - self._at) if found else ""

    def word(self, plain: re.Pattern[str], max_chars: int) -> Wait[str]:
        """All the characters that `plain` matches. Raises `Malformed` when they are too many."""
        word = ""
        while part := (yield from self.run(plain)):
            word += part
            if len(word) > max_chars:
                raise Malformed("that name is too long")
        return word

    def until(self, markers: tuple[str, ...], sink: Callable[[str], None]) -> Wait[str]:
        """Hand text to `sink` up to one of `markers`, which is read and given; nothing at the end.

        What may become a marker is held back. Of markers at one place the longest counts.
        """
        pattern = _any_of(markers)
        while True:
            found = pattern.search(self._text, self._at)
            held = len(self._text) if self.is_over else self._held_from(markers)
            if found is not None and (found.start() < held or self.is_over):
                sink(self._read(found.start() - self._at))
                return self._read(found.end() - self._at)
            if held > self._at:
                sink(self._read(held - self._at))
            if self.is_over:
                return ""
            yield

    def lookahead(self, pattern: re.Pattern[str], max_chars: int) -> Wait[bool]:
        """Whether `pattern` matches what comes, decided on at most `max_chars` characters."""
        while len(self._text) - self._at < max_chars and not self.is_over:
            if pattern.match(self._text, self._at) is not None:
                return True
            yield
        return pattern.match(self._text[self._at : self._at + max_chars]) is not None

    def _held_from(self, markers: tuple[str, ...]) -> int:
        """Where the end of the text begins that may yet become a marker."""
        longest = max(map(len, markers))
        for start in range(max(self._at, len(self._text) - longest + 1), len(self._text)):
            rest = self._text[start:]
            if any(len(rest) < len(marker) and marker.startswith(rest) for marker in markers):
                return start
        return len(self._text)

    def _read(self, count: int) -> str:
        text = self._text[self._at : self._at + count]
        self._at += count
        if self.taken is not None and text:
            self.taken.append(text)
        if self.room is not None:
            self.room -= count
            if self.room < 0:
                raise Malformed("that call is too long")
        return text


@lru_cache(maxsize=256)
def _any_of(markers: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(markers, key=len, reverse=True))))


class Reader:
    """Drives a reader of a source with text as it comes."""

    def __init__(self, read: Callable[[Source], Wait[None]]) -> None:
        self.source = Source()
        self._waiting = read(self.source)
        self.is_done = False

    def feed(self, text: str) -> None:
        """Let it read `text`. Raises what it raises; what comes after its end is ignored."""
        if not self.is_done and text:
            self.source.feed(text)
            self._go_on()

    def close(self, *, was_cut: bool = False) -> None:
        """Let it read to the end."""
        if not self.is_done:
            self.source.close(was_cut=was_cut)
            self._go_on()

    def _go_on(self) -> None:
        try:
            next(self._waiting)
        except StopIteration:
            self.is_done = True
        except BaseException:
            self.is_done = True
            raise
