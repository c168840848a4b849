"""What engines that clone share: texts of any script cut to fit, a reference cut at a pause, refusals."""

from __future__ import annotations

import errno
import importlib.util
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import UtterError
from voice.commands.voices import _start
from voice.speaking.engines.coqui import CoquiSynthesiser, keep_state
from voice.speaking.engines.mlx_audio import REFERENCE_S, MlxAudioSynthesiser, muted, opening_of
from voice.speaking.pieces import pieces_within, speakable_pieces

WORDS = st.text("ab ,.。です", max_size=300)


@settings(max_examples=50, deadline=None)
@given(WORDS, st.integers(5, 40))
def test_a_text_is_cut_to_fit_and_nothing_is_lost(text: str, limit: int) -> None:
    parts = list(pieces_within(text.strip(), limit))
    assert all(0 < len(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One two, three four five.", ["One two,", "three four five."]),
        ("one two three four", ["one two three", "four"]),
        ("今日は、いい天気ですね。そうですね。", ["今日は、いい天気ですね。", "そうですね。"]),
    ],
)
def test_a_text_is_cut_after_a_mark_else_at_a_space(text: str, parts: list[str]) -> None:
    assert list(pieces_within(text, 16)) == parts


def test_another_language_keeps_its_script_and_english_does_not_read_it() -> None:
    assert list(speakable_pieces("Все тесты прошли.", "ru")) == ["Все тесты прошли."]
    assert "script" in " ".join(speakable_pieces("Все тесты прошли."))
    assert list(speakable_pieces("🙂🎉", "ru")) == []


def test_a_long_recording_is_cut_at_a_pause() -> None:
    rate = 8_000
    sound = np.random.default_rng(1).normal(0, 0.1, 20 * rate).astype(np.float32)
    sound[9 * rate : 10 * rate] = 0
    opening = opening_of(sound, rate)
    assert 9 * rate <= len(opening) <= 10 * rate
    assert np.array_equal(opening_of(opening, rate), opening)
    assert len(opening_of(np.ones(30 * rate, np.float32), rate)) <= REFERENCE_S * rate


@pytest.mark.skipif(importlib.util.find_spec("TTS") is not None, reason="coqui-tts is in this run")
def test_a_voice_without_coqui_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(UtterError, match="needs the package coqui-tts"):
        CoquiSynthesiser(tmp_path, tmp_path / "reference.flac", tmp_path / "xtts.safetensors")


@pytest.mark.skipif(importlib.util.find_spec("mlx_audio") is not None, reason="mlx-audio is in this run")
def test_a_voice_without_mlx_audio_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(UtterError, match="needs the package mlx-audio"):
        MlxAudioSynthesiser(tmp_path, tmp_path / "reference.flac", "Words.")


@pytest.mark.parametrize(
    ("base", "language", "told"),
    [
        ("nobody", "en", "no base for a voice"),
        ("coqui", "sv", "speaks no 'sv'"),
        ("chatterbox", "fr", "speaks no 'fr'"),
        ("coqui", "fr", "utter models fetch xtts-v2"),
    ],
)
def test_what_cannot_speak_is_told_before_anything_is_read(
    base: str, language: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UtterError, match=told):
        _start(base, language)


def test_a_full_disk_leaves_no_part_of_what_was_to_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    keep_state(b"first", state)

    def fill(file: Path, data: bytes) -> None:
        with file.open("wb") as out:
            out.write(data[:2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    keep_state(b"second", state)
    assert [file.name for file in tmp_path.iterdir()] == ["state"] and state.read_bytes() == b"first"


def test_what_an_engine_prints_is_kept_back_and_what_others_print_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with muted():
        print("of the engine")
        print("of the engine", file=sys.stderr)
        other = threading.Thread(target=print, args=("of another thread",))
        other.start()
        other.join()
    print("after it")
    heard = capsys.readouterr()
    assert heard.out == "of another thread\nafter it\n" and heard.err == ""
