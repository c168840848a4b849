"""Takes steady noise out of an utterance before Whisper hears it. Pure.

Power spectral subtraction in each bin, the noise from the quietest frames of the bin: Stahl and others,
"Quantile based noise estimation for spectral subtraction and Wiener filtering", ICASSP 2000.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from voice.audio.frames import Samples

Floats = NDArray[np.float32]

_WINDOW, _HOP = 512, 128  # samples at 16 kHz
_HANN = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)

# Little is taken: of 366 requests with a name, a third of them with pink noise at 20 dB, 353 were written
# right so, 350 with 2.5 times as much, 348 with none. WebRTC's suppressor made it fewer.
_QUIETEST = 0.15  # share of the frames that are taken to be noise alone
_QUIETER, _STEADY = 0.03, 2.0  # of these the loudest is at most so many times louder: else they are speech
_TAKEN = 1.6  # times the power of the loudest of them
_LEAST_GAIN = 0.3
_ALMOST_NONE = 1e-20
_SMOOTHED = 3  # bins and frames


def without_noise(samples: Samples) -> Samples:
    """Mono float32 at 16 kHz, as long as it was; what is steady in it is softer, by 10 dB at most."""
    if len(samples) < _WINDOW:
        return samples
    padded = np.pad(samples, (_WINDOW - _HOP, _WINDOW))
    frames = sliding_window_view(padded, _WINDOW)[::_HOP] * _HANN
    spectrum = np.fft.rfft(frames, axis=1).astype(np.complex64)
    power = np.square(np.abs(spectrum))
    inside = power[_WINDOW // _HOP : -_WINDOW // _HOP].sum(axis=1)
    if not len(inside) or _is_speech(inside):
        return samples
    noise = _TAKEN * np.quantile(power, _QUIETEST, axis=0)
    gain = np.maximum(1.0 - noise / np.maximum(power, _ALMOST_NONE), _LEAST_GAIN**2)
    cleaned = np.fft.irfft(spectrum * np.sqrt(_smoothed(gain)), axis=1).astype(np.float32) * _HANN
    summed = np.zeros(len(padded), np.float32)
    for at, frame in enumerate(cleaned):
        summed[at * _HOP : at * _HOP + _WINDOW] += frame
    overlap = float(np.square(_HANN).sum()) / _HOP
    start = _WINDOW - _HOP
    return (summed[start : start + len(samples)] / overlap).astype(np.float32)


def _is_speech(levels: Floats) -> bool:
    """Whether the quietest frames are not one noise: no pause was long enough to hear it in."""
    quieter, quiet = np.quantile(levels, (_QUIETER, _QUIETEST))
    return bool(quiet > _STEADY * quieter)


def _smoothed(gain: Floats) -> Floats:
    """The mean over neighbouring frames and bins."""
    for axis in (0, 1):
        edges = [(_SMOOTHED // 2, _SMOOTHED // 2) if one == axis else (0, 0) for one in (0, 1)]
        gain = sliding_window_view(np.pad(gain, edges, mode="edge"), _SMOOTHED, axis=axis).mean(axis=-1)
    return gain
