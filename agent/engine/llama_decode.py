"""The decode loop of the llama.cpp engine: requests to the server, their tokens to pieces.

The server knows a grammar only from its first token on, so it masks only what begins one. From there the
client follows in step, and what the grammar admits only one way is not sampled: the request ends, the forced
tokens are appended to the prompt, and the next request computes them in one pass. Behind them the server
samples freely and the client checks: a token that the grammar admits is the one that a mask would have given
too (at temperature 0; else it has the same odds), and where it does not, or where few are admitted, the
server is asked for one token among those that are. So a call that begins in free text costs no mask at all.

A request that goes on has one pass under way when it is ended, so forced tokens that are few are let come.
Five calls and quotes of code came out token for token as under a grammar in the server alone, 14 to 46 tokens
with 1 to 8 requests (0.5B Q4_K_M). Where they differ, it is in how a forced text is cut into tokens: the
usual tokens of that text are appended.

Nothing is drafted. To be exact, a draft must be checked against the logits at each of its tokens, and the
server gives those of tokens that it samples only, one pass each. It can draft by itself, by n-grams of the
prompt (`common_params.speculative`), but in wide passes, which round differently, and it does not tell how
near a choice was, so that what hung on rounding could be computed anew. With it, one of ten rewrites of code,
64 tokens each, came out differently (xllamacpp 2026.10, Qwen2.5-Coder 1.5B Q4_K_M, two cores).

Going on with a grammar within the server is no longer possible: llama.cpp b11531 took the `generation_prompt`
of a request away, whose tokens its grammar began with.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.decode.calls import Constraint
from agent.decode.guide import Guide
from agent.decode.repetition import LoopWatch
from agent.engine.llama_grammar import LlamaGrammars, one_of
from agent.engine.llama_server import LlamaServer
from agent.engine.llama_stream import TokenStream
from agent.engine.pieces import PieceMaker
from agent.engine.protocol import EngineError, Finish, Piece
from agent.engine.slot import Slot
from agent.engine.vocabulary import Vocabulary

_FINISH = {"limit": Finish.LENGTH, "word": Finish.STOP}
_MIN_P = 0.05

# Reckoned: ending a request wastes the pass that is under way, and the next one's first pass is wide, a
# quarter of a pass for each token more (prefix.py).
_WORTH_TOKENS = 4
# With so few to choose from, a free choice is often wrong, and what follows often forced.
_FEW_TOKENS = 1000


@dataclass(frozen=True)
class Decoding:
    """How to continue; see `Session.generate`."""

    constraint: Constraint
    stop: tuple[str, ...]
    max_tokens: int
    temperature: float
    seed: int


async def decode(
    server: LlamaServer,
    slot: Slot,
    vocabulary: Vocabulary,
    grammars: LlamaGrammars,
    prompt: tuple[int, ...],
    how: Decoding,
) -> AsyncGenerator[Piece, None]:
    """Continue `prompt`, which `slot` holds but for a short tail, and which is the caller's.

    Closing the generator stops the server's work.
    """
    if how.constraint is not None:
        await asyncio.to_thread(grammars.tokeniser)  # the first time it takes a second
    async with aclosing(_Decode(server, slot, vocabulary, grammars, prompt, how).pieces()) as pieces:
        async for piece in pieces:
            yield piece


class _Decode:
    """One generation."""

    def __init__(
        self,
        server: LlamaServer,
        slot: Slot,
        vocabulary: Vocabulary,
        grammars: LlamaGrammars,
        prompt: tuple[int, ...],
        how: Decoding,
    ) -> None:
        self._server, self._slot, self._vocabulary = server, slot, vocabulary
        self._how = how
        self._guide = Guide(how.constraint, grammars.tokeniser, self._shown, grammars.eos_tokens)
        self._maker, self._loops = PieceMaker(how.stop), LoopWatch(prompt)
        self._most = len(prompt) + how.max_tokens
        self._held = prompt
        self._n_requests = 0
        self._is_cut = False  # by the limit, amid what a grammar forces
        self._was_refused = False  # by the grammar, what the server sampled last

    async def pieces(self) -> AsyncGenerator[Piece, None]:
        """See `decode`."""
        while not self._maker.finished:
            for piece in self._write(self._within_limit(self._guide.forced())):
                yield piece
            if self._maker.finished:
                return
            if problem := self._guide.problem:
                what = problem.strip().partition("\n")[0]
                raise EngineError(f"The grammar cannot be followed any further: {what}")
            if self._guide.is_over and not self._is_cut:
                yield self._maker.finish(Finish.END_OF_TURN)
            elif len(self._held) >= self._most:
                yield self._maker.finish(Finish.LENGTH)
            elif (admitted := self._narrow()) is not None:
                for piece in await self._choose(admitted):
                    yield piece
            else:
                async with aclosing(self._stream()) as pieces:
                    async for piece in pieces:
                        yield piece

    def _narrow(self) -> NDArray[np.bool_] | None:
        """What the grammar admits next, where one token of it should be chosen by itself."""
        if self._guide.is_free or (self._guide.lark is not None and not self._was_refused):
            return None
        admitted = self._guide.mask(len(self._vocabulary.texts))
        assert admitted is not None
        admitted[list(self._guide.eos_tokens)] = False
        return admitted if self._was_refused or admitted.sum() <= _FEW_TOKENS else None

    async def _choose(self, admitted: NDArray[np.bool_]) -> list[Piece]:
        """One token of those; gives the pieces that come of it."""
        grammar = one_of(admitted, may_end=self._guide.may_end)
        self._was_refused = False
        token = await self._server.sample(self._held, self._options(grammar))
        self._slot.tokens = self._held
        if token is None:
            return [self._maker.finish(Finish.END_OF_TURN)]
        if not self._guide.admits(token):
            raise EngineError("llama.cpp did not follow the grammar. Start Utter again.")
        return list(self._write(self._within_limit(self._guide.take(token))))

    async def _stream(self) -> AsyncGenerator[Piece, None]:
        """Let the server go on for as long as it writes what it may; gives the pieces that come of it."""
        grammar = self._guide.lark  # the server can mask by itself from the first token on
        tokens, held_tokens = TokenStream(self._vocabulary), len(self._held)
        awaited: tuple[int, ...] = ()  # forced and written already, and not yet sampled by the server
        stop_type = ""
        options = self._options(grammar) | {
            "n_predict": self._most - len(self._held),
            "stop": list(self._how.stop),
        }
        async with aclosing(self._server.complete(self._held, options)) as events:
            async for event in events:
                for token in tokens.push(event.text, event.tokens, event.predicted):
                    self._slot.tokens = self._held[:held_tokens]  # what is sampled is not computed yet
                    held_tokens += 1
                    if awaited:
                        if token.id != awaited[0]:
                            return  # the same text in other tokens, or another one
                        awaited = awaited[1:]
                        continue
                    was_free = self._guide.is_free
                    if token.id in self._guide.eos_tokens and self._guide.may_end:
                        yield self._maker.finish(Finish.END_OF_TURN)  # also as the last that the limit allows
                        return
                    if not self._guide.admits(token.id):
                        self._was_refused = True
                        return
                    chosen = self._within_limit(self._guide.take(token.id))
                    for piece in self._write(chosen):
                        yield piece
                    awaited = chosen[1:]
                    if self._maker.finished or was_free != self._guide.is_free:
                        return
                    if len(awaited) >= _WORTH_TOKENS or self._guide.is_over or self._guide.problem:
                        return
                    if len(self._held) >= self._most:
                        return
                stop_type = event.stop_type
                if stop_type:
                    break
        if not stop_type:
            raise EngineError(
                "llama.cpp broke off its answer. Try once more; if it happens again, start Utter again."
            )
        if stop_type != "eos":
            yield self._maker.finish(_FINISH[stop_type])
        elif self._guide.may_end and not awaited:
            yield self._maker.finish(Finish.END_OF_TURN)
        else:
            self._was_refused = not awaited

    def _options(self, grammar: str | None) -> dict[str, Any]:
        self._n_requests += 1
        options: dict[str, Any] = {
            "temperature": self._how.temperature,
            # Each request begins with the first number of its seed, so each has one of its own.
            "seed": (self._how.seed + self._n_requests) & 0x7FFFFFFF,
            "samplers": ["min_p", "temperature"],
            "min_p": _MIN_P,
        }
        if grammar is not None:
            options["grammar"] = "%llguidance {}\n" + grammar
        return options

    def _within_limit(self, tokens: tuple[int, ...]) -> tuple[int, ...]:
        left = self._most - len(self._held)
        self._is_cut = self._is_cut or len(tokens) > left
        return tokens[:left]

    def _write(self, tokens: tuple[int, ...]) -> Iterator[Piece]:
        """Append sampled or forced tokens; gives the pieces that they make ready."""
        for token in tokens:
            self._held += (token,)
            yield from self._maker.push(token, self._vocabulary.written(token))
            if self._maker.finished:
                return
            if self._loops.push(token):
                yield self._maker.finish(Finish.REPETITION)
                return

    def _shown(self, token: int) -> bytes:
        """The token's text, or a control token's name."""
        return self._vocabulary.bytes_of(token) or self._vocabulary.texts[token]
