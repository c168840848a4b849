"""`utter say`: speak a text, or write its speech to a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from voice.audio.files import write_sound
from voice.audio.frames import Samples
from voice.commands.context import of
from voice.commands.playing import play
from voice.opening import open_synthesiser, open_watermark
from voice.speaking.clauses import Clauses
from voice.speaking.spoken_text import spoken
from voice.speaking.synthesis import Synthesiser


def say(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="What to say.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write a WAV, FLAC, Ogg or MP3 file and stay silent."),
    ] = None,
) -> None:
    """Speak TEXT as Utter would say it in a session."""
    made = of(context)
    voice = open_synthesiser(made.settings.speaking, made.store)
    if output is None:
        play(_pieces(voice, text), voice.sample_rate, made.settings.audio.output_device)
        return
    name = made.settings.speaking.voice
    mark = open_watermark(made.store)
    if write_sound(output, _pieces(voice, text), voice.sample_rate, synthetic=name, mark=mark) == 0:
        made.console.print("There is nothing in this text that can be said; the file is empty.")


def _pieces(voice: Synthesiser, text: str) -> Iterator[Samples]:
    clauses = Clauses()
    for clause in [*clauses.feed(text), *clauses.finish()]:
        yield from voice.synthesise(spoken(clause))
