"""A whole prompt read at once, with breakpoints set by the caller, counted as the Anthropic API counts it.

Reference: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching. For callers that bring their
own history with every request; a conversation that grows in place does without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.cache.entry import MOST_BREAKPOINTS, Retention
from agent.engine.protocol import Engine, Session
from agent.errors import UtterError
from agent.events import Usage

_LIFE = (Retention.PINNED, Retention.ONE_HOUR, Retention.FIVE_MINUTES)  # in the order of a prompt


class BreakpointsRefused(UtterError):
    """Too many breakpoints, or in an order in which the longer-lived part would not come first."""


@dataclass(frozen=True)
class Breakpoint:
    """The first `n_tokens` of a prompt are to be kept for as long as `retention` says."""

    n_tokens: int
    retention: Retention = Retention.FIVE_MINUTES


@dataclass(frozen=True)
class Read:
    """A session that holds the prompt, and its counts; `output_tokens` is 0 as yet."""

    session: Session
    usage: Usage


async def read_prompt(engine: Engine, tokens: Sequence[int], breakpoints: Sequence[Breakpoint] = ()) -> Read:
    """Restore what is kept of `tokens`, compute the rest, and keep what the `breakpoints` ask for.

    Raises `BreakpointsRefused`, `ContextFull`, and `StoreError` where a breakpoint cannot be kept.
    """
    check(breakpoints, len(tokens))
    session = await engine.restore(tokens)
    for end, retention in [
        *((point.n_tokens, point.retention) for point in breakpoints),
        (len(tokens), None),
    ]:
        await session.prefill(tokens[len(session.tokens) : end])
        if retention is None:
            continue
        if len(session.tokens) == end:
            await session.save(retention)
        elif engine.keeper is not None:  # more than that was restored
            await engine.keeper.keep_on(tokens[:end], retention)
    last = breakpoints[-1].n_tokens if breakpoints else 0
    return Read(session, count(len(tokens), session.computed_tokens, last))


def check(breakpoints: Sequence[Breakpoint], n_tokens: int) -> None:
    """Raises `BreakpointsRefused` unless there are few enough, in order, and within the prompt."""
    if len(breakpoints) > MOST_BREAKPOINTS:
        raise BreakpointsRefused(
            f"At most {MOST_BREAKPOINTS} breakpoints can be set; {len(breakpoints)} are."
        )
    ends = [0, *(point.n_tokens for point in breakpoints), n_tokens]
    if any(before > after for before, after in pairwise(ends)):
        raise BreakpointsRefused("The breakpoints must lie in the prompt, in its order.")
    lives = [_LIFE.index(point.retention) for point in breakpoints if point.retention in _LIFE]
    if lives != sorted(lives):
        raise BreakpointsRefused("What lives for an hour must come before what lives for five minutes.")


def count(prompt_tokens: int, computed_tokens: int, breakpoint_tokens: int) -> Usage:
    """The three disjoint counts of a prompt whose last breakpoint lies after `breakpoint_tokens`.

    Read is what was not computed, as far as it is kept; what follows the last breakpoint is plain input.
    """
    not_computed = max(prompt_tokens - computed_tokens, 0)
    read = min(not_computed, breakpoint_tokens)
    return Usage(prompt_tokens - breakpoint_tokens, breakpoint_tokens - read, read)
