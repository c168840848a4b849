"""The decode loop of the llama.cpp engine: requests to the server, their tokens to pieces.

The server knows a grammar only from its first token on. So a call in free text ends the request at the call's
opener, and the next request goes on under the grammar; what the slot holds makes that cost one token.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from agent.decode.calls import CallGrammar, CallWatch, Constraint
from agent.decode.repetition import LoopWatch
from agent.engine.llama_server import LlamaServer
from agent.engine.llama_stream import Token, TokenStream
from agent.engine.pieces import PieceMaker
from agent.engine.protocol import EngineError, Finish, Piece
from agent.engine.slot import Slot
from agent.engine.vocabulary import Vocabulary

_FINISH = {"eos": Finish.END_OF_TURN, "limit": Finish.LENGTH, "word": Finish.STOP}
_MIN_P = 0.05


@dataclass(frozen=True)
class Decoding:
    """How to continue; see `Session.generate`."""

    constraint: Constraint
    stop: tuple[str, ...]
    max_tokens: int
    temperature: float
    seed: int


async def decode(
    server: LlamaServer, slot: Slot, vocabulary: Vocabulary, prompt: tuple[int, ...], how: Decoding
) -> AsyncGenerator[Piece, None]:
    """Continue `prompt`, which `slot` holds but for a short tail, and which is the caller's.

    Closing the generator stops the server's work.
    """
    calls = how.constraint if isinstance(how.constraint, CallGrammar) else None
    grammar = how.constraint if isinstance(how.constraint, str) else None
    maker, loops = PieceMaker(how.stop), LoopWatch(prompt)
    held, most = prompt, len(prompt) + how.max_tokens
    while len(held) < most:
        watch = CallWatch(calls) if calls is not None and grammar is None else None
        tokens, began, stop_type = TokenStream(vocabulary), None, ""
        async with aclosing(server.complete(held, _options(how, grammar, most - len(held)))) as events:
            async for event in events:
                for token in tokens.push(event.text, event.tokens, event.predicted):
                    began = watch.push(_shown(vocabulary, token)) if watch is not None else None
                    if began is not None and not began.keeps_token:
                        break
                    slot.tokens = held
                    held = (*held, token.id)  # sampled; computed when the next one is there
                    for piece in maker.push(token.id, vocabulary.written(token.id)):
                        yield piece
                    if maker.finished:
                        return
                    if loops.push(token.id):
                        yield maker.finish(Finish.REPETITION)
                        return
                    if began is not None:
                        break
                stop_type = event.stop_type
                if began is not None or stop_type:
                    break
        if began is not None:
            grammar = began.grammar
        elif not stop_type:
            raise EngineError(
                "llama.cpp broke off its answer. Try once more; if it happens again, start Utter again."
            )
        elif stop_type == "eos" and calls is not None and grammar is not None:
            grammar = None  # the call is complete; free text goes on
        else:
            yield maker.finish(_FINISH[stop_type])
            return
    yield maker.finish(Finish.LENGTH)


def _options(how: Decoding, grammar: str | None, max_tokens: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "n_predict": max_tokens,
        "temperature": how.temperature,
        "seed": how.seed,
        "samplers": ["min_p", "temperature"],
        "min_p": _MIN_P,
        "stop": list(how.stop),
    }
    if grammar is not None:
        options["grammar"] = "%llguidance {}\n" + grammar
    return options


def _shown(vocabulary: Vocabulary, token: Token) -> bytes:
    """The token's text, or a control token's name."""
    return token.text or vocabulary.texts[token.id]
