"""Speech by Kokoro-82M through `kokoro-onnx`, an optional extra. It speaks the demo's requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort

from voice.speaking.pieces import shaped, speakable_pieces
from voice.speaking.synthesis import Samples, SynthesisError

_THREADS = 2
_GAIN = 0.8  # the loudest of its voices peaks at 1.3


class KokoroSynthesiser:
    """One of the voices in the model's folder, speaking American English."""

    sample_rate = 24_000

    def __init__(self, folder: Path, voice: str, speed: float = 1.0) -> None:
        """`folder` holds model.onnx, voices.npz and vocab.json; `speed` from 0.5 to 2.

        Raises `SynthesisError` when the extra is not installed, or the model or the voice is not there.
        """
        try:
            from kokoro_onnx import Kokoro
        except ImportError as error:
            raise SynthesisError(
                "Kokoro needs the package kokoro-onnx: `.venv/bin/uv pip install kokoro-onnx`."
            ) from error
        options = ort.SessionOptions()
        options.intra_op_num_threads = _THREADS
        try:
            session = ort.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
            self._kokoro = Kokoro.from_session(
                session, str(folder / "voices.npz"), vocab_config=str(folder / "vocab.json")
            )
        except Exception as error:  # onnxruntime raises its own kinds, not all of them public
            raise SynthesisError(
                f"The Kokoro model in {folder} could not be loaded ({error}). "
                "Run `utter models verify`, then `utter models fetch`."
            ) from error
        voices = self._kokoro.get_voices()
        if voice not in voices:
            known = ", ".join(voices)
            raise SynthesisError(f"There is no Kokoro voice {voice!r} in {folder}; there are {known}.")
        self._voice = voice
        self._speed = speed

    def synthesise(self, clause: str) -> Iterator[Samples]:
        """Yield mono float32 pieces, one per clause, each ending in a short silence."""
        for piece in speakable_pieces(clause):
            try:
                audio, _ = self._kokoro.create(
                    piece, self._voice, speed=self._speed, lang="en-us", trim=False
                )
            except ValueError:  # none of its phonemes is one that the model knows
                continue
            samples = shaped(np.asarray(audio, np.float32), self.sample_rate, _GAIN)
            if len(samples):
                yield samples
