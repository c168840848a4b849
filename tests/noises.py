"""Sounds that are not speech, each of 6 s at 16 kHz with root mean square 1 where it is steady."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE

Samples = NDArray[np.float32]

N = 6 * SAMPLE_RATE
TIME_S = np.arange(N) / SAMPLE_RATE
LEVELS_DB = (-50.0, -30.0, -12.0)


def coloured(exponent: float, seed: int = 0) -> Samples:
    """Noise whose power falls with frequency to the power of `exponent`: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(N))
    frequency = np.maximum(np.fft.rfftfreq(N, 1 / SAMPLE_RATE), 20)
    noise = np.fft.irfft(spectrum / frequency ** (exponent / 2), N)
    return (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)


def bursts(every_s: float, length_s: float, decay_s: float) -> Samples:
    """Clicks of white noise."""
    sound = np.zeros(N, np.float32)
    length = int(length_s * SAMPLE_RATE)
    click = np.random.default_rng(1).standard_normal(length) * np.exp(
        -np.arange(length) / (decay_s * SAMPLE_RATE)
    )
    for start in range(SAMPLE_RATE // 2, N - length, int(every_s * SAMPLE_RATE)):
        sound[start : start + length] = 3 * click
    return sound


def chimes() -> Samples:
    """Tones that come and go like music."""
    tones = [
        np.sin(2 * np.pi * pitch * TIME_S) * (np.sin(2 * np.pi * (0.5 + 0.3 * number) * TIME_S) > 0)
        for number, pitch in enumerate((220, 277, 330, 440, 554))
    ]
    return (np.sum(tones, axis=0) / 2).astype(np.float32)


def hum() -> Samples:
    return sum(
        level * np.sin(2 * np.pi * pitch * TIME_S) for pitch, level in ((50, 1), (100, 0.3), (150, 0.5))
    ).astype(np.float32)


NOISES: dict[str, Samples] = {
    "silence": np.zeros(N, np.float32),
    "white noise": coloured(0),
    "pink noise": coloured(1),
    "brown noise": coloured(2),
    "mains hum": hum(),
    "clicks of 50 ms": bursts(1.0, 0.05, 1.0),
    "single impulses": bursts(1.0, 0.0001, 1.0),
    "typing": bursts(0.2, 0.03, 0.004),
    "music": chimes(),
}


def at_level(noise: Samples, level_db: float) -> Samples:
    return np.clip(noise * 10 ** (level_db / 20), -1, 1).astype(np.float32)


def frames(samples: Samples) -> list[Samples]:
    whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
    return list(samples[:whole].reshape(-1, FRAME_SAMPLES))
