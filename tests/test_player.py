"""The session's voice: the next piece is made while the one before is heard, and no further ahead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
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


def player_on(sink: StandingSink, voice: Voice) -> SpokenAloud:
    player = SpokenAloud(voice, Now(), Nobody())
    player.attach(cast(DeviceSink, sink))
    return player


async def settled() -> None:
    """All has been done that needs no time to pass."""
    for _ in range(50):
        await asyncio.sleep(0)


def test_the_next_piece_is_made_while_the_first_is_heard_and_no_more() -> None:
    async def speak() -> tuple[int, int]:
        voice, sink = Voice(), StandingSink()
        player = player_on(sink, voice)
        speaking = asyncio.create_task(player.run())
        player.say(1, "A long sentence.")
        await settled()
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        return len(voice.made), sink.n_written

    n_made, n_written = asyncio.run(speak())
    assert n_made == 2
    assert 0 < n_written < 2 * RATE  # the first is not all given away


def test_the_rest_of_what_is_cut_is_not_made() -> None:
    async def speak() -> list[str]:
        voice, sink = Voice(), StandingSink()
        player = player_on(sink, voice)
        speaking = asyncio.create_task(player.run())
        player.say(1, "one")
        await settled()
        player.cut()
        player.say(2, "two")
        for _ in range(500):  # it looks for room in the queue a hundred times a second
            if voice.made[-1] == "two":
                break
            await asyncio.sleep(0.01)
        await settled()
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        return voice.made

    assert asyncio.run(speak()) == ["one", "one", "two", "two"]
