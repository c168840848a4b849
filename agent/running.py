"""The calls of one reply: which run side by side, which wait, and what they gave, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Union

from agent.events import ApprovalNeeded, ToolResult
from agent.hands import Hands, NeedsWord
from agent.tools.registry import Outcome, Tool, refused
from agent.workshop import how_it_ended

CarryOut = Callable[[Tool, Mapping[str, Any]], Coroutine[Any, Any, Union[Outcome, NeedsWord]]]
_INTERRUPTED = "it was not carried out, because the user interrupted"


@dataclass(eq=False)
class _Item:
    id: str
    name: str
    tool: Tool | None = None
    arguments: Mapping[str, Any] | None = None
    task: asyncio.Task[Union[Outcome, NeedsWord]] | None = None
    outcome: Outcome | None = None

    @property
    def only_reads(self) -> bool:
        return self.tool is None or self.tool.read_only


class Calls:
    """Reading calls begin at once, unless one before them changes something.

    A call that changes something waits until the reply is whole and all before it are done.
    """

    def __init__(self, hands: Hands, carry_out: CarryOut) -> None:
        self._hands = hands
        self._carry_out = carry_out
        self._items: list[_Item] = []
        self._n_told = 0

    def add(self, call_id: str, tool: Tool, arguments: Mapping[str, Any]) -> None:
        """A call that is ready."""
        self._items.append(_Item(call_id, tool.name, tool, arguments))
        if all(item.only_reads for item in self._items):
            self._begin(self._items[-1])

    def refuse(self, call_id: str, name: str, outcome: Outcome) -> None:
        """A call that will not be carried out, and why."""
        self._items.append(_Item(call_id, name, outcome=outcome))

    @property
    def outcomes(self) -> list[tuple[str, Outcome]]:
        """Name and outcome of each call that is done, in order."""
        return [(item.name, item.outcome) for item in self._items if item.outcome is not None]

    async def results(self, *, is_whole: bool) -> AsyncGenerator[Union[ApprovalNeeded, ToolResult], None]:
        """What the calls gave, each once and in their order: all of it when the reply `is_whole`.

        Otherwise only what is known by now.
        """
        while self._n_told < len(self._items):
            item = self._items[self._n_told]
            is_known = item.outcome is not None or (item.task is not None and item.task.done())
            if not is_known and not is_whole:
                return
            outcome = item.outcome or await self._outcome(item)
            if isinstance(outcome, NeedsWord):
                asked = outcome.asked(item.id)
                yield asked
                outcome = await self._hands.settle(outcome, asked)
            item.outcome = outcome
            self._n_told += 1
            yield ToolResult(item.id, outcome.ok, outcome.content, outcome.facts)

    async def settle(self) -> list[tuple[str, Outcome]]:
        """After an interruption: what became of each call. Those under way are waited for."""
        for item in self._items:
            if item.outcome is None and item.task is not None:
                if not item.task.done():
                    await asyncio.wait([item.task])
                outcome = how_it_ended(item.task, item.name)
                item.outcome = outcome if isinstance(outcome, Outcome) else None
            item.outcome = item.outcome or refused(item.name, _INTERRUPTED)
        return self.outcomes

    async def _outcome(self, item: _Item) -> Union[Outcome, NeedsWord]:
        """All before `item` is done: it is begun, and what may run beside it."""
        self._begin(item)
        if item.only_reads:
            for later in self._items[self._n_told + 1 :]:
                if not later.only_reads:
                    break
                self._begin(later)
        assert item.task is not None
        await asyncio.wait([item.task])
        return item.task.result()

    def _begin(self, item: _Item) -> None:
        if item.tool is not None and item.task is None:
            item.task = asyncio.ensure_future(self._carry_out(item.tool, item.arguments or {}))
