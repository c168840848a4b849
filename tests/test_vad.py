"""The speech detector: noise of every kind is not speech, and speech in noise is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from noises import LEVELS_DB, NOISES, at_level, coloured, frames

from voice.audio.files import read_frames
from voice.hearing.segment import UtteranceSegmenter
from voice.hearing.vad import SILENCE_DB, GateSettings, NoiseGate, VoiceDetector, level_db

REQUESTS = sorted((Path(__file__).parent.parent / "demo" / "requests").glob("*.flac"))


def speech(path: Path) -> np.ndarray:
    return np.concatenate([np.zeros(8000, np.float32), *read_frames(path), np.zeros(16_000, np.float32)])


@pytest.mark.parametrize("level", LEVELS_DB)
@pytest.mark.parametrize("name", [name for name in NOISES if name not in ("music", "brown noise")])
def test_noise_is_no_utterance(name: str, level: float):
    utterances = UtteranceSegmenter(VoiceDetector()).run(frames(at_level(NOISES[name], level)))
    assert list(utterances) == []


@pytest.mark.parametrize("request_audio", REQUESTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("snr_db", [None, 20, 10])
def test_a_request_is_one_utterance_in_quiet_and_in_noise(request_audio: Path, snr_db: float | None):
    samples = speech(request_audio)
    if snr_db is not None:
        voiced = samples[np.abs(samples) > 0.01]
        level = np.sqrt(np.mean(voiced**2)) * 10 ** (-snr_db / 20)
        samples = samples + level * np.resize(coloured(1), len(samples))
    (utterance,) = UtteranceSegmenter(VoiceDetector()).run(frames(samples.astype(np.float32)))
    loud = np.flatnonzero(np.abs(speech(request_audio)) > 0.05)
    assert utterance.speech_start - 0.3 * 16_000 <= loud[0]
    assert utterance.endpoint >= loud[-1]


def test_the_gate_opens_for_what_stands_out_of_the_noise_and_holds_a_little_below():
    gate = NoiseGate(GateSettings(margin_db=6.0, hold_margin_db=4.0))
    levels = [-40.0] * 20 + [-35.0, -33.0, -35.0, -37.0, -35.0]
    assert [gate.process(level) for level in levels][20:] == [False, True, True, False, False]


def test_the_gate_forgets_a_quiet_moment_after_its_memory():
    gate = NoiseGate(GateSettings(memory_s=1.0))
    gate.process(SILENCE_DB)
    assert [gate.process(-30.0) for _ in range(60)] == [True] * 49 + [False] * 11


def test_nothing_below_the_quietest_level_opens_the_gate():
    gate = NoiseGate()
    assert not any(gate.process(level) for level in [-90.0] * 10 + [-61.0] * 10)
    assert gate.process(-50.0)


def test_levels_are_decibels_of_full_scale():
    assert level_db(np.zeros(320, np.float32)) == SILENCE_DB
    assert level_db(np.ones(320, np.float32)) == pytest.approx(0.0)
    assert level_db(np.full(320, 0.1, np.float32)) == pytest.approx(-20.0, abs=1e-3)
