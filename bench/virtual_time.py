"""An event loop whose clock jumps from one due time to the next, so that hours pass in seconds.

While a thread is at work for the loop the clock stands still, as if the machine were infinitely fast.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

_T = TypeVar("_T")


class _Jumping(selectors.DefaultSelector):  # type: ignore[misc,valid-type]
    """Waits in real time only for what is at work; else `jump` takes the time that would be waited."""

    def __init__(self, jump: Callable[[float], None], is_working: Callable[[], bool]) -> None:
        super().__init__()
        self._jump = jump
        self._is_working = is_working

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None or self._is_working():
            return super().select(timeout if timeout == 0 else None)
        if timeout > 0:
            self._jump(timeout)
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`time()` begins at zero."""

    def __init__(self) -> None:
        self._virtual_s = 0.0
        self._n_working = 0
        super().__init__(_Jumping(self._pass, lambda: self._n_working > 0))

    def time(self) -> float:
        return self._virtual_s

    def run_in_executor(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, executor: Executor | None, func: Callable[..., _T], *args: Any
    ) -> asyncio.Future[_T]:
        self._n_working += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._done)
        return future

    def _done(self, _future: asyncio.Future[Any]) -> None:
        self._n_working -= 1

    def _pass(self, length_s: float) -> None:
        self._virtual_s += length_s


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """As `asyncio.run`, in virtual time."""
    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
