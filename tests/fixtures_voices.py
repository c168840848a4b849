"""Voices that several test files speak with; each is loaded once for a worker."""

from __future__ import annotations

import json

import numpy as np
import pytest

from agent.models.store import ModelStore
from voice.speaking.engines.kokoro import KokoroSynthesiser
from voice.speaking.engines.piper import PiperSynthesiser
from voice.speaking.matching.colour import N_MOVED, Colour, transport
from voice.speaking.matching.likeness import SpeakerEncoder
from voice.speaking.matching.matched import MatchedSynthesiser, Matching
from voice.speaking.matching.shift import Shift


@pytest.fixture(scope="session")
def piper(store: ModelStore, tmp_path_factory: pytest.TempPathFactory) -> PiperSynthesiser:
    """The plain voice without what varies its delivery: the tests should not depend on their order."""
    folder, model = tmp_path_factory.mktemp("piper"), store.path("piper-joe-split")
    for name in ("text.onnx", "audio.onnx"):
        (folder / name).symlink_to(model / name)
    settings = json.loads((model / "voice.json").read_text("utf-8"))
    settings["inference"] |= {"noise_scale": 0.0, "noise_w": 0.0}
    (folder / "voice.json").write_text(json.dumps(settings), "utf-8")
    return PiperSynthesiser(folder)


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
