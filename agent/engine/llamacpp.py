"""The llama.cpp engine: sessions of tokens over the one slot of a `LlamaServer`.

Every request carries all tokens of its session, so what the slot happens to hold decides how much is computed
and never what comes out. See prefix.py for what is left to the next pass.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from importlib.metadata import version
from pathlib import Path

from agent.cache.entry import Retention, StoreLimits
from agent.cache.keys import Seed
from agent.decode.calls import Constraint
from agent.engine import prefix
from agent.engine.content import compile_names, cut_names
from agent.engine.grammar import check_grammar
from agent.engine.keeper import Keeper
from agent.engine.llama_decode import Decoding, decode
from agent.engine.llama_grammar import LlamaGrammars
from agent.engine.llama_server import NICENESS, LlamaServer
from agent.engine.protocol import EngineError, Piece, Prefilled
from agent.engine.pump import pump
from agent.engine.slot import Slot
from agent.engine.vocabulary import read_vocabulary

_SAMPLES, _SAMPLE_BYTES = 64, 1 << 16
_KV_DTYPE = "float16"
_SETTLED_S = 5.0  # after loading; by then what else starts with Utter has started
_TOKEN_BYTES = 128 << 10  # of KV cache, until one has been written; what 8B models take


class LlamaCppEngine:
    """A GGUF model in llama.cpp; see `Engine`. Several sessions share the one slot; see slot.py."""

    name = "llamacpp"

    def __init__(
        self,
        model: Path,
        state_folder: Path,
        *,
        threads: int,
        context_tokens: int = 8192,
        limits: StoreLimits | None = None,
        niceness: int = NICENESS,
    ) -> None:
        """Load `model`, which takes seconds; `load` does it without blocking the event loop.

        `threads` should be the number of physical cores; by `niceness` they stand back behind others of this
        process. Contexts are kept in `state_folder`, within `limits`. Raises `EngineError` when the file is
        not a model that llama.cpp can run.
        """
        state_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        serve = partial(
            LlamaServer,
            model,
            state_folder,
            threads=threads,
            context_tokens=context_tokens,
            niceness=niceness,
        )
        with ThreadPoolExecutor(1) as worker:  # both read the file, one of them without Python's lock
            serving = worker.submit(serve)
            self.vocabulary = read_vocabulary(model)
            self.server = serving.result()
        self._names = compile_names(self.vocabulary.special_names)
        self.chat_template = self.vocabulary.chat_template
        self.bos_token, self.eos_token = self.vocabulary.bos_token, self.vocabulary.eos_token
        self.context_tokens = context_tokens
        seed = Seed(
            model=_fingerprint(model),
            quantisation=self.vocabulary.quantisation,
            template="\0".join((self.chat_template, self.bos_token, self.eos_token)),
            kv_dtype=_KV_DTYPE,
            program=f"xllamacpp {version('xllamacpp')}",
        )
        self.keeper = Keeper(state_folder, limits, seed, ".llama")
        self.token_bytes = _TOKEN_BYTES
        self.grammars = LlamaGrammars(self.server, self.vocabulary)
        self._making: asyncio.TimerHandle | None = None  # of their tokeniser
        self.slot = Slot(self.server, state_folder, self.keeper.store.limits.parked_bytes)

    @classmethod
    async def load(
        cls,
        model: Path,
        state_folder: Path,
        *,
        threads: int,
        context_tokens: int = 8192,
        limits: StoreLimits | None = None,
        niceness: int = NICENESS,
    ) -> LlamaCppEngine:
        """The engine for `model`, loaded on a thread of its own."""
        make = partial(
            cls,
            model,
            state_folder,
            threads=threads,
            context_tokens=context_tokens,
            limits=limits,
            niceness=niceness,
        )
        engine = await asyncio.to_thread(make)
        # Takes a second, which neither the start nor the first call need wait for.
        loop = asyncio.get_running_loop()
        engine._making = loop.call_later(_SETTLED_S, loop.run_in_executor, None, engine.grammars.tokeniser)
        return engine

    @property
    def prefill_rate(self) -> float:
        return self.slot.prefill_rate

    def encode(self, text: str, *, special: bool) -> list[int]:
        """See `Engine.encode`; asks the server, whose tokeniser is the model's own."""
        parts = [text] if special else cut_names(text, self._names)
        return self.server.tokenise(parts, special=special)

    async def open(self) -> LlamaCppSession:
        return LlamaCppSession(self, ())

    async def restore(self, tokens: Sequence[int]) -> LlamaCppSession:
        """See `Engine.restore`. A file that vanishes on the way is as if it had never been."""
        found = await self.keeper.find(tokens)
        if found is None or len(found.tokens) >= self.context_tokens:
            return await self.open()
        session = LlamaCppSession(self, tuple(tokens[: found.n_shared]))
        async with self.slot.turn(session, tokens) as slot:
            if slot.shared(tokens) < found.n_shared:
                try:
                    await slot.restore(found.path.name, found.tokens)
                except EngineError:
                    return await self.open()
            await session.rewind(slot.shared(tokens))
        return session

    async def close(self) -> None:
        if self._making is not None:
            self._making.cancel()
        self.slot.close()
        await self.keeper.close()
        await self.server.close()


