"""A turn while it runs: its time, its steps, and what was done in it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from agent.errors import UtterError
from agent.events import ApprovalNeeded, Event


class TimeUp(UtterError):
    """The turn has used up its time."""


@dataclass
class Turn:
    """A turn while it runs, begun at `started_s` of the monotonic clock.

    After a failure no try begins that would not be over by `tries_s`; `time_s` ends the turn in any case.
    `deeds` are its calls and answers in a few words each, in order; `told` those that the conversation holds.
    """

    started_s: float
    time_s: float
    steps_left: int
    tries_s: float = math.inf
    deeds: list[str] = field(default_factory=list[str])
    told: list[str] = field(default_factory=list[str])

    def left_s(self) -> float:
        """The seconds left for tries."""
        return self.started_s + self.tries_s - time.monotonic()

    async def in_time(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """Pass `events` on; raises `TimeUp` and ends what they wait for when the turn's time is over."""
        is_asking = False
        while True:
            begun_s = time.monotonic()
            left_s = None if is_asking else max(self.started_s + self.time_s - begun_s, 0.0)
            try:
                event = await asyncio.wait_for(events.__anext__(), left_s)
            except StopAsyncIteration:
                return
            except asyncio.TimeoutError:
                raise TimeUp("That took too long, so I stopped.") from None
            if is_asking:  # the user's time to answer is not the turn's
                asked_s = time.monotonic() - begun_s
                self.time_s, self.tries_s = self.time_s + asked_s, self.tries_s + asked_s
            is_asking = isinstance(event, ApprovalNeeded)
            yield event
