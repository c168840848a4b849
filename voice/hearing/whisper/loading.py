"""Loads a Whisper model and its tokenizer with mlx-whisper and chooses what computes it on this machine."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.engine.blas import interpose_openblas
from agent.errors import UtterError
from voice.hearing.whisper.decoding import Vocabulary
from voice.hearing.whisper.network import Network

Floats = NDArray[np.float32]


class TranscriberError(UtterError):
    """The speech model cannot be loaded or does not know the language."""


@dataclass(frozen=True)
class Loaded:
    """A network ready to run. `filters` is (n_mels, 201); `tokenizer` is mlx-whisper's."""

    network: Network
    vocabulary: Vocabulary
    tokenizer: Any
    filters: Floats


def load(model_dir: Path, language: str) -> Loaded:
    """Read `weights.safetensors` and `config.json` from `model_dir`; the network is of this thread.

    Raises `TranscriberError` when they are not there or not whole, or the model does not know `language`.
    """
    interpose_openblas()
    with _without_package_init("mlx_whisper"):
        import mlx.core as mx
        from mlx_whisper.load_models import load_model
        from mlx_whisper.tokenizer import get_tokenizer

        assets = Path(str(sys.modules["mlx_whisper"].__path__[0])) / "assets"
    for name in ("config.json", "weights.safetensors"):
        if not (model_dir / name).is_file():
            raise TranscriberError(
                f"The speech model in {model_dir} has no {name}. Run `utter models fetch` to get it again."
            )
    on_gpu = mx.default_device() == mx.Device(mx.gpu)
    try:
        model = load_model(str(model_dir), dtype=mx.float32)
    except (RuntimeError, ValueError, TypeError, KeyError, json.JSONDecodeError) as error:
        raise TranscriberError(
            f"The speech model in {model_dir} cannot be read ({error}). "
            "Run `utter models verify` to see which file is damaged."
        ) from error
    try:
        tokenizer = get_tokenizer(
            model.is_multilingual, num_languages=model.num_languages, language=language, task="transcribe"
        )
    except ValueError as error:
        raise TranscriberError(
            f"Whisper does not know the language {language!r}. "
            "Set hearing.language to an ISO 639-1 code like en."
        ) from error
    with np.load(assets / "mel_filters.npz") as stored:
        filters = np.asarray(stored[f"mel_{model.dims.n_mels}"], np.float32)
    return Loaded(_network(model, on_gpu), _vocabulary(tokenizer), tokenizer, filters)


def _network(model: Any, on_gpu: bool) -> Network:
    if on_gpu:
        from voice.hearing.whisper.mlx_network import MlxNetwork

        return MlxNetwork(model)
    from voice.hearing.whisper.numpy_network import NumpyNetwork

    return NumpyNetwork(model)


def _vocabulary(tokenizer: Any) -> Vocabulary:
    """Suppressed is what openai/whisper's `decoding.py` does with `suppress_tokens="-1"`, and languages.

    All that is no text lies between the end of the text and the first timestamp.
    """
    return Vocabulary(
        prompt=(*tokenizer.sot_sequence, tokenizer.timestamp_begin),
        end=tokenizer.eot,
        no_speech=tokenizer.no_speech,
        first_timestamp=tokenizer.timestamp_begin,
        never=(*tokenizer.non_speech_tokens, *range(tokenizer.eot + 1, tokenizer.timestamp_begin)),
        not_first=(*tokenizer.encode(" "), tokenizer.eot),
        stops=(*tokenizer.encode("."), *tokenizer.encode("!")),
    )


@contextmanager
def _without_package_init(name: str) -> Generator[None]:
    """Let submodules of `name` be imported without running its `__init__`, which is left for others to run.

    mlx-whisper's imports Numba and SciPy for word times that are not used here; that takes 3 to 4 s.
    """
    if name in sys.modules:
        yield
        return
    spec = importlib.util.find_spec(name)
    if spec is None or spec.submodule_search_locations is None:
        raise TranscriberError(f"The Python package {name} is not installed. Run `make setup` again.")
    bare = ModuleType(name)
    bare.__path__ = list(spec.submodule_search_locations)
    sys.modules[name] = bare
    try:
        yield
    finally:
        del sys.modules[name]
