"""When each token was spoken, from the attention of the decoder's steps on the audio."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SMOOTHED_POSITIONS = 7  # median filter, as in openai/whisper `timing.py`


def token_starts(attention: Floats) -> list[int]:
    """The encoder position (20 ms) where each token begins, for attention (heads, tokens, positions).

    The heads are normalised over the tokens, smoothed and averaged as in openai/whisper `timing.py`; then the
    path of most attention is sought in which the tokens follow one another and each has one position or more.
    Empty when there are more tokens than positions.
    """
    _, n_tokens, n_positions = attention.shape
    if n_tokens > n_positions:
        return []
    spread = np.maximum(attention.std(axis=1, keepdims=True), 1e-6)
    relative = (attention - attention.mean(axis=1, keepdims=True)) / spread
    score = _median(relative.astype(np.float32, copy=False)).mean(axis=0)
    # Best sum of token i beginning at s and lasting to j: total_i[j] = sum_i[j] + max over s of
    # (total_{i-1}[s - 1] - sum_i[s - 1]), where sum_i[j] is the score of positions 0 to j - 1.
    sums = np.concatenate([np.zeros((n_tokens, 1)), np.cumsum(score, axis=1)], axis=1)
    total = np.full(n_positions + 1, -np.inf)
    total[0] = 0.0
    begins: list[NDArray[np.int64]] = []
    for sums_of_token in sums:
        gain = total - sums_of_token
        best = np.maximum.accumulate(gain)
        begin = np.maximum.accumulate(np.where(gain >= best, np.arange(n_positions + 1), 0))
        begins.append(begin)
        total = np.full(n_positions + 1, -np.inf)
        total[1:] = sums_of_token[1:] + best[:-1]
    starts: list[int] = []
    end = n_positions
    for begin in reversed(begins):
        end = int(begin[end - 1])
        starts.append(end)
    return starts[::-1]


def _median(x: Floats) -> Floats:
    """Median over a few neighbours along the last axis, its ends mirrored."""
    half = _SMOOTHED_POSITIONS // 2
    if x.shape[-1] <= half:
        return x
    padded = np.pad(x, ((0, 0), (0, 0), (half, half)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _SMOOTHED_POSITIONS, axis=-1)
    return np.median(windows, axis=-1).astype(np.float32)
