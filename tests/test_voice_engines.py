"""What holds for every engine that speaks: clean pieces, lazily made, for any text, one clause at a time."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from typing import cast

import numpy as np
import pytest

from voice.speaking.pieces import GAP_S
from voice.speaking.resampled import at_rate
from voice.speaking.synthesis import Synthesiser


@pytest.fixture(params=["piper", "kokoro", "matched"])
def engine(request: pytest.FixtureRequest) -> Synthesiser:
    return cast(Synthesiser, request.getfixturevalue(request.param))


def test_speech_comes_in_clean_sentences_with_a_gap_after_each(engine: Synthesiser) -> None:
    pieces = list(engine.synthesise("All eight tests passed. Two files changed."))
    assert all(len(piece) and piece.dtype == np.float32 and piece.ndim == 1 for piece in pieces)
    gap = int(GAP_S * engine.sample_rate)
    ends = [index + 1 for index, piece in enumerate(pieces) if not piece[-gap:].any()]
    assert len(ends) == 2 and ends[1] == len(pieces)
    for sentence in (np.concatenate(pieces[: ends[0]]), np.concatenate(pieces[ends[0] :])):
        assert 0.3 < np.abs(sentence).max() < 1
        assert sentence[0] == 0 and not sentence[-gap:].any()
        assert np.abs(sentence[: int(0.1 * engine.sample_rate)]).max() > 0.01
        assert 0.5 < len(sentence) / engine.sample_rate < 4


def test_the_pieces_of_a_sentence_join_without_a_click(engine: Synthesiser) -> None:
    pieces = list(engine.synthesise("Nobody has changed this branch since Thursday, so merge it."))
    within = max(np.abs(np.diff(piece)).max() for piece in pieces)
    for before, after in pairwise(pieces):
        assert abs(after[0] - before[-1]) <= within


def test_a_sentence_can_be_left_after_its_first_piece(engine: Synthesiser) -> None:
    pieces = engine.synthesise("Nobody has changed this branch since Thursday, so merge it.")
    first = next(pieces)
    pieces.close()
    assert len(first) and list(pieces) == []
    assert sum(map(len, engine.synthesise("And another one."))) > 0


@pytest.mark.parametrize("text", ["", " \n", "🙂🎉", "...", "—", "\x00", "\ud800", "***"])
def test_text_with_nothing_to_say_gives_no_sound(engine: Synthesiser, text: str) -> None:
    assert list(engine.synthesise(text)) == []


@pytest.mark.parametrize("text", ["[[x]]", "a\x00b", "你好", "naïve café", "<b>", "日" * 400])
def test_odd_text_does_not_crash_and_is_never_loud_noise(engine: Synthesiser, text: str) -> None:
    for piece in engine.synthesise(text):
        assert np.isfinite(piece).all() and np.abs(piece).max() < 1
        assert np.sqrt(np.mean(piece**2)) < 0.35


def test_a_very_long_text_streams_and_can_be_left(engine: Synthesiser) -> None:
    tracemalloc.start()
    pieces = engine.synthesise("Every test has passed. " * 5_000)
    first = next(pieces)
    pieces.close()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(first) < 4 * engine.sample_rate
    assert peak_bytes < 40e6


def test_a_voice_is_given_at_the_rate_of_an_open_sink(matched: Synthesiser) -> None:
    """A session's sink keeps its rate when the voice changes."""
    resampled = at_rate(matched, 22_050)
    own, changed = (np.concatenate(list(v.synthesise("Hello there, you."))) for v in (matched, resampled))
    assert changed.dtype == np.float32 and np.abs(changed).max() <= 1
    assert len(changed) / 22_050 == pytest.approx(len(own) / matched.sample_rate, rel=0.2)
    assert at_rate(matched, matched.sample_rate) is matched
