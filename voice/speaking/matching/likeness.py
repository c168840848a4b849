"""How alike two voices are: the GE2E speaker encoder in NumPy, from its publisher's own weights file.

Wan et al., "Generalized end-to-end loss for speaker verification", ICASSP 2018; weights and preparation of
resemble-ai/Resemblyzer. It judges matched voices and guides their fit, so what it says of a fitted voice is
worth something only on recordings that the fit did not see.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import soxr
from numpy.typing import NDArray

from voice.speaking.synthesis import Samples, SynthesisError
from voice.torch_weights import TensorUnpickler

RATE = 16_000
SAME_PERSON = 0.75  # the best impostor among six speakers came to 0.77, the worst genuine pair to 0.84
_LAYERS, _HIDDEN, _MELS = 3, 256, 40
_FRAMES = 160  # of 10 ms, in one look
_STEP = 60  # frames between looks
_FFT, _HOP = 400, 160
_LEVEL = 10 ** (-30 / 20)
_SILENT = 0.06  # of the loudest tenth of frames
_MAGIC = 0x1950A86A20F9469CFC6C

Embedding = NDArray[np.float32]


class SpeakerEncoder:
    """The encoder, loaded. Used by one worker at a time."""

    def __init__(self, weights: Path) -> None:
        """`weights`: the file pretrained.pt. Raises `SynthesisError` when it cannot be read."""
        try:
            with weights.open("rb") as file:
                self._weights = _read_tensors(file)
            self._weights["linear.weight"]
        except (
            OSError,
            EOFError,
            LookupError,
            TypeError,
            ValueError,
            pickle.PickleError,
            struct.error,
        ) as error:
            raise SynthesisError(
                f"The speaker encoder {weights} could not be loaded ({error}). "
                "Run `utter models verify`, then `utter models fetch speaker-encoder`."
            ) from error
        self._filters = _mel_filters()

    def embed(self, samples: Samples, rate: int) -> Embedding:
        """The voice in mono float32 `samples` as a unit vector of 256; pauses are left out.

        All zeros when nothing can be heard.
        """
        return self.embed_all([samples], rate)[0]

    def embed_all(self, recordings: Sequence[Samples], rate: int) -> list[Embedding]:
        """`embed` of each, in a third of the time where they are short: the encoder looks at all at once."""
        looks = [_looks(self._mels(samples, rate)) for samples in recordings]
        ends = np.cumsum([len(some) for some in looks])
        return [_mean(some) for some in np.split(self._run(np.concatenate(looks)), ends[:-1])]

    def parts(self, samples: Samples, rate: int) -> NDArray[np.float32]:
        """The voice in each 1.6 s, every 0.6 s: (looks, 256), unit vectors."""
        mels = self._mels(samples, rate)
        return self._run(_looks(mels if len(mels) >= _FRAMES else mels[:0]))

    def _mels(self, samples: Samples, rate: int) -> NDArray[np.float32]:
        audio = soxr.resample(samples, rate, RATE).astype(np.float32) if rate != RATE else samples
        level = float(np.sqrt(np.mean(audio**2))) if len(audio) else 0.0
        if level < 1e-5:
            return np.zeros((0, _MELS), np.float32)
        audio = audio * max(1.0, _LEVEL / level)
        padded = np.pad(audio, _FFT // 2, mode="constant")
        starts = np.arange(len(audio) // _HOP) * _HOP
        window = np.hanning(_FFT + 1)[:-1]
        power = np.abs(np.fft.rfft(padded[starts[:, None] + np.arange(_FFT)] * window)) ** 2
        energy = np.sqrt(power.sum(axis=1))
        loud = energy > _SILENT * np.quantile(energy, 0.9)
        near = np.convolve(loud, np.ones(13), mode="same") > 0  # 60 ms to either side
        return (power[near] @ self._filters.T).astype(np.float32)

    def _run(self, looks: NDArray[np.float32]) -> NDArray[np.float32]:
        """(looks, frames, mels) to unit vectors (looks, 256)."""
        weights, layer_in = self._weights, looks.transpose(1, 0, 2)
        hidden = np.zeros((len(looks), _HIDDEN), np.float32)
        for layer in range(_LAYERS):
            bias = weights[f"lstm.bias_ih_l{layer}"] + weights[f"lstm.bias_hh_l{layer}"]
            given = layer_in @ weights[f"lstm.weight_ih_l{layer}"].T + bias
            again = weights[f"lstm.weight_hh_l{layer}"].T
            hidden, cell = np.zeros_like(hidden), np.zeros_like(hidden)
            outputs = np.empty((len(given), len(looks), _HIDDEN), np.float32)
            for frame, value in enumerate(given):
                gates = value + hidden @ again
                enter, forget, new, leave = np.split(gates, 4, axis=1)
                cell = _sigmoid(forget) * cell + _sigmoid(enter) * np.tanh(new)
                hidden = _sigmoid(leave) * np.tanh(cell)
                outputs[frame] = hidden
            layer_in = outputs
        raw = np.maximum(hidden @ weights["linear.weight"].T + weights["linear.bias"], 0)
        return (raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-9)).astype(np.float32)


def _looks(mels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(looks, frames, mels) of (frames, mels); none of nothing, one of less than a look."""
    if 0 < len(mels) < _FRAMES:
        mels = np.pad(mels, ((0, _FRAMES - len(mels)), (0, 0)))
    starts = range(0, len(mels) - _FRAMES + 1, _STEP)
    return np.array([mels[at : at + _FRAMES] for at in starts], np.float32).reshape(-1, _FRAMES, _MELS)


