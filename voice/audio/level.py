"""Watches the microphone's level and says what hurts, once: clipped, too quiet, too noisy, dead. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples

_FRAMES_PER_S = SAMPLE_RATE // FRAME_SAMPLES
_SILENCE_DB = -100.0  # level of zeros


class Complaint(str, Enum):
    """What is wrong with a microphone."""

    DEAD = "dead"
    CLIPPING = "clipping"
    TOO_QUIET = "too_quiet"
    TOO_NOISY = "too_noisy"


ADVICE = {
    Complaint.DEAD: "The microphone gives no sound at all. Is it muted, or is another one chosen?",
    Complaint.CLIPPING: "You are too loud for the microphone. Move back a little, or turn its level down.",
    Complaint.TOO_QUIET: "I hear you only faintly. Move closer, or turn the microphone's level up.",
    Complaint.TOO_NOISY: "It is noisy here. Move the microphone away from fans and behind the speakers.",
}
"""What to tell the user, fit to be spoken."""


@dataclass(frozen=True)
class LevelSettings:
    """Levels in decibels below full scale. The limits are those at which base Whisper begins to mishear."""

    clipped: float = 0.99  # a sample this large is cut off
    clipped_share: float = 0.01  # of the samples of speech, and the words suffer
    quiet_db: float = -45.0  # speech below this is faint
    noise_db: float = -40.0  # noise above this is loud
    least_snr_db: float = 10.0  # speech must stand this much above the noise
    speech_s: float = 3.0  # of speech, before it is judged
    noise_s: float = 5.0  # of other sound, before it is judged
    dead_s: float = 3.0  # of exact silence


@dataclass(frozen=True)
class Levels:
    """What was measured so far, over the last seconds; None where there was too little of it."""

    speech_db: float | None
    noise_db: float | None
    clipped_share: float


class LevelWatch:
    """Fed with every frame; each complaint comes once, however long it lasts."""

    def __init__(self, settings: LevelSettings | None = None) -> None:
        self._settings = settings or LevelSettings()
        n_speech = round(self._settings.speech_s * _FRAMES_PER_S)
        self._speech_db: deque[float] = deque(maxlen=n_speech)
        self._clipped: deque[float] = deque(maxlen=n_speech)
        self._noise_db: deque[float] = deque(maxlen=round(self._settings.noise_s * _FRAMES_PER_S))
        self._dead_frames = 0
        self._told: set[Complaint] = set()

    def process(
        self, frame: Samples, *, is_speech: bool, is_own_voice: bool = False
    ) -> tuple[Complaint, ...]:
        """Take the next frame of 20 ms at 16 kHz; Utter's own voice is left out. Gives new complaints."""
        peak = float(np.abs(frame).max(initial=0.0))
        self._dead_frames = self._dead_frames + 1 if peak == 0.0 else 0
        if not is_own_voice and peak > 0.0:
            if is_speech:
                self._speech_db.append(_level_db(frame))
                self._clipped.append(float(np.mean(np.abs(frame) >= self._settings.clipped)))
            else:
                self._noise_db.append(_level_db(frame))
        new = tuple(complaint for complaint in self._complaints() if complaint not in self._told)
        self._told.update(new)
        return new

    def levels(self) -> Levels:
        """The present measure."""
        clipped = sum(self._clipped) / len(self._clipped) if self._clipped else 0.0
        return Levels(_typical(self._speech_db), _typical(self._noise_db), clipped)

    def _complaints(self) -> list[Complaint]:
        is_dead = self._dead_frames >= self._settings.dead_s * _FRAMES_PER_S
        return [Complaint.DEAD] * is_dead + complaints(self.levels(), self._settings)


def complaints(levels: Levels, settings: LevelSettings) -> list[Complaint]:
    """What hurts at these levels; what was not measured does not."""
    found: list[Complaint] = []
    if levels.speech_db is not None:
        if levels.clipped_share > settings.clipped_share:
            found.append(Complaint.CLIPPING)
        if levels.speech_db < settings.quiet_db:
            found.append(Complaint.TOO_QUIET)
    if levels.noise_db is not None:
        speech_db = levels.speech_db
        drowns = speech_db is not None and speech_db - levels.noise_db < settings.least_snr_db
        if drowns or levels.noise_db > settings.noise_db:
            found.append(Complaint.TOO_NOISY)
    return found


def levels_of(recording: Samples, is_speech: Sequence[bool], settings: LevelSettings) -> Levels:
    """Measure a whole recording at 16 kHz, with one speech decision for each of its frames of 20 ms."""
    frames = recording[: len(is_speech) * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    marks = np.array(is_speech[: len(frames)], dtype=bool)
    speech, other = frames[marks], frames[~marks]
    clipped = float(np.mean(np.abs(speech) >= settings.clipped)) if len(speech) else 0.0
    noise_db = [_level_db(frame) for frame in other if frame.any()]
    return Levels(_median([_level_db(frame) for frame in speech]), _median(noise_db), clipped)


def _typical(levels_db: deque[float]) -> float | None:
    """The median, when there is enough."""
    return _median(levels_db) if len(levels_db) == levels_db.maxlen else None


def _median(levels_db: Sequence[float]) -> float | None:
    return sorted(levels_db)[len(levels_db) // 2] if levels_db else None


def _level_db(frame: Samples) -> float:
    power = float(np.dot(frame, frame)) / len(frame)
    return max(_SILENCE_DB, 10.0 * float(np.log10(power))) if power > 0 else _SILENCE_DB
