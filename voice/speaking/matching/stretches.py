"""Cuts speech as it comes into stretches that can be worked on one by one: where it is nearly silent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from voice.speaking.synthesis import Samples

CONTEXT_S = 0.03  # of what lies beyond a cut, given to both of its sides
_LEAST_S = 0.3
_FRAME_S = 0.01
_QUIET = 10.0 ** (-35 / 10)  # of the power of the loudest frame so far
_GAP_S = 0.05  # of silence that ends a sentence


@dataclass(frozen=True)
class Stretch:
    """Mono float32 `samples`; the first `before` and last `after` of them are its neighbours' as well.

    Where these are 0 a sentence begins or ends; `gap` samples of silence follow then.
    """

    samples: Samples
    before: int
    after: int
    gap: int


def stretches(pieces: Iterable[Samples], rate: int) -> Iterator[Stretch]:
    """All of `pieces`, mono float32 at `rate`, each stretch as soon as the place where it ends is there."""
    held, before, loudest = np.zeros(0, np.float32), 0, 0.0
    least, context, frame = (int(seconds * rate) for seconds in (_LEAST_S, CONTEXT_S, _FRAME_S))
    for piece in pieces:
        gap = len(piece) - int(np.flatnonzero(piece)[-1]) - 1 if piece.any() else len(piece)
        held = np.concatenate([held, piece])
        if gap >= _GAP_S * rate:
            yield Stretch(held[: len(held) - gap], before, 0, gap)
            held, before = held[:0], 0
            continue
        power = np.square(held[: len(held) // frame * frame]).reshape(-1, frame).mean(axis=1)
        loudest = max(loudest, float(power.max(initial=0.0)))
        known = power[: max(0, len(held) - context) // frame]
        quiet = known <= _QUIET * loudest
        amid = np.flatnonzero(quiet[:-2] & quiet[1:-1] & quiet[2:]) + 1  # frames between two others that are
        cut = int(amid[-1]) * frame + frame // 2 if len(amid) else 0
        if cut - before >= least:
            yield Stretch(held[: cut + context], before, context, 0)
            held, before = held[cut - context :], context
    if len(held):
        yield Stretch(held, before, 0, 0)
