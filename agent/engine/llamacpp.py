"""The llama.cpp engine: sessions of tokens over the one slot of a `LlamaServer`.

Every request carries all tokens of its session, so what the slot happens to hold decides how much is computed
and never what comes out. See prefix.py for what is left to the next pass.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agent.engine import prefix
from agent.engine.content import compile_names, cut_names
from agent.engine.grammar import check_grammar
from agent.engine.llama_server import LlamaServer
from agent.engine.llama_stream import TokenStream
from agent.engine.pieces import PieceMaker
from agent.engine.protocol import EngineError, Finish, Piece, Prefilled
from agent.engine.pump import pump
from agent.engine.saved import SavedSessions
from agent.engine.vocabulary import read_vocabulary

_FINISH = {"eos": Finish.END_OF_TURN, "limit": Finish.LENGTH, "word": Finish.STOP}


class LlamaCppEngine:
    """A GGUF model in llama.cpp; see `Engine`. Several sessions share the one slot: right, but not cheap."""

    name = "llamacpp"

    def __init__(self, model: Path, state_folder: Path, *, threads: int, context_tokens: int = 8192) -> None:
        """Load `model`, which takes seconds; `load` does it without blocking the event loop.

        `threads` should be the number of physical cores. Saved sessions go to `state_folder`.
        Raises `EngineError` when the file is not a model that llama.cpp can run.
        """
        self.vocabulary = read_vocabulary(model)
        self._names = compile_names(self.vocabulary.special_names)
        self.chat_template = self.vocabulary.chat_template
        self.bos_token, self.eos_token = self.vocabulary.bos_token, self.vocabulary.eos_token
        self.context_tokens = context_tokens
        self.fingerprint = _fingerprint(model)
        program = f"xllamacpp {version('xllamacpp')}"
        self.saved = SavedSessions(state_folder, program, self.fingerprint, ".llama")
        self.saved.make_folder()
        self.server = LlamaServer(model, state_folder, threads=threads, context_tokens=context_tokens)
        self.slot = Slot(self.server)

    @classmethod
    async def load(
        cls, model: Path, state_folder: Path, *, threads: int, context_tokens: int = 8192
    ) -> LlamaCppEngine:
        """The engine for `model`, loaded on a thread of its own."""
        make = partial(cls, model, state_folder, threads=threads, context_tokens=context_tokens)
        return await asyncio.to_thread(make)

    def encode(self, text: str, *, special: bool) -> list[int]:
        """See `Engine.encode`; asks the server, whose tokeniser is the model's own."""
        parts = [text] if special else cut_names(text, self._names)
        return self.server.tokenise(parts, special=special)

    async def open(self) -> LlamaCppSession:
        return LlamaCppSession(self, ())

    async def restore(self, key: str) -> LlamaCppSession | None:
        entry = await asyncio.to_thread(self.saved.find, key)
        if entry is None or len(entry.tokens) >= self.context_tokens:
            return None
        async with self.slot.turn():
            try:
                held_tokens = await self.slot.restore(self.saved.data_path(key).name, entry.tokens[:-1])
            except EngineError:
                return None
        return LlamaCppSession(self, entry.tokens) if held_tokens >= len(entry.tokens) - 1 else None

    async def close(self) -> None:
        await self.server.close()


