"""The mark in saved speech is found again after compression, only where it was put, and is not heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from agent.errors import UtterError
from agent.models.store import ModelStore
from voice.audio.files import is_marked_synthetic, write_sound
from voice.audio.frames import Samples
from voice.audio.watermark import FOUND, Watermark

REQUEST = Path(__file__).resolve().parents[1] / "demo" / "requests" / "1-list-files.flac"


@pytest.fixture(scope="module")
def mark(store: ModelStore) -> Watermark:
    return Watermark(store.path("watermark"))


@pytest.fixture(scope="module")
def speech() -> tuple[Samples, int]:
    return sf.read(REQUEST, dtype="float32")


@pytest.mark.parametrize("name", ["a.wav", "a.ogg", "a.mp3"])
def test_the_mark_is_found_in_a_file_and_only_where_it_was_put(
    mark: Watermark, speech: tuple[Samples, int], tmp_path: Path, name: str
) -> None:
    samples, rate = speech
    with_it, without = tmp_path / name, tmp_path / f"plain-{name}"
    halves = [samples[: len(samples) // 2], samples[len(samples) // 2 :]]
    assert write_sound(with_it, halves, rate, synthetic="joe", mark=mark) == len(samples)
    write_sound(without, [samples], rate)
    assert mark.found(*sf.read(with_it, dtype="float32")) > 0.9
    assert mark.found(*sf.read(without, dtype="float32")) < 0.1
    assert is_marked_synthetic(with_it)


def test_the_mark_hides_behind_the_speech(mark: Watermark, speech: tuple[Samples, int]) -> None:
    samples, rate = speech
    (marked,) = mark.marked([samples], rate)
    assert marked.dtype == np.float32 and len(marked) == len(samples) and np.abs(marked).max() <= 1
    added = marked - samples
    assert np.sum(added**2) < 0.05 * np.sum(samples**2)
    power = np.abs(np.fft.rfft(added)) ** 2
    above = np.fft.rfftfreq(len(added), 1 / rate) > 2_100
    assert power[above].sum() < 0.01 * power.sum()


@pytest.mark.parametrize(
    "samples", [np.zeros(0, np.float32), np.zeros(16_000, np.float32), np.ones(5, np.float32)]
)
def test_what_holds_no_speech_stays_as_it_is(mark: Watermark, samples: Samples) -> None:
    (kept,) = mark.marked([samples], 16_000)
    assert np.array_equal(kept, samples)
    assert mark.found(samples, 16_000) < FOUND


def test_long_speech_is_marked_in_blocks_as_it_comes(mark: Watermark, speech: tuple[Samples, int]) -> None:
    samples, rate = speech
    taken: list[int] = []

    def pieces():
        for number in range(40):
            taken.append(number)
            yield samples

    first = next(iter(mark.marked(pieces(), rate)))
    assert len(first) == len(taken) * len(samples) < 40 * len(samples)


@pytest.mark.parametrize("data", [b"", b"PK no zip", b"\x80\x02}."])
def test_weights_that_cannot_be_read_are_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "perth_net.pth").write_bytes(data)
    with pytest.raises(UtterError, match="utter models fetch watermark"):
        Watermark(tmp_path / "perth_net.pth")
