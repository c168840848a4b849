"""Chooses tokens from a pass's logits: greedily or by chance, under a grammar where there is one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from agent.decode.guide import Guide

_MIN_P = 0.05

# The same tokens in passes of other widths gave logits that differ by up to 12 times this, with Qwen2.5-Coder
# 0.5B in float32 over OpenBLAS. Two logits each may differ, so twice that must lie between them; the rest is
# for other models.
_ROUNDING_STEPS = 64


@dataclass(frozen=True)
class Pick:
    """A chosen token; `is_near_tie` when rounding alone could make another choice of it."""

    token: int
    is_near_tie: bool


class Picker:
    """Chooses the tokens of one generation, one after the other."""

    def __init__(self, mx: Any, temperature: float, seed: int) -> None:
        self._mx = mx
        self._temperature = temperature
        self._key: Any = mx.random.key(seed)

    @property
    def is_greedy(self) -> bool:
        return self._temperature <= 0

    def rows(self, logits: Any, *, finds_ties: bool) -> Rows:
        """For picking from `logits`, shape (positions, vocabulary), row by row; nothing is evaluated yet."""
        return Rows(self._mx, logits, self.is_greedy, finds_ties=finds_ties)

    def choose_freely(self, rows: Rows) -> Any:
        """What `pick` will give after the first position if any token may come; not evaluated, shape (1,)."""
        if self.is_greedy:
            return rows.best
        rows.drawn = self._draw(rows.logits[0])
        return rows.drawn[None]

    def pick(self, rows: Rows, row: int, guide: Guide) -> Pick:
        """The token after position `row`."""
        if self.is_greedy:
            return rows.greedy(row, guide)
        drawn, rows.drawn = rows.drawn, None
        if drawn is None:
            drawn = self._draw(rows.masked(row, guide))
        return Pick(drawn.item(), is_near_tie=False)

    def _draw(self, logits: Any) -> Any:
        mx = self._mx
        self._key, key = mx.random.split(self._key)
        likely = logits >= mx.max(logits) + math.log(_MIN_P)
        return mx.random.categorical(mx.where(likely, logits, -mx.inf) / self._temperature, key=key)


class Rows:
    """The logits after some positions of one pass.

    `best` are the likeliest tokens; `drawn` is one that was drawn already for the first position.
    """

    def __init__(self, mx: Any, logits: Any, is_greedy: bool, *, finds_ties: bool) -> None:
        self._mx = mx
        self._is_greedy = is_greedy
        self._largest: Any = mx.max(mx.abs(logits), axis=-1) if finds_ties else None
        self._read: list[Pick] = []
        self.logits = logits
        self.best: Any = None
        self.drawn: Any = None
        if is_greedy:
            # At once: what is computed ahead of the answer must not stand before it in the device's queue.
            self.best, self._near = self._likeliest(logits, self._largest)
            mx.async_eval(self.best, self._near)

    def read(self) -> None:
        """Wait for the device, once for all rows; only what a grammar refuses is looked at again."""
        if self._is_greedy:
            self._read = _picks(self.best, self._near)
        else:
            self._mx.eval(self.logits)

    def greedy(self, row: int, guide: Guide) -> Pick:
        """The likeliest token that `guide` admits."""
        best = self._read[row]
        # Leaving out what is not admitted makes no tie nearer.
        if guide.admits(best.token):
            return best
        largest = self._largest[row] if self._largest is not None else None
        return _picks(*self._likeliest(self.masked(row, guide)[None], largest))[0]

    def masked(self, row: int, guide: Guide) -> Any:
        """The logits of a row, -inf for what `guide` does not admit; shape (vocabulary,)."""
        mask = guide.mask(self.logits.shape[-1])
        logits = self.logits[row]
        return logits if mask is None else self._mx.where(self._mx.array(mask), logits, -self._mx.inf)

    def _likeliest(self, logits: Any, largest: Any) -> tuple[Any, Any]:
        """Of each row, the likeliest token and whether another is nearly as likely."""
        mx = self._mx
        best = mx.argmax(logits, axis=-1)
        if largest is None:
            return best, mx.zeros(best.shape, mx.bool_)
        at_best = mx.arange(logits.shape[-1])[None] == best[:, None]
        top = mx.max(logits, axis=-1)
        second = mx.max(mx.where(at_best, -mx.inf, logits), axis=-1)
        return best, top - second <= _ROUNDING_STEPS * mx.finfo(logits.dtype).eps * largest


def _picks(best: Any, near: Any) -> list[Pick]:
    return [Pick(*pair) for pair in zip(best.tolist(), near.tolist(), strict=True)]
