"""llama.cpp's one slot: who uses it now, what it holds, and where a session's context waits meanwhile.

A session that has to leave the slot is parked in a file. A second slot would do, but takes memory for a whole
window more; parking 1,200 tokens (0.5B model) took 7 ms to write and 4 ms to read back.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent.cache.files import new_temporary
from agent.engine import prefix
from agent.engine.llama_server import LlamaServer
from agent.engine.protocol import EngineError

_WORTH_TOKENS = 64  # fewer are computed anew as quickly as a context is parked


class User(Protocol):
    """A session, of which the slot only needs to know which one it is."""

    @property
    def tokens(self) -> tuple[int, ...]: ...


@dataclass(frozen=True)
class Parked:
    """A context in a file that this process wrote; `tokens` are those it is known to begin with."""

    path: Path
    tokens: tuple[int, ...]
    size_bytes: int


class Slot:
    """The server's slot. `folder` is where the server writes, `parked_bytes` what may wait there.

    `prefill_rate` is in tokens per second, `computed_tokens` what `hold` has computed in all.
    """

    def __init__(self, server: LlamaServer, folder: Path, parked_bytes: int) -> None:
        self._server = server
        self._folder = folder
        self._parked_bytes = parked_bytes
        self._lock: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self._user: weakref.ref[User] | None = None
        self._parked: weakref.WeakKeyDictionary[User, Parked] = weakref.WeakKeyDictionary()
        self.tokens: tuple[int, ...] = ()
        self.computed_tokens = 0
        self.prefill_rate = 0.0

    @asynccontextmanager
    async def turn(self, user: User, prompt: Sequence[int]) -> AsyncGenerator[Slot]:
        """Wait until the slot is free and use it for `prompt`; what another session loses by it is parked."""
        async with self._alone():
            await self._change_to(user, prompt)
            yield self

    @asynccontextmanager
    async def look(self, user: User) -> AsyncGenerator[tuple[int, ...]]:
        """What the slot holds, while nobody uses it; nothing when that is not `user`'s."""
        async with self._alone():
            yield self.tokens if self._user is not None and self._user() is user else ()

    def shared(self, tokens: Sequence[int]) -> int:
        """How many of `tokens`, from the first on, are held already."""
        return prefix.shared_prefix(self.tokens, tokens)

    async def hold(self, tokens: tuple[int, ...], tail_tokens: int) -> AsyncGenerator[int, None]:
        """Compute all of `tokens` but the last, in chunks, unless no more than `tail_tokens` are missing.

        Gives after each chunk how many are held now.
        """
        end = self.shared(tokens)
        if len(tokens) - end <= tail_tokens:
            return
        while end < len(tokens) - 1:
            # Whatever happens to the request, the part before `end` stays: the server only cuts behind it.
            self.tokens = tokens[:end]
            chunk_tokens = min(prefix.CHUNK_TOKENS, len(tokens) - 1 - end)
            end += chunk_tokens
            # At once: where this is cancelled, the server will have computed it all the same.
            self.computed_tokens += chunk_tokens
            began_s = time.monotonic()
            counts = await self._server.prefill(tokens[:end])
            took_s = time.monotonic() - began_s
            self.computed_tokens += counts.computed_tokens - chunk_tokens
            self.prefill_rate = prefix.prefill_rate(self.prefill_rate, counts.computed_tokens, took_s)
            self.tokens = tokens[:end]
            yield end

    async def restore(self, file_name: str, tokens: tuple[int, ...]) -> int:
        """Fill the slot from a file that begins with `tokens`; gives how many tokens it held."""
        self.tokens = ()
        held_tokens = await self._server.restore(file_name)
        self.tokens = tokens[:held_tokens]
        return held_tokens

    def close(self) -> None:
        """Remove what is parked."""
        for parked in self._parked.values():
            parked.path.unlink(missing_ok=True)
        self._parked.clear()

    @asynccontextmanager
    async def _alone(self) -> AsyncGenerator[None]:
        loop = asyncio.get_running_loop()
        if self._lock is None or self._lock[0] is not loop:
            self._lock = (loop, asyncio.Lock())
        async with self._lock[1]:
            yield

    async def _change_to(self, user: User, prompt: Sequence[int]) -> None:
        before = self._user() if self._user is not None else None
        if before is user:
            return
        kept_tokens = self.shared(prompt)
        if before is not None and len(self.tokens) - kept_tokens > _WORTH_TOKENS:
            with suppress(EngineError, OSError):  # it can be computed anew
                await self._park(before)
        self._user = weakref.ref(user)
        parked = self._parked.get(user)
        if parked is not None and prefix.shared_prefix(parked.tokens, prompt) > kept_tokens + _WORTH_TOKENS:
            with suppress(EngineError):
                await self.restore(parked.path.name, parked.tokens)

    async def _park(self, user: User) -> None:
        old = self._parked.pop(user, None)
        if old is not None and old.tokens[: len(self.tokens)] == self.tokens:
            self._parked[user] = old
            return
        _remove(old.path if old is not None else None)
        path = new_temporary(self._folder, ".llama")
        weakref.finalize(user, _remove, path)
        size_bytes = await self._server.save(path.name)
        if size_bytes != path.stat().st_size:  # the disk is full; llama.cpp ends the process on such a file
            _remove(path)
            return
        self._parked[user] = Parked(path, self.tokens, size_bytes)
        over_bytes = sum(parked.size_bytes for parked in self._parked.values()) - self._parked_bytes
        for other, parked in list(self._parked.items()):  # the longest parked first
            if over_bytes <= 0:
                break
            over_bytes -= parked.size_bytes
            _remove(self._parked.pop(other).path)


def _remove(path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)
