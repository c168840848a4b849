"""The store's index in SQLite: entries, the keys of their blocks, the last sessions, and what was spared.

Every write is one transaction; readers never wait for writers (write-ahead log). A process that is killed
leaves nothing half done: https://www.sqlite.org/wal.html.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.cache.entry import Entry, Retention, StoreError, StoreNewer, Trouble
from agent.cache.keys import BLOCK_TOKENS, FORMAT, block_keys, shared_tokens, unpack

_BUSY_S = 10.0
_LOOKED_AT = 4  # entries that share the longest prefix; any one is as good
_KEPT_SESSIONS = 64
_KEPT_TROUBLES = 32
_COLUMNS = "id, file, n_tokens, size_bytes, sha256, retention, used_s, expires_s"
_WITH_TOKENS = f"{_COLUMNS}, tokens"
_ALIVE = "(expires_s IS NULL OR expires_s > ?)"
_SCHEMA = """
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, seed BLOB NOT NULL, tokens BLOB NOT NULL, n_tokens INTEGER NOT NULL,
    last_key BLOB NOT NULL, file TEXT NOT NULL UNIQUE, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
    retention TEXT NOT NULL, used_s REAL NOT NULL, expires_s REAL);
CREATE INDEX entries_by_last_key ON entries (last_key);
CREATE INDEX entries_by_size ON entries (size_bytes);
CREATE TABLE blocks (
    key BLOB NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (key, entry)) WITHOUT ROWID;
CREATE TABLE sessions (
    place TEXT NOT NULL, seed BLOB NOT NULL, tokens BLOB NOT NULL, record TEXT NOT NULL, sha256 TEXT NOT NULL,
    saved_s REAL NOT NULL, PRIMARY KEY (place, seed));
CREATE TABLE days (
    day TEXT PRIMARY KEY, read_tokens INTEGER NOT NULL, computed_tokens INTEGER NOT NULL,
    spared_s REAL NOT NULL);
CREATE TABLE troubles (file TEXT NOT NULL, reason TEXT NOT NULL, at_s REAL NOT NULL);
"""
# Of what no key depends on, and what older stores of the same format lack.
_ADDED = "CREATE TABLE IF NOT EXISTS rates (seed BLOB PRIMARY KEY, prefill_rate REAL NOT NULL)"


@dataclass(frozen=True)
class Match:
    """An entry and how many tokens a prompt shares with it."""

    entry: Entry
    packed: bytes
    n_shared: int

    @property
    def tokens(self) -> tuple[int, ...]:
        return unpack(self.packed)


@dataclass(frozen=True)
class Day:
    """One day's prompts: tokens read from a cache, tokens computed, and seconds of computing spared."""

    day: str
    read_tokens: int
    computed_tokens: int
    spared_s: float


