"""Reads tensors out of PyTorch's pickles without PyTorch; builds nothing but arrays and plain values."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray


class TensorUnpickler(pickle.Unpickler):
    """The part that all versions of the format share; where the numbers lie is for `persistent_load`."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("collections", "OrderedDict"):
            return _Named
        if (module, name) == ("torch", "FloatStorage"):
            return name
        return self.other(module, name)

    def other(self, module: str, name: str) -> Any:
        """What stands for anything else. Raises `pickle.UnpicklingError`."""
        raise pickle.UnpicklingError(f"{module}.{name} has no place in weights")


class _Named(dict[str, Any]):
    """Where a state dictionary of PyTorch keeps its tensors; it also has attributes, which are not needed."""


def _tensor(
    storage: NDArray[np.float32], offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> NDArray[np.float32]:
    """A view: `storage` may be filled later."""
    if offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) >= len(storage):
        raise ValueError("a tensor reaches past its storage")
    return np.lib.stride_tricks.as_strided(storage[offset:], size, [4 * step for step in stride])
