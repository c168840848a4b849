"""The values that the prefix store deals in: what is kept, for how long, and what a lookup finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from agent.errors import UtterError

MOST_BREAKPOINTS = 4


class StoreError(UtterError):
    """The store of saved contexts cannot be read or written. Nothing is lost: contexts are computed anew."""


class StoreFull(StoreError):
    """There is no room: the disk is full, or the budget is too small for one entry."""


class StoreNewer(StoreError):
    """The store was made by a later version of Utter and is left alone."""


class Retention(str, Enum):
    """How long an entry is kept. A time to live begins again at every use; after it, nothing is served.

    What is pinned makes no room for others. But it may take half the budget: of more, what was unused longest
    is pinned no longer; and after a month without use it is forgotten like the rest.
    """

    RECENT = "recent"  # until the budget asks for its room
    FIVE_MINUTES = "5m"
    ONE_HOUR = "1h"
    PINNED = "pinned"

    @property
    def time_to_live_s(self) -> float | None:
        return _TIMES_TO_LIVE_S.get(self)


_TIMES_TO_LIVE_S = {
    Retention.FIVE_MINUTES: 300.0,
    Retention.ONE_HOUR: 3_600.0,
    Retention.PINNED: 30 * 86_400.0,
}


_LASTING = (Retention.FIVE_MINUTES, Retention.ONE_HOUR, Retention.RECENT, Retention.PINNED)


def renewed(kept: Retention, asked: Retention) -> Retention:
    """How an entry is kept on when it is asked for again: what was to be served longer still is."""
    return max(kept, asked, key=_LASTING.index)


@dataclass(frozen=True)
class StoreLimits:
    """`disk_bytes` is what all entries may take; `free_bytes` is left free on the disk whatever happens.

    `parked_bytes` is what sessions may take that are open but not at work, beside the one that is.
    """

    disk_bytes: int = 4 << 30
    free_bytes: int = 2 << 30
    parked_bytes: int = 1 << 30


@dataclass(frozen=True)
class Entry:
    """A stored prefix. `sha256` is of the file and then of the tokens, packed.

    Times are seconds since 1970; `expires_s` is None for what has no time to live.
    """

    id: int
    file: str
    n_tokens: int
    size_bytes: int
    sha256: str
    retention: Retention
    used_s: float
    expires_s: float | None


@dataclass(frozen=True)
class Found:
    """A whole, unharmed file. `tokens` are all that it holds; the prompt begins with `n_shared` of them."""

    path: Path
    tokens: tuple[int, ...]
    n_shared: int
    entry: Entry


@dataclass(frozen=True)
class Pending:
    """An entry being written: to `path`, which `PrefixStore.commit` puts in place or `abandon` removes."""

    path: Path
    seed: bytes
    tokens: tuple[int, ...]
    retention: Retention


@dataclass(frozen=True)
class Trouble:
    """A file that was set aside, when, and why."""

    file: str
    reason: str
    at_s: float
