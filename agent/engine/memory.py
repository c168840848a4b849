"""Whether a computation fits into memory. On a processor MLX does not ask: it dies where memory ends."""

from __future__ import annotations

import psutil

from agent.engine.protocol import OutOfMemory

_FLOAT_BYTES = 4


def free_bytes() -> int:
    """What programs can have without anything being moved out of memory."""
    return psutil.virtual_memory().available


def attention_bytes(heads: int, n_new: int, n_all: int) -> int:
    """What a layer's attention of `n_new` tokens over `n_all` takes at its peak: scores and their softmax.

    For MLX on a processor, where the scores of a layer are written out in float32.
    """
    return 2 * _FLOAT_BYTES * heads * n_new * n_all


def check_memory(needed_bytes: int, available_bytes: int, use: str) -> None:
    """Raises `OutOfMemory` when `use`, such as "to load DIR", needs more than there is."""
    if needed_bytes > available_bytes:
        needed, available = f"{needed_bytes / 1e9:.2f} GB", f"{available_bytes / 1e9:.2f} GB"
        raise out_of_memory(f"{use} takes {needed}, and {available} are free")


def out_of_memory(reason: str) -> OutOfMemory:
    """The error that says what to do."""
    return OutOfMemory(
        f"There is not enough memory for the language model: {reason}. "
        "Close other programs, lower engine.context_tokens, or choose a smaller model."
    )
