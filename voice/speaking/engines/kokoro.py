"""Speech by Kokoro-82M on the CPU: its shipped voices, and mixtures of them. It speaks American English."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from voice.speaking.engines.onnx_session import open_session
from voice.speaking.engines.phonemes import phonemes_of
from voice.speaking.engines.windows import Middle, sounded, windows
from voice.speaking.pieces import shaped_stream, speakable_pieces
from voice.speaking.synthesis import Samples, SynthesisError

_GAIN = 0.8  # the loudest of its voices peaks at 1.3
_MAX_PHONEMES = 508  # the model reads 510 with the marks at both ends


class KokoroSynthesiser:
    """One of the voices in the model's folder, or a mixture of several."""

    sample_rate = 24_000

    def __init__(self, folder: Path, voice: str | Mapping[str, float], speed: float = 1.0) -> None:
        """`folder` is one that agent/models/convert_kokoro.py made; `speed` from 0.5 to 2.

        With model.onnx in place of the two halves, a sentence is heard when all of it is made.
        `voice` is a name, or the share of each voice in a mixture of their styles. Raises `SynthesisError`
        when the model or a voice is not there.
        """
        try:
            is_split = (folder / "text.onnx").exists()
            self._text = open_session(folder / ("text.onnx" if is_split else "model.onnx"))
            self._audio = open_session(folder / "audio.onnx") if is_split else None
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
        """Yield mono float32 pieces as they are made, with a short silence after each sentence or clause."""
        for piece in speakable_pieces(clause):
            signs = [sign for sign in phonemes_of(piece) if sign in self._vocabulary]
            for start in range(0, len(signs), _MAX_PHONEMES):
                made = self._sounded(signs[start : start + _MAX_PHONEMES])
                yield from shaped_stream(made, self.sample_rate, _GAIN)

    def _sounded(self, signs: list[str]) -> Iterator[Samples]:
        style = self._styles[min(len(signs), len(self._styles) - 1)].astype(np.float32)
        tokens = np.array([[0, *(self._vocabulary[sign] for sign in signs), 0]], np.int64)
        made = self._text.run(None, {"tokens": tokens, "style": style, "speed": self._speed})
        if self._audio is None:
            yield np.asarray(made[0], np.float32).reshape(-1)
            return
        *parts, durations = (np.asarray(one, np.float32) for one in made)
        middle = Middle(*parts)
        yield from sounded(windows(signs, durations.ravel(), middle), middle, partial(self._decoded, style))

    def _decoded(self, style: Samples, middle: Middle) -> Samples:
        assert self._audio is not None
        given = (middle.frames, middle.pitch, middle.energy, style)
        names = (one.name for one in self._audio.get_inputs())
        made = self._audio.run(None, dict(zip(names, given, strict=True)))[0]
        return np.asarray(made, np.float32).reshape(-1)
