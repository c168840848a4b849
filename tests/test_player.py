"""The session's voice: the next piece is made while the one before is heard, and no further ahead."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import numpy as np

from voice.audio.frames import Samples
from voice.audio.speaker import DeviceSink
from voice.conversation.player import SpokenAloud

RATE = 16_000


class Voice:
    """Says two seconds at a time, and counts how often it was asked."""

    sample_rate = RATE

    def __init__(self) -> None:
        self.n_made = 0

    def synthesise(self, clause: str) -> Iterator[Samples]:
        """Four pieces."""
        for _ in range(4):
            self.n_made += 1
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


def test_the_next_piece_is_made_while_the_first_is_heard_and_no_more() -> None:
    voice, sink = Voice(), StandingSink()

    async def speak() -> None:
        with ThreadPoolExecutor(1) as worker:
            player = SpokenAloud(voice, worker, Nobody())
            player.attach(cast(DeviceSink, sink))
            speaking = asyncio.create_task(player.run())
            player.say(1, "A long sentence.")
            for _ in range(100):
                await asyncio.sleep(0.01)
                if voice.n_made == 2:
                    break
            await asyncio.sleep(0.1)
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)

    asyncio.run(speak())
    assert 0 < sink.n_written < 2 * RATE  # the first is not all given away
    assert voice.n_made == 2
