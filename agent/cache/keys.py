"""The names of stored prefixes: hashes chained over blocks of tokens, a key stands for all before it."""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections.abc import Sequence
from dataclasses import astuple, dataclass

BLOCK_TOKENS = 16
FORMAT = 1  # of the index and of what stands beside it; part of every key

_KEY_BYTES = 16
_TOKEN_BYTES = 4


@dataclass(frozen=True)
class Seed:
    """All that must be the same for a KV cache to be of use. `program` names what wrote it, with versions."""

    model: str
    quantisation: str
    template: str
    kv_dtype: str
    program: str

    def digest(self) -> bytes:
        """What the chain of keys begins with."""
        return hashlib.sha256("\0".join((str(FORMAT), *astuple(self))).encode()).digest()[:_KEY_BYTES]


def block_keys(seed: bytes, tokens: Sequence[int]) -> list[bytes]:
    """One key for each whole block of `tokens`; the k-th stands for the first k + 1 blocks under `seed`."""
    packed = pack(tokens)
    step = BLOCK_TOKENS * _TOKEN_BYTES
    key, keys = seed, list[bytes]()
    for start in range(0, len(packed) - step + 1, step):
        key = hashlib.sha256(key + packed[start : start + step]).digest()[:_KEY_BYTES]
        keys.append(key)
    return keys


def pack(tokens: Sequence[int]) -> bytes:
    """Token ids as little-endian 32-bit numbers."""
    return _little_endian(array("I", tokens)).tobytes()


def unpack(packed: bytes) -> tuple[int, ...]:
    """The reverse of `pack`."""
    tokens = array("I")
    tokens.frombytes(packed)
    return tuple(_little_endian(tokens))


def shared_tokens(left: bytes, right: bytes) -> int:
    """How many tokens two packed sequences both begin with."""
    low, high = 0, min(len(left), len(right)) // _TOKEN_BYTES
    while low < high:  # comparing bytes is so fast that halving beats walking
        middle = (low + high + 1) // 2
        same = (
            left[low * _TOKEN_BYTES : middle * _TOKEN_BYTES]
            == right[low * _TOKEN_BYTES : middle * _TOKEN_BYTES]
        )
        low, high = (middle, high) if same else (low, middle - 1)
    return low


def _little_endian(tokens: array[int]) -> array[int]:
    if sys.byteorder == "big":
        tokens.byteswap()
    return tokens
