"""What the transcriber asks of a Whisper network, whichever library computes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MELS_PER_POSITION = 2  # the encoder's second convolution has stride 2
POSITION_S = 0.02  # one encoder position


class Decoding(Protocol):
    """The decoder over one utterance. Not to be used once the network has encoded the next one."""

    def feed(self, tokens: list[int]) -> tuple[Floats, Floats]:
        """Append `tokens`; give the last one's logits (vocabulary) and attention (heads, positions).

        The attention is that of the model's alignment heads on the audio, after softmax.
        """
        ...

    def feed_each(self, decodings: Sequence[Any], tokens: Sequence[int]) -> tuple[Floats, Floats]:
        """Append to each of `decodings`, on the same audio as this one, a token of its own, all in one step.

        Gives what `feed` gives, for each: logits (n, vocabulary) and attention (n, heads, positions).
        """
        ...

    def logprobs(self, tokens: list[int]) -> Floats:
        """The log probability of each of `tokens` but the first, given those before it, all in one step.

        Nothing must have been fed before, nor be fed after it.
        """
        ...

    def copy(self) -> Decoding:
        """The same tokens so far on the same audio; what is fed to one is not fed to the other."""
        ...


class Network(Protocol):
    """A loaded Whisper model with its encoder free of the 30 s window."""

    n_mels: int
    max_positions: int  # of audio; 1500, which is 30 s
    max_tokens: int  # prompt included; 448

    def encode(self, mel: Floats) -> Decoding:
        """Encode a log-mel spectrogram (frames, n_mels) with an even number of frames."""
        ...
