"""An engine's part of the prefix store: finds, writes and vouches for its own kind of file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent.cache.entry import Found, Pending, Retention, StoreError, StoreLimits
from agent.cache.keys import Seed
from agent.cache.store import PrefixStore
from agent.engine.protocol import EngineError


class Keeper:
    """The store in `folder` as one model sees it: what other models wrote never matches its `seed`."""

    def __init__(self, folder: Path, limits: StoreLimits | None, seed: Seed, suffix: str) -> None:
        self.store = PrefixStore(folder, limits)
        self.seed = seed.digest()
        self._suffix = suffix

    @property
    def folder(self) -> Path:
        return self.store.folder

    async def find(self, tokens: Sequence[int]) -> Found | None:
        """The longest kept beginning of `tokens`; None also where the store cannot be read."""
        try:
            return await asyncio.to_thread(self.store.find, self.seed, tokens)
        except StoreError:
            return None

    async def covers(self, tokens: Sequence[int]) -> int:
        """See `PrefixStore.covers`; 0 also where the store cannot be read."""
        try:
            return await asyncio.to_thread(self.store.covers, self.seed, tokens)
        except StoreError:
            return 0

    async def keep_on(self, tokens: Sequence[int], retention: Retention) -> None:
        """See `PrefixStore.keep_on`."""
        await asyncio.to_thread(self.store.keep_on, self.seed, tokens, retention)

    def begin(self, tokens: Sequence[int], expected_bytes: int, retention: Retention) -> Pending | None:
        """See `PrefixStore.begin`. Blocks for a millisecond or two."""
        return self.store.begin(self.seed, tokens, self._suffix, expected_bytes, retention)

    @contextmanager
    def abandoned_on_error(self, pending: Pending) -> Generator[None]:
        """Removes what was written when writing or vouching for it fails, and says so in a `StoreError`."""
        try:
            yield
        except BaseException as error:
            self.store.abandon(pending)
            if isinstance(error, (OSError, RuntimeError, EngineError)):
                raise StoreError(f"The context could not be saved in {self.folder}: {error}") from error
            raise

    async def commit(self, pending: Pending, whole_bytes: Callable[[Path], int]) -> None:
        """Put what was written in place, if it has all its bytes: the disk may have filled."""

        def commit() -> None:
            with self.abandoned_on_error(pending):
                size_bytes, expected_bytes = pending.path.stat().st_size, whole_bytes(pending.path)
                if size_bytes != expected_bytes:
                    raise OSError(f"{size_bytes} of {expected_bytes} bytes were written. Is the disk full?")
                self.store.commit(pending)

        await asyncio.to_thread(commit)

    async def keep_session(self, place: str, tokens: Sequence[int], record: str) -> None:
        """See `PrefixStore.keep_session`."""
        await asyncio.to_thread(self.store.keep_session, place, self.seed, tokens, record)

    async def last_session(self, place: str) -> tuple[tuple[int, ...], str] | None:
        """The last session at `place` under this model; None also where the store cannot be read."""
        try:
            return await asyncio.to_thread(self.store.last_session, place, self.seed)
        except StoreError:
            return None

    async def forget_session(self, place: str) -> None:
        """See `PrefixStore.forget_session`."""
        await asyncio.to_thread(self.store.forget_session, place, self.seed)

    async def prefill_rate(self, measured: float) -> float:
        """See `PrefixStore.prefill_rate`."""
        return await asyncio.to_thread(self.store.prefill_rate, self.seed, measured)

    async def count(self, read_tokens: int, computed_tokens: int, spared_s: float) -> None:
        """See `PrefixStore.count`."""
        await asyncio.to_thread(self.store.count, read_tokens, computed_tokens, spared_s)

    async def sweep(self) -> None:
        """See `PrefixStore.sweep`."""
        await asyncio.to_thread(self.store.sweep)

    async def close(self) -> None:
        await asyncio.to_thread(self.store.close)
