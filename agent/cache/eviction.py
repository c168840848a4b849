"""Which entries go when room is needed. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from agent.cache.entry import Entry, Retention


def expired(entries: Iterable[Entry], now_s: float) -> list[Entry]:
    """Those whose time to live is over."""
    return [entry for entry in entries if entry.expires_s is not None and entry.expires_s <= now_s]


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
