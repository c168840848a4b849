"""The command line: `utter COMMAND`. Reads the environment, turns errors into a sentence and a status."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from agent.errors import UtterError
from voice import config
from voice.commands.context import Context, make_console, store_of
from voice.offline import stay_on_this_machine

app = typer.Typer(
    name="utter",
    help="A hands-free, voice-driven coding assistant that runs entirely on your own machine.",
    invoke_without_command=True,  # plain `utter` is `utter talk`
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain lines, which a screen reader can follow
)
_COMMANDS = (
    *("talk", "trace", "demo", "run", "hear", "say", "narrate", "ask", "doctor", "models", "cache", "voices"),
)
_GROUPS = frozenset({"models", "cache", "voices"})  # of commands


def register(arguments: Sequence[str]) -> None:
    """Make known the commands that may be meant: loading all takes longer than to begin to speak."""
    for name in [name for name in _COMMANDS if name in arguments] or _COMMANDS:
        module = import_module(f"voice.commands.{name}")
        if name in _GROUPS:
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(getattr(module, name))


@app.callback()
def prepare(
    context: typer.Context,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override one setting.")
    ] = None,
    files: Annotated[list[Path] | None, typer.Option("--config", help="Read this settings file too.")] = None,
    debug: Annotated[bool, typer.Option(help="Show where an error came from.")] = False,
) -> None:
    """Runs before every command."""
    settings = config.load(files or [], overrides or [])
    store = store_of(settings)
    environment = dict(os.environ)
    consoles = make_console(environment), make_console(environment, stderr=True)
    options = [f"--config={file}" for file in files or []] + [f"--set={one}" for one in overrides or []]
    context.obj = Context(settings, store, *consoles, tuple(options))
    if context.invoked_subcommand is None:
        from voice.commands.talk import talk

        talk(context)


def main() -> None:
    """Run the command line; the status is 0 for success, 1 for failure, 2 for wrong use, 130 for Ctrl-C."""
    stay_on_this_machine()
    try:
        register(sys.argv[1:] or ["talk"])
        app()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on; say no more
        sys.exit(1)
    except Exception as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        told = str(error) if isinstance(error, UtterError) else _unexpected(error)
        make_console(dict(os.environ), stderr=True).print(f"utter: {told}", style="red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _unexpected(error: Exception) -> str:
    what = f"{type(error).__name__}: {error}".strip(": ")
    return f"Something unexpected went wrong ({what}). `utter --debug` with the same command shows where."


if __name__ == "__main__":
    main()
