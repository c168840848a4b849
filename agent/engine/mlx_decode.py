"""The decode loop of the MLX engine: logits to tokens to pieces. Runs on the one worker thread of mlx.py."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import llguidance
import llguidance.numpy
import numpy as np

from agent.engine.mlx_model import Kv, MlxModel
from agent.engine.mlx_tokeniser import MlxTokeniser
from agent.engine.pieces import PieceMaker
from agent.engine.protocol import Finish, Piece

_MIN_P = 0.05


@dataclass(frozen=True)
class Decoding:
    """How to continue; see `Session.generate`."""

    constraint: str | None
    stop: tuple[str, ...]
    max_tokens: int
    temperature: float
    seed: int


class MlxDecoder:
    """Continues prompts with one model."""

    def __init__(self, model: MlxModel, tokeniser: MlxTokeniser) -> None:
        self._model = model
        self._mx: Any = model.mx
        self._tokeniser = tokeniser
        self._grammars: llguidance.LLTokenizer | None = None

    def decode(self, kv: Kv, prompt: tuple[int, ...], how: Decoding) -> Iterator[Piece]:
        """Continue `prompt`, most of which `kv` holds. Stop iterating to stop the work."""
        maker = PieceMaker(how.stop)
        matcher = self._matcher(how.constraint) if how.constraint is not None else None
        key = self._mx.random.key(how.seed)
        left = how.max_tokens
        new: tuple[int, ...] = prompt[self._model.keep(kv, prompt[:-1]) :]
        while left > 0:
            key, step_key = self._mx.random.split(key)
            token = self._pick(self._model.extend(kv, new)[0], matcher, how.temperature, step_key)
            new = (token, *self._forced(matcher, token))[:left]
            left -= len(new)
            for each in new:
                if each in self._tokeniser.eos_tokens:
                    yield maker.finish(Finish.END_OF_TURN)
                    return
                yield from maker.push(each, self._tokeniser.vocabulary.bytes_of(each))
                if maker.finished:
                    return
            if matcher is not None and matcher.is_stopped():
                yield maker.finish(Finish.END_OF_TURN)
                return
        yield maker.finish(Finish.LENGTH)

    def _matcher(self, constraint: str) -> llguidance.LLMatcher:
        if self._grammars is None:  # takes about a second
            self._grammars = llguidance.LLTokenizer(
                self._tokeniser.tokeniser.to_str(),
                n_vocab=self._model.vocabulary_size,
                eos_token=sorted(self._tokeniser.eos_tokens),
            )
        return llguidance.LLMatcher(self._grammars, constraint)

    def _forced(self, matcher: llguidance.LLMatcher | None, token: int) -> list[int]:
        """Tells the matcher of `token`; gives the tokens that the grammar leaves no choice about after it."""
        if matcher is None or token in self._tokeniser.eos_tokens:
            return []
        matcher.consume_token(token)
        forced = matcher.compute_ff_tokens()
        matcher.consume_tokens(forced)
        return forced

    def _pick(self, logits: Any, matcher: llguidance.LLMatcher | None, temperature: float, key: Any) -> int:
        mx = self._mx
        if matcher is not None:
            # llguidance's own MLX kernel is for Metal only; a mask of 19 KB costs nothing on any device.
            mask = llguidance.numpy.allocate_token_bitmask(1, logits.shape[0])
            llguidance.numpy.fill_next_token_bitmask(matcher, mask)
            allowed = np.unpackbits(mask.view(np.uint8), bitorder="little")[: logits.shape[0]]
            logits = mx.where(mx.array(allowed) == 1, logits, -mx.inf)
        if temperature <= 0:
            return mx.argmax(logits).item()
        likely = logits >= mx.max(logits) + math.log(_MIN_P)
        return mx.random.categorical(mx.where(likely, logits, -mx.inf) / temperature, key=key).item()
