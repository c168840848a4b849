"""Which entries go when room is needed. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from agent.cache.entry import Entry, Retention


def expired(entries: Iterable[Entry], now_s: float) -> list[Entry]:
    """Those whose time to live is over."""
    return [entry for entry in entries if entry.expires_s is not None and entry.expires_s <= now_s]


def to_unpin(entries: Iterable[Entry], more_bytes: int, most_bytes: int) -> list[Entry]:
    """Which pinned entries to pin no longer, the least recently used first.

    So that with `more_bytes` that are to be pinned they take no more than `most_bytes`.
    """
    pinned = sorted(
        (entry for entry in entries if entry.retention is Retention.PINNED), key=lambda entry: entry.used_s
    )
    over_bytes = sum(entry.size_bytes for entry in pinned) + more_bytes - most_bytes
    chosen: list[Entry] = []
    for entry in pinned:
        if over_bytes <= 0:
            break
        chosen.append(entry)
        over_bytes -= entry.size_bytes
    return chosen


def to_evict(entries: Iterable[Entry], needed_bytes: int, now_s: float) -> list[Entry]:
    """The entries to drop so that `needed_bytes` become free; all that may go when that is not enough.

    First what has expired, then the least recently used, then what has time to live. Pinned ones stay.
    """
    everything = list(entries)
    past = {entry.id for entry in expired(everything, now_s)}
    candidates = [
        entry for entry in everything if entry.retention is not Retention.PINNED or entry.id in past
    ]
    candidates.sort(key=lambda entry: (entry.id not in past, entry.expires_s is not None, entry.used_s))
    chosen: list[Entry] = []
    freed_bytes = 0
    for entry in candidates:
        if freed_bytes >= needed_bytes and entry.id not in past:
            break
        chosen.append(entry)
        freed_bytes += entry.size_bytes
    return chosen
