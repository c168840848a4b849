"""Kokoro speaks English in its voices and in mixtures of them, and says what is wrong when it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.errors import UtterError
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
