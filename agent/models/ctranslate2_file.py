"""Reads the tensors of a CTranslate2 `model.bin` without the library: an index, then one tensor at a time."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from agent.errors import UtterError

# CTranslate2's DataType enumeration (include/ctranslate2/types.h), less bfloat16, which numpy has not.
_DTYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}
_READABLE_VERSIONS = range(5, 7)  # of the binary format; 6 is what CTranslate2 writes since 2.0


class NotCTranslate2(UtterError):
    """The file is not a CTranslate2 model of a known version."""


@dataclass(frozen=True)
class Entry:
    """Where a tensor's values are in the file, and what they are."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int


class CTranslate2File:
    """The tensors of one model by name. Names that the file calls aliases lead to the tensor they stand for.

    Layout, all little-endian (CTranslate2, python/ctranslate2/specs/model_spec.py, `_serialize`): u32
    version, name of the specification, u32 its revision, u32 number of tensors; for each its name, u8
    rank, u32 dimensions, u8 type, u32 bytes, data; then u32 number of aliases, each alias and name.
    A string is u16 length with its closing NUL, and the bytes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            try:
                self.entries = _read_index(file)
            except (struct.error, KeyError, UnicodeDecodeError, ValueError) as error:
                raise NotCTranslate2(f"{path} is not a CTranslate2 model: {error}.") from error

    def read(self, name: str) -> NDArray[Any]:
        """The values of a tensor in its own dtype."""
        entry = self.entries[name]
        count = int(np.prod(entry.shape, dtype=np.int64))
        with self._path.open("rb") as file:
            values = np.fromfile(file, dtype=entry.dtype, count=count, offset=entry.offset)
        return values.reshape(entry.shape)


def _read_index(file: BinaryIO) -> Mapping[str, Entry]:
    (version,) = _unpack(file, "I")
    if version not in _READABLE_VERSIONS:
        raise ValueError(f"format version {version}")
    _string(file)
    _revision, count = _unpack(file, "II")
    entries: dict[str, Entry] = {}
    for _ in range(count):
        name = _string(file)
        (rank,) = _unpack(file, "B")
        shape = _unpack(file, f"{rank}I")
        type_number, size = _unpack(file, "BI")
        entries[name] = Entry(shape, np.dtype(_DTYPES[type_number]), file.tell())
        file.seek(size, 1)
    (count,) = _unpack(file, "I")
    for _ in range(count):
        alias, name = _string(file), _string(file)
        entries[alias] = entries[name]
    return entries


def _unpack(file: BinaryIO, layout: str) -> tuple[Any, ...]:
    layout = f"<{layout}"
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _string(file: BinaryIO) -> str:
    (length,) = _unpack(file, "H")
    return file.read(length).rstrip(b"\0").decode()
