"""Session time in seconds since the session began: real time, or that of recorded audio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class SessionClock(Protocol):
    """Seconds since the session began."""

    def now(self) -> float: ...

    async def reach(self, at_s: float) -> None:
        """Return when it is `at_s` or later."""
        ...

    def working(self) -> AbstractContextManager[None]:
        """A context in which Utter computes, so that the clock counts real time."""
        ...


class WallClock:
    """Session time is real time: for speakers, and later the microphone."""

    def __init__(self) -> None:
        self._started = time.perf_counter()

    def now(self) -> float:
        return time.perf_counter() - self._started

    async def reach(self, at_s: float) -> None:
        await asyncio.sleep(max(0.0, at_s - self.now()))

    @contextmanager
    def working(self) -> Generator[None]:
        yield


class AudioClock:
    """Session time of a session that is not played: audio takes its own length, thinking takes real time.

    Recorded audio is heard as fast as it can be read, yet every moment of the session has the time that it
    would have had live: speech in and out counts in samples, and only work is timed by the wall.
    """

    def __init__(self) -> None:
        self._base_s = 0.0
        self._working_since: float | None = None

    def now(self) -> float:
        if self._working_since is None:
            return self._base_s
        return self._base_s + time.perf_counter() - self._working_since

    async def reach(self, at_s: float) -> None:
        if self._working_since is not None:
            await asyncio.sleep(max(0.0, at_s - self.now()))
        else:
            self._base_s = max(self._base_s, at_s)

    @contextmanager
    def working(self) -> Generator[None]:
        self._working_since = time.perf_counter()
        try:
            yield
        finally:
            self._base_s = self.now()
            self._working_since = None
