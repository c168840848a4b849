"""`utter demo`: a session of spoken requests on a copy of the sample project, each request checked."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

from voice.commands.context import Context, of
from voice.commands.spoken import answered
from voice.conversation.files import SessionFiles
from voice.conversation.turns import TurnDone
from voice.demo import DEMO_FOLDER, Request, copy_project, judged, shipped_requests, unified_diff
from voice.display import Display, print_difference, print_turns


def demo(
    context: typer.Context,
    audio: Annotated[
        list[Path] | None, typer.Option(help="Your own recording instead of the five; may be repeated.")
    ] = None,
    more: Annotated[
        list[Path] | None, typer.Argument(help="Further recordings.", metavar="[FILE]...")
    ] = None,
    repo: Annotated[
        Path | None, typer.Option(help="Your own project instead of the sample; it is copied first.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for session.wav and the transcripts.")] = Path("out/demo"),
    play: Annotated[bool, typer.Option(help="Use the speakers.")] = False,
) -> None:
    """Hold a spoken session from recordings: heard, done, said, timed and checked."""
    made = of(context)
    requests = [Request(file) for file in (*(audio or ()), *(more or ()))] or shipped_requests()
    if repo is not None:
        requests = [Request(request.audio) for request in requests]  # what is right there, nobody knows
    source = repo or DEMO_FOLDER / "project"
    with tempfile.TemporaryDirectory(prefix="utter-demo-") as folder:
        project = Path(folder) / (source.resolve().name or "project")
        left_out = copy_project(source, project)
        made.console.print(f"project: {project}, a copy of {source}", markup=False)
        if left_out:
            made.console.print(f"not copied, being large or a link: {', '.join(left_out[:5])}", markup=False)
        wrong = asyncio.run(_demo(made, requests, project, out, play=play))
    for line in wrong:
        made.errors.print(f"utter: {line}", style="red", markup=False)
    if wrong:
        raise typer.Exit(1)
    made.console.print(f"All {len(requests)} requests were carried out.")


async def _demo(made: Context, requests: list[Request], project: Path, out: Path, *, play: bool) -> list[str]:
    """Hold the session; gives a line for each request that was not carried out."""
    display = Display(made.console)
    turns: list[TurnDone] = []
    wrong: list[str] = []
    waiting = iter(requests)
    recordings = [request.audio for request in requests]
    with SessionFiles(out, display.trouble) as files:
        async with aclosing(answered(made, recordings, project, files, display, play=play)) as answers:
            async for done in answers:
                turns += done
                wrong += judged(next(waiting), done, project)
    print_turns(made.console, turns)
    print_difference(made.console, unified_diff(project))
    made.console.print(f"written: {', '.join(map(str, files.paths()))}", markup=False)
    return wrong
