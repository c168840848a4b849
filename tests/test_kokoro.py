"""Kokoro speaks behind the same protocol, and says what is wrong when it cannot."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from agent.errors import UtterError
from agent.models.store import ModelStore
from voice.speaking.engines.kokoro import KokoroSynthesiser


def test_kokoro_speaks_english_in_clean_pieces(store: ModelStore) -> None:
    pytest.importorskip("kokoro_onnx", reason="the extra `kokoro` is not installed")
    kokoro = KokoroSynthesiser(store.path("kokoro"), "jm_kumo")
    pieces = list(kokoro.synthesise("Run the tests."))
    assert 0.5 < sum(map(len, pieces)) / kokoro.sample_rate < 3
    assert all(piece.dtype == np.float32 and 0.1 < np.abs(piece).max() < 1 for piece in pieces)
    assert list(kokoro.synthesise("🙂")) == []


def test_an_unknown_voice_is_named_with_those_there_are(store: ModelStore) -> None:
    pytest.importorskip("kokoro_onnx", reason="the extra `kokoro` is not installed")
    with pytest.raises(UtterError, match=r"'nobody'.*jm_kumo"):
        KokoroSynthesiser(store.path("kokoro"), "nobody")


def test_without_the_extra_the_error_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "kokoro_onnx", None)
    with pytest.raises(UtterError, match="kokoro-onnx"):
        KokoroSynthesiser(tmp_path, "jm_kumo")
