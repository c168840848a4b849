"""Qwen3-TTS of mlx-audio on tiny random weights in the real layout: clone, stream, leave, refuse.

Skipped where mlx-audio is not installed; `make test` does not install it, since it is for Apple silicon. It
runs on a processor too: `.venv/bin/python -m pip install --no-deps --target FOLDER mlx-audio miniaudio`, then
`PYTHONPATH=FOLDER .venv/bin/python -m pytest -n 0 tests/test_mlx_audio.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from agent.errors import UtterError

pytest.importorskip(
    "mlx_audio.tts.utils", reason="the extra `mlx-audio` is not in this run", exc_type=ImportError
)

import mlx.core as mx
from mlx.utils import tree_flatten
from mlx_audio.tts.models.qwen3_tts.config import (
    ModelConfig,
    Qwen3TTSTokenizerConfig,
)
from mlx_audio.tts.models.qwen3_tts.qwen3_tts import Model
from mlx_audio.tts.models.qwen3_tts.speech_tokenizer import Qwen3TTSSpeechTokenizer
from tokenizers import Tokenizer, models, pre_tokenizers

from voice.speaking.engines.mlx_audio import MlxAudioSynthesiser

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,!?'\n<|_>"
SPECIAL = ["<|im_start|>", "<|im_end|>", "assistant"]
WORDS = "A sound that rises and falls."

CODE_PREDICTOR = {
    "vocab_size": 64, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
    "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16, "num_code_groups": 4,
}  # fmt: skip
CONFIG: dict[str, Any] = {
    "model_type": "qwen3_tts",
    "tts_model_type": "base",
    "tts_pad_token_id": 1, "tts_bos_token_id": 2, "tts_eos_token_id": 3,
    "talker_config": {
        "vocab_size": 1152, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16, "num_code_groups": 4,
        "rope_scaling": {"interleaved": True, "mrope_section": [4, 2, 2], "rope_type": "default"},
        "text_hidden_size": 32, "text_vocab_size": 128, "codec_eos_token_id": 1100,
        "codec_think_id": 1101, "codec_nothink_id": 1102, "codec_think_bos_id": 1103,
        "codec_think_eos_id": 1104, "codec_pad_id": 1105, "codec_bos_id": 1106,
        "codec_language_id": {"english": 1107}, "code_predictor_config": CODE_PREDICTOR,
    },
    "speaker_encoder_config": {"enc_dim": 32, "enc_channels": [72, 72, 72, 72, 216], "enc_se_channels": 72,
                               "enc_attention_channels": 72},
}  # fmt: skip
# Widths over 64, since the package takes narrower convolutions for another way of writing them down.
TOKENIZER: dict[str, Any] = {
    "encoder_valid_num_quantizers": 4,
    "decoder_config": {
        "latent_dim": 72, "codebook_dim": 144, "codebook_size": 1152, "decoder_dim": 288, "hidden_size": 72,
        "intermediate_size": 64, "head_dim": 16, "num_attention_heads": 2, "num_hidden_layers": 1,
        "num_key_value_heads": 2, "num_quantizers": 4, "semantic_codebook_size": 1152,
        "vector_quantization_hidden_dimension": 72, "upsample_rates": [24, 20],
    },
    "encoder_config": {
        "codebook_dim": 72, "codebook_size": 64, "head_dim": 36, "hidden_size": 72, "intermediate_size": 64,
        "num_attention_heads": 2, "num_filters": 144, "num_hidden_layers": 1, "num_key_value_heads": 2,
        "num_quantizers": 4, "vector_quantization_hidden_dimension": 72, "upsampling_ratios": [32, 30],
    },
}  # fmt: skip


def _as_read(model: Any) -> dict[str, mx.array]:
    """The parameters so that the package reads them back: it guesses by its shape how a convolution lies."""
    written: dict[str, mx.array] = {}
    for name, value in tree_flatten(model.parameters()):
        lying = [value] if value.ndim != 3 else [value, value.transpose(0, 2, 1), value.transpose(2, 0, 1)]
        written[name] = next(
            one
            for one in lying
            if (read := type(model).sanitize({name: one}).get(name)) is not None
            and read.shape == value.shape
            and bool(mx.array_equal(read, value))
        )
    return written


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with config.json, a text tokenizer, model.safetensors and speech_tokenizer/."""
    folder = tmp_path_factory.mktemp("qwen3-tts")
    inner = folder / "speech_tokenizer"
    inner.mkdir()
    vocabulary = {c: n for n, c in enumerate(["?", "pad", "bos", "eos", *SPECIAL, *LETTERS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, "?"))
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (inner / "config.json").write_text(json.dumps(TOKENIZER))
    mx.random.seed(3)
    made = Model(ModelConfig.from_dict(CONFIG))
    mx.save_safetensors(str(folder / "model.safetensors"), _as_read(made))
    speech = Qwen3TTSSpeechTokenizer(Qwen3TTSTokenizerConfig(**TOKENIZER))
    mx.save_safetensors(str(inner / "model.safetensors"), _as_read(speech))
    return folder


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    t = np.arange(2 * 24_000) / 24_000
    file = tmp_path / "reference.flac"
    sf.write(file, (0.3 * np.sin(2 * np.pi * 150 * t) * np.sin(3 * t)).astype(np.float32), 24_000)
    return file


def test_a_voice_is_cloned_and_streams_and_the_recording_is_encoded_once(
    weights: Path, reference: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    encode, embed = Qwen3TTSSpeechTokenizer.encode, Model.extract_speaker_embedding
    monkeypatch.setattr(Qwen3TTSSpeechTokenizer, "encode", lambda *a: heard.append(1) or encode(*a))
    monkeypatch.setattr(Model, "extract_speaker_embedding", lambda *a: heard.append(2) or embed(*a))
    voice = MlxAudioSynthesiser(weights, reference, WORDS)
    assert sorted(heard) == [1, 2]
    pieces = list(voice.synthesise("All tests passed, every one."))
    assert len(pieces) > 2 and sum(map(len, pieces)) > voice.sample_rate / 2
    for piece in pieces:
        assert piece.dtype == np.float32 and np.isfinite(piece).all() and np.abs(piece).max(initial=0) < 1
    assert sorted(heard) == [1, 2]


def test_leaving_a_clause_stops_the_model(
    weights: Path, reference: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = MlxAudioSynthesiser(weights, reference, WORDS)
    steps: list[int] = []
    sample = Model._sample_token
    monkeypatch.setattr(Model, "_sample_token", lambda *a, **k: steps.append(1) or sample(*a, **k))
    pieces = voice.synthesise("This is a long sentence that nobody will ever hear to its end. " * 3)
    next(pieces)
    pieces.close()
    done = len(steps)
    assert done < 40
    assert next(iter(voice.synthesise("And another one."))).size > 0
    assert len(steps) > done


def test_a_recording_without_its_words_is_refused(weights: Path, reference: Path) -> None:
    with pytest.raises(UtterError, match="words of the recording"):
        MlxAudioSynthesiser(weights, reference, " ")


def test_weights_that_cannot_clone_are_told_and_no_other_voice_speaks(
    weights: Path, reference: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({**CONFIG, "tts_model_type": "custom_voice"}))
    for name in ("tokenizer.json", "tokenizer_config.json", "speech_tokenizer"):
        (tmp_path / name).symlink_to(weights / name)
    own = {k: v for k, v in mx.load(str(weights / "model.safetensors")).items() if "speaker_encoder" not in k}
    mx.save_safetensors(str(tmp_path / "model.safetensors"), own)
    with pytest.raises(UtterError, match="cannot clone"):
        MlxAudioSynthesiser(tmp_path, reference, WORDS)


def test_weights_that_are_not_there_are_told(reference: Path, tmp_path: Path) -> None:
    with pytest.raises(UtterError, match="could not be loaded"):
        MlxAudioSynthesiser(tmp_path, reference, WORDS)
