"""Faster and slower speech at the same pitch: WSOLA, on a stream.

Verhelst and Roelands, "An overlap-add technique based on waveform similarity (WSOLA) for high quality
time-scale modification of speech", ICASSP 1993. Short windows are laid over one another at the new pace, each
taken from where it best continues the one before.
"""

from __future__ import annotations

import numpy as np

from voice.audio.frames import Samples

SLOWEST, FASTEST = 0.5, 3.0
_WINDOW_S = 0.04
_SEARCH_S = 0.01  # to either side: a whole period of a voice as low as 50 Hz


class TimeStretcher:
    """For one stream. `speed` may be changed at any time, and counts from what is processed next."""

    def __init__(self, sample_rate: int, speed: float = 1.0) -> None:
        """`sample_rate` in Hz; raises `ValueError` for a speed that is not in 0.5 to 3."""
        self._hop = round(_WINDOW_S * sample_rate / 2)
        self._search = round(_SEARCH_S * sample_rate)
        self._rise = (0.5 - 0.5 * np.cos(np.pi * (np.arange(self._hop) + 0.5) / self._hop)).astype(np.float32)
        self._speed = 1.0
        self.speed = speed
        self._reset()

    @property
    def speed(self) -> float:
        """1.0 is as it was spoken, 2.0 takes half the time."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if not SLOWEST <= speed <= FASTEST:
            raise ValueError(f"speed {speed} is not in {SLOWEST} to {FASTEST}")
        self._speed = speed

    def process(self, samples: Samples) -> Samples:
        """Take mono float32 and give what is ready; 60 ms are held back. At speed 1 nothing is altered."""
        if self._speed == 1.0 and not self._started:
            return samples
        self._input = np.concatenate((self._input, samples))
        return self._windows(len(self._input))

    def flush(self) -> Samples:
        """Give the rest; the next samples begin a new stream."""
        if not self._started and not len(self._input):
            return np.zeros(0, np.float32)
        end = len(self._input)
        room = self._hop * 2 + self._search * 2 + round(self._hop * self._speed) + 1
        self._input = np.concatenate((self._input, np.zeros(room, np.float32)))
        left = max(0, round((end - self._target) / self._speed)) + (self._hop if self._started else 0)
        out = np.concatenate((self._windows(end + self._hop * 2), self._tail))[:left]
        self._reset()
        return out

    def _reset(self) -> None:
        self._input: Samples = np.zeros(0, np.float32)
        self._tail: Samples = np.zeros(self._hop, np.float32)  # the falling half of the last window
        self._target = 0.0  # where the next window would be taken without a search, in `_input`
        self._natural = 0  # where the last window would have gone on
        self._started = False

    def _windows(self, end: int) -> Samples:
        """Lay down every window whose search lies before `end`."""
        pieces: list[Samples] = []
        size = 2 * self._hop
        reach = max(self._natural, round(self._target) + self._search) + size
        while reach <= min(end, len(self._input)):
            start = self._best_start() if self._started else 0
            window = self._input[start : start + size]
            rising = window[: self._hop] * self._rise if self._started else window[: self._hop]
            pieces.append(self._tail + rising)
            self._tail = window[self._hop :] * self._rise[::-1]
            self._natural, self._started = start + self._hop, True
            self._target += self._hop * self._speed
            self._drop()
            reach = max(self._natural, round(self._target) + self._search) + size
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)

    def _best_start(self) -> int:
        size, wanted = 2 * self._hop, self._input[self._natural : self._natural + 2 * self._hop]
        first = max(0, round(self._target) - self._search)
        region = self._input[first : round(self._target) + self._search + size]
        likeness = np.correlate(region, wanted, "valid")
        power = np.concatenate(([0.0], np.cumsum(np.square(region, dtype=np.float64))))
        energy = np.sqrt(np.maximum(power[size:] - power[:-size], 1e-9))
        return first + int(np.argmax(likeness / energy))

    def _drop(self) -> None:
        """Forget the input that no later window can need."""
        n = min(self._natural, round(self._target) - self._search)
        if n > 0:
            self._input = self._input[n:]
            self._natural -= n
            self._target -= n


def stretched(samples: Samples, sample_rate: int, speed: float) -> Samples:
    """All of `samples` at another pace: about `len(samples) / speed` of them."""
    stretcher = TimeStretcher(sample_rate, speed)
    return np.concatenate((stretcher.process(samples), stretcher.flush()))
