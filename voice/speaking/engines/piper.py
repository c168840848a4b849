"""Speech by a Piper voice on the CPU. Imports `piper-tts`, which is GPL-3.0, as does phonemes.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort
from piper import PiperConfig, PiperVoice, SynthesisConfig

from voice.speaking.pieces import respelled_for_espeak, shaped, speakable_pieces
from voice.speaking.synthesis import Samples, SynthesisError

_THREADS = 2  # more do not help a model of this size
_GAIN = 1.3  # brings the voice "joe", unnormalised, to about -21 dBFS


class PiperSynthesiser:
    """One Piper voice, loaded and warm. Its espeak-ng data come with the wheel; nothing is fetched."""

    def __init__(self, model_path: Path, speed: float = 1.0) -> None:
        """`model_path` is the voice's .onnx file, its .onnx.json beside it; `speed` 1.0 is the voice's own.

        Raises `SynthesisError` when the voice cannot be loaded.
        """
        config_path = model_path.with_name(model_path.name + ".json")
        options = ort.SessionOptions()
        options.intra_op_num_threads = _THREADS
        options.inter_op_num_threads = 1
        try:
            config = PiperConfig.from_dict(json.loads(config_path.read_text(encoding="utf-8")))
            session = ort.InferenceSession(str(model_path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises its own kinds, not all of them public
            raise SynthesisError(
                f"The Piper voice {model_path} could not be loaded ({error}). "
                "Run `utter models verify`, then `utter models fetch`."
            ) from error
        self._voice = PiperVoice(session=session, config=config)
        # Piper's own normalisation drives each sentence to full scale and clips what is near it.
        self._settings = SynthesisConfig(length_scale=config.length_scale / speed, normalize_audio=False)
        self.sample_rate: int = config.sample_rate
        for _ in self.synthesise("Ready."):  # the first run allocates, which takes as long again as the run
            pass

    def synthesise(self, clause: str) -> Iterator[Samples]:
        """Yield mono float32 pieces, one per sentence or clause, each ending in a short silence."""
        for piece in speakable_pieces(clause):
            for chunk in self._voice.synthesize(respelled_for_espeak(piece), self._settings):
                samples = shaped(np.atleast_1d(chunk.audio_float_array), self.sample_rate, _GAIN)
                if len(samples):
                    yield samples
