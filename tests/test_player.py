"""The session's voice: the next piece is made while the one before is heard, and no further ahead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import asynccontextmanager
from typing import Any, cast

import numpy as np

from voice.audio.frames import Samples
from voice.audio.speaker import DeviceSink
from voice.conversation.player import SpokenAloud

RATE = 16_000


class Voice:
    """Says two seconds at a time, and keeps of what."""

    sample_rate = RATE

    def __init__(self) -> None:
        self.made: list[str] = []

    def synthesise(self, clause: str) -> Iterator[Samples]:
        """Four pieces."""
        for _ in range(4):
            self.made.append(clause)
            yield np.ones(2 * RATE, np.float32)


class StandingSink:
    """A device that has been given sound and has not come to sound any of it."""

    clock_rate = RATE
    is_alive = True
    heard_samples = 0

    def __init__(self) -> None:
        self.n_written = 0

    async def write(self, samples: Samples, text: str) -> None:
        """Take them."""
        self.n_written += len(samples)

    def clear(self) -> None:
        """Drop nothing."""


class Nobody:
    """Listens to no news."""

    def began(self, item: int) -> None:
        """Nothing."""

    def heard(self, item: int) -> None:
        """Nothing."""


class Now(Executor):
    """Does what it is given at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Done when it is given back."""
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


@asynccontextmanager
async def speaking(voice: Voice, sink: StandingSink) -> AsyncGenerator[SpokenAloud, None]:
    """A player at work on the sink, until it is left."""
    player = SpokenAloud(voice, Now(), Nobody())
    player.attach(cast(DeviceSink, sink))
    work = asyncio.create_task(player.run())
    try:
        yield player
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def settled() -> None:
    """All has been done that needs no time to pass."""
    for _ in range(50):
        await asyncio.sleep(0)


def test_the_next_piece_is_made_while_the_first_is_heard_and_no_more() -> None:
    voice, sink = Voice(), StandingSink()

    async def speak() -> None:
        async with speaking(voice, sink) as player:
            player.say(1, "A long sentence.")
            await settled()

    asyncio.run(speak())
    assert len(voice.made) == 2
    assert 0 < sink.n_written < 2 * RATE  # the first is not all given away


def test_the_rest_of_what_is_cut_is_not_made() -> None:
    voice = Voice()

    async def speak() -> None:
        async with speaking(voice, StandingSink()) as player:
            player.say(1, "one")
            await settled()
            player.cut()
            player.say(2, "two")
            for _ in range(500):  # it looks for room in the queue a hundred times a second
                if voice.made[-1] == "two":
                    break
                await asyncio.sleep(0.01)
            await settled()

    asyncio.run(speak())
    assert voice.made == ["one", "one", "two", "two"]
