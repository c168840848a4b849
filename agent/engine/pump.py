"""Runs an asynchronous generator ahead of its reader, so that a slow reader holds up no other caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

Item = TypeVar("Item")


class _End:
    """Marks the end in the queue, with the error that ended the source, if one did."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error


async def pump(source: AsyncGenerator[Item, None]) -> AsyncGenerator[Item, None]:
    """The items of `source`, which is bounded; closing this generator cancels and closes `source` first."""
    queue: asyncio.Queue[Item | _End] = asyncio.Queue()

    async def fill() -> None:
        error = None
        try:
            async with aclosing(source):
                async for item in source:
                    queue.put_nowait(item)
        except Exception as raised:
            error = raised
        queue.put_nowait(_End(error))

    task = asyncio.create_task(fill())
    try:
        while not isinstance(item := await queue.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
