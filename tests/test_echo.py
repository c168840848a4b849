"""Utter's own voice is taken out of what the microphone hears, and the user's is left."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from voice.audio.echo import EchoCanceller, FarEnd
from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.audio.ring import CaptureRing
from voice.demo import DEMO_FOLDER

DELAY_S = 0.06


def speech(number: str) -> Samples:
    (path,) = (DEMO_FOLDER / "requests").glob(f"{number}-*.flac")
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == SAMPLE_RATE
    return samples


FAR = np.concatenate([speech("4"), speech("5")] * 4)


def echo(gain: float) -> Samples:
    delay = int(DELAY_S * SAMPLE_RATE)
    return gain * np.concatenate((np.zeros(delay, np.float32), FAR[:-delay]))


def level_db(samples: Samples) -> float:
    return 10 * float(np.log10(np.mean(np.square(samples)) + 1e-12))


def cleaned(near: Samples, *, half_duplex: bool = False) -> tuple[Samples, list[bool]]:
    canceller = EchoCanceller(half_duplex=half_duplex)
    frames = [
        canceller.process(near[at : at + FRAME_SAMPLES], FAR[at : at + FRAME_SAMPLES])
        for at in range(0, len(near) - FRAME_SAMPLES + 1, FRAME_SAMPLES)
    ]
    return np.concatenate([frame.samples for frame in frames]), [frame.is_own_voice for frame in frames]


@pytest.mark.parametrize("gain", [0.1, 0.4, 0.9])
def test_an_echo_is_gone_after_a_second(gain: float) -> None:
    near = echo(gain)
    left, is_own = cleaned(near)
    assert level_db(left[SAMPLE_RATE:]) < min(level_db(near[SAMPLE_RATE:]) - 5, -50)
    loud = [
        number
        for number in range(50, len(is_own))
        if level_db(near[number * FRAME_SAMPLES : (number + 1) * FRAME_SAMPLES]) > -50
    ]
    assert np.mean([is_own[number] for number in loud]) > 0.7


@pytest.mark.parametrize("gain", [0.0, 0.05, 0.4])
def test_the_user_is_heard_over_it(gain: float) -> None:
    near, user, at = echo(gain), speech("3"), 5 * SAMPLE_RATE
    near[at : at + len(user)] += user
    left, is_own = cleaned(near)
    assert level_db(left[at : at + len(user)]) > level_db(user) - 3
    voiced = [
        number
        for number in range(at // FRAME_SAMPLES, (at + len(user)) // FRAME_SAMPLES - 1)
        if level_db(user[number * FRAME_SAMPLES - at : (number + 1) * FRAME_SAMPLES - at]) > -35
    ]
    assert np.mean([is_own[number] for number in voiced]) < 0.25  # its first 60 ms may drown


def test_half_duplex_takes_all_that_is_heard_meanwhile_for_its_own_voice() -> None:
    _, is_own = cleaned(speech("3"), half_duplex=True)
    assert all(is_own[is_own.index(True) :]) and sum(is_own) > len(is_own) / 2


def test_what_sounded_is_found_by_its_time() -> None:
    played = CaptureRing(4 * SAMPLE_RATE, SAMPLE_RATE)
    far_end = FarEnd(played, SAMPLE_RATE)
    ramp = np.arange(SAMPLE_RATE, dtype=np.float32) / SAMPLE_RATE
    for at in range(0, SAMPLE_RATE, 160):
        played.write(ramp[at : at + 160], 100.0 + at / SAMPLE_RATE)
    found = np.concatenate([far_end.at(100.2 + n * 0.02) for n in range(10)])
    assert found[0] == pytest.approx(0.21, abs=0.01)
    assert np.allclose(np.diff(found), 1 / SAMPLE_RATE, atol=1e-4)
    assert not far_end.at(300.0).any()
