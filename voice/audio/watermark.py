"""An inaudible mark in speech that is saved: PerTh, Resemble AI's watermarking network, in NumPy.

The network (MIT) adds to the magnitudes below 2 kHz what hides behind the speech; a second finds it again.
Its publisher hands it out inside the package resemble-perth. `utter models fetch watermark` takes the weights
from there, so neither PyTorch nor the package is needed. Structure and constants are of its sources, 1.0.1.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import numpy as np
import soxr
from numpy.typing import NDArray

from agent.errors import UtterError
from voice.audio.frames import Samples
from voice.torch_weights import TensorUnpickler

RATE = 32_000
FOUND = 0.5
"""What `Watermark.found` gives from here on is a mark."""

_FFT, _HOP, _SUBBAND = 2_048, 320, 128  # bins up to 2 kHz carry the mark
_FLOOR, _HEADROOM_DB = 1e-9, 15.0
_MIN_DB = 20 * float(np.log10(_FLOOR))
_QUIET = 0.05  # of the loudest frame, below which nothing is marked and nothing is looked for
_LEAK = 0.01
_BRANCHES = {"slow": 1.25, "normal": 1.0, "fast": 0.75}  # the decoder looks at three speeds
_BLOCK_S = 20.0  # of speech that is marked at a time, so that memory stays bounded
_SHORTEST_S = 0.4

Spectrum = NDArray[np.float32]


class Watermark:
    """The network, loaded."""

    def __init__(self, weights: Path) -> None:
        """`weights`: the checkpoint as it lies in the package. Raises `UtterError` when it cannot be read."""
        try:
            state = _read(weights)
            self._encoder = _layers(state, "encoder.layers")
            self._decoders = {name: _layers(state, f"decoder.{name}_layers") for name in _BRANCHES}
        except (
            OSError,
            EOFError,
            LookupError,
            TypeError,
            ValueError,
            pickle.PickleError,
            BadZipFile,
        ) as error:
            raise UtterError(
                f"The watermark {weights} could not be loaded ({error}). Run `utter models fetch watermark`."
            ) from error

    def marked(self, pieces: Iterable[Samples], rate: int) -> Iterator[Samples]:
        """The same speech with the mark in it: mono float32 at `rate` in Hz, as long as before, in blocks."""
        waiting: list[Samples] = []
        length = 0
        for piece in pieces:
            waiting.append(piece)
            length += len(piece)
            if length >= _BLOCK_S * rate:
                yield self._marked(np.concatenate(waiting), rate)
                waiting, length = [], 0
        if waiting:
            yield self._marked(np.concatenate(waiting), rate)

    def found(self, samples: Samples, rate: int) -> float:
        """How surely mono float32 `samples` carry the mark: from 0, not at all, to 1."""
        audio = soxr.resample(samples, rate, RATE).astype(np.float32) if rate != RATE else samples
        if len(audio) < _SHORTEST_S * RATE or not np.abs(audio).max() > _FLOOR:
            return 0.0
        magnitudes, _ = _split(audio)
        is_loud = _loud(magnitudes)
        below = magnitudes[:_SUBBAND]
        marks: list[float] = []
        weights: list[float] = []
        for name, pace in _BRANCHES.items():
            size = int(below.shape[1] * pace)
            out = _run(self._decoders[name], _stretched(below, size))
            kept = is_loud[np.minimum(np.arange(size) * len(is_loud) // max(size, 1), len(is_loud) - 1)]
            weights.append(float(out[0][kept].mean()))
            marks.append(float(out[1][kept].mean()))
        share = np.exp(np.array(weights) - max(weights))
        return float(np.clip(np.sum(np.array(marks) * share) / share.sum(), 0, 1))

    def _marked(self, samples: Samples, rate: int) -> Samples:
        if len(samples) < _SHORTEST_S * rate or not np.abs(samples).max() > _FLOOR:
            return samples
        audio = soxr.resample(samples, rate, RATE).astype(np.float32) if rate != RATE else samples
        magnitudes, phases = _split(audio)
        added = _run(self._encoder, magnitudes[:_SUBBAND]) * _loud(magnitudes)
        # Only what is added goes through the resampler, so that all else stays as it was, to the sample.
        change = np.zeros_like(magnitudes)
        change[:_SUBBAND] = added
        mark = _joined(magnitudes + change, phases, len(audio)) - _joined(magnitudes, phases, len(audio))
        back = soxr.resample(mark, RATE, rate).astype(np.float32) if rate != RATE else mark
        back = np.pad(back, (0, max(0, len(samples) - len(back))))[: len(samples)]
        return np.clip(samples + back, -1, 1).astype(np.float32)


def _split(audio: Samples) -> tuple[Spectrum, Spectrum]:
    """Magnitudes, on a scale where 0 is silence, and phases: (bins, frames) each."""
    padded = np.pad(audio, _FFT // 2, mode="reflect" if len(audio) > _FFT // 2 else "constant")
    n_frames = 1 + len(audio) // _HOP
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP][:n_frames]
    spectrum = np.fft.rfft(frames * _window(), axis=1).T
    decibels = 20 * np.log10(np.maximum(np.abs(spectrum), _FLOOR))
    return ((decibels - _MIN_DB) / (_HEADROOM_DB - _MIN_DB)).astype(np.float32), np.angle(spectrum).astype(
        np.float32
    )


def _joined(magnitudes: Spectrum, phases: Spectrum, length: int) -> Samples:
    decibels = magnitudes * (_HEADROOM_DB - _MIN_DB) + _MIN_DB
    spectrum = 10 ** np.minimum(decibels / 20, 10) * np.exp(1j * phases)
    frames = np.fft.irfft(spectrum.T, _FFT, axis=1) * _window()
    out = np.zeros(_FFT + _HOP * (len(frames) - 1))
    weight = np.zeros_like(out)
    square = _window() ** 2
    for number, frame in enumerate(frames):
        span = slice(number * _HOP, number * _HOP + _FFT)
        out[span] += frame
        weight[span] += square
    whole = (out / np.maximum(weight, 1e-8))[_FFT // 2 :]
    return np.pad(whole, (0, max(0, length - len(whole))))[:length].astype(np.float32)


def _window() -> NDArray[np.float64]:
    return np.hanning(_FFT + 1)[:-1]


def _loud(magnitudes: Spectrum) -> NDArray[np.bool_]:
    sums = magnitudes.sum(axis=0)
    return sums > _QUIET * sums.max(initial=0.0)


def _stretched(rows: Spectrum, size: int) -> Spectrum:
    """Each row at `size` places, the ends where they were."""
    if size == rows.shape[1]:
        return rows
    at = np.linspace(0, rows.shape[1] - 1, size)
    left = np.minimum(at.astype(int), max(rows.shape[1] - 2, 0))
    part = (at - left).astype(np.float32)
    return rows[:, left] * (1 - part) + rows[:, np.minimum(left + 1, rows.shape[1] - 1)] * part


Layer = tuple[NDArray[np.float32], NDArray[np.float32]]  # (out, in, width) and (out,)


def _run(layers: list[Layer], rows: Spectrum) -> Spectrum:
    """Convolutions over time with leaky rectifiers between them: (in, frames) to (out, frames)."""
    for number, (weight, bias) in enumerate(layers):
        width = weight.shape[2]
        padded = np.pad(rows, ((0, 0), (width // 2, width // 2)))
        frames = rows.shape[1]
        out = np.broadcast_to(bias[:, None], (len(bias), frames)).astype(np.float32)
        for tap in range(width):
            out += weight[:, :, tap] @ padded[:, tap : tap + frames]
        rows = out if number == len(layers) - 1 else np.maximum(out, _LEAK * out)
    return rows


def _layers(state: dict[str, NDArray[np.float32]], prefix: str) -> list[Layer]:
    count = len({name.split(".")[len(prefix.split("."))] for name in state if name.startswith(f"{prefix}.")})
    names = [f"{prefix}.{number}.conv" for number in range(count)]
    if not names:
        raise ValueError(f"no {prefix} in it")
    return [(np.array(state[f"{name}.weight"]), np.array(state[f"{name}.bias"])) for name in names]


class _TensorsOnly(TensorUnpickler):
    """A checkpoint of PyTorch 1.6 and later: an archive with a file for each storage."""

    def __init__(self, file: IO[bytes], archive: ZipFile) -> None:
        super().__init__(file)
        self._archive = archive

    def persistent_load(self, pid: Any) -> NDArray[np.float32]:
        _, _, key, _, size = pid
        return np.frombuffer(self._archive.read(f"archive/data/{key}"), "<f4", size)


def _read(file: Path) -> dict[str, NDArray[np.float32]]:
    with ZipFile(file) as archive, archive.open("archive/data.pkl") as data:
        return _TensorsOnly(data, archive).load()["model"]
