"""Speech is played in order, falls silent at once, and the account of what was heard is right."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import UtterError
from voice.audio.frames import Samples
from voice.audio.playout import Ledger
from voice.audio.ring import PlaybackRing
from voice.audio.sink import VirtualSink
from voice.audio.timeline import Timeline

RATE = 1000


def tone(n: int, level: float = 0.5) -> Samples:
    return np.full(n, level, np.float32)


class Heard:
    """Collects what a sink says was heard."""

    def __init__(self) -> None:
        self.pieces: list[tuple[int, int]] = []

    def __call__(self, start: int, samples: Samples) -> None:
        self.pieces.append((start, len(samples)))


def test_speech_sounds_when_it_is_written_or_after_what_came_before() -> None:
    heard = Heard()
    sink = VirtualSink(RATE, heard)

    async def talk() -> None:
        sink.advance(100)
        await sink.write(tone(50), "one")
        await sink.write(tone(30), "two")
        sink.advance(200)
        await sink.write(tone(10), "three")
        done = await sink.drain()
        assert (done.heard_text, done.interrupted) == ("one two three", False)

    asyncio.run(talk())
    assert heard.pieces == [(100, 50), (150, 30), (300, 10)]
    assert sink.now == 310


def test_clearing_tells_which_words_were_heard() -> None:
    sink = VirtualSink(RATE)

    async def talk() -> None:
        await sink.write(tone(100), "Seven passed,")
        await sink.write(tone(100), "one two six ten")
        await sink.write(tone(20))
        sink.advance(155)
        playout = sink.clear()
        assert playout.heard_text == "Seven passed, one"
        assert (playout.heard_samples, playout.written_samples, playout.interrupted) == (155, 220, True)
        sink.advance(50)
        await sink.write(tone(5), "again")
        assert (await sink.drain()).heard_text == "again"

    asyncio.run(talk())


def test_a_pause_holds_speech_and_draining_waits_for_it() -> None:
    heard = Heard()
    sink = VirtualSink(RATE, heard)

    async def talk() -> None:
        await sink.write(tone(100), "one two")
        sink.advance(40)
        sink.pause()
        sink.advance(1000)
        drained = asyncio.ensure_future(sink.drain())
        await asyncio.sleep(0)
        assert not drained.done()
        sink.resume()
        assert (await drained).heard_samples == 100

    asyncio.run(talk())
    assert heard.pieces == [(0, 40), (1040, 60)]


def test_a_drain_ends_when_the_sink_is_cleared() -> None:
    sink = VirtualSink(RATE)

    async def talk() -> None:
        await sink.write(tone(100), "one two")
        sink.pause()
        drained = asyncio.ensure_future(sink.drain())
        await asyncio.sleep(0)
        cleared = sink.clear()
        assert await drained == cleared
        assert cleared.interrupted

    asyncio.run(talk())


@given(
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["", "a", "b c", "dd e f"])), max_size=8),
    st.integers(0, 300),
)
def test_more_time_never_means_fewer_words(stretches: list[tuple[int, str]], heard: int) -> None:
    ledger = Ledger()
    for n_samples, text in stretches:
        ledger.write(n_samples, text)
    before = ledger.playout(heard, interrupted=True)
    after = ledger.playout(heard + 20, interrupted=True)
    assert after.heard_text.startswith(before.heard_text)
    assert before.heard_samples <= before.written_samples


def filled(ring: PlaybackRing, n: int) -> Samples:
    out = np.full(n, 9, np.float32)
    ring.fill(out)
    return out


def test_the_ring_gives_what_was_written_and_then_silence() -> None:
    ring = PlaybackRing(10, fade=2)
    assert ring.write(tone(7)) == 7
    assert ring.write(tone(7, 0.25)) == 3
    assert filled(ring, 8).tolist() == [0.5] * 7 + [0.25]
    assert ring.write(tone(20, 0.75)) == 8
    assert filled(ring, 12).tolist() == [0.25] * 2 + [0.75] * 8 + [0.0] * 2


def test_the_ring_fades_at_a_pause_and_goes_on_at_the_next_sample() -> None:
    ring = PlaybackRing(100, fade=3)
    ring.write(np.linspace(0.1, 1, 90, dtype=np.float32))
    filled(ring, 10)
    ring.stop(stopped=True)
    faded = filled(ring, 10)
    assert faded[1] > 0 and not faded[3:].any()
    assert not filled(ring, 10).any()
    ring.stop(stopped=False)
    assert ring.read == 13
    resumed = filled(ring, 10)
    assert resumed[0] == 0 and resumed[5] > 0
    assert ring.read == 23


def test_the_ring_drops_what_was_discarded_but_not_what_came_after() -> None:
    ring = PlaybackRing(100, fade=2)
    ring.write(tone(50))
    filled(ring, 10)
    ring.discard()
    ring.write(tone(5, 0.25))
    assert filled(ring, 10)[2:].tolist() == [0.0] * 8
    assert filled(ring, 10).tolist() == [0.25] * 5 + [0.0] * 5


@given(st.lists(st.one_of(st.integers(1, 40), st.integers(-40, -1)), max_size=60))
def test_the_ring_neither_loses_nor_repeats_a_sample(steps: list[int]) -> None:
    ring = PlaybackRing(32, fade=2, history=8)
    numbers = np.arange(1, 5000, dtype=np.float32)
    got: list[float] = []
    for step in steps:
        if step > 0:
            ring.write(numbers[ring.written : ring.written + step])
        else:
            got += filled(ring, -step).tolist()
    heard = [sample for sample in got if sample]
    assert heard == numbers[: len(heard)].tolist()
    assert ring.read == len(heard)


def test_a_recording_holds_both_sides_at_their_true_times(tmp_path: Path) -> None:
    path = tmp_path / "session.wav"
    second = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000).astype(np.float32) / 2
    with Timeline(path, 22_050) as timeline:
        for frame in range(0, 16_000, 320):
            timeline.user(16_000 + frame, second[frame : frame + 320])
        timeline.utter(3 * 22_050, np.full(22_050, 0.25, np.float32))
    audio, rate = soundfile.read(path, dtype="float32")
    assert (rate, audio.shape) == (22_050, (4 * 22_050, 2))
    left, right = audio[:, 0], audio[:, 1]
    expected = np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050) / 2
    assert np.abs(left[22_050 + 500 : 44_100 - 500] - expected[500:-500]).max() < 0.01
    assert np.abs(left[: 22_050 - 500]).max() < 1e-3 and np.abs(left[44_100 + 500 :]).max() < 1e-3
    assert right[3 * 22_050 :] == pytest.approx(0.25, abs=1e-4)
    assert not right[: 3 * 22_050].any()


def test_overlapping_speech_is_mixed_and_never_wraps_round(tmp_path: Path) -> None:
    path = tmp_path / "session.wav"
    with Timeline(path, RATE) as timeline:
        timeline.utter(0, tone(10, 0.75))
        timeline.utter(5, tone(10, 0.75))
    audio, _ = soundfile.read(path, dtype="float32")
    assert audio[:5, 1] == pytest.approx(0.75, abs=1e-3)
    assert audio[5:10, 1] == pytest.approx(1.0, abs=1e-3)


def test_a_recording_can_be_read_before_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "session.wav"
    timeline = Timeline(path, RATE)
    timeline.utter(100, tone(50))
    audio, _ = soundfile.read(path)
    assert len(audio) == 150
    timeline.close()


def test_an_hour_is_recorded_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "session.wav"
    tracemalloc.start()
    with Timeline(path, 24_000) as timeline:
        for minute in range(60):
            timeline.utter(minute * 60 * 24_000, tone(24_000))
            timeline.user(minute * 60 * 16_000 + 8_000, tone(16_000))
    assert soundfile.info(path).duration == pytest.approx(59 * 60 + 1.5, abs=0.01)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 10e6


def test_a_recording_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(UtterError, match="cannot be written"):
        Timeline(tmp_path / "nowhere" / "session.wav", RATE)


PLAY = """
import asyncio, json, sys
import numpy as np
from voice.audio.speaker import DeviceSink

