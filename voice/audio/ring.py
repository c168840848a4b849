"""The buffer between the thread that writes speech and the sound card's callback. No locks, no allocation."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from voice.audio.frames import Samples


@dataclass(frozen=True)
class Run:
    """`n` samples from `position` in the ring's count of written samples, played at `clock`."""

    clock: int
    position: int
    n: int


class PlaybackRing:
    """One writer, one reader. Each counter is set by one side only, and setting an int is atomic.

    All counts run from the start and never wrap. Sound never stops or starts at full level: pausing and
    discarding fade out over `fade` samples, resuming fades in.
    """

    def __init__(self, capacity: int, fade: int, history: int = 0) -> None:
        """Hold `capacity` samples to be read, and at least `history` samples that were."""
        self._data = np.zeros(capacity + history, np.float32)
        self._size = capacity + history
        self._capacity = capacity
        self._ramp = np.linspace(0, 1, fade, dtype=np.float32)
        self._silent = True  # the reader's: the last sample it gave was faded or none
        self._was_stopped = False
        self._stopped = False  # the writer's
        self._discard_to = 0
        self.written = 0  # the writer's
        self.read = 0  # the reader's
        self.clock = 0  # the reader's: samples given to the device, silence too
        self.runs: deque[Run] = deque(maxlen=capacity)

    def write(self, samples: Samples) -> int:
        """Take as many of `samples` as there is room for, and say how many."""
        n = min(len(samples), self._capacity - (self.written - self.read))
        start = self.written % self._size
        first = min(n, self._size - start)
        self._data[start : start + first] = samples[:first]
        self._data[: n - first] = samples[first:n]
        self.written += n
        return n

    def stop(self, *, stopped: bool) -> None:
        self._stopped = stopped

    def discard(self) -> None:
        """Drop what is written so far and not yet read."""
        self._discard_to = self.written

    def copy(self, position: int, n: int) -> Samples:
        """`n` samples from `position`, which must be in the ring still."""
        return np.take(self._data, np.arange(position, position + n), mode="wrap")

    def fill(self, out: Samples) -> None:
        """The callback's part: fill `out` with the next samples, or silence."""
        read, clock = self.read, self.clock
        discard_to, stopped = self._discard_to, self._stopped
        is_dropping = discard_to > read
        n = min(len(out), self.written - read)
        if is_dropping or stopped:
            n = 0 if self._silent else min(n, len(self._ramp))
        out[n:] = 0
        if n:
            start = read % self._size
            first = min(n, self._size - start)
            out[:first] = self._data[start : start + first]
            out[first:n] = self._data[: n - first]
            if is_dropping or stopped:
                out[:n] *= self._ramp[::-1][:n]
            elif self._was_stopped:
                fade = min(n, len(self._ramp))
                out[:fade] *= self._ramp[:fade]
            self.runs.append(Run(clock, read, n))
        self._silent = is_dropping or stopped or n < len(out)
        self._was_stopped = stopped if (stopped or n) else self._was_stopped
        self.read = max(read + n, discard_to)
        self.clock = clock + len(out)
