"""Speech by a Piper voice on the CPU. Imports `piper-tts`, which is GPL-3.0, as does phonemes.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from piper import PiperConfig, PiperVoice, SynthesisConfig

from voice.speaking.engines.onnx_session import open_session
from voice.speaking.pieces import respelled_for_espeak, shaped_stream, speakable_pieces
from voice.speaking.synthesis import Samples, SynthesisError

_GAIN = 1.3  # brings the voice "joe", unnormalised, to about -21 dBFS
_CONTEXT = 10  # frames to either side; measured: one less changes samples by 1e-4, one more by nothing
_FIRST, _MOST = 32, 256  # frames, of 256 samples each, that are made sound at once; each time twice as many


class PiperSynthesiser:
    """One Piper voice, loaded. Its espeak-ng data come with the wheel; nothing is fetched."""

    def __init__(self, model: Path, speed: float = 1.0) -> None:
        """`model` is a folder that agent/models/convert_piper.py made; `speed` 1.0 is the voice's own.

        It may also be any voice's .onnx file, its .onnx.json beside it: then a sentence is heard when all of
        it is made. Raises `SynthesisError` when the voice cannot be loaded.
        """
        is_split = model.is_dir()
        config_path = model / "voice.json" if is_split else model.with_name(model.name + ".json")
        try:
            config = PiperConfig.from_dict(json.loads(config_path.read_text(encoding="utf-8")))
            session = open_session(model / "text.onnx" if is_split else model)
            self._decoder = open_session(model / "audio.onnx") if is_split else None
        except Exception as error:  # onnxruntime raises its own kinds, not all of them public
            raise SynthesisError(
                f"The Piper voice {model} could not be loaded ({error}). "
                "Run `utter models verify`, then `utter models fetch`."
            ) from error
        self._voice = PiperVoice(session=session, config=config)
        self._settings = SynthesisConfig(length_scale=config.length_scale / speed)
        self.sample_rate: int = config.sample_rate

    def synthesise(self, clause: str) -> Iterator[Samples]:
        """Yield mono float32 pieces as they are made, with a short silence after each sentence."""
        for piece in speakable_pieces(clause):
            for phonemes in self._voice.phonemize(respelled_for_espeak(piece)):
                if phonemes:
                    yield from shaped_stream(self._sounded(phonemes), self.sample_rate, _GAIN)

    def _sounded(self, phonemes: list[str]) -> Iterator[Samples]:
        made = self._voice.phoneme_ids_to_audio(self._voice.phonemes_to_ids(phonemes), self._settings)
        assert isinstance(made, np.ndarray)  # the tuple is for those who ask for the times of phonemes
        if self._decoder is None:
            yield np.atleast_1d(made)
            return
        frames = np.reshape(made, (1, len(made), -1))  # (1, channels, frames)
        (name,) = (one.name for one in self._decoder.get_inputs())
        start, size = 0, _FIRST
        while start < frames.shape[2]:
            before = min(start, _CONTEXT)
            window = frames[:, :, start - before : start + size + _CONTEXT]
            samples = np.asarray(self._decoder.run(None, {name: window})[0], np.float32).reshape(-1)
            hop = len(samples) // window.shape[2]
            yield samples[before * hop : (before + size) * hop]
            start, size = start + size, min(2 * size, _MOST)
