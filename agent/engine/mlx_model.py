"""A model in MLX and its KV caches. Everything here blocks and belongs to the one worker thread of mlx.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.engine.blas import interpose_openblas
from agent.engine.prefix import shared_prefix
from agent.engine.protocol import EngineError


@dataclass
class Kv:
    """One session's KV cache, in mlx-lm's form, and the tokens it holds."""

    cache: list[Any]
    tokens: tuple[int, ...]


class MlxModel:
    """The weights, and what is needed to run them."""

    def __init__(self, folder: Path) -> None:
        """Raises `EngineError` when the folder holds no model that mlx-lm can run."""
        interpose_openblas()
        # Only now: MLX binds to the BLAS that is there when it loads.
        import mlx.core as mx
        from mlx_lm.models import cache
        from mlx_lm.utils import load_model

        self.mx: Any = mx
        self._cache: Any = cache
        try:
            self._model, config = load_model(folder)
            self.vocabulary_size: int = config["vocab_size"]
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

    def extend(self, kv: Kv, tokens: Sequence[int], *, positions: int = 1) -> Any:
        """Add `tokens` to `kv`; gives the logits after each of the last `positions` of them.

        Shape (positions, vocabulary), not evaluated.
        """
        logits = self._model(self.mx.array([list(tokens)]), cache=kv.cache)[0, -positions:]
        # Without the logits, which for a whole prompt would be gigabytes.
        self.mx.eval([layer.state for layer in kv.cache])
        if len(tokens) > 1:  # a chunk's intermediate values are large, and of sizes that do not come again
            self.mx.clear_cache()
        kv.tokens = (*kv.tokens, *tokens)
        return logits
