"""Kokoro speaks English in its voices and in mixtures of them, and says what is wrong when it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr

from agent.errors import UtterError
from agent.models.store import ModelStore
from voice import config
from voice.audio.frames import SAMPLE_RATE, Samples
from voice.enrolling import Ears
from voice.speaking.engines import kokoro as engine
from voice.speaking.engines.kokoro import KokoroSynthesiser
from voice.speaking.engines.phonemes import phonemes_of


def test_phonemes_carry_stress_and_the_ends_of_clauses() -> None:
    assert phonemes_of("Hello, you.") == "həlˈoʊ, juː."


def test_a_mixture_is_a_voice_of_its_own(kokoro: KokoroSynthesiser) -> None:
    def said(voice: str | dict[str, float]) -> np.ndarray:
        kokoro.use(voice)
        return np.concatenate(list(kokoro.synthesise("Hello there.")))

    alone, again, mixed = said("jm_kumo"), said({"jm_kumo": 1.0}), said({"jm_kumo": 0.5, "jf_nezumi": 0.5})
    kokoro.use("jm_kumo")
    assert np.array_equal(alone, again)
    assert len(mixed) != len(alone) or not np.allclose(mixed, alone, atol=0.05)


def test_an_unknown_voice_is_named_with_those_there_are(kokoro: KokoroSynthesiser) -> None:
    with pytest.raises(UtterError, match=r"'nobody'.*jm_kumo"):
        kokoro.use("nobody")


def test_a_missing_model_is_an_error_for_the_user(tmp_path: Path) -> None:
    with pytest.raises(UtterError, match="utter models"):
        KokoroSynthesiser(tmp_path, "jm_kumo")


SENTENCE = "Nobody has changed this branch since Thursday."


def said_by(voice: KokoroSynthesiser) -> Samples:
    return np.concatenate(list(voice.synthesise(SENTENCE)))


def log_power(samples: Samples) -> np.ndarray:
    """Of frames of 43 ms in 40 bands that widen upwards, shape (frames, 40)."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 1024)[::256] * np.hanning(1024)
    power = np.abs(np.fft.rfft(frames)) ** 2
    edges = np.geomspace(2, 512, 41).astype(int)
    return np.log(np.add.reduceat(power, edges[:-1], axis=1) + 1e-4)


def alike(one: Samples, other: Samples) -> float:
    """Correlation of the two, 1 where they are the same; they begin and end together."""
    n = min(len(one), len(other))
    assert abs(len(one) - len(other)) < 0.02 * KokoroSynthesiser.sample_rate  # trimmed by what is heard
    return float(np.corrcoef(log_power(one[:n]).ravel(), log_power(other[:n]).ravel())[0, 1])


def test_in_float_its_halves_say_what_it_says_in_int8(
    store: ModelStore, kokoro: KokoroSynthesiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = said_by(KokoroSynthesiser(store.path("kokoro"), "jm_kumo"))
    pieces = list(kokoro.synthesise(SENTENCE))
    monkeypatch.setattr(engine, "windows", lambda signs, durations, middle: [(0, middle.n_frames)])
    in_one = list(kokoro.synthesise(SENTENCE))
    assert len(pieces) > len(in_one)
    assert alike(np.concatenate(in_one), whole) > 0.99
    assert alike(np.concatenate(pieces), np.concatenate(in_one)) > 0.95


def test_what_it_says_is_understood(store: ModelStore, kokoro: KokoroSynthesiser) -> None:
    audio = soxr.resample(said_by(kokoro), kokoro.sample_rate, SAMPLE_RATE).astype(np.float32)
    assert Ears(config.load(), store).words(audio).strip(" .").lower() == SENTENCE.strip(".").lower()
