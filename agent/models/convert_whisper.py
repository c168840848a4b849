"""Converts a CTranslate2 Whisper model to what `mlx_whisper.load_models.load_model` reads, in float32.

float32, because on a processor only float32 matrix products go through BLAS in MLX.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.models.ctranslate2_file import CTranslate2File
from agent.models.tensor_file import Progress, Tensor, write_tensors

# Tensors that both have once. MLX computes the encoder's sinusoidal positions itself.
_SINGLE = {
    "encoder/conv1": "encoder.conv1",
    "encoder/conv2": "encoder.conv2",
    "encoder/layer_norm": "encoder.ln_post",
    "decoder/layer_norm": "decoder.ln",
    "decoder/embeddings": "decoder.token_embedding",
}
# Inside a layer: CTranslate2's name of a linear map or a norm, to the MLX names of the maps joined in it.
_IN_LAYER = {
    "self_attention/layer_norm": ("attn_ln",),
    "self_attention/linear_0": ("attn.query", "attn.key", "attn.value"),
    "self_attention/linear_1": ("attn.out",),
    "attention/layer_norm": ("cross_attn_ln",),
    "attention/linear_0": ("cross_attn.query",),
    "attention/linear_1": ("cross_attn.key", "cross_attn.value"),
    "attention/linear_2": ("cross_attn.out",),
    "ffn/layer_norm": ("mlp_ln",),
    "ffn/linear_0": ("mlp1",),
    "ffn/linear_1": ("mlp2",),
}
_PARAMETER = {"weight": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}
_LAYER = re.compile(r"(encoder|decoder)/layer_(\d+)/(.+)")


def convert_whisper(source: Path, target: Path, progress: Progress) -> None:
    """Write `weights.safetensors` and `config.json` into `target` from the CTranslate2 folder `source`."""
    model = CTranslate2File(source / "model.bin")
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    tensors = [tensor for name in model.entries for tensor in _tensors(model, name)]
    tensors.append(_alignment_heads(config["alignment_heads"]))
    write_tensors(target / "weights.safetensors", tensors, progress)
    dimensions = json.dumps({"model_type": "whisper", **_dimensions(model)}, indent=1)
    (target / "config.json").write_text(dimensions, encoding="utf-8")


def mlx_names(name: str) -> tuple[str, ...]:
    """The MLX parameters that a CTranslate2 tensor holds, joined along its first axis; none for its settings.

    MLX has no bias of keys, CTranslate2 has zeros in that place: the name is given, its values are left out.
    """
    if name == "decoder/position_encodings/encodings":
        return ("decoder.positional_embedding",)
    module, _, parameter = name.rpartition("/")
    if parameter not in _PARAMETER:
        return ()
    if module in _SINGLE:
        return (f"{_SINGLE[module]}.{_PARAMETER[parameter]}",)
    layer = _LAYER.fullmatch(module)
    if layer is None or layer[3] not in _IN_LAYER:
        return ()
    block = f"{layer[1]}.blocks.{layer[2]}"
    return tuple(f"{block}.{inner}.{_PARAMETER[parameter]}" for inner in _IN_LAYER[layer[3]])


def _tensors(model: CTranslate2File, name: str) -> Iterator[Tensor]:
    names = mlx_names(name)
    shape = model.entries[name].shape
    for index, mlx_name in enumerate(names):
        if mlx_name.endswith(".key.bias"):
            continue
        rows = shape[0] // len(names)
        start = index * rows
        part_shape = (rows, *shape[1:])
        is_convolution = len(shape) == 3
        if is_convolution:  # (out, in, k) there, (out, k, in) in MLX
            part_shape = (shape[0], shape[2], shape[1])

        def blocks(
            start: int = start, rows: int = rows, swap: bool = is_convolution
        ) -> Iterator[NDArray[Any]]:
            values = model.read(name)[start : start + rows]
            yield (values.swapaxes(1, 2) if swap else values).astype(np.float32)

        yield Tensor(mlx_name, part_shape, blocks)


def _alignment_heads(heads: list[list[int]]) -> Tensor:
    """The (layer, head) pairs whose attention follows the audio, for the times of words."""
    values = np.asarray(heads, dtype=np.int32)
    return Tensor("alignment_heads", values.shape, lambda: [values], dtype="I32")


def _dimensions(model: CTranslate2File) -> dict[str, int]:
    """The fields of mlx_whisper's ModelDimensions, read off the shapes."""

    def layers(side: str) -> int:
        found = (_LAYER.fullmatch(name) for name in model.entries)
        return 1 + max(int(match[2]) for match in found if match and match[1] == side)

    def heads(side: str) -> int:
        return int(model.read(f"{side}/num_heads"))

    n_audio_state, n_mels, _ = model.entries["encoder/conv1/weight"].shape
    n_vocab, n_text_state = model.entries["decoder/embeddings/weight"].shape
    return {
        "n_mels": n_mels,
        "n_audio_ctx": model.entries["encoder/position_encodings/encodings"].shape[0],
        "n_audio_state": n_audio_state,
        "n_audio_head": heads("encoder"),
        "n_audio_layer": layers("encoder"),
        "n_vocab": n_vocab,
        "n_text_ctx": model.entries["decoder/position_encodings/encodings"].shape[0],
        "n_text_state": n_text_state,
        "n_text_head": heads("decoder"),
        "n_text_layer": layers("decoder"),
    }
