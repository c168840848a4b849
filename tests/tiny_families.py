"""Tiny randomly initialised language models of many families, as folders that mlx-lm loads, for tests."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from agent.engine.blas import interpose_openblas
from agent.engine.vocabulary import byte_alphabet

WINDOW = 6  # of the sliding-window families; prompts in the tests are several times as long
_VOCABULARY = 256  # bytes; the special tokens of the tokeniser come after, so that no model ends by chance
_ATTENTION = {
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "hidden_size": 32,
    "intermediate_size": 48,
    "vocab_size": _VOCABULARY,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
}
_MAMBA = {"conv_kernel": 4, "use_conv_bias": True, "use_bias": False}

_CONFIGS: dict[str, dict[str, Any]] = {
    "qwen2": {**_ATTENTION, "num_hidden_layers": 2, "max_position_embeddings": 8192},
    "gemma3_text": {
        **_ATTENTION,
        "num_hidden_layers": 4,
        "sliding_window": WINDOW,
        "sliding_window_pattern": 2,
        "query_pre_attn_scalar": 8,
    },
    "gemma4": {
        "vocab_size": _VOCABULARY,
        "text_config": {
            **_ATTENTION,
            "model_type": "gemma4_text",
            "num_hidden_layers": 6,
            "global_head_dim": 16,
            "num_kv_shared_layers": 3,
            "vocab_size_per_layer_input": _VOCABULARY,
            "hidden_size_per_layer_input": 8,
            "sliding_window": WINDOW,
            "layer_types": ["sliding_attention", "sliding_attention", "full_attention"] * 2,
        },
    },
    "gpt_oss": {
        **_ATTENTION,
        "num_hidden_layers": 2,
        "num_local_experts": 4,
        "num_experts_per_tok": 2,
        "intermediate_size": 32,
        "sliding_window": WINDOW,
        "layer_types": ["sliding_attention", "full_attention"],
    },
    "llama4": {
        "text_config": {
            **_ATTENTION,
            "model_type": "llama4_text",
            "attention_bias": False,
            "attention_chunk_size": WINDOW,
            "interleave_moe_layer_step": 2,
            "intermediate_size_mlp": 48,
            "num_experts_per_tok": 1,
            "num_hidden_layers": 4,
            "num_local_experts": 2,
            "rope_scaling": None,
            "use_qk_norm": True,
        }
    },
    "qwen3_next": {
        **_ATTENTION,
        "num_hidden_layers": 4,
        "linear_num_value_heads": 4,
        "linear_num_key_heads": 2,
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
        "linear_conv_kernel_dim": 4,
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "decoder_sparse_step": 1,
        "shared_expert_intermediate_size": 16,
        "mlp_only_layers": [],
        "moe_intermediate_size": 16,
        "partial_rotary_factor": 0.5,
        "full_attention_interval": 2,
    },
    "nemotron_h": {
        **_ATTENTION,
        **_MAMBA,
        "attention_bias": False,
        "mamba_num_heads": 4,
        "mamba_head_dim": 8,
        "mamba_proj_bias": False,
        "ssm_state_size": 8,
        "n_groups": 2,
        "mlp_bias": False,
        "layer_norm_epsilon": 1e-6,
        "num_hidden_layers": 4,
        "hybrid_override_pattern": ["M", "*", "-", "M"],
    },
    "lfm2": {
        **_ATTENTION,
        "num_hidden_layers": 3,
        "norm_eps": 1e-6,
        "conv_bias": False,
        "conv_L_cache": 3,
        "block_dim": 32,
        "block_ff_dim": 48,
        "block_multiple_of": 8,
        "block_ffn_dim_multiplier": 1.0,
        "block_auto_adjust_ff_dim": False,
        "layer_types": ["conv", "full_attention", "conv"],
    },
    "falcon_h1": {
        **_ATTENTION,
        "num_hidden_layers": 2,
        "mamba_d_conv": 4,
        "mamba_d_head": 8,
        "mamba_d_ssm": 32,
        "mamba_d_state": 8,
        "mamba_n_heads": 4,
    },
    "recurrent_gemma": {
        **_ATTENTION,
        "attention_bias": False,
        "conv1d_width": 4,
        "logits_soft_cap": 30.0,
        "num_hidden_layers": 3,
        "attention_window_size": WINDOW,
        "block_types": ["recurrent", "recurrent", "attention"],
    },
    "mamba": {
        **_MAMBA,
        "vocab_size": _VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 64,
        "state_size": 8,
        "num_hidden_layers": 2,
        "time_step_rank": 4,
    },
    "deepseek_v41": {
        "vocab_size": _VOCABULARY,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "head_dim": 16,
        "q_lora_rank": 16,
        "qk_rope_head_dim": 8,
        "o_groups": 2,
        "o_lora_rank": 8,
        "moe_intermediate_size": 16,
        "n_routed_experts": 4,
        "num_experts_per_tok": 2,
        "rms_norm_eps": 1e-6,
        "sliding_window": WINDOW,
        "hc_mult": 2,
        "max_position_embeddings": 512,
    },
}

_CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# The mlx-lm of an older Python lacks the newest family.
CONFIGS = {name: one for name, one in _CONFIGS.items() if find_spec(f"mlx_lm.models.{name}")}
SPECIAL = ("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|call|>")


def make_model(folder: Path, family: str) -> Path:
    """Write the tiny model of `family`, the same at each call; gives `folder`."""
    interpose_openblas()
    import mlx.core as mx
    from mlx.utils import tree_flatten

    mx.random.seed(7)
    folder.mkdir(parents=True)
    config = {"model_type": family, **CONFIGS[family]}
    (folder / "config.json").write_text(json.dumps(config))
    make_tokeniser(folder)
    module = import_module(f"mlx_lm.models.{family}")
    flat: Any = tree_flatten(module.Model(module.ModelArgs.from_dict(config)).parameters())
    weights = {path: _wilder(mx, path, array) for path, array in flat}
    mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "mlx"})
    return folder


def make_tokeniser(folder: Path) -> None:
    """Bytes as tokens, and the four names of `SPECIAL`."""
    tokeniser = Tokenizer(models.BPE(vocab=byte_alphabet(), merges=[]))
    tokeniser.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokeniser.decoder = decoders.ByteLevel()
    tokeniser.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL])
    tokeniser.save(str(folder / "tokenizer.json"))
    settings = {"chat_template": _CHATML, "eos_token": "<|im_end|>", "bos_token": None}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def _wilder(mx: Any, path: str, array: Any) -> Any:
    """Random enough that every token of a prompt moves the logits."""
    if array.ndim < 2:
        return array + 0.1 * mx.random.normal(array.shape)
    return 2 * array + 0.05 * mx.random.normal(array.shape)
