"""The prefix store: KV caches on disk, found by the tokens that they hold. Blocking; called on a thread.

Several processes may use one folder. A data file counts only once the index vouches for it, and is served
only when its SHA-256 agrees: llama.cpp ends the process on a damaged state file.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from agent.cache import files
from agent.cache.entry import (
    Entry,
    Found,
    Pending,
    Retention,
    StoreError,
    StoreFull,
    StoreLimits,
    Trouble,
    renewed,
)
from agent.cache.eviction import expired, to_evict, to_unpin
from agent.cache.index import Day, Index, Match
from agent.cache.keys import block_keys, pack, unpack

_INDEX = "index.sqlite"
_ABANDONED_S = 3600.0


class PrefixStore:
    """The entries in `folder`, which is made when first needed, for the user alone: they hold what was said.

    `now` gives seconds since 1970. Every method may raise `StoreError`; then nothing has been changed.
    """

    def __init__(
        self, folder: Path, limits: StoreLimits | None = None, *, now: Callable[[], float] = time.time
    ) -> None:
        self.folder = folder
        self.limits = limits or StoreLimits()
        self._now = now
        self._lock = threading.Lock()
        self._opened: Index | None = None
        self._inode = 0

    def find(self, seed: bytes, tokens: Sequence[int]) -> Found | None:
        """The longest stored prefix of `tokens` in whole blocks, with its file checked to the last byte.

        What turns out damaged on the way is set aside. Hashes only point the way: tokens are compared.
        """
        while (match := self._best(seed, tokens)) is not None:
            path = self.folder / match.entry.file
            if (reason := _harm(path, match)) is not None:
                self._set_aside(match.entry, reason)
                continue
            with self._index() as index, suppress(sqlite3.OperationalError):  # a full disk hinders no reading
                how = match.entry.retention
                index.use(match.entry, how, self._now(), self._expiry(how))
            return Found(path, unpack(match.packed), match.n_shared, match.entry)
        return None

    def covers(self, seed: bytes, tokens: Sequence[int]) -> int:
        """How many of `tokens`, from the first on, the index knows. Reads no data file."""
        match = self._best(seed, tokens)
        return match.n_shared if match is not None else 0

    def begin(
        self,
        seed: bytes,
        tokens: Sequence[int],
        suffix: str,
        expected_bytes: int,
        retention: Retention = Retention.RECENT,
    ) -> Pending | None:
        """Room and a path for a new entry; None when these very tokens are stored already, or are too few.

        Raises `StoreFull` when `expected_bytes` find no room.
        """
        keys = block_keys(seed, tokens)
        if not keys:
            return None
        with self._index() as index:
            known = index.same(seed, pack(tokens), keys[-1])
            if known is not None and (self.folder / known.file).exists():
                how = renewed(known.retention, retention)
                index.use(known, how, self._now(), self._expiry(how))
                return None
            if retention is Retention.PINNED:
                for entry in to_unpin(index.entries(), expected_bytes, self.limits.disk_bytes // 2):
                    index.use(entry, Retention.RECENT, entry.used_s, None)
            self._make_room(index, expected_bytes, self._superfluous(index, seed, keys, tokens, retention))
        path = files.new_temporary(self.folder, suffix)
        return Pending(path, seed, tuple(tokens), retention)

    def keep_on(self, seed: bytes, tokens: Sequence[int], retention: Retention) -> None:
        """Keep the entry that holds all of `tokens`, and perhaps more, for as long as `retention` says."""
        match = self._best(seed, tokens)
        if match is not None and match.n_shared == len(tokens):
            how = renewed(match.entry.retention, retention)
            with self._index() as index:
                index.use(match.entry, how, self._now(), self._expiry(how))

    def commit(self, pending: Pending) -> None:
        """Put the written file in place: flushed, summed, renamed, and only then known to lookups.

        Shorter entries that the new one makes superfluous are dropped.
        """
        final, packed = files.final_path(pending.path), pack(pending.tokens)
        try:
            files.flush(pending.path)
            size_bytes, digest = pending.path.stat().st_size, files.sha256(pending.path, packed)
        except OSError as error:
            raise self._full(error) from error
        keys = block_keys(pending.seed, pending.tokens)
        how, now_s = pending.retention, self._now()
        entry = Entry(
            0,
            final.name,
            len(pending.tokens),
            size_bytes,
            digest,
            how,
            now_s,
            self._expiry(how),
        )
        with self._index() as index:
            superfluous = self._superfluous(index, pending.seed, keys, pending.tokens, how)
            self._make_room(index, size_bytes, superfluous, written_bytes=size_bytes)
            try:
                with index.writing():
                    if (same := index.same(pending.seed, packed, keys[-1])) is not None:
                        superfluous.append(same)  # another process was quicker
                    for old in superfluous:
                        index.remove(old)
                    # Within the transaction: whoever else sweeps waits, and a kill takes back the row.
                    pending.path.replace(final)
                    files.flush(self.folder)  # a row that survives a power cut has its file
                    index.insert(entry, pending.seed, packed)
            except BaseException:
                final.unlink(missing_ok=True)
                raise
            self._unlink(superfluous)

    def abandon(self, pending: Pending) -> None:
        """Remove what was written, if it was not committed."""
        pending.path.unlink(missing_ok=True)

    # The last session of each place.

    def keep_session(self, place: str, seed: bytes, tokens: Sequence[int], record: str) -> None:
        """Remember `record` and `tokens` as the last session at `place`, for instance a repository's path."""
        with self._index() as index:
            index.keep_session(place, seed, pack(tokens), record, self._now())

    def last_session(self, place: str, seed: bytes) -> tuple[tuple[int, ...], str] | None:
        with self._index() as index:
            found = index.session(place, seed)
        return None if found is None else (unpack(found[0]), found[1])

    def forget_session(self, place: str, seed: bytes) -> None:
        with self._index() as index:
            index.forget_session(place, seed)

    # Figures and care.

    def count(self, read_tokens: int, computed_tokens: int, spared_s: float) -> None:
        """Add one prompt to today's figures."""
        day = time.strftime("%Y-%m-%d", time.localtime(self._now()))
        with self._index() as index:
            index.count(Day(day, read_tokens, computed_tokens, spared_s))

    def prefill_rate(self, seed: bytes, measured: float) -> float:
        """How many prompt tokens the model computes in a second: `measured`, which is remembered.

        Where nothing was measured (0.0), what was remembered last.
        """
        with self._index() as index:
            if not measured:
                return index.prefill_rate(seed)
            index.keep_prefill_rate(seed, measured)
            return measured

    def days(self) -> list[Day]:
        with self._index() as index:
            return index.days()

    def entries(self) -> list[Entry]:
        with self._index() as index:
            return index.entries()

    def troubles(self) -> list[Trouble]:
        """What was set aside, oldest first."""
        with self._index() as index:
            return index.troubles()

    def sweep(self) -> None:
        """Tidy the folder: what has expired or killed processes left goes, what is not ours is set aside."""
        with self._index() as index, index.writing():
            for entry in expired(index.entries(), self._now()):
                index.remove(entry)
            known = index.files()
            for path in self.folder.iterdir():
                if path.name in known or not path.is_file():
                    continue
                if files.is_data(path.name) or files.is_abandoned(path, self._now() - _ABANDONED_S):
                    path.unlink(missing_ok=True)
                elif files.is_foreign(path.name):
                    files.set_aside(path)
                    index.report(Trouble(path.name, "it is not a file of this store", self._now()))

    def clear(self) -> int:
        """Remove everything, whoever made it; gives the bytes that were freed."""
        self.close()
        freed_bytes = sum(files.size_bytes(path) for path in self.folder.glob("**/*"))
        shutil.rmtree(self.folder, ignore_errors=True)
        return freed_bytes

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    # Within.

    def _best(self, seed: bytes, tokens: Sequence[int]) -> Match | None:
        with self._index() as index:
            return index.best(block_keys(seed, tokens), pack(tokens), self._now())

    @contextmanager
    def _index(self) -> Generator[Index]:
        with self._lock:
            try:
                yield self._open()
            except StoreError:
                raise
            except sqlite3.OperationalError as error:
                raise StoreError(
                    f"The saved contexts in {self.folder} cannot be used now: {error}."
                ) from error
            except (sqlite3.DatabaseError, ValueError, TypeError) as error:
                self._set_index_aside(error)
                raise StoreError(
                    f"The index of saved contexts in {self.folder} was damaged ({error}). It was set aside; "
                    "contexts are computed anew."
                ) from error
            except OSError as error:
                raise self._full(error) from error

    def _open(self) -> Index:
        path = self.folder / _INDEX
        if self._opened is not None and not self._is_the_same(path):
            self._opened.close()  # cleared, or set aside, by another process
            self._opened = None
        if self._opened is None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._inode = path.stat().st_ino if path.exists() else 0
            try:
                self._opened = Index(path)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                self._set_index_aside(error)
                self._opened = Index(path)
            self._inode = path.stat().st_ino
        return self._opened

    def _is_the_same(self, path: Path) -> bool:
        """Whether the index at `path` is the one that was opened, or that could not be."""
        return path.exists() and path.stat().st_ino == self._inode

    def _set_index_aside(self, error: Exception) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None
        if not self._is_the_same(self.folder / _INDEX):
            return  # another process has been quicker; what it has put there is whole
        for suffix in ("-wal", "-shm"):
            (self.folder / f"{_INDEX}{suffix}").unlink(missing_ok=True)
        files.set_aside(self.folder / _INDEX)
        again = Index(self.folder / _INDEX)
        again.report(Trouble(_INDEX, f"the index was damaged ({error})", self._now()))
        again.close()

    def _set_aside(self, entry: Entry, reason: str) -> None:
        with self._index() as index, index.writing():
            if index.remove(entry):  # else another process has dropped it meanwhile, and the file with it
                files.set_aside(self.folder / entry.file)
                index.report(Trouble(entry.file, reason, self._now()))

    def _make_room(
        self, index: Index, needed_bytes: int, superfluous: Sequence[Entry], written_bytes: int = 0
    ) -> None:
        """Evict until budget and disk have room for `needed_bytes`, of which `written_bytes` are written.

        What is `superfluous` goes anyway, once the new entry is there.
        """
        free_bytes = shutil.disk_usage(self.folder).free + written_bytes
        kept_bytes = index.size_bytes() - sum(entry.size_bytes for entry in superfluous)
        over_bytes = max(
            kept_bytes + needed_bytes - self.limits.disk_bytes,
            needed_bytes + self.limits.free_bytes - free_bytes,
        )
        spared = {entry.id for entry in superfluous}
        entries = [entry for entry in index.entries() if entry.id not in spared] if over_bytes > 0 else []
        going = to_evict(entries, over_bytes, self._now())
        if over_bytes > sum(entry.size_bytes for entry in going):
            raise StoreFull(
                f"There is no room in {self.folder} for {needed_bytes / 1e6:.0f} MB more, so the context was "
                "not saved. Free some of the disk, or raise cache.disk_gib."
            )
        with index.writing():
            for entry in going:
                index.remove(entry)
        self._unlink(going)

    def _superfluous(
        self, index: Index, seed: bytes, keys: Sequence[bytes], tokens: Sequence[int], retention: Retention
    ) -> list[Entry]:
        """What a new entry of `tokens` can stand in for; nothing, when it may not be served for long."""
        lasts = retention in (Retention.RECENT, Retention.PINNED)
        return index.covered(seed, keys, pack(tokens)) if lasts else []

    def _unlink(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            (self.folder / entry.file).unlink(missing_ok=True)

    def _expiry(self, retention: Retention) -> float | None:
        time_to_live_s = retention.time_to_live_s
        return None if time_to_live_s is None else self._now() + time_to_live_s

    def _full(self, error: OSError) -> StoreError:
        return StoreError(f"The context could not be saved in {self.folder}: {error.strerror or error}.")


def _harm(path: Path, match: Match) -> str | None:
    """What is wrong with an entry's file, or None."""
    try:
        size_bytes, expected_bytes = path.stat().st_size, match.entry.size_bytes
        if size_bytes != expected_bytes:
            return f"it has {size_bytes} bytes in place of {expected_bytes}"
        is_same = files.sha256(path, match.packed) == match.entry.sha256
        return None if is_same else "its content has changed since it was written"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
