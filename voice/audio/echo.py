"""Takes Utter's own voice out of the microphone, with the help of what sounded at that time.

WebRTC's canceller tells whether anyone speaks; the words are heard from what a linear filter leaves.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import pywebrtc_audio
import soxr

from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.audio.linear_echo import LinearEcho
from voice.audio.own_sound import OwnSound
from voice.audio.ring import CaptureRing

_LEAST_AHEAD_S = 0.01  # echo never comes before its sound; the device's times are about as exact
_MOST_AHEAD_S = 0.08
_LARGEST_DRIFT_S = 0.06  # two clocks drift apart; the canceller follows less than this by itself
_KEPT_S = 4.0
_LINGERS_S = 0.35  # a room sounds on for so long
_IDLE_S = 1.0  # after so long there is nothing to cancel, and half of the work is spared
_AUDIBLE = 1e-3  # -60 dBFS
_FRAME_S = FRAME_SAMPLES / SAMPLE_RATE
_MOSTLY_ECHO = 0.02  # power left of a frame, -17 dB: what is below it was echo
# So much of what is heard is a copy of what is played, and more than the rest of it is left: the canceller
# does not know the room. Someone who speaks at the same time would be 10 dB softer than that.
_MOSTLY_COPY, _NOT_CANCELLED = 0.88, 0.12
_LOST_COPY, _LOST_S = 0.5, 2.0  # for a while then, less is enough: it takes so long to learn the room
_NO_ECHO = 1e-4  # power of a frame beside what is played, -40 dB: this was no echo
_QUIET_SHARE = 0.2  # of the frames in which something is played; while the user speaks too, there are gaps
_LATEST_S = 0.2  # the echo of a sound has come by then
_GONE_S, _BACK_S = 1.0, 0.5  # of sound, until an echo counts as gone and as there again


class FarEnd:
    """What the loudspeaker plays, at 16 kHz, found by its time on the devices' clock.

    Two devices need not run at the same pace: the reference goes on sample by sample, and jumps only when it
    is off by more than the canceller can follow.
    """

    def __init__(self, played: CaptureRing, rate: int, latency_s: float = 0.0) -> None:
        """`played` at `rate` Hz, `latency_s` before it sounds.

        A microphone that hears the output before it gets to the loudspeaker hears it by so much too early.
        """
        self._played = played
        self._ahead_s = min(max(latency_s, _LEAST_AHEAD_S), _MOST_AHEAD_S)
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
        wanted = round((at_s + self._ahead_s - self._played.time_of(0)) * SAMPLE_RATE)
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
    """A frame without echo; `is_own_voice`: there was hardly anything else in it.

    `samples` have no trace of it and little of a voice that speaks meanwhile, `linear` all of that voice.
    `may_be_echo` is off once it is known that none comes back.
    """

    samples: Samples
    is_own_voice: bool
    linear: Samples | None = None
    may_be_echo: bool = True

    @property
    def words(self) -> Samples:
        """What words are heard from."""
        return self.samples if self.linear is None else self.linear


class EchoPath:
    """Whether any of what is played comes back to the microphone. With headphones none does.

    The canceller then takes up to 10 dB from the user's voice, so it had better be left out.
    """

    def __init__(self) -> None:
        n_late = round(_LATEST_S / _FRAME_S)
        self._near: deque[float] = deque(maxlen=n_late)
        self._far: deque[float] = deque(maxlen=n_late)
        self._is_quiet: deque[bool] = deque(maxlen=round(_GONE_S / _FRAME_S))
        self.exists = True
        """As far as is known."""

    def process(self, near_power: float, far_power: float) -> bool:
        """Take the powers of the next frame; is there an echo? As long as nothing is known, there is."""
        self._near.append(near_power)
        self._far.append(far_power)
        played = self._far[0]
        if len(self._far) == self._far.maxlen and played > _AUDIBLE**2:
            self._is_quiet.append(max(self._near) < _NO_ECHO * played)
            if not self.exists:
                newest = list(self._is_quiet)[-round(_BACK_S / _FRAME_S) :]
                self.exists = sum(newest) < _QUIET_SHARE * len(newest)
            elif len(self._is_quiet) == self._is_quiet.maxlen:
                self.exists = sum(self._is_quiet) < _QUIET_SHARE * len(self._is_quiet)
        return self.exists


class EchoCanceller:
    """WebRTC AEC3, and a linear filter beside it.

    With `half_duplex`, all that is heard while Utter sounds counts as its own voice.
    """

    def __init__(self, *, half_duplex: bool = False) -> None:
        self._half_duplex = half_duplex
        self._canceller = pywebrtc_audio.EchoCanceller(SAMPLE_RATE, 1)
        self._linear = LinearEcho()
        self._own_sound = OwnSound()
        self._path = EchoPath()
        self._silent = round(_IDLE_S / _FRAME_S)  # frames since the last sound
        self._lost = 0  # frames

    def process(self, near: Samples, far: Samples) -> Cleaned:
        """`near` is what the microphone gave, `far` what the loudspeaker played at that time."""
        self._silent = 0 if float(np.abs(far).max()) > _AUDIBLE else self._silent + 1
        lingers = self._silent < round(_LINGERS_S / _FRAME_S)
        if self._half_duplex:
            return Cleaned(near, lingers)
        if self._silent >= round(_IDLE_S / _FRAME_S):
            return Cleaned(near, False, may_be_echo=self._path.exists)
        cleaned, linear = self._canceller.process(near, far), self._linear.process(near, far)
        left, before = _power(cleaned), _power(near)
        if not self._path.process(before, _power(far)):
            return Cleaned(near, False, may_be_echo=False)
        is_copy = self._is_copy(self._own_sound.process(near, far), left > _NOT_CANCELLED * before)
        is_own_voice = lingers and (is_copy or left < _MOSTLY_ECHO * before)
        return Cleaned(cleaned, is_own_voice, linear)

    def _is_copy(self, share: float, is_left: bool) -> bool:
        """Whether a frame is little but what is played, though the canceller has not found that out."""
        self._lost = max(0, self._lost - 1)
        if is_left and share > _MOSTLY_COPY:
            self._lost = round(_LOST_S / _FRAME_S)
        return is_left and share > (_LOST_COPY if self._lost else _MOSTLY_COPY)


def _power(samples: Samples) -> float:
    return float(np.dot(samples, samples)) / len(samples)
