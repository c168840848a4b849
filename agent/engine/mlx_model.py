"""A model in MLX and its KV caches. Everything here blocks and belongs to the one worker thread of mlx.py."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llguidance
import llguidance.numpy
import numpy as np

from agent.engine.blas import interpose_openblas
from agent.engine.mlx_tokeniser import MlxTokeniser
from agent.engine.pieces import PieceMaker
from agent.engine.prefix import shared_prefix
from agent.engine.protocol import EngineError, Finish, Piece

_MIN_P = 0.05


@dataclass(frozen=True)
class Decoding:
    """How to continue; see `Session.generate`."""

    constraint: str | None
    stop: tuple[str, ...]
    max_tokens: int
    temperature: float
    seed: int


@dataclass
class Kv:
    """One session's KV cache, in mlx-lm's form, and the tokens it holds."""

    cache: list[Any]
    tokens: tuple[int, ...]


class MlxModel:
    """The weights, and what is needed to run them."""

    def __init__(self, folder: Path, tokeniser: MlxTokeniser) -> None:
        """Raises `EngineError` when the folder holds no model that mlx-lm can run."""
        interpose_openblas()
        # Only now: MLX binds to the BLAS that is there when it loads.
        import mlx.core as mx
        from mlx_lm.models import cache
        from mlx_lm.utils import load_model

        self._mx: Any = mx
        self._cache: Any = cache
        self._tokeniser = tokeniser
        self._grammars: llguidance.LLTokenizer | None = None
        try:
            self._model, config = load_model(folder)
            self._vocabulary_size: int = config["vocab_size"]
        except Exception as error:
            raise EngineError(
                f"mlx-lm could not load {folder} ({error}). Remove the model and fetch it again."
            ) from error

    def new_kv(self) -> Kv:
        """An empty KV cache."""
        return Kv(self._cache.make_prompt_cache(self._model), ())

    def load_kv(self, path: Path, tokens: tuple[int, ...]) -> Kv:
        """A saved cache, which holds just `tokens`. Raises what MLX raises when the file is no cache."""
        return Kv(self._cache.load_prompt_cache(str(path)), tokens)

    def save_kv(self, path: Path, kv: Kv) -> None:
        """Write `kv`; `path` ends in `.safetensors`."""
        self._cache.save_prompt_cache(str(path), kv.cache)

    def keep(self, kv: Kv, tokens: Sequence[int]) -> int:
        """Drop from `kv` all that is not a beginning of `tokens`; gives how many it still holds."""
        end = shared_prefix(kv.tokens, tokens)
        if end < len(kv.tokens):
            if self._cache.can_trim_prompt_cache(kv.cache):
                self._cache.trim_prompt_cache(kv.cache, len(kv.tokens) - end)
            else:  # the recurrent kinds cannot go back
                kv.cache, end = self._cache.make_prompt_cache(self._model), 0
        kv.tokens = kv.tokens[:end]
        return end

    def extend(self, kv: Kv, tokens: Sequence[int]) -> Any:
        """Add `tokens` to `kv`; gives the logits after the last, shape (vocabulary,), not evaluated."""
        logits = self._model(self._mx.array([list(tokens)]), cache=kv.cache)[0, -1]
        # Without the logits, which for a whole prompt would be gigabytes.
        self._mx.eval([layer.state for layer in kv.cache])
        if len(tokens) > 1:  # a chunk's intermediate values are large, and of sizes that do not come again
            self._mx.clear_cache()
        kv.tokens = (*kv.tokens, *tokens)
        return logits

    def decode(self, kv: Kv, prompt: tuple[int, ...], how: Decoding) -> Iterator[Piece]:
        """Continue `prompt`, most of which `kv` holds. Stop iterating to stop the work."""
        maker = PieceMaker(how.stop)
        matcher = self._matcher(how.constraint) if how.constraint is not None else None
        key = self._mx.random.key(how.seed)
        left = how.max_tokens
        new: tuple[int, ...] = prompt[self.keep(kv, prompt[:-1]) :]
        while left > 0:
            key, step_key = self._mx.random.split(key)
            token = self._pick(self.extend(kv, new), matcher, how.temperature, step_key)
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
                n_vocab=self._vocabulary_size,
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
