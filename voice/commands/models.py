"""`utter models`: what models are here, fetch them, verify them, remove them."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.table import Table

from agent.models.disk import megabytes
from agent.models.fetch import fetch as fetch_models
from agent.models.hub import HUB_MODELS, HubError, HubModel, fetch_hub, hub_folder
from agent.models.store import ModelDamaged, ModelRow, State
from voice.commands.context import Context, of
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
    for model in HUB_MODELS.values():
        made.console.print(_hub_line(model), markup=False)
    made.console.print(f"folder: {made.store.root}", markup=False)


@app.command()
def fetch(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Models by name.")] = None,
    model_set: Annotated[str, typer.Option("--set", help=_SET_HELP)] = "",
    agree: Annotated[
        bool,
        typer.Option("--agree", help="Agree to the terms of a model that has some, without being asked."),
    ] = False,
) -> None:
    """Download, verify and convert models; with no name and no set, those of the demo."""
    made = of(context)
    of_a_hub = [name for name in names or () if name in HUB_MODELS]
    for name in of_a_hub:
        _fetch_hub(made, HUB_MODELS[name], agree)
    wanted = [name for name in names or () if name not in HUB_MODELS]
    if of_a_hub and not wanted and not model_set:
        return
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


def _fetch_hub(made: Context, model: HubModel, agree: bool) -> None:
    """The terms come first, then the download, whose progress the hub's own library shows."""
    made.console.print(f"{model.name}: {model.use}; licence: {model.licence}", markup=False)
    if model.terms and not agree:
        made.console.print(model.terms, markup=False)
        agree = made.console.is_terminal and typer.confirm("Do you agree to that?")
        if not agree and not made.console.is_terminal:
            made.console.print("To agree to that, say so: --agree", markup=False)
    folder = fetch_hub(model.name, agreed=agree)
    made.console.print(f"{model.name}: ready in {folder}", markup=False)


def _hub_line(model: HubModel) -> str:
    try:
        state = f"ready in {hub_folder(model.name)}"
    except HubError:
        state = "missing"
    origin = ", ".join(repository.name for repository in model.repositories)
    return f"{model.name}: {state}; {model.use}; licence: {model.licence}; from a model hub: {origin}"


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
