"""Notices that the system's default microphone or loudspeaker is another one.

PortAudio knows only the devices of its start, and looking anew would end what sounds. So a small process of
its own looks, again and again. Linux needs none: there the sound server moves what sounds by itself.

    python -m voice.audio.default_devices    a JSON line for each look, until its input ends
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from dataclasses import asdict, dataclass
from typing import Any, cast

from voice.audio.devices import AudioDeviceError, sounddevice

LOOK_S = 0.7  # a change is told within twice that: half of the two seconds it may take to follow it


@dataclass(frozen=True)
class Defaults:
    """The names of the default devices, one for each sound system of the machine that has one."""

    microphones: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()


def look() -> Defaults:
    """The defaults at the moment. Ends all streams of this process. Raises `AudioDeviceError`."""
    sd = sounddevice()
    try:
        sd._terminate()
        sd._initialize()
        names = [str(one["name"]) for one in sd.query_devices()]
        systems = cast("list[dict[str, Any]]", list(sd.query_hostapis()))
    except sd.PortAudioError as error:
        raise AudioDeviceError(f"The sound devices cannot be listed: {error}.") from error
    microphones = [int(one["default_input_device"]) for one in systems]
    speakers = [int(one["default_output_device"]) for one in systems]
    return Defaults(
        tuple(names[number] for number in microphones if number >= 0),
        tuple(names[number] for number in speakers if number >= 0),
    )


async def watched() -> AsyncGenerator[Defaults, None]:
    """What each look finds, until it is closed; ends early where the looking process cannot run."""
    looking = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "voice.audio.default_devices"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert looking.stdin is not None and looking.stdout is not None
    try:
        while line := await looking.stdout.readline():
            found = json.loads(line)
            yield Defaults(tuple(found["microphones"]), tuple(found["speakers"]))
    finally:
        with contextlib.suppress(ProcessLookupError):
            looking.kill()
        await looking.wait()


def _look_on() -> None:
    is_over = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        is_over.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    while not is_over.is_set():
        with contextlib.suppress(AudioDeviceError):  # none at the moment; there may be one at the next look
            print(json.dumps(asdict(look())), flush=True)
        is_over.wait(LOOK_S)


if __name__ == "__main__":
    _look_on()
