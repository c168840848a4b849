"""The MLX engine: a model folder run by mlx-lm, on one worker thread that owns all of it.

Each session has a KV cache of its own. See prefix.py for what is left to the next pass.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from agent.engine import prefix
from agent.engine.grammar import check_grammar
from agent.engine.mlx_decode import Decoding, MlxDecoder
from agent.engine.mlx_folder import fingerprint
from agent.engine.mlx_model import Kv, MlxModel
from agent.engine.mlx_tokeniser import load_tokeniser
from agent.engine.protocol import EngineError, Piece, Prefilled
from agent.engine.saved import SavedSessions

Result = TypeVar("Result")


class MlxEngine:
    """A model in MLX; see `Engine`."""

    name = "mlx"

    def __init__(self, folder: Path, state_folder: Path, *, context_tokens: int = 8192) -> None:
        """Load the model in `folder`, which takes seconds; `load` does it without blocking the event loop.

        Saved sessions go to `state_folder`. Raises `EngineError` when the folder holds no model for MLX.
        """
        self._tokeniser = load_tokeniser(folder)
        self.vocabulary = self._tokeniser.vocabulary
        self.chat_template = self.vocabulary.chat_template
        self.bos_token, self.eos_token = self.vocabulary.bos_token, self.vocabulary.eos_token
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mlx")
        try:
            self.model = self._worker.submit(MlxModel, folder).result()
        except EngineError:
            self._worker.shutdown()
            raise
        self.decoder = MlxDecoder(self.model, self._tokeniser)
        self.context_tokens = min(context_tokens, self.model.window_tokens or context_tokens)
        self.fingerprint = fingerprint(folder, self.model.kv_dtype)
        program = f"mlx {version('mlx')}, mlx-lm {version('mlx-lm')}"
        self.saved = SavedSessions(state_folder, program, self.fingerprint, ".safetensors")

    @classmethod
    async def load(cls, folder: Path, state_folder: Path, *, context_tokens: int = 8192) -> MlxEngine:
        """The engine for the model in `folder`, loaded without blocking the event loop."""
        return await asyncio.to_thread(cls, folder, state_folder, context_tokens=context_tokens)

    def encode(self, text: str, *, special: bool) -> list[int]:
        """See `Engine.encode`."""
        return self._tokeniser.encode(text, special=special)

    async def open(self) -> MlxSession:
        return MlxSession(self, await self.work(self.model.new_kv), ())

    async def restore(self, key: str) -> MlxSession | None:
        entry = await asyncio.to_thread(self.saved.find, key)
        if entry is None or len(entry.tokens) >= self.context_tokens:
            return None
        path = self.saved.data_path(key)
        try:
            kv = await self.work(lambda: self.model.load_kv(path, entry.tokens))
        except (RuntimeError, ValueError, LookupError):
            return None
        return MlxSession(self, kv, entry.tokens)

    async def close(self) -> None:
        self.__dict__.pop("decoder", None)
        self.__dict__.pop("model", None)
        await asyncio.to_thread(self._worker.shutdown)

    # For sessions.

    def work(self, call: Callable[[], Result]) -> asyncio.Future[Result]:
        """Do `call` on the worker thread, after what was asked for before."""
        return asyncio.get_running_loop().run_in_executor(self._worker, call)


class MlxSession:
    """See `Session`."""

    def __init__(self, engine: MlxEngine, kv: Kv, tokens: tuple[int, ...]) -> None:
        self._engine = engine
        self._kv = kv
        self._tokens = tokens

    @property
    def tokens(self) -> tuple[int, ...]:
        return self._tokens

    async def prefill(self, tokens: Sequence[int]) -> Prefilled:
        """See `Session.prefill`. A short tail is counted here, and computed by whatever comes next."""
        whole = (*self._tokens, *tokens)
        prefix.check_room(len(whole), self._engine.context_tokens)
        shared_tokens = prefix.shared_prefix(self._kv.tokens, whole)
        held_tokens = await self._keep(whole)  # fewer, where the model could not go back to just there
        cached_tokens = held_tokens + prefix.left_as_tail(len(self._tokens), shared_tokens)
        await self._hold(whole, prefix.TAIL_TOKENS)
        self._tokens = whole
        return Prefilled(cached_tokens, len(whole) - cached_tokens)

    async def generate(
        self,
        constraint: str | None,
        stop: Sequence[str],
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> AsyncGenerator[Piece, None]:
        """See `Session.generate`."""
        if not self._tokens:
            raise EngineError("There is nothing to continue: the session is empty.")
        if constraint is not None:
            check_grammar(constraint)
        room = self._engine.context_tokens - len(self._tokens)
        how = Decoding(constraint, tuple(stop), min(max_tokens, room), temperature, seed)
        prompt = self._tokens
        await self._hold(prompt, prefix.TAIL_TOKENS)

        pieces: asyncio.Queue[Piece | None] = asyncio.Queue()
        loop, cancelled = asyncio.get_running_loop(), threading.Event()

        def decode() -> None:
            try:
                for piece in self._engine.decoder.decode(self._kv, prompt, how):
                    if cancelled.is_set():
                        return
                    loop.call_soon_threadsafe(pieces.put_nowait, piece)
            finally:
                loop.call_soon_threadsafe(pieces.put_nowait, None)

        done = self._engine.work(decode)
        try:
            while (piece := await pieces.get()) is not None:
                self._tokens += piece.tokens
                yield piece
            await done
        finally:
            cancelled.set()
            await asyncio.wait([done])

    async def rewind(self, n_tokens: int) -> None:
        """See `Session.rewind`. The cache is cut when it is used next."""
        self._tokens = self._tokens[:n_tokens]

    async def save(self, key: str) -> None:
        """See `Session.save`."""
        if not self._tokens:
            raise EngineError("There is nothing to save: the session is empty.")
        saved, tokens = self._engine.saved, self._tokens
        written = saved.temporary(key)
        await self._hold(tokens, 0)
        try:
            await self._engine.work(lambda: self._engine.model.save_kv(written, self._kv))
            await asyncio.to_thread(saved.commit, key, written, tokens)
        except (OSError, RuntimeError) as error:
            raise EngineError(f"The session could not be saved in {saved.folder}: {error}.") from error
        finally:
            written.unlink(missing_ok=True)

    async def _keep(self, tokens: tuple[int, ...]) -> int:
        return await self._engine.work(lambda: self._engine.model.keep(self._kv, tokens))

    async def _hold(self, tokens: tuple[int, ...], tail_tokens: int) -> None:
        """Compute `tokens` in chunks, unless no more than `tail_tokens` are missing."""
        # Not the last one, which the generation that follows computes, to have its logits.
        end = await self._keep(tokens[: len(tokens) - (tail_tokens > 0)])
        while len(tokens) - end > tail_tokens:
            chunk = tokens[end : min(end + prefix.CHUNK_TOKENS, len(tokens) - (tail_tokens > 0))]
            await self._engine.work(lambda chunk=chunk: self._engine.model.prefill(self._kv, chunk))
            end += len(chunk)
            # Only ever longer: what the session had before stays its own, computed or not.
            self._tokens = tokens[: max(end, len(self._tokens))]
