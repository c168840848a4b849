"""Speaks a reply while it is still being written: clauses are synthesised on one worker and go to a sink."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager

from voice.audio.frames import Samples
from voice.audio.playout import Playout
from voice.audio.sink import OnHeard, Sink, VirtualSink
from voice.conversation.clock import AudioClock, SessionClock
from voice.speaking.synthesis import Synthesiser

OpenSink = Callable[[int, OnHeard], Sink]
"""Given the rate in Hz of what will be written and what to call when it is heard."""


class Speaker:
    """One voice and one sink. `worker` is the one thread that the voice's model is used on."""

    def __init__(
        self,
        synthesiser: Synthesiser,
        open_sink: OpenSink,
        worker: Executor,
        clock: SessionClock,
        keep: Callable[[Samples, float], None],
    ) -> None:
        """`keep` gets all that sounds and its session time; the sink's clock begins when it is opened."""
        self._synthesiser = synthesiser
        self._worker = worker
        self._keep = keep
        self._sink = open_sink(synthesiser.sample_rate, self._heard)
        self._origin_s = clock.now()
        self.first_heard_s: float | None = None
        """When the last reply began to sound, in session time; None if it has not."""

    @property
    def sample_rate(self) -> int:
        """Of what `keep` gets, in Hz."""
        return self._sink.clock_rate

    @asynccontextmanager
    async def reply(self) -> AsyncGenerator[Callable[[str], None]]:
        """A context that gives a function to say a clause with.

        Leaving it waits until every clause has been synthesised; leaving it by an exception falls silent.
        """
        self.first_heard_s = None
        clauses: asyncio.Queue[str | None] = asyncio.Queue()
        speaking = asyncio.create_task(self._speak(clauses))
        try:
            yield clauses.put_nowait
            clauses.put_nowait(None)
            await speaking
        except BaseException:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
            self._sink.clear()
            raise

    async def silence(self) -> Playout:
        """Wait until all has been heard."""
        return await self._sink.drain()

    async def _speak(self, clauses: asyncio.Queue[str | None]) -> None:
        loop = asyncio.get_running_loop()
        while (clause := await clauses.get()) is not None:
            pieces = self._synthesiser.synthesise(clause)
            text = clause
            while (piece := await loop.run_in_executor(self._worker, _next, pieces)) is not None:
                await self._sink.write(piece, text)
                text = ""

    def _heard(self, position: int, samples: Samples) -> None:
        at_s = self._origin_s + position / self._sink.clock_rate
        if self.first_heard_s is None:
            self.first_heard_s = at_s
        self._keep(samples, at_s)


class ClockedSink(VirtualSink):
    """A sink without a device whose clock is the session's: speech takes its own length, and no real time."""

    def __init__(self, sample_rate: int, clock: AudioClock, on_heard: OnHeard | None = None) -> None:
        super().__init__(sample_rate, on_heard)
        self._clock = clock

    async def write(self, samples: Samples, text: str = "") -> None:
        self.advance(max(0, int(self._clock.now() * self.sample_rate) - self.now))
        await super().write(samples, text)

    async def drain(self) -> Playout:
        playout = await super().drain()
        await self._clock.reach(self.now / self.sample_rate)
        return playout


def _next(pieces: Iterator[Samples]) -> Samples | None:
    return next(pieces, None)
