"""Whisper's log-mel spectrogram of one utterance, without padding it to 30 s."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

HOP_SAMPLES = 160  # 10 ms
WINDOW_SAMPLES = 400  # 25 ms
_WINDOW = np.hanning(WINDOW_SAMPLES + 1)[:-1].astype(np.float32)


def log_mel(samples: Floats, filters: Floats) -> Floats:
    """Log-mel frames (len(samples) // 160, n_mels) of 16 kHz mono audio of at least 0.05 s.

    `filters` is (n_mels, 201). Formula and constants: openai/whisper `audio.py`, `log_mel_spectrogram`.
    """
    padded = np.pad(samples, WINDOW_SAMPLES // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES]
    spectrum = np.fft.rfft(windows[: len(samples) // HOP_SAMPLES] * _WINDOW)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    log_spectrum = np.log10(np.maximum(power @ filters.T, 1e-10))
    return (np.maximum(log_spectrum, log_spectrum.max() - 8.0) + 4.0) / 4.0
