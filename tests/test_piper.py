"""Piper says what it is given: facts survive the way to an ear, and no text crashes it."""

from __future__ import annotations

import re
import socket
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import UtterError
from agent.facts import ChangesShown, Fact, FileChange, FileEdited, LineChange, TestFailure, TestsRun
from agent.models.store import ModelStore
from voice.audio.frames import SAMPLE_RATE, Samples
from voice.speaking.engines.piper import PiperSynthesiser
from voice.speaking.narrate import narrate
from voice.speaking.pieces import respelled_for_espeak, shaped_stream, speakable_pieces

RATE = 22_050


@pytest.fixture(scope="session")
def hear(store: ModelStore) -> Callable[[Samples], str]:
    """Whisper base, through an implementation that is none of ours."""
    from faster_whisper import WhisperModel

    model = WhisperModel(str(store.path("whisper-base")), device="cpu", compute_type="int8", cpu_threads=2)

    def transcribe(samples: Samples) -> str:
        audio = soxr.resample(np.pad(samples, RATE // 3), RATE, SAMPLE_RATE)
        segments, _ = model.transcribe(audio.astype(np.float32), language="en", beam_size=1)
        return " ".join(segment.text for segment in segments)

    return transcribe


def speech(piper: PiperSynthesiser, text: str) -> Samples:
    return np.concatenate([np.zeros(0, np.float32), *piper.synthesise(text)])


SUBTRACT = (LineChange(7, "return a + b", "return a - b"),)


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (TestsRun("pytest", 7, 1, failures=(TestFailure("test_subtract", "1", "5"),)),
         ["7 tests passed", "1 failed", "subtract", "expected 1", "got 5"]),
        (TestsRun("pytest", 8, 0), ["all 8 tests", "tests passed"]),
        (FileEdited("config.py", 1, 1, SUBTRACT, "subtract"),
         ["config", "line 7", "subtract", "return a plus b", "return a minus b"]),
        (ChangesShown((FileChange("config.py", 30, 4),)),
         ["1 file", "config", "30 lines added", "4 lines removed"]),
    ],
)  # fmt: skip
def test_facts_survive_being_said_and_heard(
    piper: PiperSynthesiser, hear: Callable[[Samples], str], fact: Fact, words: list[str]
) -> None:
    heard: list[str] = []
    missing = words
    # No two sayings are alike, and Whisper base mishears a word now and then, so it may ask again: each fact
    # must be there in one of the sayings.
    while missing and len(heard) < 6:
        heard.append(_plain(hear(speech(piper, " ".join(narrate(fact))))))
        missing = [word for word in missing if word not in heard[-1]]
    assert not missing, heard


def _plain(text: str) -> str:
    numbers = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    sounds = {"past": "passed"}  # to the ear it is one word
    words = [sounds.get(word, word) for word in re.sub(r"[^\w\s]+", " ", text.lower()).split()]
    return " ".join(str(numbers.index(word)) if word in numbers else word for word in words)


def test_speed_changes_the_length(store: ModelStore, piper: PiperSynthesiser) -> None:
    fast = PiperSynthesiser(store.path("piper-joe-split"), speed=1.5)
    text = "The quick brown fox jumps over the lazy dog."
    assert len(speech(fast, text)) < 0.8 * len(speech(piper, text))


def test_a_very_long_text_streams_and_can_be_left(piper: PiperSynthesiser) -> None:
    text = "word " * 20_000
    tracemalloc.start()
    pieces = piper.synthesise(text)
    first = next(pieces)
    pieces.close()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(first) < 60 * RATE
    assert peak_bytes < 40e6


