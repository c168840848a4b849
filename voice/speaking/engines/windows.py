"""Kokoro's frames, a window at a time: the first short, so that it sounds soon, each cut between two words.

The decoder's norms take means over all that it is given, so that two windows never fit as halves of a whole
do. Where a cut is quiet, and each side sees some of the other, it is not heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from voice.speaking.synthesis import Samples

CONTEXT = 10
"""Frames to either side of a window, of 25 ms."""

_FIRST = 40  # frames
_GROWTH = 1.75  # a window is made in less than half of the time that it sounds
_LEAST, _MOST = 0.6, 1.25  # of the wanted length
_LAST = 0.8  # of the wanted length: the least that is left for the window after
_VOICED_HZ = 20.0
_VOICED_COST, _OCTAVE_COST = 3.0, 8.0  # in the units of energy, whose range is about 20


@dataclass(frozen=True)
class Middle:
    """What the half for text makes: `frames` (1, 512, n), and `pitch` and `energy` (1, 2n)."""

    frames: Samples
    pitch: Samples
    energy: Samples

    @property
    def n_frames(self) -> int:
        return self.frames.shape[2]

    def part(self, start: int, end: int) -> tuple[Samples, Samples, Samples]:
        """The same three of the frames from `start` to `end`."""
        halves = slice(2 * start, 2 * end)
        return self.frames[:, :, start:end], self.pitch[:, halves], self.energy[:, halves]

    def costs(self) -> NDArray[np.float64]:
        """How much would be heard of a cut before each frame."""
        hz, energy = (np.reshape(part, (-1, 2)).mean(axis=1) for part in (self.pitch, self.energy))
        return energy.astype(np.float64) + _VOICED_COST * (hz > _VOICED_HZ)


def windows(signs: Sequence[str], durations: NDArray[np.floating], middle: Middle) -> list[tuple[int, int]]:
    """The first frame of each window and the one after its last; together they are all frames.

    `durations`: frames of each of `signs`, and of the marks before and after them.
    """
    ends = np.cumsum(np.rint(durations)).astype(int)
    costs = middle.costs()
    spaces = [at for at, sign in enumerate(signs) if sign == " "]
    places = [_quietest(costs, int(ends[at]) - 1, int(ends[at + 1]) + 2) for at in spaces]
    cuts, begin, wanted = [0], int(ends[0]), float(_FIRST)
    while (place := _best(places, costs, begin, wanted)) is not None:
        cuts.append(place)
        wanted, begin = _GROWTH * (place - begin), place
    return list(pairwise([*cuts, middle.n_frames]))


def _quietest(costs: NDArray[np.float64], start: int, end: int) -> int:
    start = max(1, start)
    return start + int(np.argmin(costs[start:end]))


def _best(places: Sequence[int], costs: NDArray[np.float64], begin: int, wanted: float) -> int | None:
    """Where a window from `begin` of about `wanted` frames may end; None where it had better be the last."""
    far = [one for one in places if one - begin >= _LEAST * wanted and len(costs) - one >= _LAST * wanted]
    near = [one for one in far if one - begin <= _MOST * wanted] or far[:1]

    def cost(place: int) -> float:
        return float(costs[place]) + _OCTAVE_COST * abs(float(np.log2((place - begin) / wanted)))

    return min(near, key=cost, default=None)
