"""Speech by Kokoro-82M on the CPU: its shipped voices, and mixtures of them. It speaks American English."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from voice.speaking.engines.onnx_session import open_session
from voice.speaking.engines.phonemes import phonemes_of
from voice.speaking.pieces import shaped, speakable_pieces
from voice.speaking.synthesis import Samples, SynthesisError

_GAIN = 0.8  # the loudest of its voices peaks at 1.3
_MAX_PHONEMES = 508  # the model reads 510 with the marks at both ends


class KokoroSynthesiser:
    """One of the voices in the model's folder, or a mixture of several."""

    sample_rate = 24_000

    def __init__(self, folder: Path, voice: str | Mapping[str, float], speed: float = 1.0) -> None:
        """`folder` holds model.onnx, voices.npz and vocab.json; `speed` from 0.5 to 2.

        `voice` is a name, or the share of each voice in a mixture of their styles. Raises `SynthesisError`
        when the model or a voice is not there.
        """
        try:
            self._session = open_session(folder / "model.onnx")
            with np.load(folder / "voices.npz") as packs:
                self._packs: dict[str, Samples] = {name: packs[name].astype(np.float32) for name in packs}
            vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        except Exception as error:  # onnxruntime raises its own kinds, not all of them public
            raise SynthesisError(
                f"The Kokoro model in {folder} could not be loaded ({error}). "
                "Run `utter models verify`, then `utter models fetch`."
            ) from error
        self._folder = folder
        self._vocabulary: dict[str, int] = vocabulary
        self._speed = np.array([speed], np.float32)
        self.use(voice)
        for _ in self.synthesise("Ready."):  # the first run allocates, which takes as long again as the run
            pass

    @property
    def voices(self) -> tuple[str, ...]:
        """The names of the voices in the model's folder."""
        return tuple(sorted(self._packs))

    def use(self, voice: str | Mapping[str, float]) -> None:
        """Speak in another voice from the next clause on. Raises `SynthesisError` when it is not there."""
        shares = {voice: 1.0} if isinstance(voice, str) else dict(voice)
        for name in shares:
            if name not in self._packs:
                known = ", ".join(self.voices)
                where = f"in {self._folder}"
                raise SynthesisError(f"There is no Kokoro voice {name!r} {where}; there are {known}.")
        # (longest text + 1, 1, 256): a style for each number of phonemes
        self._styles = np.sum([share * self._packs[name] for name, share in shares.items()], axis=0)

    def synthesise(self, clause: str) -> Iterator[Samples]:
        """Yield mono float32 pieces, one per sentence or clause, each ending in a short silence."""
        for piece in speakable_pieces(clause):
            known = [self._vocabulary[sign] for sign in phonemes_of(piece) if sign in self._vocabulary]
            for start in range(0, len(known), _MAX_PHONEMES):
                samples = shaped(self._run(known[start : start + _MAX_PHONEMES]), self.sample_rate, _GAIN)
                if len(samples):
                    yield samples

    def _run(self, phonemes: list[int]) -> Samples:
        style = self._styles[min(len(phonemes), len(self._styles) - 1)]
        inputs = {
            "tokens": np.array([[0, *phonemes, 0]], np.int64),
            "style": style.astype(np.float32),
            "speed": self._speed,
        }
        return np.asarray(self._session.run(None, inputs)[0], np.float32).reshape(-1)
