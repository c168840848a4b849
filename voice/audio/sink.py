"""The contract of everything that plays speech, and the sink without a device, on a virtual clock."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from voice.audio.frames import Samples
from voice.audio.playout import Ledger, Playout

OnHeard = Callable[[int, Samples], None]
"""Called with a position on the sink's clock, in samples at its `clock_rate`, and what was heard there."""


class Sink(Protocol):
    """Plays mono float32 in [-1, 1]. An utterance is what is written between two accounts of it."""

    sample_rate: int  # Hz, of what is written
    clock_rate: int  # Hz, of the positions and samples given to `OnHeard`

    async def write(self, samples: Samples, text: str = "") -> None:
        """Queue `samples` that say `text`; with no text, more of what the last write said.

        Waits while enough is queued already, so that a long answer does not fill the memory.
        """
        ...

    def pause(self) -> None:
        """Fall silent within milliseconds; what is queued stays."""
        ...

    def resume(self) -> None:
        """Go on where `pause` stopped."""
        ...

    def clear(self) -> Playout:
        """Fall silent, drop what was not heard, and account for the utterance."""
        ...

    async def drain(self) -> Playout:
        """Wait until all that was written has been heard, or until `clear`, and account for the utterance."""
        ...


class VirtualSink:
    """Plays into nothing, in no time: its clock moves only by `advance` and `drain`.

    What is written starts to sound at the present moment, or when what was written before it has sounded.
    """

    def __init__(self, sample_rate: int, on_heard: OnHeard | None = None) -> None:
        self.sample_rate = sample_rate
        self.clock_rate = sample_rate
        self._on_heard = on_heard
        self._now = 0
        self._queue: deque[Samples] = deque()
        self._queued_samples = 0
        self._ledger = Ledger()
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._cleared: Playout | None = None

    @property
    def now(self) -> int:
        """The clock, in samples since the sink was made."""
        return self._now

    async def write(self, samples: Samples, text: str = "") -> None:
        self._cleared = None
        self._ledger.write(len(samples), text)
        if len(samples):
            self._queue.append(samples)
            self._queued_samples += len(samples)

    def pause(self) -> None:
        self._resumed.clear()

    def resume(self) -> None:
        self._resumed.set()

    def clear(self) -> Playout:
        self._cleared = self._account(interrupted=self._queued_samples > 0)
        self._queue.clear()
        self._queued_samples = 0
        self._resumed.set()
        return self._cleared

    async def drain(self) -> Playout:
        while not self._resumed.is_set():
            await self._resumed.wait()
        if self._cleared is not None:
            cleared, self._cleared = self._cleared, None
            return cleared
        self.advance(self._queued_samples)
        return self._account(interrupted=False)

    def advance(self, n_samples: int) -> None:
        """Let `n_samples` of time go by."""
        end = self._now + n_samples
        while self._queue and self._now < end and self._resumed.is_set():
            samples = self._queue.popleft()
            heard, rest = samples[: end - self._now], samples[end - self._now :]
            if len(rest):
                self._queue.appendleft(rest)
            self._queued_samples -= len(heard)
            if self._on_heard is not None:
                self._on_heard(self._now, heard)
            self._now += len(heard)
        self._now = end

    def _account(self, *, interrupted: bool) -> Playout:
        heard = self._ledger.written_samples - self._queued_samples
        playout = self._ledger.playout(heard, interrupted=interrupted)
        self._ledger = Ledger()
        return playout
