"""The sink that plays through the loudspeaker: PortAudio's callback only moves samples out of a ring."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import soxr

from voice.audio.devices import AudioDeviceError, sounddevice
from voice.audio.frames import Samples
from voice.audio.playout import Ledger, Playout
from voice.audio.ring import CaptureRing, PlaybackRing
from voice.audio.sink import OnHeard

_BUFFER_S = 20.0  # of speech queued before `write` waits
_FADE_S = 0.005
_LATENCY_S = 0.08  # asked of the device: short enough to stop quickly, long enough for a busy machine
_POLL_S = 0.01
_PLAYED_S = 4.0  # of what was given to the device, kept for the echo canceller


class DeviceSink:
    """Plays on an output device, the default one unless named. Close it when done.

    Where the device refuses the rate of the voice, it gets its own rate and speech is resampled.
    """

    def __init__(
        self, sample_rate: int, device: int | str | None = None, on_heard: OnHeard | None = None
    ) -> None:
        """Open the device. Raises `AudioDeviceError` when there is none or it refuses."""
        self.sample_rate = sample_rate
        self._on_heard = on_heard
        self._stream: Any = None
        self.clock_rate, channels = _accepted_format(sample_rate, device)
        self._ring = PlaybackRing(
            int(_BUFFER_S * self.clock_rate), int(_FADE_S * self.clock_rate), history=self.clock_rate
        )
        self.played = CaptureRing(int(_PLAYED_S * self.clock_rate), self.clock_rate)
        self._resampler = self._new_resampler()
        self._ledger = Ledger()
        self._base = 0  # the ring's count of written samples where the utterance began
        self._cleared: Playout | None = None
        sd = sounddevice()
        try:
            self._stream = sd.OutputStream(
                self.clock_rate, 0, device, channels, "float32", _LATENCY_S, callback=self._callback
            )
            self._stream.start()
        except sd.PortAudioError as error:
            raise AudioDeviceError(f"The sound output could not be opened: {error}. {_MEND}") from error
        self._latency = int(self._stream.latency * self.clock_rate)

    async def write(self, samples: Samples, text: str = "") -> None:
        self._cleared = None
        ledger = self._ledger
        ledger.write(len(samples), text)
        await self._queue(self._resampler.resample_chunk(samples) if self._resampler else samples, ledger)

    @property
    def is_alive(self) -> bool:
        """Whether the device still takes sound."""
        return bool(self._stream.active)

    @property
    def latency_s(self) -> float:
        """From what is given to the device until it sounds, as the device says."""
        return self._latency / self.clock_rate

    @property
    def heard_samples(self) -> int:
        """How much of the present utterance has sounded, at the rate of what is written."""
        self._report()
        read = self._ring.read - self._base - self._latency
        return max(0, read) * self.sample_rate // self.clock_rate

    def chime(self, samples: Samples) -> None:
        """Play a short sound at once, at `clock_rate`, over whatever sounds; paused or not."""
        self._ring.chime(samples)

    def pause(self) -> None:
        self._ring.stop(stopped=True)

    def resume(self) -> None:
        self._ring.stop(stopped=False)

    def clear(self) -> Playout:
        self._cleared = self._account(interrupted=self._ring.read < self._ring.written)
        self._ring.discard()
        self._ring.stop(stopped=False)
        return self._cleared

    async def drain(self) -> Playout:
        if self._cleared is None and self._resampler:
            await self._queue(
                self._resampler.resample_chunk(np.zeros(0, np.float32), last=True), self._ledger
            )
        end_of_sound: int | None = None
        while self._cleared is None:
            self._report()
            if end_of_sound is None and self._ring.read >= self._ring.written:
                end_of_sound = self._ring.clock + self._latency
            if end_of_sound is not None and self._ring.clock >= end_of_sound:
                return self._account(interrupted=False)
            await self._tick()
        cleared, self._cleared = self._cleared, None
        return cleared

    def close(self) -> None:
        """Give the device back. What was queued is not heard."""
        self._report()
        if self._stream is not None:
            self._stream.close()

    async def _queue(self, samples: Samples, ledger: Ledger) -> None:
        start = 0
        while start < len(samples) and ledger is self._ledger:  # a clear meanwhile drops the rest as well
            self._report()
            start += self._ring.write(samples[start:])
            if start < len(samples):
                await self._tick()

    async def _tick(self) -> None:
        if not self._stream.active:
            raise AudioDeviceError(f"The sound output stopped, as when it is unplugged. {_MEND}")
        await asyncio.sleep(_POLL_S)

    def _callback(self, outdata: Samples, _frames: int, time: Any, _status: object) -> None:
        self._ring.fill(outdata[:, 0])
        self.played.write(outdata[:, 0], time.outputBufferDacTime)
        outdata[:, 1:] = outdata[:, :1]

    def _account(self, *, interrupted: bool) -> Playout:
        """The account of the utterance. What the device has taken sounds only after its latency."""
        self._report()
        in_flight = self._latency if interrupted else 0
        heard = (self._ring.read - self._base - in_flight) * self.sample_rate // self.clock_rate
        playout = self._ledger.playout(
            heard if interrupted else self._ledger.written_samples, interrupted=interrupted
        )
        self._ledger = Ledger()
        self._base = self._ring.written
        self._resampler = self._new_resampler()
        return playout

    def _report(self) -> None:
        """Tell what was played since the last report, before the ring overwrites it."""
        while self._ring.runs:
            run = self._ring.runs.popleft()
            if self._on_heard is not None:
                self._on_heard(run.clock + self._latency, self._ring.copy(run.position, run.n))

    def _new_resampler(self) -> soxr.ResampleStream | None:
        if self.clock_rate == self.sample_rate:
            return None
        return soxr.ResampleStream(self.sample_rate, self.clock_rate, 1, "float32")


_MEND = (
    "Check the sound settings, or name another device with `audio.output_device`; `utter doctor` lists them."
)


def _accepted_format(sample_rate: int, device: int | str | None) -> tuple[int, int]:
    """The rate and the number of channels that the device takes: those of the voice if it can be."""
    sd = sounddevice()
    try:
        described = sd.query_devices(device, "output")
    except (ValueError, sd.PortAudioError) as error:
        raise AudioDeviceError(
            f"There is no sound output{f' {device!r}' if device else ''}. {_MEND}"
        ) from error
    for rate in (sample_rate, int(described["default_samplerate"])):
        for channels in (1, 2):
            try:
                sd.check_output_settings(device, channels, "float32", samplerate=rate)
            except (ValueError, sd.PortAudioError):
                continue
            return rate, channels
    raise AudioDeviceError(f"The sound output {described['name']} takes neither mono nor stereo. {_MEND}")
