"""Kokoro's frames are made sound a window at a time: the first soon, each cut in quiet between two words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.speaking.engines.kokoro import KokoroSynthesiser
from voice.speaking.engines.windows import Middle, windows

LONG = "The function reads eleven lines from the settings file and returns a dictionary of strings."


def middle(n_frames: int, energy: np.ndarray | None = None) -> Middle:
    zeros = np.zeros((1, 2 * n_frames), np.float32)
    own = zeros if energy is None else np.repeat(energy, 2)[None].astype(np.float32)
    return Middle(np.zeros((1, 512, n_frames), np.float32), zeros, own)


def said(words: list[list[int]]) -> tuple[list[str], np.ndarray]:
    """Signs and durations of words whose sounds last so many frames, with two frames between words."""
    signs, durations = list[str](), [4.0]
    for number, word in enumerate(words):
        signs += [" "] * bool(number) + ["a"] * len(word)
        durations += [2.0] * bool(number) + [float(one) for one in word]
    return signs, np.array([*durations, 5.0], np.float32)


@given(st.lists(st.lists(st.integers(1, 12), min_size=1, max_size=8), min_size=1, max_size=60))
def test_windows_are_all_frames_once_and_none_is_empty(words: list[list[int]]) -> None:
    signs, durations = said(words)
    n_frames = int(durations.sum())
    found = windows(signs, durations, middle(n_frames))
    assert found[0][0] == 0 and found[-1][1] == n_frames
    assert all(one[1] == other[0] for one, other in pairwise(found))
    assert all(end > start for start, end in found)


def test_a_cut_is_between_words_and_none_is_in_a_word() -> None:
    words = [[6, 6]] * 40
    signs, durations = said(words)
    ends = np.cumsum(durations).astype(int)
    between = {
        frame
        for at, sign in enumerate(signs)
        if sign == " "
        for frame in range(ends[at] - 1, ends[at + 1] + 2)
    }
    cuts = [start for start, _ in windows(signs, durations, middle(int(durations.sum())))[1:]]
    assert len(cuts) >= 3
    assert set(cuts) <= between


def test_the_first_window_is_short_and_those_after_it_may_be_made_while_it_sounds() -> None:
    signs, durations = said([[6, 6]] * 60)
    lengths = [end - start for start, end in windows(signs, durations, middle(int(durations.sum())))]
    assert 0.5 <= lengths[0] * 0.025 <= 1.4
    # The last takes what is left.
    assert all(later <= 2.3 * sooner for sooner, later in pairwise(lengths[:-1]))


def test_the_quieter_of_two_places_is_cut() -> None:
    signs, durations = said([[4, 4]] * 24)
    ends = np.cumsum(durations).astype(int)
    energy = np.full(int(durations.sum()), 5.0)
    spaces = [at for at, sign in enumerate(signs) if sign == " "]
    quiet = int(ends[spaces[4]])
    energy[quiet : quiet + 2] = -9.0
    assert windows(signs, durations, middle(len(energy), energy))[0][1] in (quiet, quiet + 1)


def test_one_word_is_one_window() -> None:
    signs, durations = said([[9] * 30])
    assert len(windows(signs, durations, middle(int(durations.sum())))) == 1


@pytest.mark.parametrize("text", [LONG, "Seven tests passed, one failed:", "Yes.", "word " * 150])
def test_a_sentence_sounds_before_all_of_it_is_made(kokoro: KokoroSynthesiser, text: str) -> None:
    pieces = list(kokoro.synthesise(text))
    whole = np.concatenate(pieces)
    assert np.isfinite(whole).all() and np.abs(whole).max() < 1
    if len(text) > 40:
        assert len(pieces[0]) < 1.6 * kokoro.sample_rate < len(whole)


def test_no_click_where_one_window_gives_way_to_the_next(kokoro: KokoroSynthesiser) -> None:
    pieces = list(kokoro.synthesise(LONG))
    whole = np.concatenate(pieces)
    steps = np.abs(np.diff(whole))
    for at in np.cumsum([len(piece) for piece in pieces[:-2]]):
        assert steps[at - 480 : at + 480].max() <= np.quantile(steps, 0.999)
