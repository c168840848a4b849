"""How clean and natural speech sounds, as listeners would judge it: DNSMOS P.835.

Reddy, Gopal and Cutler, "DNSMOS P.835", ICASSP 2022; network and calibration of microsoft/DNS-Challenge.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import soxr

from voice.speaking.synthesis import Samples, SynthesisError

_RATE = 16_000
_LOOK = int(9.01 * _RATE)
_OVERALL = (-0.06766283, 1.11546468, 0.04602535)  # of the published calibration, highest power first


class Dnsmos:
    """The network, loaded."""

    def __init__(self, model: Path) -> None:
        """`model`: sig_bak_ovr.onnx. Raises `SynthesisError`."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        try:
            self._session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises its own kinds, not all of them public
            raise SynthesisError(
                f"{model} could not be loaded ({error}). Run `utter models fetch`."
            ) from error

    def overall(self, samples: Samples, rate: int) -> float:
        """From 1 to 5, of mono float32; the mean over looks of 9 s, one a second."""
        audio = soxr.resample(samples, rate, _RATE).astype(np.float32) if rate != _RATE else samples
        if not len(audio):
            return 1.0
        while len(audio) < _LOOK:
            audio = np.concatenate([audio, audio])
        starts = range(0, len(audio) - _LOOK + 1, _RATE)
        name = self._session.get_inputs()[0].name
        raw = [
            float(np.asarray(self._session.run(None, {name: audio[None, start : start + _LOOK]})[0])[0, 2])
            for start in starts
        ]
        return float(np.mean(np.polyval(_OVERALL, raw)))