class Index:
    """One connection to the index in `path`; not for two threads at once."""

    def __init__(self, path: Path) -> None:
        """Raises `StoreNewer`, `StoreError` if it cannot be opened, `sqlite3.DatabaseError` if damaged."""
        self.path = path
        try:
            self._db = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=64
            )
        except sqlite3.OperationalError as error:
            raise StoreError(f"The index of saved contexts {path} cannot be opened: {error}.") from error
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        version = self._version()
        if version > FORMAT:
            raise StoreNewer(
                f"The saved contexts in {self.path.parent} were made by a later version of Utter. They are "
                "left alone and contexts are computed anew. Update Utter, or run `utter cache clear`."
            )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        if version != FORMAT:
            with self.writing():
                if self._version() != FORMAT:  # else another process was quicker
                    for statement in _SCHEMA.split(";"):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version = {FORMAT}")
        self._db.execute(_ADDED)

    def _version(self) -> int:
        return self._db.execute("PRAGMA user_version").fetchone()[0]

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def writing(self) -> Generator[None]:
        """One transaction, for which other writers wait."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk has taken it back already
                self._db.execute("ROLLBACK")
            raise

    # Reading.

    def best(self, keys: Sequence[bytes], packed: bytes, now_s: float) -> Match | None:
        """The entry that shares most tokens with a prompt; of equals the smallest, as far as quickly seen."""
        found: list[Match] = []
        depth = self._depth(keys, now_s)
        if depth:
            # Those that end here are the smallest files; else any of those that go on.
            ending = f"SELECT {_WITH_TOKENS} FROM entries WHERE last_key = ? AND {_ALIVE} LIMIT {_LOOKED_AT}"
            through = (
                f"SELECT {_WITH_TOKENS} FROM blocks JOIN entries ON id = entry WHERE key = ? AND {_ALIVE} "
                f"ORDER BY entry DESC LIMIT {_LOOKED_AT}"
            )
            for query in (ending, through):
                for row in self._db.execute(query, (keys[depth - 1], now_s)):
                    if (n_shared := shared_tokens(row[-1], packed)) >= depth * BLOCK_TOKENS:
                        found.append(Match(_entry(row), row[-1], n_shared))
        return max(found, key=lambda match: (match.n_shared, -match.entry.n_tokens), default=None)

    def _depth(self, keys: Sequence[bytes], now_s: float) -> int:
        """How many of the blocks are stored. Whoever has a block has all before it, so halving finds out."""
        query = f"SELECT 1 FROM blocks JOIN entries ON id = entry WHERE key = ? AND {_ALIVE} LIMIT 1"
        low, high = 0, len(keys)
        while low < high:
            middle = (low + high + 1) // 2
            is_there = self._db.execute(query, (keys[middle - 1], now_s)).fetchone() is not None
            low, high = (middle, high) if is_there else (low, middle - 1)
        return low

    def entries(self) -> list[Entry]:
        """All of them, the least recently used first."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM entries ORDER BY used_s")
        return [_entry(row) for row in rows]

    def size_bytes(self) -> int:
        return self._db.execute("SELECT coalesce(sum(size_bytes), 0) FROM entries").fetchone()[0]

    def same(self, seed: bytes, packed: bytes, key: bytes) -> Entry | None:
        """The entry that holds just these tokens."""
        query = f"SELECT {_COLUMNS} FROM entries WHERE last_key = ? AND seed = ? AND tokens = ?"
        row = self._db.execute(query, (key, seed, packed)).fetchone()
        return None if row is None else _entry(row)

    def covered(self, seed: bytes, keys: Sequence[bytes], packed: bytes) -> list[Entry]:
        """Entries that a longer one with these tokens makes superfluous: they can be cut from it."""
        query = (
            f"SELECT {_WITH_TOKENS} FROM entries WHERE last_key = ? AND seed = ? "
            "AND retention = 'recent' AND length(tokens) < ?"
        )
        rows = [row for key in keys for row in self._db.execute(query, (key, seed, len(packed)))]
        return [_entry(row) for row in rows if packed.startswith(row[-1])]

    def troubles(self) -> list[Trouble]:
        return [Trouble(*row) for row in self._db.execute("SELECT * FROM troubles ORDER BY at_s")]

    def days(self) -> list[Day]:
        """Oldest first."""
        return [Day(*row) for row in self._db.execute("SELECT * FROM days ORDER BY day")]

    def session(self, place: str, seed: bytes) -> tuple[bytes, str] | None:
        """The packed tokens of the last session at `place` and what was recorded with them."""
        query = "SELECT tokens, record, sha256 FROM sessions WHERE place = ? AND seed = ?"
        row = self._db.execute(query, (_text(place), seed)).fetchone()
        return row[:2] if row is not None and row[2] == _session_sum(row[0], row[1]) else None

    def prefill_rate(self, seed: bytes) -> float:
        """Tokens per second that `keep_prefill_rate` was given last; 0.0 where it never was."""
        row = self._db.execute("SELECT prefill_rate FROM rates WHERE seed = ?", (seed,)).fetchone()
        return 0.0 if row is None else row[0]

    # Writing: inside `writing`, or each by itself.

    def insert(self, entry: Entry, seed: bytes, packed: bytes) -> None:
        """Put `entry` in, whose id is ignored."""
        keys = block_keys(seed, unpack(packed))
        row = (seed, packed, entry.n_tokens, keys[-1], entry.file, entry.size_bytes, entry.sha256)
        row += (entry.retention.value, entry.used_s, entry.expires_s)
        marks = ", ".join("?" * len(row))
        at = self._db.execute(f"INSERT INTO entries VALUES (NULL, {marks})", row).lastrowid
        self._db.executemany("INSERT INTO blocks VALUES (?, ?)", [(key, at) for key in keys])

    def remove(self, entry: Entry) -> bool:
        """Forget `entry`; False when another process has done so already."""
        query = "SELECT seed, tokens FROM entries WHERE id = ? AND file = ?"
        row = self._db.execute(query, (entry.id, entry.file)).fetchone()
        if row is None:
            return False
        keys = block_keys(row[0], unpack(row[1]))
        self._db.executemany(
            "DELETE FROM blocks WHERE key = ? AND entry = ?", [(key, entry.id) for key in keys]
        )
        self._db.execute("DELETE FROM entries WHERE id = ?", (entry.id,))
        return True

    def use(self, entry: Entry, retention: Retention, now_s: float, expires_s: float | None) -> None:
        """Note that `entry` was used or saved again, and how long it is kept from now on."""
        query = "UPDATE entries SET used_s = ?, retention = ?, expires_s = ? WHERE id = ? AND file = ?"
        self._db.execute(query, (now_s, retention.value, expires_s, entry.id, entry.file))

    def report(self, trouble: Trouble) -> None:
        """Note `trouble`; the oldest beyond a few dozen are forgotten."""
        self._db.execute(
            "INSERT INTO troubles VALUES (?, ?, ?)", (trouble.file, trouble.reason, trouble.at_s)
        )
        newest = f"SELECT rowid FROM troubles ORDER BY at_s DESC LIMIT {_KEPT_TROUBLES}"
        self._db.execute(f"DELETE FROM troubles WHERE rowid NOT IN ({newest})")

    def keep_session(self, place: str, seed: bytes, packed: bytes, record: str, now_s: float) -> None:
        row = (_text(place), seed, packed, record, _session_sum(packed, record), now_s)
        self._db.execute("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?)", row)
        newest = f"SELECT rowid FROM sessions ORDER BY saved_s DESC LIMIT {_KEPT_SESSIONS}"
        self._db.execute(f"DELETE FROM sessions WHERE rowid NOT IN ({newest})")

    def forget_session(self, place: str, seed: bytes) -> None:
        self._db.execute("DELETE FROM sessions WHERE place = ? AND seed = ?", (_text(place), seed))

    def count(self, day: Day) -> None:
        """Add to that day's figures."""
        self._db.execute(
            "INSERT INTO days VALUES (?, ?, ?, ?) ON CONFLICT (day) DO UPDATE SET "
            "read_tokens = read_tokens + excluded.read_tokens, "
            "computed_tokens = computed_tokens + excluded.computed_tokens, "
            "spared_s = spared_s + excluded.spared_s",
            (day.day, day.read_tokens, day.computed_tokens, day.spared_s),
        )

    def keep_prefill_rate(self, seed: bytes, rate: float) -> None:
        self._db.execute("INSERT OR REPLACE INTO rates VALUES (?, ?)", (seed, rate))

    def files(self) -> set[str]:
        """The names of all data files that an entry vouches for."""
        return {row[0] for row in self._db.execute("SELECT file FROM entries")}


def _text(place: str) -> str:
    """`place` such as SQLite takes it: names of files need not be UTF-8."""
    return place.encode(errors="backslashreplace").decode()


def _session_sum(packed: bytes, record: str) -> str:
    return hashlib.sha256(packed + record.encode()).hexdigest()


def _entry(row: tuple[Any, ...]) -> Entry:
    number, file, n_tokens, size_bytes, digest, retention, used_s, expires_s = row[:8]
    how = Retention(retention)
    return Entry(number, file, n_tokens, size_bytes, digest, how, used_s, expires_s)
