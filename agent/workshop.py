"""Tool work while it is under way: it outlives the turn that began it, and only a stop ends it early."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from agent.tools.registry import Outcome, refused

_T = TypeVar("_T")

_STOPPED = "it was stopped before it was done"


@dataclass(frozen=True)
class LeftBehind:
    """Work whose turn was broken off, and what became of it."""

    name: str
    outcome: Outcome


def how_it_ended(task: asyncio.Task[_T], name: str) -> _T | Outcome | None:
    """What a task that is over gave, or what went wrong in it; None when it was stopped."""
    if task.cancelled():
        return None
    error = task.exception()
    return refused(name, f"something went wrong in it: {error!r}") if error is not None else task.result()


class Workshop:
    """The work of one agent. What nobody waits for any longer is kept until `settle`."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Task[Outcome], str] = {}

    @property
    def is_idle(self) -> bool:
        """Whether nothing is at work, and nothing left behind has yet to be told."""
        return not self._running

    async def do(self, name: str, work: Coroutine[Any, Any, Outcome]) -> Outcome:
        """Carry out `work` of the tool `name`. Breaking the wait off leaves the work running."""
        task = asyncio.ensure_future(work)
        self._running[task] = name
        await asyncio.wait([task])
        del self._running[task]
        return refused(name, _STOPPED) if task.cancelled() else task.result()

    async def settle(self) -> list[LeftBehind]:
        """Wait for all that was left behind, and tell what it gave."""
        left, self._running = self._running, {}
        pending = [task for task in left if not task.done()]
        if pending:
            await asyncio.wait(pending)
        ended = ((name, how_it_ended(task, name)) for task, name in left.items())
        return [LeftBehind(name, outcome) for name, outcome in ended if outcome is not None]

    async def stop(self) -> tuple[str, ...]:
        """End what is running, with every process that it has started; gives the names of the tools."""
        ended = {task: name for task, name in self._running.items() if not task.done()}
        for task in ended:
            task.cancel()
        if ended:
            await asyncio.wait(list(ended))
        return tuple(name for task, name in ended.items() if task.cancelled())
