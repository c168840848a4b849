"""A voice at another sample rate, for a sink that is open already."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import soxr

from voice.speaking.synthesis import Samples, Synthesiser


class Resampled:
    """Speaks as `voice` does, at `sample_rate` in Hz."""

    def __init__(self, voice: Synthesiser, sample_rate: int) -> None:
        self._voice = voice
        self.sample_rate = sample_rate

    def synthesise(self, clause: str) -> Iterator[Samples]:
        """As the voice's own."""
        stream = soxr.ResampleStream(self._voice.sample_rate, self.sample_rate, 1)
        for piece in self._voice.synthesise(clause):
            yield np.clip(stream.resample_chunk(piece), -1, 1)
        yield np.clip(stream.resample_chunk(np.zeros(0, np.float32), last=True), -1, 1)


def at_rate(voice: Synthesiser, sample_rate: int) -> Synthesiser:
    """`voice` itself where its rate is that."""
    return voice if voice.sample_rate == sample_rate else Resampled(voice, sample_rate)
