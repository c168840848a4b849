"""The microphone as frames of 20 ms at 16 kHz, each with its time. Its callback only moves samples."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr

from voice.audio.devices import AudioDeviceError, sounddevice
from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.audio.ring import CaptureRing

_RING_S = 20.0  # a program that is busy for longer loses what was said
_LATENCY_S = 0.04
_SILENT_S = 1.0  # a microphone that delivers nothing for so long is gone
_WARM_UP_S = 4.0  # but it may take a moment to begin, wireless ones above all

_MEND = (
    "Check the sound settings, or name another device with `audio.input_device`; `utter doctor` lists them."
)


@dataclass(frozen=True)
class Captured:
    """One frame of `FRAME_SAMPLES` samples; `at_s` is when its first one came, by the device's clock."""

    samples: Samples
    at_s: float


class Microphone:
    """Listens on an input device, the default one unless named. Close it when done."""

    def __init__(self, device: int | str | None = None) -> None:
        """Open the device. Raises `AudioDeviceError` when there is none or it refuses."""
        self._stream: Any = None
        sd = sounddevice()
        rate, channels = _accepted_format(device)
        self._rate = rate
        self._ring = CaptureRing(int(_RING_S * rate), rate)
        self._resampler = (
            None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 1, "float32")
        )
        self._left: Samples = np.zeros(0, np.float32)  # less than a frame
        self._given = 0  # samples at 16 kHz
        self._last_count, self._last_at_s = 0, time.monotonic()
        try:
            self._stream = sd.InputStream(
                rate, 0, device, channels, "float32", _LATENCY_S, callback=self._callback
            )
            self._stream.start()
        except sd.PortAudioError as error:
            raise AudioDeviceError(f"The microphone could not be opened: {error}. {_MEND}") from error

    @property
    def is_alive(self) -> bool:
        """Whether it still delivers."""
        if self._ring.written != self._last_count:
            self._last_count, self._last_at_s = self._ring.written, time.monotonic()
        longest_s = _SILENT_S if self._last_count else _WARM_UP_S
        return bool(self._stream.active) and time.monotonic() - self._last_at_s < longest_s

    def frames(self) -> list[Captured]:
        """The frames that have come since the last call."""
        fresh = self._ring.take()
        if self._resampler is not None and len(fresh):
            fresh = self._resampler.resample_chunk(fresh)
        samples = np.concatenate((self._left, fresh))
        n_frames = len(samples) // FRAME_SAMPLES
        self._left = samples[n_frames * FRAME_SAMPLES :]
        found: list[Captured] = []
        for n in range(n_frames):
            at_s = self._ring.time_of(self._given * self._rate // SAMPLE_RATE)
            found.append(Captured(samples[n * FRAME_SAMPLES : (n + 1) * FRAME_SAMPLES], at_s))
            self._given += FRAME_SAMPLES
        return found

    def close(self) -> None:
        """Give the device back."""
        if self._stream is not None:
            self._stream.close()

    def _callback(self, indata: Samples, _frames: int, time: Any, _status: object) -> None:
        # Some drivers do not say when the sound came in.
        at_s = time.inputBufferAdcTime or time.currentTime - _LATENCY_S
        self._ring.write(indata[:, 0], at_s)


def _accepted_format(device: int | str | None) -> tuple[int, int]:
    """The rate and the number of channels that the device takes: 16 kHz if it can be, else its own."""
    sd = sounddevice()
    try:
        described = sd.query_devices(device, "input")
    except (ValueError, sd.PortAudioError) as error:
        raise AudioDeviceError(
            f"There is no microphone{f' {device!r}' if device else ''}. {_MEND}"
        ) from error
    for rate in (SAMPLE_RATE, int(described["default_samplerate"])):
        for channels in (1, 2):
            try:
                sd.check_input_settings(device, channels, "float32", samplerate=rate)
            except (ValueError, sd.PortAudioError):
                continue
            return rate, channels
    raise AudioDeviceError(f"The microphone {described['name']} gives neither mono nor stereo. {_MEND}")
