"""PortAudio without devices: streams whose callbacks others drive, and a list of devices that they change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from voice.audio.frames import Samples


@dataclass
class Stream:
    """One end; `rate` in Hz. Ended streams say that they are not active."""

    system: VirtualPortAudio
    rate: int
    device: str
    callback: Callable[..., None]
    is_input: bool
    active: bool = False
    latency: float = 0.02
    done: int = 0  # samples

    def start(self) -> None:
        self.active = True

    def close(self) -> None:
        self.active = False
        if self in self.system.streams:
            self.system.streams.remove(self)


@dataclass
class VirtualPortAudio:
    """Stands for the module `sounddevice`. `devices` are those of the system: (microphone, loudspeaker).

    As with the real one, what is plugged in after `_initialize` is not known before the next one.
    """

    devices: tuple[str, str] = ("built-in microphone", "built-in speaker")
    hear: Callable[[int, int], Samples] = lambda first, n: np.zeros(n, np.float32)
    streams: list[Stream] = field(default_factory=list)
    now_s: float = 0.0
    PortAudioError: type[Exception] = OSError

    def __post_init__(self) -> None:
        self._initialize()

    def _initialize(self) -> None:
        self._known = self.devices

    def _terminate(self) -> None:
        for stream in list(self.streams):
            stream.close()

    def query_devices(self, device: object = None, kind: str = "") -> Any:
        names = [name for name in self._known if name]
        if not kind:
            return [{"name": name} for name in names]
        name = self._known[kind == "output"]
        if not name:
            raise ValueError("no device")
        return {"name": name, "default_samplerate": 48_000.0}

    def query_hostapis(self) -> list[dict[str, int]]:
        names = [name for name in self._known if name]
        numbers = [names.index(name) if name else -1 for name in self._known]
        return [{"default_input_device": numbers[0], "default_output_device": numbers[1]}]

    def check_input_settings(self, *_: object, **__: object) -> None: ...

    def check_output_settings(self, *_: object, **__: object) -> None: ...

    def InputStream(self, rate: int, *arguments: Any, callback: Callable[..., None]) -> Stream:
        return self._open(rate, callback, is_input=True)

    def OutputStream(self, rate: int, *arguments: Any, callback: Callable[..., None]) -> Stream:
        return self._open(rate, callback, is_input=False)

    def _open(self, rate: int, callback: Callable[..., None], *, is_input: bool) -> Stream:
        self.streams.append(Stream(self, rate, self._known[not is_input], callback, is_input))
        return self.streams[-1]

    def pass_time(self, length_s: float) -> None:
        """Let the streams of devices that are still there take and give so much sound."""
        self.now_s += length_s
        for stream in list(self.streams):
            stream.active = stream.active and stream.device in self.devices
            if stream.active:
                self._call(stream, round(length_s * stream.rate))

    def _call(self, stream: Stream, n: int) -> None:
        block = np.zeros((n, 1), np.float32)
        if stream.is_input:
            block[:, 0] = self.hear(stream.done, n)
        stream.done += n
        stream.callback(block, n, _Times(self.now_s, self.now_s - n / stream.rate, self.now_s), None)


@dataclass(frozen=True)
class _Times:
    currentTime: float
    inputBufferAdcTime: float
    outputBufferDacTime: float
