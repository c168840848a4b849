"""The caches of a model's layers, such that they can go back. Loads MLX: import after `interpose_openblas`.

mlx-lm gives sliding-window layers a ring that forgets what left the window, and a ring cannot be cut. Here
all keys and values are kept, and the window is what attention is shown: just what the ring would show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten
from mlx_lm.models import base, cache

from agent.engine.families import Family

_cache: Any = cache
_base: Any = base
_core: Any = mx

States = list[list[Any]]  # of each recurrent layer, the arrays; None for those not there yet


class _KeptWhole:
    """Keys and values of all tokens, in `whole`, of which attention is shown the last."""

    def __init__(self) -> None:
        self.whole: Any = _cache.KVCache()
        self._begin = 0  # the first token that is shown

    @property
    def offset(self) -> int:
        return self.whole.offset

    @property
    def state(self) -> Any:
        return self.whole.state

    def update_and_fetch(self, keys: Any, values: Any) -> tuple[Any, Any]:
        """Add `keys` and `values`, (batch, heads, tokens, width); gives those that are shown."""
        self._begin = self._shown_from(keys.shape[2])
        self.whole.update_and_fetch(keys, values)
        return self.keys_and_values()

    def keys_and_values(self) -> tuple[Any, Any]:
        """What the last update has shown; layers that share a cache ask for it again."""
        shown = slice(self._begin, self.whole.offset)
        return self.whole.keys[..., shown, :], self.whole.values[..., shown, :]

    def _shown_from(self, n_new: int) -> int:
        raise NotImplementedError


class WindowCache(_KeptWhole):
    """In place of mlx-lm's `RotatingKVCache` (mlx_lm/models/cache.py) that keeps no first tokens."""

    def __init__(self, window: int) -> None:
        super().__init__()
        self.max_size = window

    def make_mask(self, n_new: int, window_size: int | None = None, return_array: bool = False) -> Any:
        """The mask for `n_new` tokens over what `update_and_fetch` will show, as in `RotatingKVCache`."""
        window = window_size or self.max_size
        before = min(self.max_size - 1, self.offset)
        if before + n_new > window or (return_array and n_new > 1):
            return _base.create_causal_mask(n_new, before, window_size=window)
        return None if n_new == 1 else "causal"

    def _shown_from(self, n_new: int) -> int:
        # Each new token sees itself and window - 1 before it.
        return max(0, self.offset - (self.max_size - 1))


class ChunkCache(_KeptWhole):
    """In place of mlx-lm's `ChunkedKVCache`, which Llama 4 cuts at the front and masks by itself."""

    def __init__(self, chunk_size: int) -> None:
        super().__init__()
        self.chunk_size = chunk_size
        self.start_position = 0

    def maybe_trim_front(self) -> None:
        """Called by the model before each step."""
        self.start_position = max(0, self.offset - self.chunk_size)

    def _shown_from(self, n_new: int) -> int:
        return self.start_position


class ModelCache:
    """The caches of all layers; `layers` is what the model takes.

    `attention` are the parts that grow by one row a token, `recurrent` those that only have a latest state.
    """

    def __init__(self, layers: Sequence[Any]) -> None:
        self.layers = [_kept_whole(layer) for layer in layers]
        parts = list(_parts(self.layers))
        self.attention: list[Any] = [
            part.whole if isinstance(part, _KeptWhole) else part
            for part in parts
            if isinstance(part, _KeptWhole) or type(part) is _cache.KVCache
        ]
        self.recurrent: list[Any] = [part for part in parts if type(part) is _cache.ArraysCache]
        self.family = self._family(parts)

    def _family(self, parts: list[Any]) -> Family:
        if len(self.attention) + len(self.recurrent) < len(parts):
            return Family.UNKNOWN
        if self.recurrent:
            return Family.HYBRID if self.attention else Family.RECURRENT
        return Family.WINDOW if any(isinstance(part, _KeptWhole) for part in parts) else Family.PLAIN

    def arrays(self) -> list[Any]:
        """Everything there is to evaluate."""
        state: list[Any] = [value for _, value in tree_flatten([part.state for part in _parts(self.layers)])]
        return [value for value in state if isinstance(value, mx.array)]

    def held(self, n_tokens: int) -> bool:
        """Whether the attention layers hold `n_tokens` each; one that the model never uses holds none."""
        return all(part.offset in (0, n_tokens) for part in self.attention)

    def cut(self, n_tokens: int) -> None:
        """Keep the first `n_tokens` of the attention layers."""
        for part in self.attention:
            part.trim(max(0, part.offset - n_tokens))

    def copy_states(self) -> States:
        """Copies of the recurrent states that own their memory: a slice would keep its whole chunk alive."""
        copies = [
            [None if array is None else _core.array(array + 0) for array in part.cache]
            for part in self.recurrent
        ]
        _core.eval(copies)
        return copies

    def states(self) -> States:
        """The recurrent states themselves, to be put back before anything else is computed."""
        return [list(part.cache) for part in self.recurrent]

    def put_states(self, states: States) -> None:
        """Set the recurrent states; models replace these arrays and never write into them."""
        for part, arrays in zip(self.recurrent, states, strict=True):
            part.cache = list(arrays)

    def named_arrays(self) -> dict[str, Any]:
        """What `put_named` needs to make a new cache like this one."""
        keys_and_values = {
            f"attention.{i}.{name}": getattr(part, name)[..., : part.offset, :]
            for i, part in enumerate(self.attention)
            if part.offset
            for name in ("keys", "values")
        }
        return keys_and_values | named_states(self.states(), "recurrent")

    def put_named(self, arrays: Mapping[str, Any], n_tokens: int) -> None:
        """Fill this new cache. Raises LookupError or ValueError where `arrays` are not of such a cache."""
        for i, part in enumerate(self.attention):
            if f"attention.{i}.keys" not in arrays:
                continue
            part.keys, part.values = arrays[f"attention.{i}.keys"], arrays[f"attention.{i}.values"]
            part.offset = n_tokens
            if part.keys.shape[-2] != n_tokens or part.values.shape[-2] != n_tokens:
                raise ValueError("the saved keys are not as many as the tokens")
        self.put_states(self.states_named(arrays, "recurrent"))

    def states_named(self, arrays: Mapping[str, Any], prefix: str) -> States:
        """What `named_states` named; for the recurrent layers of this cache."""
        return [
            [arrays.get(f"{prefix}.{i}.{j}") for j in range(len(part.cache))]
            for i, part in enumerate(self.recurrent)
        ]


def named_states(states: States, prefix: str) -> dict[str, Any]:
    """Recurrent states by name, for a file."""
    return {
        f"{prefix}.{i}.{j}": array
        for i, arrays in enumerate(states)
        for j, array in enumerate(arrays)
        if array is not None
    }


def size_of(states: States) -> int:
    """Bytes."""
    return sum(array.nbytes for arrays in states for array in arrays if array is not None)


def _kept_whole(layer: Any) -> Any:
    if type(layer) is _cache.RotatingKVCache and layer.keep == 0:
        return WindowCache(layer.max_size)
    if type(layer) is _cache.ChunkedKVCache:
        return ChunkCache(layer.chunk_size)
    if type(layer) is _cache.CacheList:
        layer.caches = tuple(_kept_whole(part) for part in layer.caches)
    return layer


def _parts(layers: Sequence[Any]) -> Iterator[Any]:
    for layer in layers:
        if type(layer) is _cache.CacheList:
            yield from _parts(layer.caches)
        else:
            yield layer
