"""Subtracts the echo of Utter's voice and leaves all else as it was: what the words are heard from.

WebRTC's canceller also suppresses what may be left of the echo, and with it half of every word that is spoken
over it. That is right for telling whether someone speaks, and wrong for hearing what is said.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice.audio.frames import FRAME_SAMPLES, Samples

Spectra = NDArray[np.complex64]

_PARTITIONS = 10  # of one frame each: the room is known for 200 ms
_STEP = 0.5
_SMOOTHING = 0.7  # of the loudspeaker's power, in each band
_QUIET_POWER = 1e-2  # of a band's spectrum; below it there is nothing to learn from
_FORGETTING = 0.96
_ROBUST = 2.0  # an error this many times its usual size is someone speaking,
_FOLLOWING = 1.03  # unless it stays: the usual size is the median, followed so fast in each frame


class LinearEcho:
    """A partitioned-block frequency-domain adaptive filter, one frame at a time.

    Soo and Pang, "Multidelay block frequency domain adaptive filter", IEEE Trans. ASSP 38 (1990). The step is
    cut where the error is larger than usual, so that it does not learn from the user's voice.
    """

    def __init__(self) -> None:
        bands = FRAME_SAMPLES + 1
        self._path: Spectra = np.zeros((_PARTITIONS, bands), np.complex64)
        self._far: Spectra = np.zeros((_PARTITIONS, bands), np.complex64)  # the newest first
        self._before: Samples = np.zeros(FRAME_SAMPLES, np.float32)
        self._power = np.zeros(bands, np.float32)
        self._usual = 1.0  # root mean square of the error, beside that of the loudspeaker
        self._turn = 0
        self._near_power = self._left_power = 0.0  # of the last half second or so

    def process(self, near: Samples, far: Samples) -> Samples:
        """The next frame of the microphone without what it has of `far`, which sounded at that time."""
        spectrum = np.fft.rfft(np.concatenate((self._before, far))).astype(np.complex64)
        self._before = far
        self._far = np.concatenate((spectrum[np.newaxis], self._far[:-1]))
        echo = np.fft.irfft((self._path * self._far).sum(axis=0))[FRAME_SAMPLES:].astype(np.float32)
        left = near - echo
        self._near_power = _FORGETTING * self._near_power + float(np.dot(near, near))
        self._left_power = _FORGETTING * self._left_power + float(np.dot(left, left))
        self._learn(left)
        # While it does not know the room, or not any more, it adds more than it takes away.
        return left if self._left_power < self._near_power else near

    def _learn(self, left: Samples) -> None:
        power = np.square(np.abs(self._far)).sum(axis=0)
        self._power = np.maximum(_SMOOTHING * self._power + (1 - _SMOOTHING) * power, power * 0.5)
        loudness = float(power.sum())
        if loudness < _QUIET_POWER:
            return
        size = float(np.sqrt(np.dot(left, left) / loudness)) + 1e-9
        trust = min(1.0, _ROBUST * self._usual / size) ** 2
        self._usual *= _FOLLOWING if size > self._usual else 1 / _FOLLOWING
        error = np.fft.rfft(np.concatenate((np.zeros(FRAME_SAMPLES, np.float32), left)))
        step = _STEP * trust * error / (self._power + _QUIET_POWER)
        self._path += (np.conj(self._far) * step).astype(np.complex64)
        # Circular parts are cut out of one partition in each frame, as all of them would cost twice the rest.
        self._turn = (self._turn + 1) % _PARTITIONS
        taps = np.fft.irfft(self._path[self._turn])
        taps[FRAME_SAMPLES:] = 0
        self._path[self._turn] = np.fft.rfft(taps)
