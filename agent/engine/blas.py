"""Gives MLX a fast BLAS on Linux processors, and measures the one in use. Called before MLX loads."""

from __future__ import annotations

import ctypes
import sys
import time
from dataclasses import dataclass
from functools import lru_cache

# float32 matrix product with the reference BLAS that the `mlx-cpu` wheel links; with OpenBLAS the same
# two AVX-512 cores gave 177. Measured with mlx 0.32 and OpenBLAS 0.3.21.
REFERENCE_GFLOPS = 2.3

_LIBRARY = "libopenblas.so.0"


@dataclass(frozen=True)
class Interposed:
    """What `interpose_openblas` did: `library` was loaded, or is None for the `reason` given."""

    library: str | None
    reason: str


@lru_cache(maxsize=1)
def interpose_openblas() -> Interposed:
    """Load OpenBLAS so that MLX's `cblas_sgemm` binds to it; later calls repeat the first one's answer.

    The dynamic linker looks through globally loaded libraries in the order of loading, so this must come
    before the first `import mlx.core`; after it, MLX stays with the BLAS it has.
    """
    if sys.platform != "linux":
        return Interposed(None, "not needed: MLX uses this system's own BLAS")
    if "mlx.core" in sys.modules:
        return Interposed(None, "MLX was already loaded, with the BLAS it was built with")
    try:
        ctypes.CDLL(_LIBRARY, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return Interposed(None, f"{_LIBRARY} is not installed")
    return Interposed(_LIBRARY, "loaded before MLX")


def measure_gflops(seconds: float = 0.3) -> float:
    """Speed of MLX's float32 matrix product on the processor, in 10^9 operations per second.

    Multiplies 512 x 512 matrices for about `seconds` and takes the fastest product, which other work on the
    machine disturbs least.
    """
    import mlx.core as mx  # only now, so that importing this module leaves `interpose_openblas` its chance

    n = 512
    with mx.stream(mx.cpu):
        a, b = mx.random.normal((n, n)), mx.random.normal((n, n))
        mx.eval(a, b)
        fastest_s = float("inf")
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or fastest_s == float("inf"):
            started = time.perf_counter()
            mx.eval(a @ b)
            fastest_s = min(fastest_s, time.perf_counter() - started)
    return 2 * n**3 / fastest_s / 1e9
