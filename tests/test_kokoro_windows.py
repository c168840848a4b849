"""Kokoro's frames are made sound a window at a time: the first soon, each cut in quiet between two words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.audio.frames import Samples
from voice.speaking.engines.kokoro import KokoroSynthesiser
from voice.speaking.engines.windows import Middle, sounded, windows

LONG = "The function reads eleven lines from the settings file and returns a dictionary of strings."
HOP, CONTEXT, FADE = 600, 10, 240
BEFORE, AFTER = 4, 5  # frames of the marks


def middle(energy: np.ndarray, hz: np.ndarray | None = None) -> Middle:
    """Of frames that hold their own number."""
    n = len(energy)
    pitch = np.zeros(n) if hz is None else hz
    halves = (np.repeat(one, 2)[None].astype(np.float32) for one in (pitch, energy))
    return Middle(np.tile(np.arange(n, dtype=np.float32), (1, 512, 1)), *halves)


def said(n_words: int, word: int, gap: int = 6, pause: str = " ") -> tuple[list[str], np.ndarray, list[int]]:
    """Signs and durations of words of so many frames and what is between them; and where each gap begins."""
    signs, durations, gaps = list[str](), [float(BEFORE)], list[int]()
    for number in range(n_words):
        if number:
            gaps.append(int(sum(durations)))
            signs += pause
            durations += [gap / len(pause)] * len(pause)
        signs.append("a")
        durations.append(float(word))
    return signs, np.array([*durations, AFTER], np.float32), gaps


@given(
    st.lists(st.tuples(st.integers(1, 60), st.sampled_from([" ", ", ", ". ", " — ", ""])), max_size=60),
    st.integers(0, 2**32 - 1),
)
def test_windows_are_all_frames_once_and_none_is_empty(words: list[tuple[int, str]], seed: int) -> None:
    signs = [sign for _, pause in words for sign in ["a", *pause]]
    durations = [float(d) for length, pause in words for d in [length, *(2 for _ in pause)]]
    whole = np.array([BEFORE, *durations, AFTER])
    random = np.random.default_rng(seed)
    n = int(whole.sum())
    found = windows(signs, whole, middle(random.normal(0, 8, n), random.choice([0.0, 120.0], n)))
    assert found[0][0] == 0 and found[-1][1] == n
    assert all(one[1] == other[0] for one, other in pairwise(found))
    assert all(end > start for start, end in found)


@pytest.mark.parametrize("pause", [" ", ", ", " — "])
def test_a_cut_is_between_words_at_the_quietest_frame(pause: str) -> None:
    signs, durations, gaps = said(40, 12, pause=pause)
    energy = np.full(int(durations.sum()), -9.0)  # words are quieter, and yet not cut
    for gap in gaps:
        energy[gap - 1 : gap + 7] = 5.0
        energy[gap + 4] = 0.0
    cuts = [start for start, _ in windows(signs, durations, middle(energy))[1:]]
    assert len(cuts) >= 4
    assert set(cuts) <= {gap + 4 for gap in gaps}


def test_of_two_gaps_the_unvoiced_one_is_cut() -> None:
    signs, durations, gaps = said(24, 4)
    near, nearest = gaps[3:5]
    energy, hz = np.zeros(int(durations.sum())), np.full(int(durations.sum()), 120.0)
    energy[near : near + 6] = -0.5
    assert windows(signs, durations, middle(energy, hz))[0][1] in range(nearest - 1, nearest + 7)
    hz[near + 2 : near + 4] = 0.0
    assert windows(signs, durations, middle(energy, hz))[0][1] == near + 2


@pytest.mark.parametrize("word", [4, 9, 14])
def test_the_first_window_is_short_and_each_may_be_made_while_the_one_before_sounds(word: int) -> None:
    signs, durations, _ = said(100, word)
    spans = windows(signs, durations, middle(np.zeros(int(durations.sum()))))
    lengths = [end - start for start, end in spans]
    assert 0.5 <= 0.025 * lengths[0] <= 1.6
    assert max(lengths) <= 1.5 * 200
    assert all(0.38 * (later + 2 * CONTEXT) < sooner for sooner, later in pairwise(lengths))


def test_one_word_is_one_window() -> None:
    signs, durations, _ = said(1, 300)
    assert len(windows(signs, durations, middle(np.zeros(309)))) == 1


def test_a_part_of_the_frames_has_its_own_pitch_and_energy() -> None:
    whole = middle(np.arange(10.0), np.arange(100.0, 110.0))
    part = whole.part(3, 5)
    assert part.n_frames == 2
    assert part.frames[0, 0].tolist() == [3, 4]
    assert part.pitch[0].tolist() == [103, 103, 104, 104]
    assert part.energy[0].tolist() == [3, 3, 4, 4]


def test_windows_sound_as_the_whole_where_the_decoder_says_the_same() -> None:
    def decode(part: Middle) -> Samples:
        return np.repeat(part.frames[0, 0], HOP)

    whole = middle(np.zeros(100))
    pieces = list(sounded([(0, 30), (30, 55), (55, 100)], whole, decode))
    assert [len(piece) for piece in pieces] == [30 * HOP, 25 * HOP, 45 * HOP]
    assert np.allclose(np.concatenate(pieces), np.repeat(np.arange(100), HOP), atol=1e-4)


def test_one_window_gives_way_to_the_next_without_a_step() -> None:
    turn = iter([1.0, -1.0])
    pieces = sounded(
        [(0, 30), (30, 60)], middle(np.zeros(60)), lambda part: np.full(part.n_frames * HOP, next(turn))
    )
    whole = np.concatenate(list(pieces))
    at = 30 * HOP
    assert (whole[:at] == 1).all() and (whole[at + FADE :] == -1).all()
    assert np.abs(np.diff(whole)).max() < 2.1 / FADE


@pytest.mark.parametrize("text", [LONG, "Seven tests passed, one failed:", "word " * 150])
def test_a_sentence_sounds_before_all_of_it_is_made(kokoro: KokoroSynthesiser, text: str) -> None:
    pieces = kokoro.synthesise(text)
    first = next(pieces)
    whole = np.concatenate([first, *pieces])
    assert np.isfinite(whole).all()
    assert len(first) < 1.7 * kokoro.sample_rate < len(whole)


def test_one_word_sounds(kokoro: KokoroSynthesiser) -> None:
    whole = np.concatenate(list(kokoro.synthesise("Yes.")))
    assert 0.3 < len(whole) / kokoro.sample_rate < 1.5
    assert np.abs(whole).max() > 0.1
