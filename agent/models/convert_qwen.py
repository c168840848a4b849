"""Converts a Qwen2 GGUF file to a folder that `mlx_lm.load` reads, in float32, from nothing but the GGUF.

float32, because on a processor only float32 matrix products go through BLAS in MLX. `mlx.core.load`
cannot read the Q5_0 tensors of these files, the `gguf` package can.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader, ReaderTensor
from gguf.quants import dequantize
from numpy.typing import NDArray

from agent.errors import UtterError
from agent.models.qwen_tokenizer import tokenizer_files
from agent.models.tensor_file import Progress, Tensor, write_tensors

_ARCHITECTURE = "qwen2"
_BLOCK_ROWS = 4096  # rows made float32 at a time: 15 MB of the 0.5B's embedding

_SINGLE = {"output_norm": "model.norm", "token_embd": "model.embed_tokens"}
# llama.cpp's names inside a block (gguf-py/gguf/constants.py) to mlx_lm's (mlx_lm/models/qwen2.py).
_IN_BLOCK = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_BLOCK = re.compile(r"blk\.(\d+)\.(\w+)")


class NotConvertible(UtterError):
    """The file is not a GGUF of the architecture that this converter knows."""


def convert_qwen(source: Path, target: Path, progress: Progress) -> None:
    """Write weights, configuration and tokenizer into `target` from the GGUF file `source`."""
    reader = GGUFReader(source)
    fields = {name: field.contents() for name, field in reader.fields.items()}
    if fields.get("general.architecture") != _ARCHITECTURE:
        raise NotConvertible(
            f"{source} holds a {fields.get('general.architecture')} model, not {_ARCHITECTURE}."
        )
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    write_tensors(target / "model.safetensors", _mlx_tensors(tensors), progress)
    files = {"config.json": _config(fields), **tokenizer_files(fields)}
    for name, content in files.items():
        (target / name).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def mlx_name(name: str) -> str:
    """The MLX parameter that a GGUF tensor of this architecture is; raises KeyError for an unknown one."""
    module, _, parameter = name.rpartition(".")
    block = _BLOCK.fullmatch(module)
    inner = f"model.layers.{block[1]}.{_IN_BLOCK[block[2]]}" if block else _SINGLE[module]
    return f"{inner}.{parameter}"


def _mlx_tensors(tensors: Mapping[str, ReaderTensor]) -> list[Tensor]:
    chosen = dict(tensors)
    # The original ties the output to the embedding; the GGUF keeps both, the output in more bits. That one
    # serves as both, and half a gigabyte of float32 is saved.
    output = chosen.pop("output.weight", None)
    if output is not None:
        chosen["token_embd.weight"] = output
    return [_tensor(mlx_name(name), tensor) for name, tensor in chosen.items()]


def _tensor(name: str, tensor: ReaderTensor) -> Tensor:
    shape = tuple(int(size) for size in reversed(tensor.shape))  # GGUF counts from the innermost axis

    def blocks() -> Iterator[NDArray[Any]]:
        for start in range(0, len(tensor.data), _BLOCK_ROWS):
            yield dequantize(tensor.data[start : start + _BLOCK_ROWS], tensor.tensor_type)

    return Tensor(name, shape, blocks)


def _config(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of mlx_lm's qwen2 ModelArgs, and the tokens that end a turn."""
    value = {
        key.removeprefix(f"{_ARCHITECTURE}."): field
        for key, field in fields.items()
        if key.startswith(_ARCHITECTURE)
    }
    epsilon = float(np.format_float_positional(np.float32(value["attention.layer_norm_rms_epsilon"])))
    return {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": _ARCHITECTURE,
        "hidden_size": value["embedding_length"],
        "num_hidden_layers": value["block_count"],
        "intermediate_size": value["feed_forward_length"],
        "num_attention_heads": value["attention.head_count"],
        "num_key_value_heads": value["attention.head_count_kv"],
        "rms_norm_eps": epsilon,
        "rope_theta": value["rope.freq_base"],
        "max_position_embeddings": value["context_length"],
        "vocab_size": len(fields["tokenizer.ggml.tokens"]),
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
    }