def _mean(looks: NDArray[np.float32]) -> Embedding:
    mean = looks.sum(axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-9)


def likeness(one: Embedding, other: Embedding) -> float:
    """Cosine of two embeddings: 0.84 to 0.97 for one person's recordings, up to 0.77 for two people's."""
    return float(one @ other)


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.float32(0.5) + np.float32(0.5) * np.tanh(np.float32(0.5) * x)


def _mel_filters() -> NDArray[np.float64]:
    """(40, 201): triangles of equal area on Slaney's mel scale from 0 to 8 kHz, as librosa makes them."""
    linear_hz, per_mel = 1000.0, 200 / 3
    log_step = np.log(6.4) / 27

    def to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
        knee = linear_hz / per_mel
        return np.where(mel < knee, mel * per_mel, linear_hz * np.exp(log_step * (mel - knee)))

    top = linear_hz / per_mel + np.log(RATE / 2 / linear_hz) / log_step
    edges = to_hz(np.linspace(0, top, _MELS + 2))
    bins = np.linspace(0, RATE / 2, _FFT // 2 + 1)
    rise = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    area = 2 / (edges[2:] - edges[:-2])
    return np.maximum(0, np.minimum(rise, fall)) * area[:, None]


class _TensorsOnly(TensorUnpickler):
    """A file of PyTorch before 1.6: the storages lie behind the pickles."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, NDArray[np.float32]] = {}

    def other(self, module: str, name: str) -> Any:
        return _ignored  # of the state that training goes on from

    def persistent_load(self, pid: Any) -> NDArray[np.float32]:
        _, _, key, _, size, _ = pid
        return self.storages.setdefault(key, np.zeros(size, np.float32))


def _read_tensors(file: IO[bytes]) -> dict[str, NDArray[np.float32]]:
    plain = _TensorsOnly(file)
    if plain.load() != _MAGIC:
        raise ValueError("not a PyTorch file of the expected kind")
    for _ in range(2):  # protocol and sizes of the writing machine
        _TensorsOnly(file).load()
    reader = _TensorsOnly(file)
    state = reader.load()["model_state"]
    for key in _TensorsOnly(file).load():
        (size,) = struct.unpack("<q", file.read(8))
        reader.storages[key][:] = np.frombuffer(file.read(4 * size), "<f4")
    # Transposed, they lie as they are multiplied.
    return {name: np.asfortranarray(value) for name, value in state.items()}


def _ignored(*_: Any) -> None:
    return None