class LlamaCppSession:
    """See `Session`."""

    def __init__(self, engine: LlamaCppEngine, tokens: tuple[int, ...]) -> None:
        self._engine = engine
        self._tokens = tokens
        self._computed_tokens = 0
        self._left_tokens = 0  # of its last ones, counted or generated, but not held by then
        self._held: tuple[int, ...] = ()  # by the slot, when the last generation ended

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
        async with self._engine.slot.turn(self, whole) as slot:
            await self._hold(slot, whole, prefix.TAIL_TOKENS if leave_tail else 1)
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
        check_grammar(constraint)  # the server would take a faulty one for none at all
        room = self._engine.context_tokens - len(self._tokens)
        how = Decoding(constraint, tuple(stop), min(max_tokens, room), temperature, seed)
        self._held = ()
        try:
            async with aclosing(pump(self._pieces(self._tokens, how))) as pieces:
                async for piece in pieces:
                    self._tokens += piece.tokens
                    self._left_tokens += len(piece.tokens)
                    yield piece
        finally:
            held_tokens = prefix.shared_prefix(self._held, self._tokens)
            self._left_tokens = min(self._left_tokens, len(self._tokens) - held_tokens)

    async def rewind(self, n_tokens: int) -> None:
        """See `Session.rewind`. Costs nothing: the slot is cut by the next request."""
        self._left_tokens = max(self._left_tokens - max(len(self._tokens) - n_tokens, 0), 0)
        self._tokens = self._tokens[:n_tokens]

    async def save(self, retention: Retention = Retention.RECENT) -> None:
        """See `Session.save`. While another session has the slot, nothing is kept."""
        engine, keeper = self._engine, self._engine.keeper
        async with engine.slot.look(self) as tokens:
            expected_bytes = len(tokens) * engine.token_bytes
            pending = await asyncio.to_thread(keeper.begin, tokens, expected_bytes, retention)
            if pending is None:
                return
            with keeper.abandoned_on_error(pending):
                size_bytes = await engine.server.save(pending.path.name)
        engine.token_bytes = size_bytes // len(tokens) + 1
        await keeper.commit(pending, lambda _path: size_bytes)

    async def _pieces(self, prompt: tuple[int, ...], how: Decoding) -> AsyncGenerator[Piece, None]:
        engine = self._engine
        async with engine.slot.turn(self, prompt) as slot:
            # Another session may have had the slot since the prefill.
            await self._hold(slot, prompt, prefix.TAIL_TOKENS)
            decoded = decode(engine.server, slot, engine.vocabulary, engine.grammars, prompt, how)
            try:
                async with aclosing(decoded) as pieces:
                    async for piece in pieces:
                        yield piece
            finally:
                self._held = slot.tokens

    async def _hold(self, slot: Slot, whole: tuple[int, ...], tail_tokens: int) -> None:
        """Make `slot` hold `whole` but for a tail, and count all of it that was not held."""
        held_tokens, before = slot.shared(whole[:-1]), slot.computed_tokens
        counted_tokens = prefix.counted_before(self._left_tokens, len(self._tokens), held_tokens, len(whole))
        try:
            async for held_tokens in slot.hold(whole, tail_tokens):
                # Only ever longer: what the session had before stays its own, computed or not.
                self._tokens = whole[: max(held_tokens, len(self._tokens))]
        finally:
            newly_tokens = slot.computed_tokens - before
            self._computed_tokens += max(newly_tokens - counted_tokens, 0)
            self._left_tokens = max(counted_tokens - newly_tokens, 0)
        missing_tokens = len(whole) - held_tokens
        self._computed_tokens += max(missing_tokens - self._left_tokens, 0)
        self._left_tokens = missing_tokens


def _fingerprint(model: Path) -> str:
    """Of the file's size and of 64 places spread over it, the first of which holds its metadata.

    Reading all of it would take longer than loading. Models that share a vocabulary differ in their weights.
    """
    size_bytes = model.stat().st_size
    digest = hashlib.sha256(str(size_bytes).encode())
    with model.open("rb") as file:
        for number in range(_SAMPLES):
            file.seek(size_bytes * number // _SAMPLES)
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:32]
