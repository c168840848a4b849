"""Pocket TTS on tiny random weights in the real layout: clone, stream, leave, come back from the cache.

Random weights say nothing that can be understood; what is shown is the way through the real code.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
import yaml

from agent.errors import UtterError

pytest.importorskip("pocket_tts", reason="the extra `pocket` is not in this run", exc_type=ImportError)

import torch
from pocket_tts import TTSModel
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from voice.speaking.engines.pocket import PocketSynthesiser

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,!?'"


def _config(folder: Path) -> dict[str, Any]:
    """The architecture of the smallest published model, smaller still."""
    seanet = {
        "dimension": 32, "channels": 1, "n_filters": 4, "n_residual_layers": 1, "ratios": [6, 5, 4],
        "kernel_size": 7, "residual_kernel_size": 3, "last_kernel_size": 3, "dilation_base": 2,
        "pad_mode": "constant", "compress": 2,
    }  # fmt: skip
    transformer = {
        "d_model": 32, "num_heads": 2, "num_layers": 1, "layer_scale": 0.01, "context": 50,
        "dim_feedforward": 64, "input_dimension": 32, "output_dimensions": [32],
    }  # fmt: skip
    return {
        "flow_lm": {
            "dtype": "float32",
            "insert_bos_before_voice": True,
            "flow": {"depth": 1, "dim": 16, "type": "pointwise"},
            "transformer": {
                "d_model": 32, "hidden_scale": 1, "max_period": 10000, "num_heads": 2, "num_layers": 2,
            },
            "lookup_table": {
                "dim": 32, "n_bins": len(LETTERS) + 1, "tokenizer": "tokenizers",
                "tokenizer_path": str(folder / "tokenizer.json"),
            },
        },
        "mimi": {
            "dtype": "float32", "sample_rate": 24_000, "channels": 1, "frame_rate": 12.5, "inner_dim": 16,
            "outer_dim": 32, "seanet": seanet, "transformer": transformer,
            "quantizer": {"dimension": 16, "output_dimension": 32},
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with model.yaml, tokenizer.json and model.safetensors."""
    folder = tmp_path_factory.mktemp("pocket")
    tokenizer = Tokenizer(
        models.WordLevel({"?unknown": 0} | {c: n for n, c in enumerate(LETTERS, 1)}, "?unknown")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.save(str(folder / "tokenizer.json"))
    config, file = _config(folder), folder / "model.yaml"
    file.write_text(yaml.safe_dump(config))
    torch.manual_seed(3)
    made = TTSModel.load_model(config=file)
    weights = {name: torch.nan_to_num(value).contiguous() for name, value in made.state_dict().items()}
    # Random weights end a clause wherever they like; these go on to the length that its text is given.
    weights |= {
        f"flow_lm.out_eos.{part}": torch.full_like(weights[f"flow_lm.out_eos.{part}"], value)
        for part, value in (("weight", 0.0), ("bias", -100.0))
    }
    save_file(weights, folder / "model.safetensors")
    file.write_text(yaml.safe_dump({**config, "weights_path": str(folder / "model.safetensors")}))
    return folder


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    t = np.arange(3 * 24_000) / 24_000
    file = tmp_path / "reference.flac"
    sf.write(file, (0.3 * np.sin(2 * np.pi * 150 * t) * np.sin(3 * t)).astype(np.float32), 24_000)
    return file


def test_a_voice_is_cloned_streams_and_comes_back_from_its_cache(
    checkpoint: Path, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state.safetensors"
    voice = PocketSynthesiser(checkpoint / "model.yaml", reference, state)
    assert state.is_file()
    first = list(voice.synthesise("All tests passed, every one."))
    assert len(first) > 3 and all(piece.dtype == np.float32 and np.isfinite(piece).all() for piece in first)
    assert all(np.abs(piece).max() < 1 for piece in first)

    def encode(*_: object) -> None:
        raise AssertionError("the reference was encoded again")

    monkeypatch.setattr(TTSModel, "_encode_audio", encode)
    list(voice.synthesise("Two more files have changed."))
    reference.unlink()
    again = PocketSynthesiser(checkpoint / "model.yaml", reference, state)
    assert sum(map(len, again.synthesise("All tests passed, every one."))) > 0


def test_leaving_a_clause_stops_the_model_before_the_next(
    checkpoint: Path, reference: Path, tmp_path: Path
) -> None:
    voice = PocketSynthesiser(checkpoint / "model.yaml", reference, tmp_path / "state.safetensors")
    before = threading.active_count()
    pieces = voice.synthesise("This is a long sentence that nobody will ever hear to its end. " * 3)
    next(pieces)
    pieces.close()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.daemon:
            thread.join(5)
    assert threading.active_count() <= before
    assert next(iter(voice.synthesise("And now another one."))).size > 0


def test_weights_without_cloning_are_told_and_no_other_voice_speaks(
    checkpoint: Path, reference: Path, tmp_path: Path
) -> None:
    config = yaml.safe_load((checkpoint / "model.yaml").read_text())
    config["weights_path_without_voice_cloning"] = config["weights_path"]
    config["weights_path"] = "http://127.0.0.1:9/with-cloning.safetensors"  # where nobody answers
    (tmp_path / "without.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(UtterError, match="without cloning"):
        PocketSynthesiser(tmp_path / "without.yaml", reference, tmp_path / "state.safetensors")
    assert not (tmp_path / "state.safetensors").exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder, reference: reference.write_bytes(b"no sound"),
        lambda folder, reference: (folder / "state.safetensors").write_bytes(b"no state"),
    ],
)
def test_what_cannot_be_read_is_an_error_for_the_user(
    checkpoint: Path, reference: Path, tmp_path: Path, spoil: Callable[[Path, Path], object]
) -> None:
    spoil(tmp_path, reference)
    with pytest.raises(UtterError, match="could not be taken"):
        PocketSynthesiser(checkpoint / "model.yaml", reference, tmp_path / "state.safetensors")


def test_weights_that_are_not_there_are_told(reference: Path, tmp_path: Path) -> None:
    with pytest.raises(UtterError, match="could not be loaded"):
        PocketSynthesiser(tmp_path / "none.yaml", reference, tmp_path / "state.safetensors")
