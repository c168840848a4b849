"""Opens the models of the voices that onnxruntime speaks."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort

_THREADS = 2  # more do not help models of this size


def open_session(file: Path) -> ort.InferenceSession:
    """On the CPU. Raises whatever onnxruntime does, which is not all public."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.inter_op_num_threads = 1
    # All of it took Piper 280 ms to load in place of 155, and neither Piper nor Kokoro spoke sooner for it.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    # While one thread works the other sleeps: one that spins takes the core of the language model, and where
    # both cores are busy it made the first audio come three times as late.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
