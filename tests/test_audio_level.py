"""The level watch: each thing that hurts is said once, and a good microphone is left in peace."""

from __future__ import annotations

import numpy as np
import pytest

from voice.audio.frames import FRAME_SAMPLES
from voice.audio.level import ADVICE, Complaint, LevelWatch

RNG = np.random.default_rng(7)


def frame(level_db: float) -> np.ndarray:
    return (10 ** (level_db / 20) * RNG.standard_normal(FRAME_SAMPLES)).astype(np.float32)


def watch(speech: list[np.ndarray], noise: list[np.ndarray]) -> list[Complaint]:
    """Complaints over frames of noise and speech in turn."""
    level_watch = LevelWatch()
    found: list[Complaint] = []
    for one in noise:
        found += level_watch.process(one, is_speech=False)
    for one in speech:
        found += level_watch.process(one, is_speech=True)
    return found


def frames(level_db: float, n: int = 400) -> list[np.ndarray]:
    return [frame(level_db) for _ in range(n)]


def test_a_good_microphone_is_left_in_peace():
    assert watch(frames(-25), frames(-65)) == []


def test_faint_speech_is_told_once():
    assert watch(frames(-50, 2000), frames(-80)) == [Complaint.TOO_QUIET]


def test_a_noisy_room_is_told_once():
    assert watch(frames(-20), frames(-35, 2000)) == [Complaint.TOO_NOISY]


def test_speech_that_hardly_stands_out_of_the_noise_is_told():
    assert watch(frames(-42), frames(-50)) == [Complaint.TOO_NOISY]


def test_clipped_speech_is_told():
    loud = [np.clip(one * 3, -1, 1) for one in frames(-6)]
    assert watch(loud, frames(-60)) == [Complaint.CLIPPING]


def test_a_dead_microphone_is_told_after_three_seconds():
    level_watch = LevelWatch()
    zeros = np.zeros(FRAME_SAMPLES, np.float32)
    found = [level_watch.process(zeros, is_speech=False) for _ in range(600)]
    assert found[149] == (Complaint.DEAD,)
    assert sum(map(len, found)) == 1


def test_nothing_is_said_before_there_is_enough_to_judge():
    assert watch(frames(-60, 140), frames(-20, 240)) == []


def test_utters_own_voice_is_not_the_users():
    level_watch = LevelWatch()
    for one in frames(-60, 1000):
        assert level_watch.process(one, is_speech=True, is_own_voice=True) == ()
    assert level_watch.levels().speech_db is None


def test_the_measure_is_in_decibels():
    level_watch = LevelWatch()
    for one in frames(-30):
        level_watch.process(one, is_speech=True)
    assert level_watch.levels().speech_db == pytest.approx(-30, abs=0.5)


def test_every_complaint_has_advice():
    assert set(ADVICE) == set(Complaint)
