"""Keys of prefixes: what they share, what they tell apart; and which entries make room."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cache.entry import Entry, Retention
from agent.cache.eviction import to_evict, to_unpin
from agent.cache.keys import BLOCK_TOKENS, Seed, block_keys, pack, shared_tokens, unpack
from agent.engine.prefix import shared_prefix

SEED = Seed("weights", "q4", "template", "float16", "mlx 1")
TOKENS = st.lists(st.integers(0, 2**32 - 1), max_size=4 * BLOCK_TOKENS)


@given(TOKENS, TOKENS)
def test_two_prompts_have_the_same_keys_for_just_the_blocks_they_share(
    left: list[int], right: list[int]
) -> None:
    left_keys, right_keys = block_keys(SEED.digest(), left), block_keys(SEED.digest(), right)
    blocks = shared_prefix(left, right) // BLOCK_TOKENS
    assert left_keys[:blocks] == right_keys[:blocks]
    assert not set(left_keys[blocks:]) & set(right_keys[blocks:])


@given(TOKENS)
def test_only_whole_blocks_have_a_key_and_no_two_the_same(tokens: list[int]) -> None:
    keys = block_keys(SEED.digest(), tokens)
    assert len(set(keys)) == len(keys) == len(tokens) // BLOCK_TOKENS


@pytest.mark.parametrize("name", [field.name for field in fields(Seed)])
def test_the_same_tokens_under_anything_else_have_other_keys(name: str) -> None:
    other = replace(SEED, **{name: "other"})
    tokens = range(3 * BLOCK_TOKENS)
    assert not set(block_keys(SEED.digest(), tokens)) & set(block_keys(other.digest(), tokens))


@given(TOKENS, TOKENS)
def test_packed_tokens_come_back_and_share_what_they_shared(left: list[int], right: list[int]) -> None:
    assert list(unpack(pack(left))) == left
    assert shared_tokens(pack(left), pack(right)) == shared_prefix(left, right)


def entry(number: int, used_s: float, retention: Retention = Retention.RECENT) -> Entry:
    life_s = retention.time_to_live_s
    expires_s = None if life_s is None else used_s + life_s
    return Entry(number, f"{number}", 16, 100, "", retention, used_s, expires_s)


@pytest.mark.parametrize(
    ("more_bytes", "unpinned"), [(0, []), (200, []), (201, [2]), (300, [2]), (301, [2, 1]), (900, [2, 1])]
)
def test_of_too_many_pinned_ones_the_long_unused_are_pinned_no_longer(
    more_bytes: int, unpinned: list[int]
) -> None:
    entries = [
        entry(1, 900.0, Retention.PINNED),
        entry(2, 800.0, Retention.PINNED),
        entry(3, 100.0),
        entry(4, 200.0, Retention.ONE_HOUR),
    ]
    assert [entry.id for entry in to_unpin(entries, more_bytes, 400)] == unpinned


@pytest.mark.parametrize(
    ("needed_bytes", "gone"),
    [(0, [4]), (100, [4]), (101, [4, 2]), (300, [4, 2, 1]), (400, [4, 2, 1, 3]), (900, [4, 2, 1, 3])],
)
def test_the_expired_go_first_then_the_long_unused_and_never_what_is_pinned(
    needed_bytes: int, gone: list[int]
) -> None:
    entries = [
        entry(1, 900.0),
        entry(2, 800.0),
        entry(3, 990.0, Retention.FIVE_MINUTES),
        entry(4, 600.0, Retention.FIVE_MINUTES),
        entry(5, 1.0, Retention.PINNED),
    ]
    assert [entry.id for entry in to_evict(entries, needed_bytes, 1000.0)] == gone
