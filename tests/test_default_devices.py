"""Another default device is noticed and followed within two seconds, on every system."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from virtual_sound import virtual_sound

from bench.virtual_portaudio import VirtualPortAudio
from voice.audio import default_devices, duplex, microphone, speaker
from voice.audio.default_devices import LOOK_S, Defaults, look
from voice.audio.duplex import DeviceNames, Duplex, Present
from voice.audio.frames import Samples
from voice.audio.speaker import DeviceSink
from voice.conversation.player import SpokenAloud

HEADSET = ("headset microphone", "headset")


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> VirtualPortAudio:
    system = VirtualPortAudio()
    for module in (default_devices, duplex, microphone, speaker):
        monkeypatch.setattr(module, "sounddevice", lambda: system)
    return system


def two_ends(told: list[Defaults], names: DeviceNames) -> tuple[Duplex, list[DeviceSink | None]]:
    """With a look at the default devices that finds these one after another."""

    async def looks() -> AsyncGenerator[Defaults, None]:
        for defaults in told:
            yield defaults

    attached: list[DeviceSink | None] = []
    return Duplex(names, 22_050, attached.append, cancels_echo=False, defaults=looks), attached


def test_a_headset_that_becomes_the_default_is_used_after_it_is_noticed(portaudio: VirtualPortAudio) -> None:
    before = look()
    portaudio.devices = HEADSET
    after = look()
    assert after == Defaults(("headset microphone",), ("headset",)) != before
    portaudio.devices = ("built-in microphone", "built-in speaker")
    portaudio._initialize()
    ends, attached = two_ends([before, before, after, after], DeviceNames())
    ends.start()
    portaudio.devices = HEADSET

    async def session() -> None:
        assert ends.is_whole()
        await ends.follow()
        assert ends.has_moved and not ends.is_whole()
        assert await ends.reopen() == Present(True, True)
        assert ends.is_whole()

    asyncio.run(session())
    assert [stream.device for stream in portaudio.streams] == ["headset", "headset microphone"]
    portaudio.pass_time(0.1)
    assert len(ends.frames()) == 5
    assert len(attached) == 3 and attached[1] is None  # the player is told that one is gone and one is there
    ends.close()


@pytest.mark.parametrize(
    ("names", "after", "has_moved"),
    [
        (DeviceNames(), Defaults(("a",), ("b",)), False),
        (DeviceNames(), Defaults(("other",), ("b",)), True),
        (DeviceNames(), Defaults(("a",), ("other",)), True),
        (DeviceNames(), Defaults((), ("b",)), True),
        (DeviceNames("desk microphone"), Defaults(("other",), ("b",)), False),
        (DeviceNames("desk microphone"), Defaults(("other",), ("other",)), True),
        (DeviceNames("desk microphone", 3), Defaults(("other",), ("other",)), False),
    ],
)
def test_only_an_end_that_is_the_default_follows_it(
    names: DeviceNames, after: Defaults, has_moved: bool
) -> None:
    ends, _ = two_ends([Defaults(("a",), ("b",)), after], names)
    asyncio.run(ends.follow())
    assert ends.has_moved is has_moved


def test_a_sound_server_that_is_gone_for_a_while_ends_no_session(
    portaudio: VirtualPortAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends, attached = two_ends([], DeviceNames())
    ends.start()

    def refuse() -> None:
        raise portaudio.PortAudioError("Error initializing PortAudio")

    portaudio.devices = portaudio._known = ("", "")
    monkeypatch.setattr(portaudio, "_initialize", refuse)
    assert asyncio.run(ends.reopen()) == Present(False, False)
    monkeypatch.undo()
    for module in (duplex, microphone, speaker):
        monkeypatch.setattr(module, "sounddevice", lambda: portaudio)
    portaudio.devices = HEADSET
    assert asyncio.run(ends.reopen()) == Present(True, True)
    assert attached[-1] is not None
    ends.close()


def test_what_goes_wrong_when_something_was_heard_ends_the_player_and_does_not_hang_it(
    portaudio: VirtualPortAudio,
) -> None:
    class Tone:
        sample_rate = 22_050

        def synthesise(self, clause: str) -> Iterator[Samples]:
            yield np.full(2_205, 0.1, np.float32)

    class Broken:
        def began(self, item: int) -> None: ...

        def heard(self, item: int) -> None:
            raise BrokenPipeError("the terminal is gone")

    async def session() -> None:
        with ThreadPoolExecutor(1) as worker:
            player, sink = SpokenAloud(Tone(), worker, Broken()), DeviceSink(22_050)
            player.attach(sink)
            player.say(1, "Hello")
            running = asyncio.ensure_future(player.run())
            while not running.done():
                portaudio.pass_time(0.01)
                await asyncio.sleep(0.001)
            await running

    with pytest.raises(BrokenPipeError):
        asyncio.run(asyncio.wait_for(session(), 20))


def test_a_change_is_noticed_in_time_for_two_seconds() -> None:
    opening_s = 0.5
    assert 2 * LOOK_S + opening_s < 2.0


def test_the_looking_process_tells_what_it_finds_again_and_again_and_ends_with_its_input(
    tmp_path: Path,
) -> None:
    with virtual_sound(tmp_path) as sound:
        command = (sys.executable, "-m", "voice.audio.default_devices")
        looking = subprocess.Popen(
            command,
            env=sound.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert looking.stdin is not None and looking.stdout is not None
        for _ in range(2):
            assert json.loads(looking.stdout.readline()) == {
                "microphones": ["default"],
                "speakers": ["default"],
            }
        looking.stdin.close()
        assert looking.wait(timeout=20) == 0


def test_the_watch_ends_its_process_when_it_is_closed() -> None:
    async def session() -> None:
        told = default_devices.watched()
        looking = asyncio.ensure_future(told.__anext__())
        await asyncio.sleep(0)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await told.aclose()

    asyncio.run(session())


STREAMS = """
import sys
from voice.audio.microphone import Microphone
from voice.audio.speaker import DeviceSink
microphone, sink = Microphone(), DeviceSink(22_050)
print("open", flush=True)
sys.stdin.readline()
print(microphone.is_alive, sink.is_alive)
"""


def test_on_linux_the_sound_server_moves_what_sounds_to_another_default(tmp_path: Path) -> None:
    with virtual_sound(tmp_path) as sound:

        def pactl(*arguments: str) -> list[list[str]]:
            told = subprocess.run(
                ("pactl", *arguments), env=sound.environment, capture_output=True, text=True, check=True
            )
            return [line.split("\t") for line in told.stdout.splitlines()]

        pactl("load-module", "module-null-sink", "sink_name=headset")
        process = subprocess.Popen(
            (sys.executable, "-c", STREAMS),
            env=sound.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None and process.stdout.readline() == "open\n"
        pactl("set-default-sink", "headset")
        pactl("set-default-source", "headset.monitor")
        numbers = {name: number for number, name, *_ in pactl("list", "short", "sinks")}
        sources = {name: number for number, name, *_ in pactl("list", "short", "sources")}
        assert [row[1] for row in pactl("list", "short", "sink-inputs")] == [numbers["headset"]]
        assert [row[1] for row in pactl("list", "short", "source-outputs")] == [sources["headset.monitor"]]
        assert process.communicate("\n")[0] == "True True\n"
