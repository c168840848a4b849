"""Whether what was heard is only Utter's own voice, come back through the microphone. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter, deque
from collections.abc import Sequence

from rapidfuzz import fuzz

from voice.conversation.words import plain_words

_MEMORY_S = 30.0
_SHARE = 0.7  # of the words were just spoken
_ALIKE = 85.0  # per cent of the letters are those of a piece of what was spoken: "the last chain"
_ALIKE_S = 15.0  # just now
_ECHO_LASTS_S = 0.5  # what begins later after Utter's own voice is no echo: devices are late by less
_SOUNDING_ITEMS = 2  # of those that were given to the speaker, that may be heard at this moment
_LETTERS_LOST, _LEAST_LETTERS = 2, 4  # of a last word; it has so many left
_LEAST_WORDS = 3  # fewer are never dropped: "stop" may well have been spoken too


class OwnWords:
    """What was said in the last half minute."""

    def __init__(self) -> None:
        self._said: deque[tuple[float, tuple[str, ...]]] = deque()
        self._echo_s = -math.inf  # when Utter's own voice may have come back last

    def saying(self, text: str, now_s: float) -> None:
        """`text` is about to sound."""
        self._said.append((now_s, plain_words(text)))
        self._forget(now_s)

    def may_come_back(self, now_s: float) -> None:
        """Utter's voice sounds, and for all that is known the microphone hears it."""
        self._echo_s = now_s

    def may_be_heard(self, at_s: float) -> bool:
        """Whether what begins at `at_s` may still be Utter's own voice."""
        return at_s - self._echo_s <= _ECHO_LASTS_S

    def is_echo(self, text: str, began_s: float, items: Sequence[str]) -> bool:
        """Whether `text`, the speech of which began at `began_s`, is Utter's own; `items` sound now."""
        is_own = self.are_in(text, began_s) or is_piece_of(text, items[:_SOUNDING_ITEMS])
        return is_own and self.may_be_heard(began_s)

    def are_in(self, text: str, began_s: float) -> bool:
        """Whether most words of `text`, the speech of which began at `began_s`, are Utter's own."""
        words = plain_words(text)
        if len(words) < _LEAST_WORDS:
            return False
        self._forget(began_s)
        own = Counter(word for _, said in self._said for word in said)
        shared = sum((Counter(words) & own).values())
        return shared >= _SHARE * len(words) or self._sounds_like(words, began_s)

    def _forget(self, now_s: float) -> None:
        while self._said and self._said[0][0] < now_s - _MEMORY_S:
            self._said.popleft()

    def _sounds_like(self, words: tuple[str, ...], began_s: float) -> bool:
        late = [word for at_s, said in self._said if at_s >= began_s - _ALIKE_S for word in said]
        heard = " ".join(words)
        return len(late) >= len(words) and fuzz.partial_ratio(heard, " ".join(late)) >= _ALIKE


def is_piece_of(text: str, sounding: Sequence[str]) -> bool:
    """Whether `text`, however short, is a piece of what sounds; said over and over, it is taken once.

    The end of the last of several words may be lost: "change limit" is a piece of "change limits dot py".
    """
    words = list(dict.fromkeys(plain_words(text)))
    if not words:
        return False
    piece, may_lose_end = " ".join(words), len(words) > 1 and len(words[-1]) >= _LEAST_LETTERS
    lost = _LETTERS_LOST if may_lose_end else 0
    pattern = re.compile(rf"(?<!\S){re.escape(piece)}\w{{0,{lost}}}(?!\S)")
    return any(pattern.search(" ".join(plain_words(said))) for said in sounding)
