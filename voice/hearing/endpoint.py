"""Where an utterance begins and ends: a pure state machine over one speech decision for each frame."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum

from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE

FRAME_S = FRAME_SAMPLES / SAMPLE_RATE


class Decision(Enum):
    """What one frame meant."""

    NONE = "none"
    SPEECH_STARTED = "speech_started"  # enough speech came to be an utterance
    SPEECH_PAUSED = "speech_paused"  # the first silence after speech; the utterance may be over
    SPEECH_RESUMED = "speech_resumed"  # it was not
    SPEECH_ENDED = "speech_ended"  # the utterance is over
    SPEECH_SPLIT = "speech_split"  # too long: its first part is over, the rest begins with the next frame
    DISCARDED = "discarded"  # some speech came, too little to be an utterance


@dataclass(frozen=True)
class EndpointSettings:
    """When speech counts. Times are in seconds and rounded to whole frames of 20 ms."""

    pre_roll_s: float = 0.3  # kept from before the first speech, so that first consonants live
    start_speech_s: float = 0.16  # speech that is needed, within
    start_window_s: float = 0.3  # this long, to begin an utterance
    onset_s: float = 0.6  # it then reaches back to speech this long ago: in noise the first word is broken
    least_speech_s: float = 0.2  # an utterance with less speech in all is discarded: a click, a cough
    end_silence_s: float = 0.6  # silence that ends an utterance
    pause_s: float = 0.2  # silence that is told as a pause
    patience_s: float = 20.0  # after this long, a pause is enough to split it
    max_utterance_s: float = 28.0  # pre-roll included; longer speech is split


@dataclass(frozen=True)
class Span:
    """An utterance in frames since the stream began; ends are exclusive.

    `start` is where its pre-roll begins, `end` the endpoint: where it was decided that it is over.
    """

    start: int
    speech_start: int
    speech_end: int
    end: int


class Endpointer:
    """Fed with one speech decision for each frame; time is the number of frames.

    After `SPEECH_ENDED` and `SPEECH_SPLIT`, `span` is the utterance that is over.
    """

    def __init__(self, settings: EndpointSettings | None = None) -> None:
        settings = settings or EndpointSettings()
        self._pre_roll = _frames(settings.pre_roll_s)
        self._start_speech = max(1, _frames(settings.start_speech_s))
        self._start_window = max(self._start_speech, _frames(settings.start_window_s))
        self._recent: deque[bool] = deque(maxlen=max(self._start_window, _frames(settings.onset_s)))
        self._least_speech = _frames(settings.least_speech_s)
        self._end_silence = max(1, _frames(settings.end_silence_s))
        self._pause = min(max(1, _frames(settings.pause_s)), self._end_silence)
        self._patience = _frames(settings.patience_s)
        self._longest = max(1, _frames(settings.max_utterance_s))
        self.span: Span | None = None
        self.in_speech = False
        self.now = 0  # frames seen
        self._start = self._speech_start = self._speech_end = 0  # of the present utterance
        self._speech = 0  # speech frames in it
        self._goes_on = False  # it is the rest of one that was split
        self._earliest = 0  # no utterance reaches back behind the end of the one before

    @property
    def present(self) -> Span:
        """The present utterance so far, in frames."""
        return Span(self._start, self._speech_start, self._speech_end, self.now)

    @property
    def silence_s(self) -> float:
        """Silence since the last speech of the present utterance."""
        return (self.now - self._speech_end) * FRAME_S

    @property
    def since_start_s(self) -> float:
        """Time since the first speech of the present utterance."""
        return (self.now - self._speech_start) * FRAME_S

    @property
    def speech_s(self) -> float:
        """Speech in the present utterance, gaps left out."""
        return self._speech * FRAME_S

    def end_after(self, silence_s: float) -> None:
        """From now on so much silence ends an utterance, the present one too; at least one frame."""
        self._end_silence = max(1, _frames(silence_s))

    @property
    def needed_from(self) -> int:
        """The first frame that the present or the next utterance may still need."""
        if self.in_speech:
            return self._start
        return max(self._earliest, self.now - len(self._recent) - self._pre_roll)

    def process(self, is_speech: bool) -> Decision:
        """Take the next frame."""
        self.now += 1
        return self._inside(is_speech) if self.in_speech else self._outside(is_speech)

    def finish(self) -> Decision:
        """The stream is over: an utterance that had begun ends now."""
        return self._end() if self.in_speech else Decision.NONE

    def _outside(self, is_speech: bool) -> Decision:
        speech_fell_out = len(self._recent) == self._recent.maxlen and self._recent[0]
        self._recent.append(is_speech)
        newest = list(self._recent)[-self._start_window :]
        if sum(newest) >= self._start_speech:
            self._speech_start = self.now - len(self._recent) + self._recent.index(True)
            self._begin(max(self._speech_start - self._pre_roll, self._earliest), sum(self._recent))
            return Decision.SPEECH_STARTED
        return Decision.DISCARDED if speech_fell_out and not any(self._recent) else Decision.NONE

    def _inside(self, is_speech: bool) -> Decision:
        paused = self.now - 1 - self._speech_end >= self._pause
        if is_speech:
            self._speech_end = self.now
            self._speech += 1
        silence = self.now - self._speech_end
        length = self.now - self._start
        if silence >= self._end_silence:
            return self._end()
        if length >= self._longest or (length >= self._patience and silence >= self._pause):
            return self._split() if self._speech else self._end()
        if is_speech:
            return Decision.SPEECH_RESUMED if paused else Decision.NONE
        return Decision.SPEECH_PAUSED if silence == self._pause else Decision.NONE

    def _begin(self, start: int, speech: int, *, goes_on: bool = False) -> None:
        self.in_speech = True
        self._goes_on = goes_on
        self._start, self._speech_end, self._speech = start, self.now, speech
        self._recent.clear()

    def _end(self) -> Decision:
        self.in_speech = False
        self._earliest = self.now
        # The rest of a split utterance is kept however short, or its last word would be lost.
        if self._speech < (1 if self._goes_on else self._least_speech):
            return Decision.DISCARDED
        self.span = Span(self._start, self._speech_start, self._speech_end, self.now)
        return Decision.SPEECH_ENDED

    def _split(self) -> Decision:
        self.span = Span(self._start, self._speech_start, self._speech_end, self.now)
        self._speech_start = self.now
        self._begin(self.now, 0, goes_on=True)
        return Decision.SPEECH_SPLIT


def _frames(seconds: float) -> int:
    return round(seconds / FRAME_S)
