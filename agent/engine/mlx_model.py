"""A model in MLX and its KV caches. Everything here blocks and belongs to the one worker thread of mlx.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.engine.blas import interpose_openblas
from agent.engine.families import Checkpoints, Family
from agent.engine.memory import attention_bytes, check_memory, free_bytes, out_of_memory
from agent.engine.mlx_folder import check_folder, window_tokens
from agent.engine.prefix import shared_prefix
from agent.engine.protocol import EngineError

if TYPE_CHECKING:
    from agent.engine.mlx_caches import ModelCache, States

_FORMAT = 1  # of the file that `save_kv` writes
_CHECKPOINTS, _CHECKPOINT_BYTES = 16, 1 << 29  # at most so many, and fewer where their states are large


@dataclass
class Kv:
    """One session's caches, the tokens they hold, and the places to which they can go back."""

    cache: ModelCache
    tokens: tuple[int, ...]
    checkpoints: Checkpoints[States]


@dataclass(frozen=True)
class Ahead:
    """A token's pass that is under way: the logits after it, and the recurrent states before it."""

    logits: Any
    states: States


class MlxModel:
    """The weights, and what is needed to run them.

    `kv_dtype` is the type of keys and values, and of what is computed; `window_tokens` what the model was
    made for; `vocabulary_size` the width of its logits.
    """

    def __init__(
        self,
        folder: Path,
        *,
        numbers: str = "auto",
        only_look: bool = False,
        free_bytes: Callable[[], int] = free_bytes,
    ) -> None:
        """Raises `EngineError` when the folder holds no model that mlx-lm can run.

        `numbers` is the type to compute in, and "auto" the one that `kv_dtype` chooses for the device.
        With `only_look` no weights are read, and nothing can be computed. `free_bytes` says how much memory
        the machine has left.
        """
        check_folder(folder)
        interpose_openblas()
        # Only now: MLX binds to the BLAS that is there when it loads.
        import mlx.core as mx
        from mlx_lm.utils import load_model

        from agent.engine import mlx_caches

        self.mx: Any = mx
        self.free_bytes = free_bytes
        self._caches = mlx_caches
        try:
            self.network, config = load_model(folder, lazy=True)
            self._on_processor = mx.default_device().type == mx.DeviceType.cpu
            stored, declared = self._float_type(), _declared_type(config)
            chosen = kv_dtype(stored, declared, on_processor=self._on_processor)
            self.kv_dtype = chosen if numbers == "auto" else numbers
            self.family: Family = self.new_kv().cache.family
            self.vocabulary_size: int = self.network(mx.array([[0]])).shape[-1]
            if not only_look:
                self._load(folder)
        except Exception as error:
            mend = "Remove the model and fetch it again, or choose another one."
            raise _typed(error, f"mlx-lm could not load {folder}", mend) from error
        self.window_tokens = window_tokens(config)
        self._heads: int = (config | (config.get("text_config") or {})).get("num_attention_heads", 0)

    def new_kv(self) -> Kv:
        """An empty KV cache."""
        return Kv(self._new_cache(), (), Checkpoints(_CHECKPOINTS))

    def load_kv(self, path: Path, tokens: Sequence[int]) -> Kv:
        """What `save_kv` wrote when `tokens` began with what the cache held; it may hold fewer than those.

        Raises RuntimeError, ValueError or LookupError when the file is no cache of this model.
        """
        arrays, metadata = self.mx.load(str(path), return_metadata=True)
        about: dict[str, Any] = json.loads(metadata["utter"])
        kv = self.new_kv()
        expected = {"format": _FORMAT, "family": self.family.name, "dtype": self.kv_dtype}
        if {name: about[name] for name in expected} != expected or not 0 <= about["tokens"] <= len(tokens):
            raise ValueError(f"{path} is the cache of another model")
        self.mx.eval(arrays)
        kv.tokens = tuple(tokens[: about["tokens"]])
        if kv.tokens:
            kv.cache.put_named(arrays, len(kv.tokens))
        kv.checkpoints.pinned = set(about["pinned"])
        for place in about["checkpoints"]:
            self._keep_checkpoint(kv, place, kv.cache.states_named(arrays, f"checkpoint.{place}"))
        return kv

    def save_kv(self, path: Path, kv: Kv) -> None:
        """Write `kv` and its checkpoints; `path` ends in `.safetensors`.

        Of a model whose layers are of an unknown kind nothing is written but that it holds nothing.
        """
        known = self.family is not Family.UNKNOWN
        about = {
            "format": _FORMAT,
            "family": self.family.name,
            "dtype": self.kv_dtype,
            "tokens": len(kv.tokens) if known else 0,
            "checkpoints": sorted(kv.checkpoints.states),
            "pinned": sorted(kv.checkpoints.pinned),
        }
        self.mx.save_safetensors(str(path), self._named_arrays(kv), {"utter": json.dumps(about)})

    def saved_bytes(self, kv: Kv) -> int:
        """How much `save_kv` writes, but for a few hundred bytes of names."""
        return sum(array.nbytes for array in self._named_arrays(kv).values())

    def keep(self, kv: Kv, tokens: Sequence[int]) -> int:
        """Drop from `kv` all that is not a beginning of `tokens`; gives how many it still holds.

        Those are all that it shares with `tokens` where the family trims, else perhaps fewer.
        """
        end = shared_prefix(kv.tokens, tokens)
        if end < len(kv.tokens):
            end = self._go_back(kv, end)
        self._mark(kv)
        return end

    def pin(self, kv: Kv) -> None:
        """Make the present end a place to come back to for as long as the session lasts."""
        self._mark(kv)
        if len(kv.tokens) in kv.checkpoints.states:
            kv.checkpoints.pinned.add(len(kv.tokens))

    def prefill(self, kv: Kv, tokens: Sequence[int]) -> None:
        """Add `tokens` to `kv`, and make their end a place to come back to.

        Raises `OutOfMemory` before anything is computed where memory would not do, and `EngineError`, with
        `kv` empty, when MLX fails.
        """
        if self._on_processor:
            n_all = len(kv.tokens) + len(tokens)
            needed_bytes = attention_bytes(self._heads, len(tokens), n_all)
            check_memory(needed_bytes, self.free_bytes(), f"attention over {n_all:,} tokens")
        with self.computing(kv):
            self.extend(kv, tokens)
            self._mark(kv)

    def extend(self, kv: Kv, tokens: Sequence[int], *, positions: int = 1) -> Any:
        """Add `tokens` to `kv`; gives the logits after each of the last `positions` of them.

        Shape (positions, vocabulary), not evaluated. To be called within `computing`.
        """
        logits = self.network(self.mx.array([list(tokens)]), cache=kv.cache.layers)[0, -positions:]
        # Without the logits, which for a whole prompt would be gigabytes.
        self.mx.eval(kv.cache.arrays())
        if len(tokens) > 1:  # a chunk's intermediate values are large, and of sizes that do not come again
            self.mx.clear_cache()
        kv.tokens = (*kv.tokens, *tokens)
        return logits

    def extend_ahead(self, kv: Kv, token: Any) -> Ahead:
        """Begin to compute what `token`, shape (1,), adds to `kv`, without waiting even for the token itself.

        Until it is known and `kv.tokens` tells of it, nothing but `take_back` may be done with `kv`. Not for
        a family that cannot be taken back. To be called within `computing`.
        """
        states = kv.cache.states()
        logits = self.network(token[None], cache=kv.cache.layers)[0]
        self.mx.async_eval(logits, kv.cache.arrays())
        return Ahead(logits, states)

    def take_back(self, kv: Kv, ahead: Ahead) -> None:
        """Bring `kv` to where it was before `extend_ahead`."""
        kv.cache.cut(len(kv.tokens))
        kv.cache.put_states(ahead.states)

    @contextmanager
    def computing(self, kv: Kv) -> Generator[None]:
        """Turns a failure of MLX into an `EngineError`, and empties `kv`.

        Some of its layers may be a step ahead of others then; what it held is computed again when needed.
        """
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            problem = f"MLX failed after {len(kv.tokens)} tokens"
            self._empty(kv)
            self.mx.clear_cache()
            raise _typed(error, problem, "The conversation is as it was; try again.") from error

    def _go_back(self, kv: Kv, end: int) -> int:
        if self.family.checkpoints:
            end = kv.checkpoints.back_to(end)
        if end == 0 or self.family is Family.UNKNOWN or not kv.cache.held(len(kv.tokens)):
            self._empty(kv)
            return 0
        kv.cache.cut(end)
        if self.family.checkpoints:
            kv.cache.put_states(kv.checkpoints.states[end])
        kv.tokens = kv.tokens[:end]
        return end

    def _named_arrays(self, kv: Kv) -> dict[str, Any]:
        if self.family is Family.UNKNOWN:
            return {}
        arrays: dict[str, Any] = kv.cache.named_arrays()
        for place, states in kv.checkpoints.states.items():
            arrays |= self._caches.named_states(states, f"checkpoint.{place}")
        return arrays

    def _empty(self, kv: Kv) -> None:
        new = self.new_kv()
        kv.cache, kv.tokens, kv.checkpoints = new.cache, new.tokens, new.checkpoints

    def _mark(self, kv: Kv) -> None:
        """Make this a place to come back to, where the model needs such places."""
        place = len(kv.tokens)
        if self.family.checkpoints and place and place not in kv.checkpoints.states:
            self._keep_checkpoint(kv, place, kv.cache.copy_states())

    def _keep_checkpoint(self, kv: Kv, place: int, states: States) -> None:
        size_bytes = max(1, self._caches.size_of(states))
        kv.checkpoints.limit = max(2, min(_CHECKPOINTS, _CHECKPOINT_BYTES // size_bytes))
        kv.checkpoints.add(place, states)

    def _new_cache(self) -> ModelCache:
        from mlx_lm.models.cache import make_prompt_cache

        return self._caches.ModelCache(make_prompt_cache(self.network))

    def _float_type(self) -> str:
        """The type of most of the floating-point numbers among the weights, such as "bfloat16"."""
        sizes: dict[str, int] = {}
        for _, array in self._floats():
            name = _type_name(array)
            sizes[name] = sizes.get(name, 0) + array.size
        return max(sizes, key=lambda name: sizes[name])

    def _load(self, folder: Path) -> None:
        self._cast()
        if self._on_processor:
            needed_bytes = sum(array.nbytes for _, array in self._flat())
            check_memory(needed_bytes, self.free_bytes(), f"loading {folder} in {self.kv_dtype}")
        self.mx.eval(self.network.parameters())

    def _cast(self) -> None:
        """Bring the weights to `kv_dtype`, but for those that the model wants more exact."""
        from mlx.utils import tree_unflatten

        if self._float_type() == self.kv_dtype != "float32":
            return  # a few weights in float32 among those of 16 bits are meant
        wanted = getattr(self.mx, self.kv_dtype)
        may_narrow: Callable[[str], bool] = getattr(self.network, "cast_predicate", bool)
        cast = [
            (path, array.astype(wanted))
            for path, array in self._floats()
            if self.kv_dtype == "float32" or may_narrow(path)
        ]
        self.network.update(tree_unflatten(cast))

    def _floats(self) -> list[tuple[str, Any]]:
        return [item for item in self._flat() if self.mx.issubdtype(item[1].dtype, self.mx.floating)]

    def _flat(self) -> list[tuple[str, Any]]:
        """The weights by path."""
        from mlx.utils import tree_flatten

        flat: Any = tree_flatten(self.network.parameters())
        return flat


def kv_dtype(stored: str, declared: str, *, on_processor: bool) -> str:
    """The type to compute in and to keep keys and values in: "float32", "float16" or "bfloat16".

    On a processor MLX hands only float32 to BLAS (177 GFLOP/s; float16 gets 4, bfloat16 5), and keys of
    another type would be converted at every step; mixtures of experts run in no other type there (GatherMM).
    A GPU is quickest with 16 bits: those that the weights are
    `stored` in, and for float32 weights float16, save where the model was `declared` in bfloat16, whose
    values may lie beyond float16's 65,504.
    """
    if on_processor:
        return "float32"
    if stored != "float32":
        return stored
    return "bfloat16" if declared == "bfloat16" else "float16"


def _declared_type(config: dict[str, Any]) -> str:
    """The type the model was published in, from its configuration; empty where it does not say."""
    text: dict[str, Any] = config.get("text_config") or {}
    names = [part.get(name) for part in (config, text) for name in ("dtype", "torch_dtype")]
    return next((name for name in names if isinstance(name, str)), "")


def _type_name(array: Any) -> str:
    return str(array.dtype).rpartition(".")[2]


def _typed(error: Exception, problem: str, mend: str) -> EngineError:
    """`error` of MLX as one of ours."""
    if isinstance(error, EngineError):
        return error
    reason = str(error).strip().partition("\n")[0][:300] or type(error).__name__
    if isinstance(error, MemoryError) or "allocate" in reason or "memory" in reason.lower():
        return out_of_memory(reason)
    return EngineError(f"{problem} ({reason}). {mend}")
