"""Whether the microphone hears little but what is being played: a late copy of it, louder than all else.

For the seconds in which the canceller does not know the room yet, or not any more, as when the system moves
the microphone to another source, or to Utter's own output.
"""

from __future__ import annotations

import numpy as np

from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples

_WINDOW = int(0.4 * SAMPLE_RATE)
_LATEST = int(0.2 * SAMPLE_RATE)  # a copy comes within this time
_EVERY_FRAMES = 4
_SIZE = 1 << (_WINDOW + _LATEST + _WINDOW).bit_length()
_FAINT = 1e-6  # power; below it there is nothing to compare


class OwnSound:
    """Fed with every frame of both sides, aligned to within 0.2 s."""

    def __init__(self) -> None:
        self._near: Samples = np.zeros(_WINDOW, np.float32)
        self._far: Samples = np.zeros(_WINDOW + _LATEST, np.float32)
        self._frames = 0
        self._share = 0.0

    def process(self, near: Samples, far: Samples) -> float:
        """Take the next frame; how much of the power that was heard of late is a copy of what is played."""
        self._near = np.concatenate((self._near[FRAME_SAMPLES:], near))
        self._far = np.concatenate((self._far[FRAME_SAMPLES:], far))
        self._frames += 1
        if self._frames % _EVERY_FRAMES == 0:
            self._share = self._copied()
        return self._share

    def _copied(self) -> float:
        """The largest squared correlation of the near window with a window of the far side before it."""
        near_power = float(np.dot(self._near, self._near))
        if near_power < _FAINT * _WINDOW:
            return 0.0
        spectrum = np.conj(np.fft.rfft(self._near, _SIZE)) * np.fft.rfft(self._far, _SIZE)
        product = np.fft.irfft(spectrum, _SIZE)[: _LATEST + 1]
        sums = np.concatenate(([0.0], np.cumsum(np.square(self._far, dtype=np.float64))))
        far_power = sums[_WINDOW:] - sums[: _LATEST + 1]
        share = np.square(product) / (near_power * np.maximum(far_power, _FAINT * _WINDOW))
        return float(share.max())
