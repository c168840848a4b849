"""Whisper's log-mel spectrogram of one utterance, without padding it to 30 s; and its filters."""

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
    scaled = (np.maximum(log_spectrum, log_spectrum.max() - 8.0) + 4.0) / 4.0
    return scaled.astype(np.float32, copy=False)


def mel_filters(n_mels: int) -> Floats:
    """The triangular filters that Whisper was trained with, (n_mels, 201), for 16 kHz audio.

    librosa's `mel` with Slaney's scale, "Auditory Toolbox" (1998): linear below 1 kHz, logarithmic above;
    each filter has the same area.
    """
    highest_mel = 15.0 + np.log(8.0) * 27.0 / np.log(6.4)
    mels = np.linspace(0.0, highest_mel, n_mels + 2)
    corners_hz = np.where(mels < 15.0, mels * 200.0 / 3.0, 1000.0 * 6.4 ** ((mels - 15.0) / 27.0))
    bins_hz = np.linspace(0.0, 8000.0, WINDOW_SAMPLES // 2 + 1)
    low, peak, high = corners_hz[:-2, None], corners_hz[1:-1, None], corners_hz[2:, None]
    rising, falling = (bins_hz - low) / (peak - low), (high - bins_hz) / (high - peak)
    return (np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (high - low)).astype(np.float32)
