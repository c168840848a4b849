"""Takes Utter's own voice out of the microphone: WebRTC's canceller, fed with what sounded at that time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import pywebrtc_audio
import soxr

from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.audio.ring import CaptureRing

_AHEAD_S = 0.01  # echo never comes before its sound; the device's times are about as exact
_LARGEST_DRIFT_S = 0.06  # two clocks drift apart; the canceller follows less than this by itself
_KEPT_S = 4.0
_LINGERS_S = 0.35  # a room sounds on for so long
_AUDIBLE = 1e-3  # -60 dBFS
_FRAME_S = FRAME_SAMPLES / SAMPLE_RATE
_MOSTLY_ECHO = 0.02  # power left of a frame, -17 dB: what is below it was echo
_NO_ECHO = 1e-4  # power of a frame beside what is played, -40 dB: this was no echo
_QUIET_SHARE = 0.2  # of the frames in which something is played; while the user speaks too, there are gaps
_GONE_S, _BACK_S = 1.0, 0.5  # of sound, until an echo counts as gone and as there again


class FarEnd:
    """What the loudspeaker plays, at 16 kHz, found by its time on the devices' clock.

    Two devices need not run at the same pace: the reference goes on sample by sample, and jumps only when it
    is off by more than the canceller can follow.
    """

    def __init__(self, played: CaptureRing, rate: int) -> None:
        """`played` at `rate` Hz."""
        self._played = played
        self._rate = rate
        self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, "float32")
        self._samples: Samples = np.zeros(0, np.float32)
        self._first = 0  # count of the first of `_samples` at 16 kHz
        self._next: int | None = None

    def at(self, at_s: float) -> Samples:
        """The `FRAME_SAMPLES` samples that sounded from `at_s` on; silence where nothing is known."""
        fresh = self._played.take()
        if len(fresh):
            self._samples = np.concatenate((self._samples, self._resampler.resample_chunk(fresh)))
        wanted = round((at_s + _AHEAD_S - self._played.time_of(0)) * SAMPLE_RATE)
        if self._next is None or abs(wanted - self._next) > _LARGEST_DRIFT_S * SAMPLE_RATE:
            self._next = wanted
        start, self._next = self._next - self._first, self._next + FRAME_SAMPLES
        out = np.zeros(FRAME_SAMPLES, np.float32)
        known = self._samples[max(0, start) : max(0, start + FRAME_SAMPLES)]
        offset = max(0, -start)
        out[offset : offset + len(known)] = known
        surplus = len(self._samples) - int(_KEPT_S * SAMPLE_RATE)
        if surplus > 0:
            self._samples, self._first = self._samples[surplus:], self._first + surplus
        return out


@dataclass(frozen=True)
class Cleaned:
    """A frame without echo; `is_own_voice`: there was hardly anything else in it."""

    samples: Samples
    is_own_voice: bool


class EchoPath:
    """Whether any of what is played comes back to the microphone. With headphones none does.

    The canceller then takes up to 10 dB from the user's voice, so it had better be left out.
    """

    def __init__(self) -> None:
        self._is_quiet: deque[bool] = deque(maxlen=round(_GONE_S / _FRAME_S))
        self._exists = True

    def process(self, near_power: float, far_power: float) -> bool:
        """Take the powers of the next frame; is there an echo? As long as nothing is known, there is."""
        if far_power > _AUDIBLE**2:
            self._is_quiet.append(near_power < _NO_ECHO * far_power)
            if not self._exists:
                newest = list(self._is_quiet)[-round(_BACK_S / _FRAME_S) :]
                self._exists = sum(newest) < _QUIET_SHARE * len(newest)
            elif len(self._is_quiet) == self._is_quiet.maxlen:
                self._exists = sum(self._is_quiet) < _QUIET_SHARE * len(self._is_quiet)
        return self._exists


class EchoCanceller:
    """WebRTC AEC3. With `half_duplex`, all that is heard while Utter sounds counts as its own voice."""

    def __init__(self, *, half_duplex: bool = False) -> None:
        self._half_duplex = half_duplex
        self._canceller = pywebrtc_audio.EchoCanceller(SAMPLE_RATE, 1)
        self._path = EchoPath()
        self._lingers = 0  # frames

    def process(self, near: Samples, far: Samples) -> Cleaned:
        """`near` is what the microphone gave, `far` what the loudspeaker played at that time."""
        if float(np.abs(far).max()) > _AUDIBLE:
            self._lingers = round(_LINGERS_S / _FRAME_S)
        elif self._lingers:
            self._lingers -= 1
        if self._half_duplex:
            return Cleaned(near, bool(self._lingers))
        cleaned = self._canceller.process(near, far)
        left, before = _power(cleaned), _power(near)
        if not self._path.process(before, _power(far)):
            return Cleaned(near, False)
        return Cleaned(cleaned, bool(self._lingers) and left < _MOSTLY_ECHO * before)


def _power(samples: Samples) -> float:
    return float(np.dot(samples, samples)) / len(samples)