def test_no_network_is_used(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert len(speech(PiperSynthesiser(store.path("piper-joe-split")), "Hello there, you."))


def test_a_missing_voice_is_an_error_for_the_user(tmp_path: Path) -> None:
    with pytest.raises(UtterError, match="utter models"):
        PiperSynthesiser(tmp_path / "voice.onnx")


@settings(max_examples=60)
@given(st.text(max_size=600))
def test_pieces_are_short_and_sayable(text: str) -> None:
    for piece in speakable_pieces(text):
        assert len(piece) <= 500 or piece.startswith("```")
        assert "\x00" not in piece and "[[" not in piece
        piece.encode()


@pytest.mark.parametrize(
    ("said", "spelled"),
    [
        ("return a plus b", "return eh plus b"),
        ("a file", "a file"),
        ("set to a.", "set to eh."),
        (
            "line 1 19: 18 lines, fourteen of them 13.5",
            "line 1 nine-teen: eight-teen lines, four-teen of them 13.5",
        ),
        ("1,318 of 214, v13 and 16.", "1,318 of 214, v13 and six-teen."),
        ("run pytest in pyproject", "run pie test in pie project"),
    ],
)
def test_words_of_programming_are_spelled_by_ear(said: str, spelled: str) -> None:
    assert respelled_for_espeak(said) == spelled


def shaped(samples: Samples, rate: int, gain: float) -> Samples:
    """All of a stream of one piece."""
    return np.concatenate([np.zeros(0, np.float32), *shaped_stream([samples], rate, gain)])


def test_shaping_limits_without_clipping_and_drops_what_is_inaudible() -> None:
    loud = shaped(np.linspace(-3, 3, RATE).astype(np.float32), RATE, 1.0)
    assert np.abs(loud).max() < 1
    assert len(shaped(np.full(RATE, 0.001, np.float32), RATE, 1.0)) == 0
    assert np.isfinite(shaped(np.array([0.5, np.nan, 0.5] * 500, np.float32), RATE, 1.0)).all()


def without_noise(piper: PiperSynthesiser) -> None:
    """The voice varies its delivery by noise, which would make no two sayings alike."""
    piper._settings.noise_scale = piper._settings.noise_w_scale = 0.0


def test_speech_in_windows_is_that_of_the_whole_model(store: ModelStore) -> None:
    split, whole = (PiperSynthesiser(store.path(name)) for name in ("piper-joe-split", "piper-joe"))
    without_noise(split)
    without_noise(whole)
    text = "Nobody has changed this branch since Thursday, so it should be safe to merge it today."
    pieces = list(split.synthesise(text))
    assert len(pieces) >= 4 and len(pieces[0]) < 0.5 * RATE
    assert np.abs(np.concatenate(pieces) - speech(whole, text)).max() < 1e-4


def test_a_sentence_left_early_is_not_decoded_to_its_end(store: ModelStore) -> None:
    piper = PiperSynthesiser(store.path("piper-joe-split"))
    decoder, decoded = piper._decoder, list[int]()

    class Counted:
        def get_inputs(self) -> object:
            return decoder.get_inputs()

        def run(self, names: None, inputs: dict[str, np.ndarray]) -> object:
            decoded.append(sum(value.shape[2] for value in inputs.values()))
            return decoder.run(names, inputs)

    piper._decoder = Counted()
    pieces = piper.synthesise("Nobody has changed this branch since Thursday, so merge it today.")
    next(pieces)
    pieces.close()
    assert len(decoded) <= 2


@given(
    levels=st.lists(st.sampled_from([0.0, 0.001, 0.003, 0.5, 2.0]), max_size=12),
    cuts=st.lists(st.integers(0, 2_500), max_size=6),
)
def test_shaping_a_stream_gives_the_samples_of_the_whole(levels: list[float], cuts: list[int]) -> None:
    rng = np.random.default_rng(len(levels))
    samples = (rng.uniform(-1, 1, 200 * len(levels)) * np.repeat(levels, 200)).astype(np.float32)
    pieces = list(shaped_stream(np.split(samples, sorted(cuts)), RATE, 1.3))
    assert all(len(piece) for piece in pieces)
    assert np.array_equal(np.concatenate([np.zeros(0, np.float32), *pieces]), shaped(samples, RATE, 1.3))


def test_shaping_trims_fades_and_leaves_a_gap() -> None:
    samples = np.zeros(RATE, np.float32)
    samples[5_000:12_000] = 0.5
    whole = shaped(samples, RATE, 1.0)
    kept, gap = int(0.02 * RATE), int(0.12 * RATE)
    assert len(whole) == 7_000 + 2 * kept - 1 + gap
    assert whole[0] == 0 and not whole[-gap - kept + 10 :].any() and whole[kept + 200] == np.float32(0.5)
    loud = shaped(np.full(1_000, 0.5, np.float32), RATE, 1.0)
    assert loud[0] == 0 and loud[1] < 0.01 and loud[999] == 0 and loud[500] == np.float32(0.5)
