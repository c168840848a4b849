"""`utter narrate`: changes told aloud, or as a sound file with captions and chapters."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from voice.commands.context import Context, of, sessions_folder
from voice.commands.playing import play
from voice.narration.asked import read_changes
from voice.narration.recording import Recording, write_recording
from voice.narration.telling import Level, chapters
from voice.opening import open_synthesiser, open_watermark
from voice.speaking.pronunciation import load_pronunciations, pronouncing, pronunciations_file


def narrate(
    context: typer.Context,
    changes: Annotated[
        str | None,
        typer.Argument(
            metavar="[RANGE | FILE.diff]",
            show_default=False,
            help="A range such as main..topic, a revision to compare the work tree with, or a file with a "
            "diff. Without it: all that is not committed.",
        ),
    ] = None,
    staged: Annotated[bool, typer.Option("--staged", help="What the next commit would hold.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Write a WAV, FLAC, Ogg or MP3 file, with captions and chapters beside it, and stay silent.",
        ),
    ] = None,
    voice: Annotated[str | None, typer.Option(help="Another voice than that of the settings.")] = None,
    level: Annotated[Level, typer.Option(help="How much is told.")] = Level.NORMAL,
    repo: Annotated[Path, typer.Option(help="The project.")] = Path(),
) -> None:
    """Tell what has changed, and where, the most important first.

    All that is said comes from the difference itself, nothing from a language model.
    """
    made = of(context)
    settings = made.settings
    if voice is not None:
        settings = settings.model_copy(
            update={"speaking": settings.speaking.model_copy(update={"voice": voice})}
        )
    made = replace(made, settings=settings)
    with opened(made, changes, repo, level, staged=staged) as recording:
        if output is None:
            play(recording.pieces(), recording.sample_rate, settings.audio.output_device)
            return
        beside = write_recording(output, recording, settings.speaking.voice, open_watermark(made.store))
    made.console.print(f"written: {', '.join(map(str, (output, *beside)))}", markup=False)


@contextmanager
def opened(
    made: Context, changes: str | None, repo: Path, level: Level, *, staged: bool = False
) -> Generator[Recording]:
    """The narration of `changes`, about to be spoken. The voice is loaded while git looks.

    Raises `UtterError` when there is nothing to tell of, or no voice.
    """
    with ThreadPoolExecutor(1, "speaking") as worker:
        loading = worker.submit(open_synthesiser, made.settings.speaking, made.store)
        read = read_changes(changes, repo, staged=staged)
        words_file = sessions_folder() / "words" / f"{repo.resolve().name}.txt"
        speaker = pronouncing(loading.result(), load_pronunciations(pronunciations_file(words_file)))
    with closing(read.sources) as sources:
        told = chapters(
            read.sections,
            sources.texts_of,
            level,
            subjects=(read.subjects, read.commits),
            is_whole=read.is_whole,
        )
        yield Recording(speaker, told, lambda clause: made.console.print(clause, markup=False))
