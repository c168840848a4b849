"""Cuts a stream of frames into utterances; holds no more audio than the present one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.hearing.endpoint import Decision, Endpointer, EndpointSettings, Span
from voice.hearing.vad import VoiceDetector


@dataclass(frozen=True)
class Utterance:
    """One utterance with its pre-roll and the silence that ended it.

    `samples` is mono float32 at 16 kHz. The times are in samples since the stream began: the first speech,
    behind the last speech, and where the utterance was decided to be over.
    """

    samples: Samples
    speech_start: int
    speech_end: int
    endpoint: int

    @property
    def starts_s(self) -> float:
        """Where `samples` begin, in seconds since the stream began."""
        return (self.endpoint - len(self.samples)) / SAMPLE_RATE

    @property
    def speech_s(self) -> float:
        """From the first to the last speech, in seconds."""
        return (self.speech_end - self.speech_start) / SAMPLE_RATE


class UtteranceSegmenter:
    """For one stream. `last_decision` is what the latest frame meant."""

    def __init__(self, detector: VoiceDetector, settings: EndpointSettings | None = None) -> None:
        self._detector = detector
        self._endpointer = Endpointer(settings)
        self._kept: deque[Samples] = deque()
        self._first_kept = 0  # number of the first frame in `_kept`
        self.last_decision = Decision.NONE

    def process(self, frame: Samples) -> Utterance | None:
        """Take the next frame of `FRAME_SAMPLES` samples; gives the utterance that it ends, if any."""
        self._kept.append(frame)
        return self._after(self._endpointer.process(self._detector.is_speech(frame)))

    def finish(self) -> Utterance | None:
        """The stream is over; gives the utterance that was not yet ended."""
        return self._after(self._endpointer.finish())

    def run(self, frames: Iterable[Samples]) -> Iterator[Utterance]:
        """All utterances of a stream, as they end."""
        for frame in frames:
            utterance = self.process(frame)
            if utterance is not None:
                yield utterance
        utterance = self.finish()
        if utterance is not None:
            yield utterance

    def _after(self, decision: Decision) -> Utterance | None:
        self.last_decision = decision
        span = self._endpointer.span if decision in (Decision.SPEECH_ENDED, Decision.SPEECH_SPLIT) else None
        utterance = self._cut(span) if span else None
        while self._first_kept < self._endpointer.needed_from:
            self._kept.popleft()
            self._first_kept += 1
        return utterance

    def _cut(self, span: Span) -> Utterance:
        frames = list(self._kept)[span.start - self._first_kept : span.end - self._first_kept]
        return Utterance(
            samples=np.concatenate(frames),
            speech_start=span.speech_start * FRAME_SAMPLES,
            speech_end=span.speech_end * FRAME_SAMPLES,
            endpoint=span.end * FRAME_SAMPLES,
        )
