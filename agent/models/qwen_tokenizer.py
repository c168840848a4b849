"""Builds the tokenizer files of a Qwen2 model out of a GGUF's metadata; the tokens are those of llama.cpp."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from agent.errors import UtterError

# llama.cpp's splitting of text for `tokenizer.ggml.pre = qwen2` (src/llama-vocab.cpp): the expression in the
# tokenizer.json of Qwen/Qwen2.5-Coder-0.5B-Instruct with the two cases of letters written out.
_SPLIT = (
    r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
    r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_END_OF_TEXT = "<|endoftext|>"


class UnknownTokenizer(UtterError):
    """The GGUF's tokenizer is not of the kind that can be rebuilt here."""


class _TokenType(IntEnum):
    """llama.cpp's token types, as far as they occur."""

    NORMAL = 1
    CONTROL = 3
    USER_DEFINED = 4


def tokenizer_files(fields: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The contents of tokenizer.json, tokenizer_config.json and generation_config.json by file name.

    `fields` is the GGUF's metadata. Raises `UnknownTokenizer`.
    """
    kind = (fields.get("tokenizer.ggml.model"), fields.get("tokenizer.ggml.pre"))
    if kind != ("gpt2", "qwen2"):
        raise UnknownTokenizer(f"The model's tokenizer is {kind}, only ('gpt2', 'qwen2') can be converted.")
    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    end_of_turn = fields["tokenizer.ggml.eos_token_id"]
    padding = fields["tokenizer.ggml.padding_token_id"]
    ends = [end_of_turn, *(i for i, token in enumerate(tokens) if token == _END_OF_TEXT)]
    return {
        "tokenizer.json": _tokenizer(
            tokens, fields["tokenizer.ggml.token_type"], fields["tokenizer.ggml.merges"]
        ),
        "tokenizer_config.json": {
            "tokenizer_class": "Qwen2Tokenizer",
            "add_bos_token": fields.get("tokenizer.ggml.add_bos_token", False),
            "add_prefix_space": False,
            "bos_token": None,
            "eos_token": tokens[end_of_turn],
            "pad_token": tokens[padding],
            "unk_token": None,
            "clean_up_tokenization_spaces": False,
            "split_special_tokens": False,
            "model_max_length": fields["qwen2.context_length"],
            "chat_template": fields["tokenizer.chat_template"],
        },
        "generation_config.json": {"eos_token_id": ends, "pad_token_id": padding},
    }


def _tokenizer(tokens: list[str], types: list[int], merges: list[str]) -> dict[str, Any]:
    """A tokenizer.json of the `tokenizers` library.

    Unlike the original it does not normalise to NFC: neither does llama.cpp, and source code that is encoded
    and decoded must come back byte by byte. (transformers builds its own Qwen2Tokenizer from this file, with
    NFC; read the file with `tokenizers.Tokenizer.from_file` to have it as it is.)
    """
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": _SPLIT}, "behavior": "Isolated", "invert": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": i,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": kind == _TokenType.CONTROL,
            }
            for i, (token, kind) in enumerate(zip(tokens, types, strict=True))
            if kind in (_TokenType.CONTROL, _TokenType.USER_DEFINED)
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {token: i for i, token in enumerate(tokens) if types[i] == _TokenType.NORMAL},
            "merges": [merge.split(" ") for merge in merges],
        },
    }
