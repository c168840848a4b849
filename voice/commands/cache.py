"""`utter cache`: what is kept of earlier conversations, what that has spared, and how to empty it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from agent.cache.index import Day
from agent.cache.store import PrefixStore
from agent.models.disk import megabytes
from agent.workspace import Workspace
from voice.app import cache_limits, contexts_of, open_agent
from voice.commands.context import Context, of

app = typer.Typer(help="The contexts kept from earlier conversations.", invoke_without_command=True)

_DAYS = 7
_BAR_WIDTH = 40


@app.callback()
def show_by_default(context: typer.Context) -> None:
    """The contexts kept from earlier conversations; without a command, show them."""
    if context.invoked_subcommand is None:
        show(context)


@app.command()
def show(context: typer.Context) -> None:
    """Show entries, tokens and bytes, the hit rate, the seconds spared, and the last days."""
    made = of(context)
    store = _store(made)
    store.sweep()
    entries, days = store.entries(), store.days()
    read_tokens = sum(day.read_tokens for day in days)
    prompt_tokens = read_tokens + sum(day.computed_tokens for day in days)
    lines = [
        f"entries: {len(entries)}",
        f"tokens: {sum(entry.n_tokens for entry in entries)}",
        f"size: {megabytes(sum(entry.size_bytes for entry in entries))} "
        f"of at most {megabytes(store.limits.disk_bytes)}",
        f"hit rate: {_percent(read_tokens, prompt_tokens)} of {prompt_tokens} prompt tokens",
        f"spared: {sum(day.spared_s for day in days):.0f} s",
        *(f"set aside: {trouble.file}, because {trouble.reason}" for trouble in store.troubles()),
        f"folder: {store.folder}",
    ]
    for line in lines:
        made.console.print(line, markup=False)
    if made.console.is_terminal:
        made.console.print(_chart(days[-_DAYS:]))
    else:
        for day in days[-_DAYS:]:
            made.console.print(_line(day), markup=False)


@app.command()
def clear(context: typer.Context) -> None:
    """Delete all kept contexts and sessions; models stay."""
    made = of(context)
    freed_bytes = _store(made).clear()
    made.console.print(f"removed, {megabytes(freed_bytes)} freed", markup=False)


@app.command()
def warm(
    context: typer.Context,
    repo: Annotated[Path, typer.Option(help="The project to prepare for.")] = Path(),
) -> None:
    """Compute and keep what the next session on a project begins with."""
    made = of(context)
    n_tokens = asyncio.run(_warm(made, repo))
    made.console.print(f"ready: {n_tokens} tokens", markup=False)


async def _warm(made: Context, repo: Path) -> int:
    async with open_agent(made.settings, made.store, Workspace(repo)) as agent:
        await agent.warm()
        assert agent.conversation is not None
        return agent.conversation.transcript.n_tokens


def _store(made: Context) -> PrefixStore:
    return PrefixStore(contexts_of(made.store), cache_limits(made.settings))


def _chart(days: list[Day]) -> Table:
    """A bar for each day: read from the cache, and computed."""
    table = Table(title="Prompt tokens", title_justify="left")
    table.add_column("day", no_wrap=True)
    table.add_column("read (full) and computed (light)", no_wrap=True)
    for name in ("read", "computed"):
        table.add_column(name, justify="right", no_wrap=True)
    most = max((day.read_tokens + day.computed_tokens for day in days), default=1)
    for day in days:
        read = round(_BAR_WIDTH * day.read_tokens / most)
        both = round(_BAR_WIDTH * (day.read_tokens + day.computed_tokens) / most)
        bar = "\u2588" * read + "\u2591" * (both - read)
        table.add_row(day.day, bar, str(day.read_tokens), str(day.computed_tokens))
    return table


def _line(day: Day) -> str:
    return f"{day.day}: {day.read_tokens} tokens read, {day.computed_tokens} computed"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "0 %"
