"""The colour of a voice: its smoothed spectrum as mel-cepstra, and a filter that moves one's to another's.

The spectrum is smoothed as in Morise, "CheapTrick, a spectral envelope estimator for high-quality speech
synthesis", Speech Communication 67, 2015. The filter is the optimal transport between two Gaussians (Knott
and Smith, "On the optimal mapping of distributions", 1984).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from voice.speaking.matching.pitch import HOP_S, Pitch
from voice.speaking.synthesis import Samples

RATE = 24_000
"""In Hz; of all that is compared or filtered, so that a fitted filter fits every engine."""

FFT, HOP = 1024, 256
N_MOVED = 24  # c1 to c24; c0 is loudness, and finer detail is no voice's own
_N_CEPSTRA = 36
_BAND_HZ = 7_500.0  # what a recording at 16 kHz holds; above, the filter goes on as it is there
_WARP = 0.42  # of the all-pass that bends the frequency axis as the mel scale does, over such a band
_ENVELOPE_FFT = 2048
_UNVOICED_HZ = 200.0
_PEAK_RANGE = np.log(10.0 ** (40 / 10))  # frames more than 40 dB below the loudest say nothing of a voice
_RIDGE = 0.1
# Of the logarithm of power: 15 dB. With 22 dB a match is no liker, but Whisper loses a word more in twenty.
MAX_GAIN = 3.5
_SMOOTH_FRAMES = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Colour:
    """Mean (24) and covariance (24, 24) of c1 to c24 over the voiced frames of a recording."""

    mean: Floats
    covariance: Floats


@dataclass(frozen=True)
class Transport:
    """Moves c1 to c24: `target + matrix @ (c - source)`."""

    source: Floats
    target: Floats
    matrix: Floats

    def moved(self, cepstra: Floats) -> Floats:
        """`cepstra`: (frames, 24)."""
        return self.target + (cepstra - self.source) @ self.matrix.T


def colour_of(samples: Samples, pitch: Pitch) -> Colour | None:
    """Of mono float32 at `RATE`; None with less than half a second of voice."""
    cepstra, is_voiced = _cepstra(samples, pitch)
    power = cepstra[:, 0]
    kept = cepstra[is_voiced & (power > power.max(initial=-np.inf) - _PEAK_RANGE), 1 : N_MOVED + 1]
    if len(kept) < 0.5 * RATE / HOP:
        return None
    return Colour(kept.mean(axis=0), np.cov(kept.T).astype(np.float64))


def transport(source: Colour, target: Colour) -> Transport:
    """The map of least effort that gives frames of `source` the mean and covariance of `target`."""
    sx, sy = _ridged(source.covariance), _ridged(target.covariance)
    root = _power(sx, 0.5)
    inverse = _power(sx, -0.5)
    matrix = inverse @ _power(root @ sy @ root, 0.5) @ inverse
    return Transport(source.mean, target.mean, matrix)


@dataclass(frozen=True)
class Analysed:
    """Speech taken apart, to be filtered.

    `cepstra`: c1 to c24, (frames, 24); `spectra`: of the windowed frames, (frames, FFT // 2 + 1).
    """

    cepstra: Floats
    spectra: NDArray[np.complexfloating]
    n_samples: int

    @classmethod
    def of(cls, samples: Samples, pitch: Pitch) -> Analysed:
        """Of mono float32 at `RATE`, of that `pitch`."""
        cepstra = _cepstra(samples, pitch)[0][:, 1 : N_MOVED + 1]
        padded = np.pad(samples, (FFT // 2, FFT + HOP))
        starts = np.arange(len(cepstra)) * HOP
        spectra = np.fft.rfft(padded[starts[:, None] + np.arange(FFT)] * _window())
        return cls(cepstra, spectra, len(samples))

    def filtered(self, moves: Transport, most_gain: float = MAX_GAIN) -> Samples:
        """As long as what was analysed; nothing is louder by more than `most_gain` of the log of power."""
        moved = moves.moved(self.cepstra) - self.cepstra
        gain = np.clip(moved.astype(np.float32) @ _basis()[1 : N_MOVED + 1], -MAX_GAIN, most_gain)
        half = _SMOOTH_FRAMES // 2
        edged = np.pad(gain, ((half, half), (0, 0)), mode="edge")
        smooth = np.mean([edged[shift : shift + len(gain)] for shift in range(_SMOOTH_FRAMES)], axis=0)
        frames = np.fft.irfft(self.spectra * np.exp(0.5 * smooth)) * _window()
        out = np.zeros(self.n_samples + FFT + FFT // 2 + HOP, np.float32)
        for number, frame in enumerate(frames):
            out[number * HOP : number * HOP + FFT] += frame
        # Squared windows at a quarter of their length apart add up to 2.
        return (out[FFT // 2 : FFT // 2 + self.n_samples] / (FFT / HOP / 2)).astype(np.float32, copy=False)


def coloured(samples: Samples, pitch: Pitch, moves: Transport, most_gain: float = MAX_GAIN) -> Samples:
    """`samples` (mono float32 at `RATE`, of that `pitch`) filtered frame by frame; as long as before."""
    return Analysed.of(samples, pitch).filtered(moves, most_gain)


def _cepstra(samples: Samples, pitch: Pitch) -> tuple[Floats, NDArray[np.bool_]]:
    """Mel-cepstra (frames, 36) of the smoothed spectrum every `HOP` samples, and which frames are voiced."""
    n_frames = len(samples) // HOP + 1
    at = np.minimum(np.round(np.arange(n_frames) * HOP / RATE / HOP_S).astype(int), len(pitch.hz) - 1)
    is_voiced = pitch.hz[at] > 0
    hz = np.where(is_voiced, pitch.hz[at], _UNVOICED_HZ)
    half = FFT - 1
    padded = np.pad(samples, (half, half + HOP))
    frames = padded[(np.arange(n_frames) * HOP)[:, None] + np.arange(2 * half + 1)]
    # Three periods: such a window's power hardly changes from one place in the period to another.
    per_sample = (np.pi * hz / (1.5 * RATE)).astype(np.float32)
    place = np.clip(np.arange(-half, half + 1, dtype=np.float32) * per_sample[:, None], -np.pi, np.pi)
    window = 0.5 + 0.5 * np.cos(place)
    window /= np.sqrt((window**2).sum(axis=1, keepdims=True))
    spectra = np.fft.rfft(frames * window, _ENVELOPE_FFT)
    power = (spectra.real**2 + spectra.imag**2).astype(np.float32, copy=False)
    log_power = np.log(_averaged(power, hz * (2 / 3) * _ENVELOPE_FFT / RATE) + 1e-10)
    return log_power @ _analysis(), is_voiced


def _averaged(power: Samples, width_bins: Floats) -> Floats:
    """Each row averaged over its own width along the frequencies, mirrored at both ends."""
    margin = int(width_bins.max()) + 2
    total = np.cumsum(np.pad(power, ((0, 0), (margin, margin)), mode="reflect"), axis=1, dtype=np.float64)
    bins = np.arange(power.shape[1])[None, :] + margin

    def at(place: Floats) -> Floats:
        whole = np.clip(np.floor(place).astype(int), 0, total.shape[1] - 2)
        low = np.take_along_axis(total, whole, axis=1)
        return low + (np.take_along_axis(total, whole + 1, axis=1) - low) * (place - whole)

    half = width_bins[:, None] / 2
    return np.maximum((at(bins + half - 0.5) - at(bins - half - 0.5)) / (2 * half), 0.0)


def _warped(n_bins: int) -> Floats:
    """Angle on the mel-like axis of each bin, from 0 to pi at the end of the band."""
    omega = np.pi * np.minimum(np.linspace(0, RATE / 2 / _BAND_HZ, n_bins), 1.0)
    return omega + 2 * np.arctan2(_WARP * np.sin(omega), 1 - _WARP * np.cos(omega))


@cache
def _window() -> Samples:
    return np.sqrt(np.hanning(FFT + 1)[:-1]).astype(np.float32)


@cache
def _basis() -> Samples:
    """(36, FFT // 2 + 1): what each cepstrum adds to the log power of each bin of the filter."""
    return np.cos(np.arange(_N_CEPSTRA)[:, None] * _warped(FFT // 2 + 1)).astype(np.float32)


@cache
def _analysis() -> Floats:
    """(bins, 36): from log power to the cepstra whose sum of cosines comes nearest on the warped axis."""
    angles = _warped(_ENVELOPE_FFT // 2 + 1)
    share = np.gradient(angles)
    cosines = np.cos(np.arange(_N_CEPSTRA)[None, :] * angles[:, None])
    scale = np.where(np.arange(_N_CEPSTRA) == 0, 1.0, 2.0) / np.pi
    return cosines * share[:, None] * scale


def _ridged(covariance: Floats) -> Floats:
    return covariance + np.eye(len(covariance)) * _RIDGE * np.trace(covariance) / len(covariance)


def _power(matrix: Floats, exponent: float) -> Floats:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.maximum(values, 1e-12) ** exponent) @ vectors.T
