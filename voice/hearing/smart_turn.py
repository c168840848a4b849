"""Whether a speaker has finished, judged by the sound of the last words: Smart Turn v3 on onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort

from agent.errors import UtterError
from voice.audio.frames import SAMPLE_RATE, Samples
from voice.hearing.whisper.mel import log_mel, mel_filters

_HEARD_S = 8  # what the model looks at: the end of the turn, silence before it if it is shorter
_N_MELS = 80
_VARIANCE_FLOOR = 1e-7


class TurnModelError(UtterError):
    """The model that hears the end of a turn cannot be used."""


class SmartTurn:
    """The loaded model. Preprocessing is that of `pipecat/audio/turn/smart_turn/local_smart_turn_v3.py`."""

    def __init__(self, model_path: Path) -> None:
        """`model_path` is the .onnx file. Raises `TurnModelError`."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # Without it, 8-bit products overflow on processors that have no VNNI: half a request sounds complete.
        options.add_session_config_entry("session.x64quantprecision", "1")
        try:
            self._session = ort.InferenceSession(str(model_path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises its own kinds, not all of them public
            raise TurnModelError(
                f"The end-of-turn model {model_path} could not be loaded ({error}). "
                "Run `utter models verify`, then `utter models fetch smart-turn`."
            ) from error
        self._filters = mel_filters(_N_MELS)

    def completeness(self, samples: Samples) -> float:
        """How likely, from 0 to 1, the turn is over at the end of `samples`, mono float32 at 16 kHz.

        `samples` are the utterance with the silence heard so far, about 0.2 s of it.
        """
        features = turn_features(samples, self._filters)[np.newaxis]
        (probabilities,) = self._session.run(None, {"input_features": features})
        return float(np.asarray(probabilities).reshape(-1)[0])


def turn_features(samples: Samples, filters: Samples) -> Samples:
    """The last 8 s as the model takes them, (80, 800): silence in front, mean 0, variance 1, log-mel."""
    length = _HEARD_S * SAMPLE_RATE
    heard = np.pad(samples[-length:], (max(0, length - len(samples)), 0))
    scaled = (heard - heard.mean()) / np.sqrt(heard.var() + _VARIANCE_FLOOR)
    return np.ascontiguousarray(log_mel(scaled.astype(np.float32), filters).T)
