"""Earcons: short, soft, without clicks, and no two alike."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from voice.audio.earcons import LONGEST_S, Earcon, sound

RATE = 22_050


def signature(earcon: Earcon) -> np.ndarray:
    """Loudness by eight slices of time and twelve bands of pitch, on the longest earcon's scale."""
    padded = np.zeros(round(LONGEST_S * RATE), np.float32)
    padded[: len(sound(earcon, RATE))] = sound(earcon, RATE)
    edges = np.geomspace(60, 6000, 13)
    bins = np.fft.rfftfreq(len(padded) // 8, 1 / RATE)
    rows = []
    for slice_ in np.array_split(padded, 8):
        power = np.abs(np.fft.rfft(slice_, n=len(padded) // 8)) ** 2
        rows.append([np.sqrt(power[(bins >= low) & (bins < high)].sum()) for low, high in pairwise(edges)])
    flat = np.ravel(rows)
    return flat / np.linalg.norm(flat)


@pytest.mark.parametrize("rate", [16_000, 22_050, 48_000])
@pytest.mark.parametrize("earcon", Earcon)
def test_an_earcon_is_short_and_soft_and_begins_and_ends_in_silence(earcon: Earcon, rate: int):
    samples = sound(earcon, rate)
    assert samples.dtype == np.float32
    assert 0.02 * rate <= len(samples) <= LONGEST_S * rate
    assert 0.15 <= np.abs(samples).max() <= 0.25
    assert max(abs(samples[0]), abs(samples[-1])) < 0.01


@pytest.mark.parametrize(("one", "other"), list(combinations(Earcon, 2)), ids=lambda earcon: earcon.value)
def test_no_two_sound_alike(one: Earcon, other: Earcon):
    assert float(signature(one) @ signature(other)) < 0.85


def test_there_are_few_and_each_has_a_word_of_its_own():
    assert len(Earcon) <= 10
    assert len({earcon.value for earcon in Earcon}) == len(Earcon)
