"""Shows a fetch: one bar for each model in a terminal, a line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from agent.models import fetch
from agent.models.disk import megabytes

_PLAIN_STEP = 25  # per cent between two lines of plain output


@contextmanager
def show_fetch(console: Console) -> Generator[fetch.Report, None, None]:
    """The report function to hand to `fetch`; what it shows stays on the screen."""
    if not console.is_terminal:
        yield _PlainLines(console).report
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*columns, console=console) as progress:
        yield _Bars(progress).report


class _Bars:
    """A bar for each model, which starts anew with each phase."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._phases: dict[str, fetch.Phase] = {}

    def report(self, event: fetch.FetchEvent) -> None:
        if isinstance(event, fetch.Progress):
            self._advance(event)
        elif isinstance(event, fetch.Ready):
            if event.model in self._tasks:
                self._progress.update(self._tasks[event.model], description=f"{event.model}: ready")
        else:
            self._progress.console.print(_sentence(event), markup=False)

    def _advance(self, event: fetch.Progress) -> None:
        description = f"{event.model}: {event.phase.value}"
        if event.model not in self._tasks:
            self._tasks[event.model] = self._progress.add_task(description, total=event.total)
        task = self._tasks[event.model]
        if self._phases.get(event.model) is not event.phase:
            self._phases[event.model] = event.phase
            self._progress.reset(task, description=description)
        self._progress.update(task, completed=min(event.done, event.total), total=event.total)


class _PlainLines:
    """A line at each quarter of each phase."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: dict[tuple[str, fetch.Phase, int], int] = {}

    def report(self, event: fetch.FetchEvent) -> None:
        if isinstance(event, fetch.Progress):
            percent = min(100, 100 * event.done // max(1, event.total))
            key = (event.model, event.phase, event.total)
            step = percent - percent % _PLAIN_STEP
            if step > self._told.get(key, 0):
                self._told[key] = step
                text = f"{event.model}: {event.phase.value}, {step} per cent of {megabytes(event.total)}"
                self._console.print(text, markup=False)
        elif isinstance(event, fetch.Ready):
            self._console.print(f"{event.model}: ready", markup=False)
        else:
            self._console.print(_sentence(event), markup=False)


def _sentence(event: fetch.Waiting | fetch.Planned) -> str:
    if isinstance(event, fetch.Waiting):
        return f"Another process is fetching models into {event.folder}; waiting for it."
    conversions = f", then {event.conversions} to convert" if event.conversions else ""
    return f"Fetching models: {megabytes(event.download_size)} to download{conversions}."
