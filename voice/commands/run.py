"""`utter run`: answers recorded requests, working in the project itself."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import platformdirs
import typer

from agent.errors import UtterError
from voice.commands.context import Context, of
from voice.commands.spoken import answered
from voice.conversation.files import SessionFiles
from voice.conversation.turns import TurnDone
from voice.demo import ended_well
from voice.display import Display, print_turns


def run(
    context: typer.Context,
    audio: Annotated[
        list[Path], typer.Option(help="A recording with one or more requests; may be repeated.")
    ],
    more: Annotated[
        list[Path] | None, typer.Argument(help="Further recordings.", metavar="[FILE]...")
    ] = None,
    repo: Annotated[Path, typer.Option(help="The project to work on.")] = Path(),
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for session.wav and the transcripts; else in your data folder."),
    ] = None,
    play: Annotated[bool, typer.Option(help="Use the speakers.")] = False,
) -> None:
    """Hear each recording and carry out its requests on the project."""
    made = of(context)
    folder = out or platformdirs.user_data_path("utter") / "sessions" / time.strftime("%Y%m%d-%H%M%S")
    if folder.resolve().is_relative_to(repo.resolve()):
        raise UtterError(
            f"{folder} lies inside the project, which is left to your code. Choose another --out."
        )
    turns = asyncio.run(_run(made, [*audio, *(more or [])], repo, folder, play=play))
    if not turns:
        made.errors.print("utter: no request was heard in the recordings.", markup=False)
    if not turns or any(ended_well(turn) for turn in turns):
        raise typer.Exit(1)


async def _run(made: Context, audio: list[Path], repo: Path, folder: Path, *, play: bool) -> list[TurnDone]:
    display = Display(made.console)
    turns: list[TurnDone] = []
    with SessionFiles(folder, display.trouble) as files:
        async with aclosing(answered(made, audio, repo, files, display, play=play)) as done:
            async for some in done:
                turns += some
    print_turns(made.console, turns)
    made.console.print(f"written: {', '.join(map(str, files.paths()))}", markup=False)
    return turns
