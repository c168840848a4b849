"""The buffers between our threads and the sound card's callbacks. No locks, no allocation."""

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
        self._chime = np.zeros(0, np.float32)  # the writer's
        self._chiming = self._chime  # the reader's
        self._chimed = 0

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

    def chime(self, samples: Samples) -> None:
        """Play `samples` at once, over whatever sounds, also while it is stopped; they cut the last chime."""
        self._chime = samples

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
        self._add_chime(out)

    def _add_chime(self, out: Samples) -> None:
        chime = self._chime
        if chime is not self._chiming:
            self._chiming, self._chimed = chime, 0
        n = min(len(out), len(chime) - self._chimed)
        if n > 0:
            out[:n] += chime[self._chimed : self._chimed + n]
            self._chimed += n


class CaptureRing:
    """One writer, a device's callback; one reader, who is told the device's time of each sample.

    All counts run from the start and never wrap. A reader that falls behind by more than the ring holds
    loses the oldest.
    """

    def __init__(self, capacity: int, rate: int) -> None:
        """Hold `capacity` samples; `rate` in Hz."""
        self._data = np.zeros(2 * capacity, np.float32)  # what is being read is not written to
        self._capacity = capacity
        self._rate = rate
        self.written = 0  # the writer's
        self._stamp = (0, 0.0)  # the writer's: a count of samples and the time at which that one came
        self.read = 0  # the reader's

    def write(self, samples: Samples, at_s: float) -> None:
        """The callback's part: `samples`, the first of which came at `at_s` of the device's clock."""
        size, n = len(self._data), len(samples)
        start = self.written % size
        first = min(n, size - start)
        self._data[start : start + first] = samples[:first]
        self._data[: n - first] = samples[first:n]
        self._stamp = (self.written, at_s)
        self.written += n

    def take(self) -> Samples:
        """All that came since the last call."""
        written = self.written
        start = max(self.read, written - self._capacity)
        self.read = written
        return np.take(self._data, np.arange(start, written), mode="wrap")

    def time_of(self, position: int) -> float:
        """When the sample of that count came or comes, in seconds of the device's clock."""
        count, at_s = self._stamp
        return at_s + (position - count) / self._rate
