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
        """Evaluate `logits`, shape (positions, vocabulary), for picking row by row."""
        return Rows(self._mx, logits, self.is_greedy, finds_ties=finds_ties)

    def pick(self, rows: Rows, row: int, guide: Guide) -> Pick:
        """The token after position `row`."""
        if self.is_greedy:
            return rows.greedy(row, guide)
        mx = self._mx
        self._key, key = mx.random.split(self._key)
        logits = rows.masked(row, guide)
        likely = logits >= mx.max(logits) + math.log(_MIN_P)
        drawn = mx.random.categorical(mx.where(likely, logits, -mx.inf) / self._temperature, key=key)
        return Pick(drawn.item(), is_near_tie=False)


class Rows:
    """The logits after some positions of one pass."""

    def __init__(self, mx: Any, logits: Any, is_greedy: bool, *, finds_ties: bool) -> None:
        self._mx = mx
        self._logits = logits
        self._finds_ties = finds_ties
        self._largest: Any = mx.max(mx.abs(logits), axis=-1) if finds_ties else None
        # All rows at once: one wait for the device, and only what the grammar refuses is looked at again.
        self._best: list[Pick] = self._greedy(logits, self._largest) if is_greedy else []
        if not is_greedy:
            mx.eval(logits)

    def greedy(self, row: int, guide: Guide) -> Pick:
        """The likeliest token that `guide` admits."""
        best = self._best[row]
        # Leaving out what is not admitted makes no tie nearer.
        if guide.admits(best.token):
            return best
        largest = self._largest[row] if self._finds_ties else None
        return self._greedy(self.masked(row, guide)[None], largest)[0]

    def masked(self, row: int, guide: Guide) -> Any:
        """The logits of a row, -inf for what `guide` does not admit; shape (vocabulary,)."""
        mask = guide.mask(self._logits.shape[-1])
        logits = self._logits[row]
        return logits if mask is None else self._mx.where(self._mx.array(mask), logits, -self._mx.inf)

    def _greedy(self, logits: Any, largest: Any) -> list[Pick]:
        mx = self._mx
        best = mx.argmax(logits, axis=-1)
        if not self._finds_ties:
            return [Pick(token, is_near_tie=False) for token in best.tolist()]
        at_best = mx.arange(logits.shape[-1])[None] == best[:, None]
        top = mx.max(logits, axis=-1)
        second = mx.max(mx.where(at_best, -mx.inf, logits), axis=-1)
        near = top - second <= _ROUNDING_STEPS * mx.finfo(logits.dtype).eps * largest
        mx.eval(best, near)
        return [Pick(*pair) for pair in zip(best.tolist(), near.tolist(), strict=True)]
