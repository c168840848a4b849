"""Fundamental frequency over time: normalised autocorrelation, with the smoothest way through its peaks.

Boersma, "Accurate short-term analysis of the fundamental frequency", IFA Proceedings 17, 1993.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice.speaking.synthesis import Samples

HOP_S = 0.005
LOWEST_HZ, HIGHEST_HZ = 60.0, 450.0
_WINDOW_S = 0.04
_CANDIDATES = 6
_VOICED = 0.45  # autocorrelation from which a frame counts as voiced
_OCTAVE_COST = 0.02  # per octave down, so that half the frequency does not win by a hair
_JUMP_COST = 0.6  # per octave between frames
_SWITCH_COST = 0.12  # between voiced and unvoiced
_SILENT = 0.03  # of the loudest frame's level


@dataclass(frozen=True)
class Pitch:
    """`hz` at every `HOP_S` from 0 on, float64; 0 where there is no voice."""

    hz: NDArray[np.float64]

    @property
    def is_voiced(self) -> NDArray[np.bool_]:
        """Where a pitch was found."""
        return self.hz > 0

    @property
    def median_hz(self) -> float:
        """Of the voiced frames; 0 without any."""
        voiced = self.hz[self.is_voiced]
        return float(np.median(voiced)) if len(voiced) else 0.0

    @property
    def spread(self) -> float:
        """How lively: standard deviation of log2 of the frequency, in octaves, without the outer tenths."""
        voiced = self.hz[self.is_voiced]
        if len(voiced) < 20:
            return 0.0
        low, high = np.quantile(voiced, (0.05, 0.95))
        return float(np.std(np.log2(np.clip(voiced, low, high))))


def pitch_of(samples: Samples, rate: int) -> Pitch:
    """`samples`: mono float32. One frame for every `HOP_S`, centred on it."""
    hop, window = HOP_S * rate, round(_WINDOW_S * rate)
    n_frames = int(len(samples) / hop) + 1
    shortest, longest = int(rate / HIGHEST_HZ), int(rate / LOWEST_HZ) + 1
    starts = np.round(np.arange(n_frames) * hop).astype(int)
    padded = np.pad(samples, (window // 2, window + longest)).astype(np.float32)
    frames = padded[starts[:, None] + np.arange(window)]
    frames -= frames.mean(axis=1, keepdims=True)
    level = np.sqrt((frames**2).mean(axis=1))
    hann = np.hanning(window).astype(np.float32)
    size = 1 << (window + longest).bit_length()
    correlation = _correlated(frames * hann, size)[:, : longest + 2]
    shape = _correlated(hann, size)[: longest + 2]
    correlation /= np.maximum(correlation[:, :1], 1e-12) * np.maximum(shape / shape[0], 0.05)

    heights, hz = _peaks(correlation, shortest, longest, rate)
    heights -= _OCTAVE_COST * np.log2(np.maximum(HIGHEST_HZ / np.maximum(hz, 1.0), 1.0))
    heights[level < _SILENT * max(level.max(initial=0.0), 1e-6)] = -1.0
    return Pitch(_smoothest(heights, hz))


def _correlated(frames: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Each of `frames` (…, samples) with itself, by every distance up to `size`."""
    spectra = np.fft.rfft(frames, size)
    return np.fft.irfft(spectra.real**2 + spectra.imag**2).astype(np.float32, copy=False)


def _peaks(
    correlation: NDArray[np.float32], shortest: int, longest: int, rate: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Heights and frequencies of the highest peaks of each frame, shape (frames, candidates)."""
    left, middle, right = (correlation[:, shortest + d : longest + d] for d in (-1, 0, 1))
    is_peak = (middle > left) & (middle >= right)
    ranked = np.argpartition(np.where(is_peak, -middle, np.inf), _CANDIDATES, axis=1)[:, :_CANDIDATES]
    before, at, after = (np.take_along_axis(part, ranked, axis=1) for part in (left, middle, right))
    bend = np.minimum(before - 2 * at + after, -1e-9)
    offset = np.clip(0.5 * (before - after) / bend, -0.5, 0.5)
    heights = np.where(np.take_along_axis(is_peak, ranked, axis=1), at, -1.0).astype(np.float64)
    return heights, rate / (ranked + shortest + offset)


def _smoothest(heights: NDArray[np.float64], hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Viterbi over the candidates of each frame and one that stands for no voice."""
    n_frames = len(heights)
    scores = np.concatenate([heights, np.full((n_frames, 1), _VOICED)], axis=1)
    octaves = np.log2(np.concatenate([hz, np.ones((n_frames, 1))], axis=1))
    last = scores.shape[1] - 1
    total, came = scores[0].copy(), np.zeros(scores.shape, np.int64)
    costs = _JUMP_COST * np.abs(octaves[1:, None, :] - octaves[:-1, :, None])  # (frames - 1, from, to)
    costs[:, last, :] = costs[:, :, last] = _SWITCH_COST
    costs[:, last, last] = 0.0
    for frame, cost in enumerate(costs, 1):
        ways = total[:, None] - cost
        came[frame] = ways.argmax(axis=0)
        total = ways.max(axis=0) + scores[frame]
    path = np.zeros(n_frames, np.int64)
    path[-1] = total.argmax()
    for frame in range(n_frames - 1, 0, -1):
        path[frame - 1] = came[frame, path[frame]]
    chosen = np.take_along_axis(np.pad(hz, ((0, 0), (0, 1))), path[:, None], axis=1)[:, 0]
    return np.where(path == last, 0.0, chosen)
