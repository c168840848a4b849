"""The part of a GGUF file's header that the engine needs: chat template, special tokens, bytes of each token.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Only the header is read, a few megabytes:
a tenth of a second for a vocabulary of 150,000, where the general reader takes several.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from agent.engine.protocol import EngineError

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6  # llama_token_type

# Control tokens in which models write calls and reasoning; those who read a reply look for their names.
_MARKERS = frozenset(
    marker.encode()
    for marker in (
        *("<tool_call>", "</tool_call>", "<think>", "</think>", "[THINK]", "[/THINK]"),
        *("<|python_tag|>", "<|python_start|>", "<|python_end|>", "[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"),
        *("<|tool_call>", "<tool_call|>", '<|"|>', "<|channel>", "<channel|>", "<escape>"),
        *("<start_function_call>", "<end_function_call>"),
        *("<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"),
        *("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"),
        *("<｜tool▁sep｜>", "｜DSML｜"),
        *("<|start|>", "<|channel|>", "<|message|>", "<|constrain|>", "<|end|>", "<|call|>", "<|return|>"),
    )
)


@dataclass(frozen=True)
class Vocabulary:
    """`kind` is `tokenizer.ggml.model`; `texts` and `types` have one entry per token id."""

    kind: str
    texts: tuple[bytes, ...]
    types: tuple[int, ...]
    chat_template: str
    bos_token: str
    eos_token: str
    quantisation: str = ""  # a GGUF file's `general.file_type`

    @cached_property
    def special_names(self) -> tuple[str, ...]:
        """Names that must stay plain text in content: control tokens, and added ones written like tags."""
        return tuple(
            text.decode(errors="replace")
            for text, kind in zip(self.texts, self.types, strict=True)
            if len(text) > 2 and (kind == CONTROL or (kind == USER_DEFINED and text[:1] in (b"<", b"[")))
        )

    def bytes_of(self, token: int) -> bytes:
        """The text a token stands for; empty for control tokens."""
        text, kind = self.texts[token], self.types[token]
        if kind == CONTROL:
            return b""
        if kind == USER_DEFINED:
            return text
        if kind == BYTE:
            return bytes([int(text[3:5], 16)])
        if self.kind == "gpt2":
            return text.decode().translate(_BYTE_OF).encode("latin-1")
        return text.replace("▁".encode(), b" ")

    def written(self, token: int) -> bytes:
        """What a token adds to a reply: its text, or the name of a control token that is part of a call."""
        text = self.texts[token]
        return text if self.types[token] == CONTROL and text in _MARKERS else self.bytes_of(token)

    @cached_property
    def id_of(self) -> dict[bytes, int]:
        """The ordinary token for some bytes; where two share them, the one with the lower id."""
        ordinary = (i for i in range(len(self.texts) - 1, -1, -1) if self.types[i] in (NORMAL, BYTE))
        return {self.bytes_of(token): token for token in ordinary}


def read_vocabulary(path: Path) -> Vocabulary:
    """The vocabulary of the GGUF file at `path`. Raises `EngineError` for anything that is not one."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            fields = _Header(data).fields()
        texts = tuple(fields["tokenizer.ggml.tokens"])
        bos, eos = (fields.get(f"tokenizer.ggml.{name}_token_id") for name in ("bos", "eos"))
        return Vocabulary(
            kind=fields["tokenizer.ggml.model"].decode(),
            texts=texts,
            types=tuple(fields["tokenizer.ggml.token_type"]),
            chat_template=fields.get("tokenizer.chat_template", b"").decode(),
            bos_token=texts[bos].decode() if bos is not None else "",
            eos_token=texts[eos].decode() if eos is not None else "",
            quantisation=str(fields.get("general.file_type", "")),
        )
    except (OSError, ValueError, LookupError, struct.error) as error:
        raise EngineError(
            f"{path} is not a complete GGUF model ({error}). Run `utter models verify`, then fetch it again."
        ) from error


class _Header:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def fields(self) -> dict[str, Any]:
        magic, version, _tensors, count = self._unpack("4sIQQ")
        if magic != b"GGUF" or version not in (2, 3):
            raise ValueError("no GGUF header")
        return {self._string().decode(): self._value(self._unpack("I")[0]) for _ in range(count)}

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            item, length = self._unpack("IQ")
            if item in _SCALARS:
                return self._unpack(f"{length}{_SCALARS[item]}")
            return [self._value(item) for _ in range(length)]
        if kind not in _SCALARS:
            raise ValueError(f"unknown field type {kind}")
        return self._unpack(_SCALARS[kind])[0]

    def _string(self) -> bytes:
        at = self._at + 8
        length = int.from_bytes(self._data[self._at : at], "little")
        self._at = at + length
        if self._at > len(self._data):
            raise ValueError("it ends within its header")
        return self._data[at : self._at]

    def _unpack(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self._data, self._at)
        self._at += struct.calcsize("<" + layout)
        return values


def byte_alphabet() -> dict[str, int]:
    """The printable character that stands for each byte in byte-level BPE (GPT-2's `bytes_to_unicode`)."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(b): b for b in plain} | {chr(256 + number): byte for number, byte in enumerate(others)}


_BYTE_OF = {ord(char): byte for char, byte in byte_alphabet().items()}
