"""Speech in a cloned voice by Kyutai's Pocket TTS, an extra: `utter[pocket]`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from voice.speaking.pieces import fade_in, limited, speakable_pieces
from voice.speaking.synthesis import Samples, SynthesisError

STATE_FILE = "state.safetensors"
_MIN_WORDS = 3  # shorter texts come out garbled
_GAP_S = 0.15  # the model hurries from one sentence to the next
_MAX_REFERENCE_S = 30


class PocketSynthesiser:
    """One cloned voice. The model runs on two threads of its own; use it from one worker at a time."""

    def __init__(self, model: str | Path, reference: Path, state: Path) -> None:
        """`model`: a language that the package knows, or a .yaml file with paths to weights on this machine.

        The voice is taken from the sound file `reference` once; `state` keeps what was found, and is read
        instead when it is there. Raises `SynthesisError` when the package or its weights are not there, or
        when the weights cannot clone: no other voice is used in its place.
        """
        try:
            from pocket_tts import TTSModel, export_model_state  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise SynthesisError(
                "This voice needs the package pocket-tts: `.venv/bin/python -m pip install pocket-tts`."
            ) from error
        try:
            given = {"config": str(model)} if str(model).endswith(".yaml") else {"language": str(model)}
            self._model: Any = TTSModel.load_model(**given)
        except Exception as error:  # the package raises whatever torch, its hub and its parser do
            raise SynthesisError(
                f"The weights of Pocket TTS ({model}) could not be loaded ({error}). Fetch them once with "
                "the network on. Those that clone must be asked for at their publisher's page."
            ) from error
        self.sample_rate: int = self._model.sample_rate
        try:
            if state.is_file():
                self._state: Any = self._model.get_state_for_audio_prompt(state)
            else:
                if not self._model.has_voice_cloning:
                    raise SynthesisError(
                        "Only the weights of Pocket TTS without cloning are here, so the voice cannot be "
                        f"taken from {reference}. Ask for those with cloning at their publisher's page, or "
                        "use a matched voice."
                    )
                self._state = self._model.get_state_for_audio_prompt(reference, truncate=True)
                partial = state.with_name(f".{state.name}")
                export_model_state(self._state, partial)
                partial.replace(state)
        except SynthesisError:
            raise
        except Exception as error:
            raise SynthesisError(
                f"The voice could not be taken from {state if state.is_file() else reference} ({error}). "
                f"Remove {state} if it is there, and try again."
            ) from error

    def synthesise(self, clause: str) -> Iterator[Samples]:
        """Yield mono float32 pieces of 80 ms as they are made; leaving the iteration stops the model."""
        for text in _long_enough(speakable_pieces(clause)):
            stop = threading.Event()
            stream = self._model.generate_audio_stream(self._state, text, stop=stop)
            is_first = True
            try:
                for chunk in stream:
                    samples = np.nan_to_num(chunk.detach().cpu().numpy().astype(np.float32).reshape(-1))
                    if is_first:  # the model begins with a click
                        samples = fade_in(samples, self.sample_rate)
                        is_first = False
                    yield limited(samples)
            finally:
                # Its threads are told, and waited for: the next clause may not find them at work.
                stop.set()
                for _ in stream:
                    pass
            yield np.zeros(int(_GAP_S * self.sample_rate), np.float32)


def _long_enough(pieces: Iterator[str]) -> Iterator[str]:
    """Pieces joined until each has three words; a shorter one that stays alone is said as it is."""
    waiting = ""
    for piece in pieces:
        waiting = f"{waiting} {piece}".strip()
        if len(waiting.split()) >= _MIN_WORDS:
            yield waiting
            waiting = ""
    if waiting:
        yield waiting
