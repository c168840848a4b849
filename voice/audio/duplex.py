"""Microphone and loudspeaker together: watched, and opened anew when one of them vanishes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from voice.audio.default_devices import Defaults
from voice.audio.devices import AudioDeviceError, sounddevice
from voice.audio.echo import Cleaned, EchoCanceller, FarEnd
from voice.audio.microphone import Microphone
from voice.audio.speaker import DeviceSink


@dataclass(frozen=True)
class DeviceNames:
    """Which devices are meant; None for the system's default."""

    microphone: int | str | None = None
    speaker: int | str | None = None


@dataclass(frozen=True)
class Present:
    """Which ends are there."""

    microphone: bool
    speaker: bool


class Duplex:
    """Open both ends with `start`, then `frames` gives what is heard, free of what is said.

    `attach` is called with each loudspeaker that is opened, at `rate` Hz, and with None when it is gone.
    """

    def __init__(
        self,
        names: DeviceNames,
        rate: int,
        attach: Callable[[DeviceSink | None], None],
        *,
        cancels_echo: bool = True,
        half_duplex: bool = False,
        defaults: Callable[[], AsyncGenerator[Defaults, None]] | None = None,
    ) -> None:
        """`defaults` tells the system's default devices again and again, where a change must be followed."""
        self._names = names
        self._rate = rate
        self._attach = attach
        self._cancels_echo = cancels_echo or half_duplex
        self._half_duplex = half_duplex
        self._microphone: Microphone | None = None
        self._speaker: DeviceSink | None = None
        self._far: FarEnd | None = None
        self._echo = EchoCanceller(half_duplex=half_duplex)
        self._defaults = defaults
        self.has_moved = False
        """A default device is another one now; `reopen` goes on with it."""
        self.is_muted = False

    @property
    def present(self) -> Present:
        """Which ends are open."""
        return Present(self._microphone is not None, self._speaker is not None)

    def start(self) -> None:
        """Open both ends. Raises `AudioDeviceError` when one of them cannot be."""
        self._open_speaker()
        self._microphone = Microphone(self._names.microphone)

    def close(self) -> None:
        """Give both back."""
        for end in (self._microphone, self._speaker):
            if end is not None:
                with contextlib.suppress(Exception):  # a device that is gone may refuse even that
                    end.close()
        self._microphone = self._speaker = self._far = None

    def frames(self) -> list[Cleaned]:
        """The frames that have come since the last call; of a muted microphone none."""
        if self._microphone is None:
            return []
        captured = self._microphone.frames()
        if self.is_muted:
            return []
        found: list[Cleaned] = []
        for frame in captured:
            if self._cancels_echo and self._far is not None:
                found.append(self._echo.process(frame.samples, self._far.at(frame.at_s)))
            else:
                found.append(Cleaned(frame.samples, False))
        return found

    def is_whole(self) -> bool:
        """Whether both ends are there and at work, and still those that are meant."""
        return (
            not self.has_moved
            and self._microphone is not None
            and self._speaker is not None
            and self._microphone.is_alive
            and self._speaker.is_alive
        )

    async def follow(self) -> None:
        """Notice when a device that is meant as the default one is another one; until cancelled."""
        before: Defaults | None = None
        if self._defaults is None:
            return
        async with aclosing(self._defaults()) as told:
            async for now in told:
                before = before or now
                is_other_microphone = now.microphones != before.microphones and self._names.microphone is None
                is_other_speaker = now.speakers != before.speakers and self._names.speaker is None
                self.has_moved = self.has_moved or is_other_microphone or is_other_speaker
                before = now

    async def reopen(self) -> Present:
        """Look for devices anew and open what there is; gives which ends are there now.

        PortAudio knows of new devices only after it was shut down, so both ends are closed for a moment.
        """
        self._attach(None)
        self.has_moved = False
        await asyncio.to_thread(self._look_again)
        self._echo = EchoCanceller(half_duplex=self._half_duplex)
        with contextlib.suppress(AudioDeviceError):
            self._open_speaker()
        with contextlib.suppress(AudioDeviceError):
            self._microphone = Microphone(self._names.microphone)
        return self.present

    def _look_again(self) -> None:
        self.close()
        sd = sounddevice()
        for begin_anew in (sd._terminate, sd._initialize):
            with contextlib.suppress(
                sd.PortAudioError
            ):  # a sound server that is gone; it is looked for again
                begin_anew()

    def _open_speaker(self) -> None:
        self._speaker = DeviceSink(self._rate, self._names.speaker)
        self._far = FarEnd(self._speaker.played, self._speaker.clock_rate, self._speaker.latency_s)
        self._attach(self._speaker)
