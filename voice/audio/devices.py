"""The machine's sound devices, through PortAudio, which is looked for only when one is needed."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

from agent.errors import UtterError


class AudioDeviceError(UtterError):
    """There is no sound device, or it failed."""


@dataclass(frozen=True)
class Device:
    """One sound device; rates in Hz."""

    name: str
    input_channels: int
    output_channels: int
    default_rate: int


def sounddevice() -> ModuleType:
    """The module `sounddevice`. Raises `AudioDeviceError` where the PortAudio library is not installed."""
    try:
        import sounddevice as module
    except Exception as error:  # PortAudio may be missing, or fail as it starts
        raise AudioDeviceError(
            "Live audio needs the PortAudio library, which is not installed. "
            "On Debian and Ubuntu: `sudo apt-get install libportaudio2`."
        ) from error
    return module


def devices() -> tuple[Device, ...]:
    """All devices that PortAudio saw when it was first used. Raises `AudioDeviceError` without PortAudio."""
    found = cast("list[dict[str, Any]]", list(sounddevice().query_devices()))
    return tuple(
        Device(
            str(one["name"]),
            int(one["max_input_channels"]),
            int(one["max_output_channels"]),
            int(one["default_samplerate"]),
        )
        for one in found
    )
