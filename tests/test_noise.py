"""Steady noise is taken out of what Whisper hears; speech is left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voice.audio.files import read_frames
from voice.audio.frames import SAMPLE_RATE
from voice.hearing.noise import without_noise

REQUEST = Path(__file__).parent.parent / "demo" / "requests" / "2-parse-config.flac"


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.square(samples, dtype=np.float64).mean()))


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return np.concatenate(list(read_frames(REQUEST)))


def test_clean_speech_is_left_as_it_is(speech: np.ndarray):
    assert level_db(without_noise(speech) - speech) < level_db(speech) - 25


def test_noisy_speech_becomes_more_like_the_clean_one(speech: np.ndarray):
    noise = np.random.default_rng(1).standard_normal(len(speech)).astype(np.float32)
    noise *= 10 ** ((level_db(speech) - 10 - level_db(noise)) / 20)
    cleaned = without_noise(speech + noise)
    assert level_db(cleaned - speech) < level_db(noise) - 1


def test_speech_without_a_pause_is_not_taken_for_noise(speech: np.ndarray):
    loud = np.flatnonzero(np.abs(speech) > 0.05)
    spoken = speech[loud[0] : loud[-1]]
    np.testing.assert_array_equal(without_noise(spoken), spoken)


def test_a_steady_sound_alone_is_only_softer():
    tone = (0.3 * np.sin(2 * np.pi * 300 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)).astype(np.float32)
    cleaned = without_noise(tone)[2000:-2000]
    assert level_db(tone) - 11 < level_db(cleaned) < level_db(tone) - 3


@pytest.mark.parametrize("length", [0, 1, 511, 512, 513, 16_001])
def test_the_length_and_silence_stay(length: int):
    silence = np.zeros(length, np.float32)
    cleaned = without_noise(silence)
    assert cleaned.dtype == np.float32
    np.testing.assert_array_equal(cleaned, silence)
    assert len(without_noise(silence + 0.5)) == length


def test_audio_that_is_clipped_stays_finite():
    loud = np.sign(np.random.default_rng(2).standard_normal(SAMPLE_RATE)).astype(np.float32)
    assert np.isfinite(without_noise(loud)).all()
