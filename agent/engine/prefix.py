"""How engines divide a prompt: what is held, what is computed in chunks, what is left for later. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from agent.engine.protocol import ContextFull

CHUNK_TOKENS = 512  # computed between two chances to cancel

# The last few tokens of a prompt are left to the generation that follows, which computes them in the one pass
# that it cannot do without. A pass of its own costs as much as three tokens more (1.5B Q4_K_M, two cores:
# 45 ms, and 68 tokens/s).
TAIL_TOKENS = 8

_TIMED_TOKENS = 64


def shared_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens both begin with."""
    same = zip(left, right, strict=False)
    return next((n for n, (a, b) in enumerate(same) if a != b), min(len(left), len(right)))


def left_as_tail(before_tokens: int, held_tokens: int) -> int:
    """How many of a session's tokens are missing because an earlier call, which counted them, left them."""
    missing_tokens = before_tokens - held_tokens
    return missing_tokens if 0 < missing_tokens <= TAIL_TOKENS else 0


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
