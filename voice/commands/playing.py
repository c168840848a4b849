"""Plays speech as it is made, for the commands that speak and do not listen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from voice.audio.frames import Samples
from voice.audio.speaker import DeviceSink


def play(pieces: Iterable[Samples], rate: int, device: str | int | None) -> None:
    """Play mono float32 pieces to their end; Ctrl-C falls silent. Raises `AudioDeviceError`."""
    asyncio.run(_play(pieces, rate, device))


async def _play(pieces: Iterable[Samples], rate: int, device: str | int | None) -> None:
    sink = DeviceSink(rate, device)
    try:
        for piece in pieces:
            await sink.write(piece)
            await asyncio.sleep(0)  # let cancellation in
        await sink.drain()
    finally:
        sink.close()
