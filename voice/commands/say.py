"""`utter say`: speak a text, or write its speech to a file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from voice.app import open_synthesiser
from voice.audio.files import write_sound
from voice.audio.frames import Samples
from voice.audio.speaker import DeviceSink
from voice.commands.context import of
from voice.speaking.clauses import Clauses
from voice.speaking.spoken_text import spoken
from voice.speaking.synthesis import Synthesiser


def say(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="What to say.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write a WAV or FLAC file and stay silent.")
    ] = None,
) -> None:
    """Speak TEXT as Utter would say it in a session."""
    made = of(context)
    voice = open_synthesiser(made.settings.speaking, made.store)
    if output is None:
        asyncio.run(_play(voice, text, made.settings.audio.output_device))
    elif write_sound(output, _pieces(voice, text), voice.sample_rate) == 0:
        made.console.print("There is nothing in this text that can be said; the file is empty.")


def _pieces(voice: Synthesiser, text: str) -> Iterator[Samples]:
    clauses = Clauses()
    for clause in [*clauses.feed(text), *clauses.finish()]:
        yield from voice.synthesise(spoken(clause))


async def _play(voice: Synthesiser, text: str, device: str | int | None) -> None:
    sink = DeviceSink(voice.sample_rate, device)
    try:
        for piece in _pieces(voice, text):
            await sink.write(piece)
        await sink.drain()
    finally:
        sink.close()
