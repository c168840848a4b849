"""How engines divide a prompt: what is held, what is computed in chunks, what is left for later. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from agent.engine.protocol import ContextFull

CHUNK_TOKENS = 512  # computed between two chances to cancel

# So many of a prompt that goes on at once are left to the generation that follows, which computes them in
# the one pass that it cannot do without. A pass of its own costs as much as four tokens more (1.5B Q4_K_M,
# two cores: 80 ms with one token, 270 with 8, 650 with 32).
TAIL_TOKENS = 48

_TIMED_TOKENS = 64


def shared_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens both begin with."""
    same = zip(left, right, strict=False)
    return next((n for n, (a, b) in enumerate(same) if a != b), min(len(left), len(right)))


def counted_before(left_tokens: int, before_tokens: int, held_tokens: int, whole_tokens: int) -> int:
    """How many of a session's missing tokens an earlier call counted, which left the last `left_tokens`.

    Where nothing is added, the last one is computed for its logits, and was not lost.
    """
    if whole_tokens == before_tokens:
        left_tokens = max(left_tokens, 1)
    return min(left_tokens, max(before_tokens - held_tokens, 0))


def prefill_rate(before: float, n_tokens: int, seconds: float) -> float:
    """Tokens per second, smoothed; short runs, which are mostly overhead, change nothing."""
    if n_tokens < _TIMED_TOKENS or seconds <= 0:
        return before
    return (before + n_tokens / seconds) / 2 if before else n_tokens / seconds


def check_room(n_tokens: int, context_tokens: int) -> None:
    """Raises `ContextFull` unless a prompt of `n_tokens` fits, with one token to generate."""
    if n_tokens >= context_tokens:
        raise ContextFull(
            f"The conversation needs {n_tokens} tokens and the model's context holds {context_tokens}. "
            "Start a new conversation or raise the context."
        )
