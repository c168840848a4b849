"""The MLX engine: a model folder run by mlx-lm, on one worker thread that owns all of it.

Each session has a KV cache of its own. See prefix.py for what is left to the next pass.
"""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from agent.cache.entry import Pending, Retention, StoreLimits
from agent.cache.keys import Seed
from agent.decode.calls import Constraint
from agent.engine import prefix
from agent.engine.families import Family
from agent.engine.grammar import check_grammar
from agent.engine.keeper import Keeper
from agent.engine.mlx_decode import Decoding, MlxDecoder
from agent.engine.mlx_folder import fingerprint, quantisation, size_by_header
from agent.engine.mlx_model import Kv, MlxModel
from agent.engine.mlx_tokeniser import load_tokeniser
from agent.engine.protocol import EngineError, Piece, Prefilled
from agent.engine.recent import Kept, Recent

Result = TypeVar("Result")


class MlxEngine:
    """A model in MLX; see `Engine`."""

    name = "mlx"

    def __init__(
        self,
        folder: Path,
        state_folder: Path,
        *,
        context_tokens: int = 8192,
        limits: StoreLimits | None = None,
        numbers: str = "auto",
    ) -> None:
        """Load the model in `folder`, which takes seconds; `load` does it without blocking the event loop.

        Contexts are kept in `state_folder`, within `limits`; `numbers` as in `MlxModel`.
        Raises `EngineError` when the folder holds no model for MLX.
        """
        self._tokeniser = load_tokeniser(folder)
        self.vocabulary = self._tokeniser.vocabulary
        self.chat_template = self.vocabulary.chat_template
        self.bos_token, self.eos_token = self.vocabulary.bos_token, self.vocabulary.eos_token
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mlx")
        try:
            self.model = self._worker.submit(partial(MlxModel, folder, numbers=numbers)).result()
        except EngineError:
            self._worker.shutdown()
            raise
        self.decoder = MlxDecoder(self.model, self._tokeniser)
        self.context_tokens = min(context_tokens, self.model.window_tokens or context_tokens)
        self.prefill_rate = 0.0
        seed = Seed(
            model=fingerprint(folder, self.model.kv_dtype),
            quantisation=quantisation(folder),
            template="\0".join((self.chat_template, self.bos_token, self.eos_token)),
            kv_dtype=self.model.kv_dtype,
            program=f"mlx {version('mlx')}, mlx-lm {version('mlx-lm')}",
        )
        self.keeper = Keeper(state_folder, limits, seed, ".safetensors")
        self._recent: Recent[Kv] = Recent(self.keeper.store.limits.parked_bytes)  # the worker's

    @classmethod
    async def load(
        cls,
        folder: Path,
        state_folder: Path,
        *,
        context_tokens: int = 8192,
        limits: StoreLimits | None = None,
        numbers: str = "auto",
    ) -> MlxEngine:
        """The engine for the model in `folder`, loaded without blocking the event loop."""
        make = partial(
            cls, folder, state_folder, context_tokens=context_tokens, limits=limits, numbers=numbers
        )
        return await asyncio.to_thread(make)

    def encode(self, text: str, *, special: bool) -> list[int]:
        """See `Engine.encode`."""
        return self._tokeniser.encode(text, special=special)

    async def open(self) -> MlxSession:
        return MlxSession(self, await self.work(self.model.new_kv), ())

    async def restore(self, tokens: Sequence[int]) -> MlxSession:
        """See `Engine.restore`. Takes over a session that is over, unless the store has more.

        A file that vanishes on the way is as if it had never been.
        """
        covered_tokens = await self.keeper.covers(tokens)
        recent = await self.work(lambda: self._recent.take(tokens, more_than=covered_tokens))
        found = await self.keeper.find(tokens) if recent is None else None

        def load() -> Kv:
            if recent is not None:
                kv = recent.cache
            elif found is not None:
                kv = self.model.load_kv(found.path, found.tokens)
            else:
                return self.model.new_kv()
            self.model.keep(kv, tokens)
            return kv

        try:
            kv = await self.work(load)
        except (RuntimeError, ValueError, LookupError):
            return await self.open()
        return MlxSession(self, kv, kv.tokens)

    async def close(self) -> None:
        await self.keeper.close()
        self._recent = Recent(0)
        self.__dict__.pop("decoder", None)
        self.__dict__.pop("model", None)
        await asyncio.to_thread(self._worker.shutdown)

    # For sessions.

    def retire(self, kv: Kv) -> None:
        """A session is over: what it held may be of use to another. Called from any thread."""

        def put() -> None:
            if kv.tokens:
                size_bytes = self.model.saved_bytes(kv)
                self._recent.put(Kept(kv.tokens, kv, size_bytes))

        with suppress(RuntimeError):  # the engine is closed
            self._worker.submit(put)

    def work(self, call: Callable[[], Result]) -> asyncio.Future[Result]:
        """Do `call` on the worker thread, after what was asked for before."""
        return asyncio.get_running_loop().run_in_executor(self._worker, call)


