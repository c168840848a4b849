"""Whole prompts with breakpoints: what is kept, for how long, and how it is counted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cache.entry import Retention
from agent.cache.store import PrefixStore
from agent.engine.scripted import ScriptedEngine
from agent.events import Usage
from agent.prompting import Breakpoint, BreakpointsRefused, check, count, read_prompt

PROMPT = tuple(range(500))
HOUR, MINUTES = Retention.ONE_HOUR, Retention.FIVE_MINUTES


def read(folder: Path, tokens: tuple[int, ...], *breakpoints: Breakpoint) -> Usage:
    """By a new process."""

    async def body() -> Usage:
        done = await read_prompt(ScriptedEngine([], keep_in=folder), tokens, breakpoints)
        assert done.session.tokens == tokens
        return done.usage

    return asyncio.run(body())


def test_what_a_breakpoint_covers_is_written_once_and_then_read(tmp_path: Path) -> None:
    points = (Breakpoint(200, HOUR), Breakpoint(400, MINUTES))
    assert read(tmp_path, PROMPT, *points) == Usage(100, 400, 0)
    assert read(tmp_path, PROMPT, *points) == Usage(100, 0, 400)
    other = (*PROMPT[:300], *range(9_000, 9_200))
    assert read(tmp_path, other, *points) == Usage(100, 100, 300)
    assert read(tmp_path, (*PROMPT[:200], *range(7_000, 7_300)), points[0]) == Usage(300, 0, 200)


def test_a_breakpoint_within_what_is_kept_already_keeps_it_as_long_as_it_says(tmp_path: Path) -> None:
    assert read(tmp_path, PROMPT, Breakpoint(400, MINUTES)) == Usage(100, 400, 0)
    assert read(tmp_path, PROMPT, Breakpoint(200, HOUR)) == Usage(300, 0, 200)
    assert [entry.retention for entry in PrefixStore(tmp_path).entries()] == [HOUR]


def test_without_a_breakpoint_nothing_is_kept_and_nothing_claimed(tmp_path: Path) -> None:
    assert [read(tmp_path, PROMPT) for _ in range(2)] == [Usage(500, 0, 0)] * 2


@pytest.mark.parametrize(
    "breakpoints",
    [
        [Breakpoint(n) for n in (100, 200, 300, 400, 500)],
        [Breakpoint(200), Breakpoint(100)],
        [Breakpoint(501)],
        [Breakpoint(100, MINUTES), Breakpoint(200, HOUR)],
        [Breakpoint(100, HOUR), Breakpoint(200, Retention.PINNED)],
    ],
)
def test_breakpoints_out_of_bounds_or_order_are_refused(breakpoints: list[Breakpoint]) -> None:
    with pytest.raises(BreakpointsRefused):
        check(breakpoints, len(PROMPT))


@given(st.integers(0, 9_000), st.integers(0, 20_000), st.integers(0, 9_000))
def test_the_three_counts_are_disjoint_and_sum_to_the_prompt(
    prompt_tokens: int, computed_tokens: int, breakpoint_tokens: int
) -> None:
    breakpoint_tokens = min(breakpoint_tokens, prompt_tokens)
    usage = count(prompt_tokens, computed_tokens, breakpoint_tokens)
    counts = (usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens)
    assert min(counts) >= 0
    assert sum(counts) == prompt_tokens
    assert usage.cache_read_input_tokens <= max(prompt_tokens - computed_tokens, 0)
