"""`utter talk`, and plain `utter`: a live conversation about a project."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, TextIO

import psutil
import typer
from rich.console import Console

from voice.commands.context import Context, of, sessions_folder
from voice.conversation import trace
from voice.conversation.files import SessionFiles
from voice.conversation.keyboard import Keys, keys_of, single_keys, typed
from voice.conversation.live import LiveSession
from voice.conversation.turns import Ready, Stamped
from voice.display import Display
from voice.talking import live_session


def talk(
    context: typer.Context,
    repo: Annotated[Path, typer.Option(help="The project to work on.")] = Path(),
    screen_reader: Annotated[
        bool, typer.Option("--screen-reader", help="Labelled lines only, nothing is drawn over.")
    ] = False,
    keyboard: Annotated[
        bool, typer.Option("--keyboard", help="No microphone and no loudspeaker: type and read.")
    ] = False,
) -> None:
    """Talk with Utter about a project. Say "help" for what you can say, and "goodbye" to end."""
    made = of(context)
    asyncio.run(_talk(made, repo, screen_reader=screen_reader, hears=not keyboard))


async def _talk(made: Context, repo: Path, *, screen_reader: bool, hears: bool) -> None:
    plain = screen_reader or made.settings.conversation.voice_out == "screen-reader"
    console = plain_console() if plain else made.console
    display = Display(console)
    folder = sessions_folder() / time.strftime("%Y%m%d-%H%M%S")
    with SessionFiles(folder, display.trouble) as files:

        def tell(stamped: Stamped) -> None:
            display.tell(stamped)
            files.tell(stamped)

        console.print("Loading the models.")
        async with live_session(made.settings, made.store, repo, folder, tell, hears=hears) as session:
            tell(Stamped(0.0, Ready(time.time() - psutil.Process().create_time())))
            session.trace_to(lambda row: trace.append(folder / trace.FILE, row))
            is_push_to_talk = hears and made.settings.conversation.listening == "push-to-talk"
            if is_push_to_talk:
                key = "an empty line" if plain else "the space bar"
                console.print(f"Push to talk: {key} before you speak, and after it.", markup=False)
            console.print('Listening. Say "help" for what you can say, "goodbye" to end.', markup=False)
            session.do(_read_keys(session, console, plain, is_push_to_talk))
            await session.run()
    console.print(f"written: {folder}", markup=False)


async def _read_keys(
    session: LiveSession, console: Console, is_line_mode: bool, is_push_to_talk: bool
) -> None:
    if not sys.stdin.isatty() or is_line_mode:
        await _read_lines(session, is_push_to_talk)
        return

    def echo(text: str) -> None:
        console.file.write(text)
        console.file.flush()

    fd, keys = sys.stdin.fileno(), Keys(echo, is_push_to_talk=is_push_to_talk)
    with single_keys(fd):
        async with aclosing(keys_of(fd)) as typed_texts:
            async for text in typed_texts:
                for given in keys.take(text, session.machine.situation):
                    session.give(given)


async def _read_lines(session: LiveSession, is_push_to_talk: bool) -> None:
    rest = ""
    with contextlib.suppress(ValueError, OSError):  # no standard input at all
        async with aclosing(keys_of(sys.stdin.fileno())) as texts:
            async for text in texts:
                *lines, rest = (rest + text).split("\n")
                for line in lines:
                    given = typed(line, session.machine.situation, is_push_to_talk=is_push_to_talk)
                    if given is not None:
                        session.give(given)


def plain_console(file: TextIO | None = None) -> Console:
    """Writes lines that a screen reader can follow, to standard output unless told otherwise."""
    return Console(
        file=file, highlight=False, soft_wrap=True, no_color=True, force_terminal=False, emoji=False
    )