class LlamaCppSession:
    """See `Session`."""

    def __init__(self, engine: LlamaCppEngine, tokens: tuple[int, ...]) -> None:
        self._engine = engine
        self._tokens = tokens

    @property
    def tokens(self) -> tuple[int, ...]:
        return self._tokens

    async def prefill(self, tokens: Sequence[int]) -> Prefilled:
        """See `Session.prefill`. A short tail is counted here, and computed by whatever comes next."""
        whole = (*self._tokens, *tokens)
        prefix.check_room(len(whole), self._engine.context_tokens)
        async with self._engine.slot.turn() as slot:
            held_tokens = slot.shared(whole[:-1])
            computed_tokens = -prefix.left_as_tail(len(self._tokens), held_tokens)
            async for held_tokens, newly in slot.hold(whole, prefix.TAIL_TOKENS):
                computed_tokens += newly
                # Only ever longer: what the session had before stays its own, computed or not.
                self._tokens = whole[: max(held_tokens, len(self._tokens))]
        self._tokens = whole
        computed_tokens = max(computed_tokens + len(whole) - held_tokens, 0)
        return Prefilled(len(whole) - computed_tokens, computed_tokens)

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
        options: dict[str, Any] = {
            "n_predict": min(max_tokens, self._engine.context_tokens - len(self._tokens)),
            "temperature": temperature,
            "seed": seed,
            "samplers": ["min_p", "temperature"],
            "min_p": 0.05,
            "stop": list(stop),
        }
        if constraint is not None:
            check_grammar(constraint)  # the server would take a faulty one for none at all
            options["grammar"] = "%llguidance {}\n" + constraint
        async with aclosing(pump(self._pieces(self._tokens, options, stop))) as pieces:
            async for piece in pieces:
                self._tokens += piece.tokens
                yield piece

    async def rewind(self, n_tokens: int) -> None:
        """See `Session.rewind`. Costs nothing: the slot is cut by the next request."""
        self._tokens = self._tokens[:n_tokens]

    async def save(self, key: str) -> None:
        """See `Session.save`."""
        if not self._tokens:
            raise EngineError("There is nothing to save: the session is empty.")
        saved, tokens = self._engine.saved, self._tokens
        written = saved.temporary(key)
        try:
            async with self._engine.slot.turn() as slot:
                async for _ in slot.hold(tokens, 1):
                    pass
                await self._engine.server.save(written.name)
            await asyncio.to_thread(saved.commit, key, written, tokens)
        except OSError as error:
            raise EngineError(
                f"The session could not be saved in {saved.folder}: {error.strerror}."
            ) from error
        finally:
            written.unlink(missing_ok=True)

    async def _pieces(
        self, prompt: tuple[int, ...], options: dict[str, Any], stop: Sequence[str]
    ) -> AsyncGenerator[Piece, None]:
        tokens, maker = TokenStream(self._engine.vocabulary), PieceMaker(stop)
        async with self._engine.slot.turn() as slot:
            async for _ in slot.hold(prompt, prefix.TAIL_TOKENS):
                pass
            async with aclosing(self._engine.server.complete(prompt, options)) as events:
                held = prompt
                async for event in events:
                    for token in tokens.push(event.text, event.tokens, event.predicted):
                        slot.tokens = held
                        held = (*held, token.id)  # sampled; computed when the next one is there
                        for piece in maker.push(token.id, token.text):
                            yield piece
                        if maker.finished:
                            return
                    if event.stop_type:
                        yield maker.finish(_FINISH[event.stop_type])
                        return
        raise EngineError(
            "llama.cpp broke off its answer. Try once more; if it happens again, start Utter again."
        )


class Slot:
    """The server's slot: who may use it now, and which tokens it is known to hold the KV of."""

    def __init__(self, server: LlamaServer) -> None:
        self._server = server
        self._lock: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self.tokens: tuple[int, ...] = ()

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[Slot]:
        """Wait until the slot is free and use it."""
        loop = asyncio.get_running_loop()
        if self._lock is None or self._lock[0] is not loop:
            self._lock = (loop, asyncio.Lock())
        async with self._lock[1]:
            yield self

    def shared(self, tokens: Sequence[int]) -> int:
        """How many of `tokens`, from the first on, are held already."""
        return prefix.shared_prefix(self.tokens, tokens)

    async def hold(self, tokens: tuple[int, ...], tail_tokens: int) -> AsyncGenerator[tuple[int, int], None]:
        """Compute all of `tokens` but the last, in chunks, unless no more than `tail_tokens` are missing.

        After each chunk: how many are held now, and how many were computed for it.
        """
        end = self.shared(tokens)
        if len(tokens) - end <= tail_tokens:
            return
        while end < len(tokens) - 1:
            # Whatever happens to the request, the part before `end` stays: the server only cuts behind it.
            self.tokens = tokens[:end]
            end = min(end + prefix.CHUNK_TOKENS, len(tokens) - 1)
            counts = await self._server.prefill(tokens[:end])
            self.tokens = tokens[:end]
            yield end, counts.computed_tokens

    async def restore(self, file_name: str, tokens: tuple[int, ...]) -> int:
        """Fill the slot from a file that begins with `tokens`; gives how many tokens it held."""
        self.tokens = ()
        held_tokens = await self._server.restore(file_name)
        self.tokens = tokens[:held_tokens]
        return held_tokens


def _fingerprint(model: Path) -> str:
    """Of the file's size and first megabyte, which holds its metadata, and the KV cache's type."""
    with model.open("rb") as file:
        head = hashlib.sha256(file.read(1 << 20))
    head.update(f"{model.stat().st_size} kv=f16".encode())
    return head.hexdigest()[:32]
