"""Caches of sessions that are over: who gets which, and which are dropped."""

from __future__ import annotations

from agent.engine.recent import Kept, Recent


def kept(name: str, *tokens: int, size_bytes: int = 10) -> Kept[str]:
    return Kept(tokens, name, size_bytes)


def test_the_one_that_shares_most_is_handed_over_once() -> None:
    recent: Recent[str] = Recent(100)
    recent.put(kept("short", 1, 2, 9))
    recent.put(kept("long", 1, 2, 3, 4))
    for expected in ("long", "short"):
        taken = recent.take((1, 2, 3, 4, 5), more_than=1)
        assert taken is not None
        assert taken.cache == expected
    assert recent.take((1, 2, 3, 4, 5), more_than=0) is None


def test_nothing_is_taken_where_the_store_has_as_much() -> None:
    recent: Recent[str] = Recent(100)
    recent.put(kept("one", 1, 2, 3))
    assert recent.take((1, 2, 3), more_than=3) is None
    assert recent.take((1, 2, 3), more_than=2) is not None


def test_the_oldest_make_room_and_what_is_continued_goes() -> None:
    recent: Recent[str] = Recent(30)
    for number in range(4):
        recent.put(kept(str(number), number))
    assert recent.take((0,), more_than=0) is None
    recent.put(kept("one, longer", 1, 5))
    taken = recent.take((1,), more_than=0)
    assert taken is not None
    assert taken.cache == "one, longer"
    assert recent.take((1,), more_than=0) is None


def test_what_is_larger_than_the_budget_is_not_kept() -> None:
    recent: Recent[str] = Recent(30)
    recent.put(kept("large", 1, size_bytes=31))
    assert recent.take((1,), more_than=0) is None
