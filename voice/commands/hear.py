"""`utter hear`: what Utter makes of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voice.app import open_segmenter, open_transcriber
from voice.audio.files import read_frames
from voice.audio.frames import SAMPLE_RATE
from voice.commands.context import of


def hear(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Any sound file that libsndfile reads.")],
) -> None:
    """Transcribe FILE, utterance by utterance, with timings."""
    made = of(context)
    frames = read_frames(file, lambda flaw: made.errors.print(f"utter: {flaw.message}", markup=False))
    segmenter = open_segmenter(made.settings.hearing)
    transcriber = open_transcriber(made.settings, made.store)
    utterances = 0
    for utterance in segmenter.run(frames):
        heard = transcriber.transcribe(utterance.samples, utterance.speech_s)
        start_s, end_s = utterance.speech_start / SAMPLE_RATE, utterance.speech_end / SAMPLE_RATE
        span = f"{start_s:.2f} to {end_s:.2f} s"
        if heard.rejected is not None:
            made.console.print(f"{span}: not taken as speech: {heard.rejected}", markup=False)
            continue
        utterances += 1
        made.console.print(
            f"{span}: {heard.text} (transcribed in {heard.transcription_s:.2f} s)", markup=False
        )
        first_s = utterance.starts_s
        words = " ".join(f"{word.text}@{first_s + word.start_s:.2f}" for word in heard.words)
        made.console.print(f"words: {words}", markup=False)
    if utterances == 0:
        made.console.print(f"No speech was heard in {file}.", markup=False)
