"""`utter models`: what models are here, fetch them, verify them, remove them."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.table import Table

from agent.models.disk import megabytes
from agent.models.fetch import fetch as fetch_models
from agent.models.store import ModelDamaged, ModelRow, State
from voice.commands.context import of
from voice.commands.fetch_display import show_fetch

app = typer.Typer(help="The models on this machine.", invoke_without_command=True)

_SET_HELP = "A set of models: demo, test, bench or all."


@app.callback()
def list_by_default(context: typer.Context) -> None:
    """The models on this machine; without a command, list them."""
    if context.invoked_subcommand is None:
        list_models(context)


@app.command("list")
def list_models(context: typer.Context) -> None:
    """List every model: whether it is here, its size, licence and origin."""
    made = of(context)
    rows = made.store.status()
    if made.console.is_terminal:
        made.console.print(_table(rows))
    else:
        for row in rows:
            made.console.print(_line(row), markup=False)
    made.console.print(f"folder: {made.store.root}", markup=False)


@app.command()
def fetch(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Models by name.")] = None,
    model_set: Annotated[str, typer.Option("--set", help=_SET_HELP)] = "",
) -> None:
    """Download, verify and convert models; with no name and no set, those of the demo."""
    made = of(context)
    wanted = list(names or [])
    if model_set or not wanted:
        wanted += made.store.manifest.names_in(model_set or "demo")
    with show_fetch(made.console) as report:
        fetch_models(made.store, wanted, report, environment=dict(os.environ))


@app.command()
def verify(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(help="Models by name; without, all that are here.")
    ] = None,
) -> None:
    """Read every byte anew and compare with the expected SHA-256."""
    made = of(context)
    here = [row.name for row in made.store.status() if row.state is not State.MISSING]
    damaged: list[str] = []
    for name in names or here:
        checks = made.store.check(name, anew=True)
        wrong = [check.sentence() for check in checks if not check.ok]
        if not checks:
            wrong = [f"The model {name} is not here or was converted from other weights."]
        made.console.print(f"{name}: {'damaged' if wrong else 'good'}", markup=False)
        damaged += [f"{sentence} {made.store.mending(name)}" for sentence in wrong]
    if damaged:
        raise ModelDamaged("\n".join(damaged))


@app.command()
def remove(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(help="Models by name.")],
) -> None:
    """Delete models from this machine."""
    made = of(context)
    for name in names:
        freed = made.store.remove(name)
        made.console.print(f"{name}: removed, {megabytes(freed)} freed", markup=False)


def _table(rows: list[ModelRow]) -> Table:
    table = Table(title="Models", title_justify="left")
    for column in ("name", "state"):
        table.add_column(column, no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    for column in ("use", "licence", "origin"):
        table.add_column(column)
    for row in rows:
        style = "green" if row.state is State.READY else "dim" if row.state is State.MISSING else "yellow"
        size = megabytes(row.size_on_disk or row.size)
        table.add_row(row.name, row.state.value, size, row.use, row.licence, row.origin, style=style)
    return table


def _line(row: ModelRow) -> str:
    size = megabytes(row.size_on_disk or row.size)
    return f"{row.name}: {row.state.value}; {size}; {row.use}; licence: {row.licence}; origin: {row.origin}"
