"""Short sounds for what needs no words: few, unlike one another, soft, and each also a word for captions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np

from voice.audio.frames import Samples

LONGEST_S = 0.45
_PEAK = 0.2  # about 14 dB below full scale: softer than speech
_FADE_S = 0.008  # no clicks


class Earcon(str, Enum):
    """What a sound says; the value is its word."""

    AWAKE = "awake"
    ASLEEP = "asleep"
    HEARD = "heard"  # your words are taken, you may go on
    THINKING = "thinking"
    TOOL = "working"
    DONE = "done"
    FAILED = "failed"
    QUESTION = "question"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Note:
    """`pitch_hz` glides to `to_hz` if that is given; `overtones` give it an edge; 0 Hz is a knock."""

    at_s: float
    length_s: float
    pitch_hz: float
    to_hz: float = 0.0
    overtones: int = 1


_SOUNDS = {
    Earcon.AWAKE: (Note(0.0, 0.12, 440), Note(0.1, 0.12, 554), Note(0.2, 0.2, 659)),
    Earcon.ASLEEP: (Note(0.0, 0.12, 659), Note(0.1, 0.12, 554), Note(0.2, 0.24, 330)),
    Earcon.HEARD: (Note(0.0, 0.06, 1175),),
    Earcon.THINKING: (Note(0.0, 0.03, 0.0),),
    Earcon.TOOL: (Note(0.0, 0.05, 220, overtones=3), Note(0.1, 0.05, 220, overtones=3)),
    Earcon.DONE: (Note(0.0, 0.1, 784), Note(0.1, 0.25, 1047)),
    Earcon.FAILED: (Note(0.0, 0.16, 185, overtones=5), Note(0.2, 0.24, 131, overtones=5)),
    Earcon.QUESTION: (Note(0.0, 0.3, 392, 784),),
    Earcon.STOPPED: (Note(0.0, 0.22, 700, 160, overtones=2),),
}


@lru_cache(maxsize=64)
def sound(earcon: Earcon, sample_rate: int) -> Samples:
    """The earcon as mono float32 at `sample_rate` Hz, at most `LONGEST_S` long; read-only."""
    notes = _SOUNDS[earcon]
    samples = np.zeros(round(max(note.at_s + note.length_s for note in notes) * sample_rate), np.float32)
    for note in notes:
        start = round(note.at_s * sample_rate)
        tone = _tone(note, sample_rate)[: len(samples) - start]
        samples[start : start + len(tone)] += tone
    samples *= _PEAK / float(np.abs(samples).max())
    samples.flags.writeable = False
    return samples


def _tone(note: Note, sample_rate: int) -> Samples:
    n = round(note.length_s * sample_rate)
    if not note.pitch_hz:
        tone = np.random.default_rng(1).standard_normal(n)
    else:
        pitch_hz = np.geomspace(note.pitch_hz, note.to_hz or note.pitch_hz, n)
        phase = 2 * np.pi * np.cumsum(pitch_hz) / sample_rate
        tone = np.sum([np.sin(k * phase) / k for k in range(1, note.overtones + 1)], axis=0)
    fade = round(_FADE_S * sample_rate)
    edge = np.minimum(1.0, np.minimum(np.arange(n), np.arange(n)[::-1]) / fade)
    return (tone * edge * np.exp(-3.0 * np.arange(n) / n)).astype(np.float32)
