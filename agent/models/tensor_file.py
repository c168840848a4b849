"""Writes a safetensors file tensor by tensor: a conversion needs memory for one block of rows only."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Progress = Callable[[int, int], None]  # bytes written so far, bytes in all

_NUMPY_TYPES = {"F32": np.dtype("<f4"), "I32": np.dtype("<i4")}
_ALIGNMENT = 8  # bytes; the header is padded to it, as the format asks


@dataclass(frozen=True)
class Tensor:
    """One tensor to be written: `blocks` gives its values in row-major order, in pieces of any size."""

    name: str
    shape: tuple[int, ...]
    blocks: Callable[[], Iterable[NDArray[Any]]]
    dtype: str = "F32"

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return math.prod(self.shape) * _NUMPY_TYPES[self.dtype].itemsize


def write_tensors(path: Path, tensors: Sequence[Tensor], progress: Progress) -> None:
    """Write `tensors` to `path` in the safetensors format, and to the disk before returning.

    Format: https://github.com/huggingface/safetensors#format. Raises ValueError when a tensor's blocks do not
    add up to its shape.
    """
    total = sum(tensor.size for tensor in tensors)
    with path.open("wb") as file:
        file.write(_header(tensors))
        done = 0
        for tensor in tensors:
            written = 0
            for block in tensor.blocks():
                data = np.ascontiguousarray(block, dtype=_NUMPY_TYPES[tensor.dtype])
                file.write(data.data)
                written += data.nbytes
                progress(done + written, total)
            if written != tensor.size:
                raise ValueError(f"{tensor.name}: {written} bytes for shape {tensor.shape}")
            done += written
        file.flush()
        os.fsync(file.fileno())


def _header(tensors: Sequence[Tensor]) -> bytes:
    table: dict[str, Any] = {"__metadata__": {"format": "mlx"}}
    offset = 0
    for tensor in tensors:
        end = offset + tensor.size
        table[tensor.name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(table, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text
