"""Voices that several test files speak with; each is loaded once for a worker."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from agent.models.store import ModelStore
from voice.speaking.engines.kokoro import KokoroSynthesiser
from voice.speaking.engines.piper import PiperSynthesiser
from voice.speaking.matching.colour import N_MOVED, Colour, transport
from voice.speaking.matching.likeness import SpeakerEncoder
from voice.speaking.matching.matched import MatchedSynthesiser, Matching
from voice.speaking.matching.shift import Shift


@pytest.fixture(scope="session")
def piper(store: ModelStore) -> PiperSynthesiser:
    onnxruntime.set_seed(3)  # the voice varies its delivery; the tests should not
    return PiperSynthesiser(store.path("piper-joe-split"))


@pytest.fixture(scope="session")
def kokoro(store: ModelStore) -> KokoroSynthesiser:
    return KokoroSynthesiser(store.path("kokoro-float"), "jm_kumo")


@pytest.fixture(scope="session")
def encoder(store: ModelStore) -> SpeakerEncoder:
    return SpeakerEncoder(store.path("speaker-encoder"))


@pytest.fixture(scope="session")
def matched(piper: PiperSynthesiser) -> MatchedSynthesiser:
    """Piper, higher and livelier; its colour is its own."""
    colour = Colour(np.zeros(N_MOVED), np.eye(N_MOVED))
    return MatchedSynthesiser(piper, Matching(Shift(86, 130, 1.2, 1.1), transport(colour, colour)))
