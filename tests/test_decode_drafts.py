"""Drafts from what is already there, whether they pay, and loops."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.decode.lookup import NGRAM_TOKENS, Lookup
from agent.decode.payoff import Payoff
from agent.decode.repetition import LoopWatch

TOKENS = st.lists(st.integers(0, 3), max_size=40)
# Ids whose bytes look alike at the wrong places.
ODD_TOKENS = st.lists(st.sampled_from([0, 1, 256, 65536, 257, 16777216]), max_size=30)


@given(st.one_of(TOKENS, ODD_TOKENS), st.integers(1, 12))
def test_a_draft_is_what_followed_the_longest_ngram_that_was_there(tokens: list[int], most: int) -> None:
    draft = Lookup(tokens).draft(most)
    places: dict[int, list[int]] = {
        size: [end for end in range(size, len(tokens)) if tokens[end - size : end] == tokens[-size:]]
        for size in NGRAM_TOKENS
        if size < len(tokens)
    }
    longest = next((size for size in NGRAM_TOKENS if places.get(size)), None)
    if longest is None:
        assert draft is None
        return
    assert draft is not None
    assert draft.matched == longest
    last = max(places[longest])
    assert list(draft.tokens[: len(tokens) - last]) == tokens[last:][:most]
    assert len(draft.tokens) == most


@given(TOKENS, TOKENS)
def test_appending_is_as_good_as_having_been_there(before: list[int], after: list[int]) -> None:
    lookup = Lookup(before)
    lookup.append(after)
    assert lookup.draft(8) == Lookup([*before, *after]).draft(8)


def test_a_text_beside_the_session_is_drafted_from() -> None:
    lookup = Lookup([1, 2, 3, 7, 8])
    assert lookup.draft(4) is None
    lookup.add_source([5, 7, 8, 9, 10])
    draft = lookup.draft(4)
    assert draft is not None
    assert draft.tokens == (9, 10)


def learned(narrow_s: float, wide_s: float) -> Payoff:
    payoff = Payoff()
    for _ in range(30):
        payoff.observe_pass(1, narrow_s)
        for width in (4, 8, 16, 32, 64):
            payoff.observe_pass(width, wide_s)
    return payoff


def test_drafts_that_are_right_grow_long_and_those_that_are_wrong_end() -> None:
    payoff = learned(0.15, 0.35)
    for _ in range(20):
        payoff.observe_draft(12, 31, 31)
        payoff.observe_draft(2, 3, 0)
    assert payoff.draft_tokens(12, 63) >= 31
    assert payoff.draft_tokens(2, 63) == 0


def test_nothing_is_drafted_where_wide_passes_cost_as_much_as_all_their_tokens() -> None:
    payoff = Payoff()
    for _ in range(30):
        for width in (1, 4, 8, 16, 32, 64):
            payoff.observe_pass(width, 0.1 * width)
    assert payoff.draft_tokens(24, 63) == 0


def test_one_slow_pass_does_not_end_drafting() -> None:
    payoff = learned(0.15, 0.35)
    for _ in range(20):
        payoff.observe_draft(12, 31, 31)
    payoff.observe_pass(32, 60.0)
    assert payoff.draft_tokens(12, 63) > 0


def test_what_was_given_up_is_tried_again_after_a_while() -> None:
    payoff = learned(0.15, 0.35)
    for _ in range(20):
        payoff.observe_draft(6, 7, 0)
    asked = [payoff.draft_tokens(6, 63) for _ in range(400)]
    assert asked[0] == 0
    assert any(asked)


def test_where_rounding_decides_often_nothing_is_drafted() -> None:
    payoff = learned(0.15, 0.35)
    for _ in range(20):
        payoff.observe_draft(12, 31, 31)
    payoff.observe_picks(4000, 400)
    assert payoff.draft_tokens(12, 63) == 0


@pytest.mark.parametrize("most", range(70))
def test_a_draft_is_never_longer_than_what_there_is(most: int) -> None:
    assert 0 <= Payoff().draft_tokens(24, most) <= most


def ends_at(written: list[int], prompt: list[int] | None = None) -> int | None:
    watch = LoopWatch(prompt or [])
    return next((n for n, token in enumerate(written, start=1) if watch.push(token)), None)


@pytest.mark.parametrize("period", [1, 2, 7, 20, 64])
def test_a_loop_is_noticed(period: int) -> None:
    loop = list(range(period)) * 400
    begun = ends_at([900, 901, *loop])
    assert begun is not None
    assert begun <= 2 + max(120, 6 * period) + period


@pytest.mark.parametrize(
    "written",
    [
        [5] * 100,  # a rule of dashes
        [*range(30)] * 3,  # the same function three times
        [token for row in range(40) for token in (1, 2, 3, 100 + row)],  # a table with a column that counts
    ],
)
def test_what_only_looks_like_a_loop_goes_on(written: list[int]) -> None:
    assert ends_at(written) is None


def test_a_copy_of_what_the_user_has_is_no_loop() -> None:
    zeros = [7, 8] * 100
    assert ends_at(zeros) is not None
    assert ends_at(zeros, prompt=[1, *zeros, 2]) is None
