"""Utter's own voice is taken out of what the microphone hears, and the user's is left."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from voice.audio.echo import EchoCanceller, EchoPath, FarEnd
from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.audio.linear_echo import LinearEcho
from voice.audio.own_sound import OwnSound
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


@pytest.mark.parametrize("gain", [0.05, 0.4, 1.0])
def test_what_words_are_heard_from_is_the_users_voice_as_it_was(gain: float) -> None:
    """However loud Utter is: what is left beside it is 15 dB softer."""
    near, user, at = echo(gain), speech("3"), 5 * SAMPLE_RATE
    near[at : at + len(user)] += user
    canceller = EchoCanceller()
    frames = [
        canceller.process(near[n : n + FRAME_SAMPLES], FAR[n : n + FRAME_SAMPLES]).words
        for n in range(0, len(near) - FRAME_SAMPLES + 1, FRAME_SAMPLES)
    ]
    left = np.concatenate(frames)[at : at + len(user)] - user
    assert level_db(left) < level_db(user) - 15


def test_what_a_loudspeaker_bends_is_subtracted_still_and_noise_is_no_voice_to_learn_from() -> None:
    linear, bent = LinearEcho(), np.tanh(3 * echo(0.4)) / 3
    noise = np.random.default_rng(0).normal(0, 1e-3, len(bent)).astype(np.float32)
    near = (bent + noise).astype(np.float32)
    left = [
        linear.process(near[n : n + FRAME_SAMPLES], FAR[n : n + FRAME_SAMPLES])
        for n in range(0, len(near) - FRAME_SAMPLES + 1, FRAME_SAMPLES)
    ]
    assert level_db(np.concatenate(left)[3 * SAMPLE_RATE :]) < level_db(near[3 * SAMPLE_RATE :]) - 8
    alone = LinearEcho()
    silence = np.zeros(FRAME_SAMPLES, np.float32)
    for n in range(0, SAMPLE_RATE, FRAME_SAMPLES):
        assert np.array_equal(
            alone.process(near[n : n + FRAME_SAMPLES], silence), near[n : n + FRAME_SAMPLES]
        )


def test_an_echo_that_comes_late_is_still_one() -> None:
    """After each pause of the voice there is sound at the loudspeaker, and not yet at the microphone."""
    words = list(np.array_split(FAR[: 4 * SAMPLE_RATE], 20))
    far = np.concatenate([np.concatenate((word, np.zeros(1600, np.float32))) for word in words])
    delay = int(0.15 * SAMPLE_RATE)
    near = 0.1 * np.concatenate((np.zeros(delay, np.float32), far[:-delay]))
    path = EchoPath()
    power = [
        (float(np.mean(near[n : n + FRAME_SAMPLES] ** 2)), float(np.mean(far[n : n + FRAME_SAMPLES] ** 2)))
        for n in range(0, len(far) - FRAME_SAMPLES + 1, FRAME_SAMPLES)
    ]
    assert all(path.process(*both) for both in power)
    assert not [path.process(1e-9, far_power) for _, far_power in power][-1]  # headphones


def test_while_nothing_sounds_the_microphone_is_left_alone_and_the_next_sound_is_cancelled_at_once() -> None:
    said, pause = FAR[: 6 * SAMPLE_RATE], np.zeros(20 * SAMPLE_RATE, np.float32)
    noise = (1e-3 * np.random.default_rng(0).standard_normal(len(pause) + 2 * len(said))).astype(np.float32)
    far = np.concatenate((said, pause, said))
    near = 0.4 * np.concatenate((np.zeros(960, np.float32), far[:-960])) + noise
    canceller = EchoCanceller()
    frames = [
        canceller.process(near[at : at + FRAME_SAMPLES], far[at : at + FRAME_SAMPLES])
        for at in range(0, len(near) - FRAME_SAMPLES + 1, FRAME_SAMPLES)
    ]
    left = np.concatenate([frame.samples for frame in frames])
    quiet = slice(len(said) + SAMPLE_RATE + FRAME_SAMPLES, len(said) + len(pause))
    assert np.array_equal(left[quiet], near[quiet])
    assert not any(
        frame.is_own_voice for frame in frames[quiet.start // FRAME_SAMPLES : quiet.stop // FRAME_SAMPLES]
    )
    again = slice(len(said) + len(pause), len(far))
    assert level_db(near[again]) > -40
    assert level_db(left[again]) < -50


def test_half_duplex_takes_all_that_is_heard_meanwhile_for_its_own_voice() -> None:
    _, is_own = cleaned(speech("3"), half_duplex=True)
    assert all(is_own[is_own.index(True) :]) and sum(is_own) > len(is_own) / 2


@pytest.mark.parametrize(("gain", "may_be_echo"), [(0.0, False), (0.1, True)])
def test_headphones_are_found_out_and_the_user_may_say_what_utter_says(
    gain: float, may_be_echo: bool
) -> None:
    canceller, far = EchoCanceller(), FAR
    near = gain * far + 1e-5 * np.random.default_rng(1).standard_normal(len(far)).astype(np.float32)
    frames = [slice(at, at + FRAME_SAMPLES) for at in range(0, 3 * SAMPLE_RATE, FRAME_SAMPLES)]
    found = [canceller.process(near[frame], far[frame]).may_be_echo for frame in frames]
    assert found[0] and found[-1] is may_be_echo


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


def test_a_microphone_that_is_moved_to_the_output_itself_hears_nobody() -> None:
    """From one frame to the next the echo is loud, whole and much earlier: the canceller takes seconds."""
    delay, moved = int(0.1 * SAMPLE_RATE), 4 * SAMPLE_RATE
    near = 0.2 * np.concatenate((np.zeros(delay, np.float32), FAR[:-delay]))
    near[moved:] = np.concatenate((np.zeros(480, np.float32), FAR[:-480]))[moved:]
    _, is_own = cleaned(near)
    loud = [
        number
        for number in range((moved + SAMPLE_RATE // 2) // FRAME_SAMPLES, len(is_own))
        if level_db(near[number * FRAME_SAMPLES : (number + 1) * FRAME_SAMPLES]) > -40
    ]
    assert np.mean([is_own[number] for number in loud[:50]]) > 0.8  # the first second that sounds
    assert np.mean([is_own[number] for number in loud]) > 0.9


def test_what_is_heard_is_compared_with_what_is_played() -> None:
    own, user = OwnSound(), np.resize(speech("3"), len(FAR)).astype(np.float32)
    late = 0.3 * np.concatenate((np.zeros(2000, np.float32), FAR[:-2000]))

    def share(near: Samples) -> float:
        for at in range(0, 3 * SAMPLE_RATE, FRAME_SAMPLES):
            found = own.process(near[at : at + FRAME_SAMPLES], FAR[at : at + FRAME_SAMPLES])
        return found

    assert share(late) > 0.95
    assert share(late + user) < 0.6
    assert share(user) < 0.2
    assert share(np.zeros_like(FAR)) == 0.0
