"""The frames of the microphone that may still be asked for, by their number since it was opened. Pure."""

from __future__ import annotations

from collections import deque

import numpy as np

from voice.audio.frames import SAMPLE_RATE, Samples
from voice.hearing.endpoint import FRAME_S

_SILENCE: Samples = np.zeros(SAMPLE_RATE // 10, np.float32)


class KeptAudio:
    """Holds them in order, until they are forgotten."""

    def __init__(self) -> None:
        self._frames: deque[tuple[Samples, bool]] = deque()
        self._first = 0  # number of the first frame that is held

    def keep(self, samples: Samples, is_speech: bool) -> None:
        """The next frame; `is_speech`: someone but Utter speaks in it."""
        self._frames.append((samples, is_speech))

    def forget(self, before: int) -> None:
        """Frames with a number below `before` are not asked for any more."""
        while self._first < before and self._frames:
            self._frames.popleft()
            self._first += 1

    def between(self, first: int, end: int) -> tuple[Samples, float]:
        """The samples of frames `first` to `end` (exclusive), and how much of them is speech, in seconds."""
        frames = list(self._frames)[max(0, first - self._first) : max(0, end - self._first)]
        spoken = [number for number, (_, is_speech) in enumerate(frames) if is_speech]
        speech_s = (spoken[-1] - spoken[0] + 1) * FRAME_S if spoken else 0.0
        return np.concatenate([samples for samples, _ in frames] or [_SILENCE]), speech_s
