"""Is there speech in a frame? WebRTC's detector, and a gate against steady noise that it takes for speech."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import webrtcvad

from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples

SILENCE_DB = -100.0  # level of a frame of zeros


@dataclass(frozen=True)
class GateSettings:
    """Levels are in decibels relative to full scale. Tuned on nine noises, and speech 10 dB above one."""

    margin_db: float = 6.0  # speech begins this much above the noise
    hold_margin_db: float = 4.0  # and goes on while it is this much above
    quietest_db: float = -60.0  # nothing below this is speech
    memory_s: float = 2.0  # the noise is the quietest frame of this time; speech has gaps more often


class NoiseGate:
    """Knows the level of the noise and lets through what is well above it. Pure: one level for each frame."""

    def __init__(self, settings: GateSettings | None = None) -> None:
        self._settings = settings or GateSettings()
        n_frames = max(1, round(self._settings.memory_s * SAMPLE_RATE / FRAME_SAMPLES))
        self._levels_db: deque[float] = deque(maxlen=n_frames)
        self._open = False

    def process(self, level_db: float) -> bool:
        """Is a frame of this level loud enough to be speech?"""
        self._levels_db.append(level_db)
        floor_db = max(min(self._levels_db), self._settings.quietest_db - self._settings.margin_db)
        margin_db = self._settings.hold_margin_db if self._open else self._settings.margin_db
        self._open = level_db > floor_db + margin_db
        return self._open


class VoiceDetector:
    """Speech or not, frame by frame, in order: both the detector and the gate remember."""

    def __init__(self, aggressiveness: int = 2, gate: GateSettings | None = None) -> None:
        """`aggressiveness` is WebRTC's: 0 takes nearly everything for speech, 3 is strictest."""
        self._detector = webrtcvad.Vad(aggressiveness)
        self._gate = NoiseGate(gate)

    def is_speech(self, frame: Samples) -> bool:
        """Decide on `FRAME_SAMPLES` float32 samples at 16 kHz."""
        loud = self._gate.process(level_db(frame))
        pcm = (np.clip(frame, -1.0, 1.0) * 32767).astype("<i2").tobytes()
        return self._detector.is_speech(pcm, SAMPLE_RATE) and loud


def level_db(frame: Samples) -> float:
    """Root mean square of a frame in decibels below full scale."""
    power = float(np.dot(frame, frame)) / len(frame)
    return max(SILENCE_DB, 10.0 * float(np.log10(power))) if power > 0 else SILENCE_DB