async def main():
    heard = []
    sink = DeviceSink(22050, on_heard=lambda start, samples: heard.append((start, len(samples))))
    tone = (0.5 * np.sin(2 * np.pi * 500 * np.arange(22050) / 22050)).astype(np.float32)
    await sink.write(tone, "one two")
    whole = await sink.drain()
    await sink.write(tone, "three four")
    await asyncio.sleep(0.5)
    cut = sink.clear()
    await asyncio.sleep(0.3)
    sink.close()
    print(json.dumps([sink.clock_rate, whole.heard_text, whole.heard_samples, cut.interrupted,
                      cut.heard_samples, sum(n for _, n in heard)]))

asyncio.run(main())
"""
NO_PORTAUDIO = """
import sys
sys.modules["sounddevice"] = None
from agent.errors import UtterError
from voice.audio.speaker import DeviceSink
try:
    DeviceSink(22050)
except UtterError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def loudspeaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a process whose default sound output is a PulseAudio null sink."""
    missing = [name for name in ("pulseaudio", "pactl", "parec") if shutil.which(name) is None]
    if missing or not sys.platform.startswith("linux"):
        pytest.skip(f"needs PulseAudio; not installed: {', '.join(missing) or 'a Linux system'}")
    folder = tmp_path_factory.mktemp("pulse")
    socket = folder / "socket"
    (folder / "asound.conf").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
    base = "/usr/share/alsa/alsa.conf"
    environment = {
        **os.environ,
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "PULSE_SERVER": f"unix:{socket}",
        "ALSA_CONFIG_PATH": f"{base}:{folder / 'asound.conf'}",
    }
    server = subprocess.Popen(
        [
            *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
            *("--log-level=error", "-L"),
            f"module-native-protocol-unix auth-anonymous=1 socket={socket}",
            *("-L", "module-null-sink sink_name=utter rate=44100"),
        ],
        env=environment,
    )
    try:
        for _ in range(100):
            if subprocess.run(["pactl", "info"], env=environment, capture_output=True).returncode == 0:
                break
        else:
            pytest.skip("PulseAudio does not start on this machine")
        yield environment
    finally:
        server.terminate()
        server.wait()


def test_speech_reaches_the_loudspeaker_and_a_clear_cuts_it_short(
    loudspeaker: dict[str, str], tmp_path: Path
) -> None:
    raw = tmp_path / "heard.raw"
    with raw.open("wb") as out:
        listener = subprocess.Popen(
            ["parec", "--device=utter.monitor", "--rate=22050", "--channels=1", "--format=s16le"],
            stdout=out,
            env=loudspeaker,
        )
        try:
            played = subprocess.run(
                [sys.executable, "-c", PLAY], env=loudspeaker, capture_output=True, text=True, timeout=60
            )
        finally:
            listener.terminate()
            listener.wait()
    assert played.returncode == 0, played.stderr
    rate, text, heard, was_cut, cut_heard, reported = json.loads(played.stdout.splitlines()[-1])
    assert (text, heard, was_cut) == ("one two", 22_050, True)
    assert cut_heard < 22_050
    assert reported / rate == pytest.approx(1 + cut_heard / 22_050, abs=0.3)
    loud = np.abs(np.frombuffer(raw.read_bytes(), "<i2").astype(float)) > 3000
    assert 22_050 * 0.5 < np.count_nonzero(loud) < 22_050 * 1.9


def test_without_portaudio_the_error_says_how_to_get_it() -> None:
    told = subprocess.run([sys.executable, "-c", NO_PORTAUDIO], capture_output=True, text=True, check=True)
    assert "libportaudio2" in told.stdout
