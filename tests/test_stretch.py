"""Time-stretching: the pace changes, the pitch does not, and a stream gives what the whole gives."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.audio.files import read_frames
from voice.audio.stretch import TimeStretcher, stretched

RATE = 16_000
SPEEDS = [0.5, 0.75, 1.25, 1.5, 2.0, 3.0]
REQUEST = Path(__file__).parent.parent / "demo" / "requests"


def voice(pitch_hz: float, length_s: float = 2.0) -> np.ndarray:
    """A buzz with overtones, like a vowel."""
    t = np.arange(round(length_s * RATE)) / RATE
    return (0.2 * sum(np.sin(2 * np.pi * k * pitch_hz * t) / k for k in range(1, 9))).astype(np.float32)


def pitch_hz(samples: np.ndarray) -> float:
    """By autocorrelation over the middle half second, 60 to 400 Hz, to a fraction of a sample."""
    middle = samples[len(samples) // 2 - RATE // 4 :][: RATE // 2].astype(np.float64)
    likeness = np.correlate(middle, middle, "full")[len(middle) - 1 :]
    lags = np.arange(RATE // 400, RATE // 60)
    best = int(lags[np.argmax(likeness[lags])])
    left, mid, right = likeness[best - 1 : best + 2]
    return RATE / (best + 0.5 * (left - right) / (left - 2 * mid + right))


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("pitch", [85.0, 120.0, 210.0, 300.0])
def test_the_pitch_stays(speed: float, pitch: float):
    assert pitch_hz(stretched(voice(pitch), RATE, speed)) == pytest.approx(pitch, rel=0.01)


@pytest.mark.parametrize("speed", SPEEDS)
def test_the_length_goes_with_the_speed(speed: float):
    assert len(stretched(voice(120), RATE, speed)) == pytest.approx(2 * RATE / speed, abs=0.03 * RATE)


@pytest.mark.parametrize("speed", SPEEDS)
def test_the_loudness_stays(speed: float):
    before, after = voice(120), stretched(voice(120), RATE, speed)
    inner = slice(RATE // 10, -RATE // 10)
    assert np.std(after[inner]) == pytest.approx(np.std(before[inner]), rel=0.1)


@pytest.mark.parametrize("speed", [0.5, 3.0])
def test_speech_keeps_its_spectrum(speed: float):
    said = np.concatenate(list(read_frames(sorted(REQUEST.glob("*.flac"))[0])))
    before, after = (spectrum(one) for one in (said, stretched(said, RATE, speed)))
    assert np.corrcoef(before, after)[0, 1] > 0.95


def spectrum(samples: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(samples, 512)[::256] * np.hanning(512)
    power = np.square(np.abs(np.fft.rfft(windows))).sum(axis=0)[:256]
    return np.log(power.reshape(32, 8).sum(axis=1) / power.sum() + 1e-6)


def test_at_speed_one_nothing_is_altered():
    said = voice(120)
    np.testing.assert_array_equal(stretched(said, RATE, 1.0), said)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 4000), max_size=12), st.sampled_from(SPEEDS))
def test_a_stream_in_pieces_gives_what_the_whole_gives(sizes: list[int], speed: float):
    said = voice(140, 1.0)[: sum(sizes)]
    stretcher = TimeStretcher(RATE, speed)
    cuts = np.cumsum([0, *sizes])
    pieces = [stretcher.process(said[a:b]) for a, b in pairwise(cuts)]
    joined = np.concatenate([*pieces, stretcher.flush()])
    np.testing.assert_allclose(joined, stretched(said, RATE, speed), atol=1e-6)
    assert len(joined) == pytest.approx(len(said) / speed, abs=0.05 * RATE)


def test_the_speed_may_change_while_it_speaks():
    said = voice(120, 4.0)
    stretcher = TimeStretcher(RATE, 2.0)
    fast = stretcher.process(said[: 2 * RATE])
    stretcher.speed = 0.5
    slow = np.concatenate((stretcher.process(said[2 * RATE :]), stretcher.flush()))
    assert len(fast) == pytest.approx(RATE, abs=0.08 * RATE)
    assert len(slow) == pytest.approx(4 * RATE, abs=0.15 * RATE)


def test_memory_does_not_grow_with_the_stream():
    stretcher = TimeStretcher(RATE, 1.5)
    for _ in range(200):
        stretcher.process(voice(120, 0.1))
        assert len(stretcher._input) < RATE // 2


@pytest.mark.parametrize("speed", [0.4, 3.1, 0.0, -1.0, float("nan")])
def test_other_speeds_are_refused(speed: float):
    with pytest.raises(ValueError, match="speed"):
        TimeStretcher(RATE, speed)
