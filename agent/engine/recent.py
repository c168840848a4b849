"""Caches of sessions that are over, kept in memory for whoever comes with the same beginning. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from agent.engine.prefix import shared_prefix

Cache = TypeVar("Cache")


@dataclass(frozen=True)
class Kept(Generic[Cache]):
    """A cache, the tokens that it holds, and its size."""

    tokens: tuple[int, ...]
    cache: Cache
    size_bytes: int


class Recent(Generic[Cache]):
    """At most `budget_bytes` of caches, the longest unused dropped first."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._kept: list[Kept[Cache]] = []  # the newest last

    def put(self, kept: Kept[Cache]) -> None:
        """Keep one more; those that it continues are of no further use."""
        self._kept = [old for old in self._kept if kept.tokens[: len(old.tokens)] != old.tokens]
        self._kept.append(kept)
        while sum(old.size_bytes for old in self._kept) > self._budget_bytes:
            del self._kept[0]

    def take(self, tokens: Sequence[int], more_than: int) -> Kept[Cache] | None:
        """The one that shares most with `tokens`, if more than `more_than` tokens; it is handed over."""
        best = max(self._kept, key=lambda kept: shared_prefix(kept.tokens, tokens), default=None)
        if best is None or shared_prefix(best.tokens, tokens) <= more_than:
            return None
        self._kept = [kept for kept in self._kept if kept is not best]
        return best
