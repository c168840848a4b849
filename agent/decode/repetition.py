"""Notices that a model goes round in circles, so that it can be stopped before the token limit. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

# Tuned so that tables of zeros, rules of dashes and runs of similar lines in code pass.
_MOST_PERIOD_TOKENS = 64
_FEWEST_REPEATS = 6
_FEWEST_TOKENS = 120


class LoopWatch:
    """Fed the tokens that a model writes, says when their end is one n-gram over and over."""

    def __init__(self, prompt: Sequence[int]) -> None:
        """What stands in `prompt` already may be repeated: a copy of the user's own text is no loop."""
        self._prompt = prompt
        self._written = array("I")

    def push(self, token: int) -> bool:
        """Whether with `token` the written text has become a loop."""
        written = self._written
        written.append(token)
        size = len(written)
        if size < _FEWEST_TOKENS:
            return False
        for period in range(1, _MOST_PERIOD_TOKENS + 1):
            if written[-1] != written[-1 - period]:
                continue
            length = max(_FEWEST_TOKENS, _FEWEST_REPEATS * period)
            if size >= length and written[-length + period :] == written[-length:-period]:
                return not self._is_copy(written[-length:])
        return False

    def _is_copy(self, run: array[int]) -> bool:
        packed, prompt, step = run.tobytes(), array("I", self._prompt).tobytes(), run.itemsize
        at = prompt.find(packed)
        while at >= 0 and at % step:
            at = prompt.find(packed, at + 1)
        return at >= 0