class MlxSession:
    """See `Session`."""

    def __init__(self, engine: MlxEngine, kv: Kv, tokens: tuple[int, ...]) -> None:
        self._engine = engine
        self._kv = kv
        self._tokens = tokens
        self._computed_tokens = 0
        self._left_tokens = 0  # of its last ones, counted or generated, but not held by then
        weakref.finalize(self, engine.retire, kv).atexit = False

    @property
    def tokens(self) -> tuple[int, ...]:
        return self._tokens

    @property
    def computed_tokens(self) -> int:
        return self._computed_tokens

    async def prefill(self, tokens: Sequence[int], *, leave_tail: bool = False) -> Prefilled:
        """See `Session.prefill`."""
        whole = (*self._tokens, *tokens)
        prefix.check_room(len(whole), self._engine.context_tokens)
        before = self._computed_tokens
        await self._hold(whole, prefix.TAIL_TOKENS if leave_tail else 1)
        self._tokens = whole
        computed_tokens = self._computed_tokens - before
        return Prefilled(len(whole) - computed_tokens, computed_tokens)

    async def generate(
        self,
        constraint: Constraint,
        stop: Sequence[str],
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> AsyncGenerator[Piece, None]:
        """See `Session.generate`."""
        if not self._tokens:
            raise EngineError("There is nothing to continue: the session is empty.")
        check_grammar(constraint)
        room = self._engine.context_tokens - len(self._tokens)
        how = Decoding(constraint, tuple(stop), min(max_tokens, room), temperature, seed)
        prompt = self._tokens
        await self._hold(prompt, prefix.TAIL_TOKENS)

        pieces: asyncio.Queue[Piece | None] = asyncio.Queue()
        loop, cancelled = asyncio.get_running_loop(), threading.Event()

        def decode() -> None:
            try:
                with closing(self._engine.decoder.decode(self._kv, prompt, how, cancelled.is_set)) as decoded:
                    for piece in decoded:
                        if cancelled.is_set():
                            return
                        loop.call_soon_threadsafe(pieces.put_nowait, piece)
            finally:
                loop.call_soon_threadsafe(pieces.put_nowait, None)

        done = self._engine.work(decode)
        try:
            while (piece := await pieces.get()) is not None:
                self._tokens += piece.tokens
                self._left_tokens += len(piece.tokens)
                yield piece
            await done
        finally:
            cancelled.set()
            await asyncio.wait([done])
            held_tokens = prefix.shared_prefix(self._kv.tokens, self._tokens)
            self._left_tokens = min(self._left_tokens, len(self._tokens) - held_tokens)

    async def rewind(self, n_tokens: int) -> None:
        """See `Session.rewind`. The cache is cut when it is used next."""
        self._left_tokens = max(self._left_tokens - max(len(self._tokens) - n_tokens, 0), 0)
        self._tokens = self._tokens[:n_tokens]

    async def save(self, retention: Retention = Retention.RECENT) -> None:
        """See `Session.save`. What is kept is what the cache holds when the worker comes to it."""
        engine, kv = self._engine, self._kv
        if engine.model.family is Family.UNKNOWN:
            return  # such a cache cannot be written

        def write() -> Pending | None:
            if retention is Retention.PINNED:
                engine.model.pin(kv)
            pending = engine.keeper.begin(kv.tokens, engine.model.saved_bytes(kv), retention)
            if pending is not None:
                with engine.keeper.abandoned_on_error(pending):
                    engine.model.save_kv(pending.path, kv)
            return pending

        pending = await engine.work(write)
        if pending is not None:
            await engine.keeper.commit(pending, size_by_header)

    async def _hold(self, whole: tuple[int, ...], tail_tokens: int) -> None:
        """Compute `whole` in chunks, unless no more than a tail is missing, and count what was.

        Not the last token, which the generation that follows computes, to have its logits.
        """

        def keep() -> tuple[int, int]:
            shared_tokens = prefix.shared_prefix(self._kv.tokens, whole[:-1])
            return shared_tokens, self._engine.model.keep(self._kv, whole[:-1])

        # The second is less, where the model could not go back to just there.
        shared_tokens, end = await self._engine.work(keep)
        counted_tokens = prefix.counted_before(
            self._left_tokens, len(self._tokens), shared_tokens, len(whole)
        )
        while len(whole) - end > tail_tokens:
            chunk = whole[end : min(end + prefix.CHUNK_TOKENS, len(whole) - 1)]
            # At once: where this is cancelled, the worker finishes the chunk all the same.
            self._computed_tokens += max(len(chunk) - counted_tokens, 0)
            counted_tokens = self._left_tokens = max(counted_tokens - len(chunk), 0)
            took_s = await self._engine.work(lambda chunk=chunk: self._compute(chunk))
            self._engine.prefill_rate = prefix.prefill_rate(self._engine.prefill_rate, len(chunk), took_s)
            end += len(chunk)
            # Only ever longer: what the session had before stays its own, computed or not.
            self._tokens = whole[: max(end, len(self._tokens))]
        self._left_tokens = len(whole) - end
        self._computed_tokens += max(self._left_tokens - counted_tokens, 0)

    def _compute(self, chunk: tuple[int, ...]) -> float:
        """Add `chunk` to the cache, on the worker; gives the seconds that it took."""
        began_s = time.monotonic()
        self._engine.model.prefill(self._kv, chunk)
        return time.monotonic() - began_s
