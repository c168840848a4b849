"""How alike names sound: what voices and recognisers mix up is near, other names are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.hearing.sounds import alike, sound

ANY = st.text(alphabet="abcdefghijklmnopqrstuvwxyz 0123456789", max_size=20)


@pytest.mark.parametrize(
    ("meant", "heard"),
    [
        ("rate limit", "raid limit"),
        ("parse config", "parts can fig"),
        ("unify types", "you'n if I types"),
        ("infer return type", "in for return type"),
        ("cache key", "cash key"),
        ("fold constants", "fault constance"),
        ("queue depth", "cue depth"),
    ],
)
def test_what_is_mixed_up_sounds_alike(meant: str, heard: str):
    assert alike(sound(meant), sound(heard)) > 0.8


@pytest.mark.parametrize(
    ("one", "other"),
    [("load session", "save session"), ("parse config", "drain queue"), ("peek token", "table")],
)
def test_other_names_do_not(one: str, other: str):
    assert alike(sound(one), sound(other)) < 0.75


@given(ANY, ANY)
def test_likeness_is_between_none_and_all_and_the_same_both_ways(one: str, other: str):
    a, b = sound(one), sound(other)
    assert 0.0 <= alike(a, b) <= 1.0
    assert alike(a, b) == pytest.approx(alike(b, a))
    assert alike(a, a) == 1.0
