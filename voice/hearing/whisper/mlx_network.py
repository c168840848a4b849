"""Whisper's forward pass by the MLX model itself: for Apple silicon and CUDA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class MlxNetwork:
    """See `voice.hearing.whisper.network.Network`. Use it on the thread that made it."""

    def __init__(self, model: Any) -> None:
        """Run an `mlx_whisper.whisper.Whisper`; the model is not changed."""
        self.model = model
        self.n_mels: int = model.dims.n_mels
        self.max_positions: int = model.dims.n_audio_ctx
        self.max_tokens: int = model.dims.n_text_ctx
        self.alignment = [(int(layer), int(head)) for layer, head in np.asarray(model.alignment_heads)]

    def encode(self, mel: Floats) -> MlxDecoding:
        """See `Network.encode`."""
        encoder = self.model.encoder
        x = mx.array(mel)[None].astype(encoder.conv1.weight.dtype)
        x = nn.gelu(encoder.conv2(nn.gelu(encoder.conv1(x))))
        # What `AudioEncoder` does, but for its demand that the audio be as long as the embedding.
        x = x + encoder._positional_embedding[: x.shape[1]]
        for block in encoder.blocks:
            x, _, _ = block(x)
        return MlxDecoding(self, encoder.ln_post(x))


class MlxDecoding:
    """See `voice.hearing.whisper.network.Decoding`."""

    def __init__(self, network: MlxNetwork, audio: mx.array) -> None:
        self._network = network
        self._audio = audio
        self._kept: Any = None

    def feed(self, tokens: list[int]) -> tuple[Floats, Floats]:
        """See `Decoding.feed`."""
        # One at a time: mlx-whisper's causal mask is that of a first call.
        for token in tokens[:-1]:
            self._feed(token)
        logits, attention = self._feed(tokens[-1])
        heads = mx.stack([attention[layer][0, head, -1] for layer, head in self._network.alignment])
        last, aligned = logits[0, -1].astype(mx.float32), mx.softmax(heads.astype(mx.float32), axis=-1)
        mx.eval(last, aligned, self._kept)
        return np.array(last), np.array(aligned)

    def feed_each(self, decodings: Sequence[MlxDecoding], tokens: Sequence[int]) -> tuple[Floats, Floats]:
        """See `Decoding.feed_each`. One by one: a GPU is not kept waiting by its weights."""
        fed = [decoding.feed([token]) for decoding, token in zip(decodings, tokens, strict=True)]
        return np.stack([logits for logits, _ in fed]), np.stack([attention for _, attention in fed])

    def logprobs(self, tokens: list[int]) -> Floats:
        """See `Decoding.logprobs`."""
        decoder = self._network.model.decoder
        logits, self._kept, _ = decoder(mx.array([tokens[:-1]]), self._audio, kv_cache=None)
        logits = logits[0].astype(mx.float32)
        chosen = mx.take_along_axis(logits, mx.array(tokens[1:])[:, None], axis=-1)[:, 0]
        found = chosen - mx.logsumexp(logits, axis=-1)
        mx.eval(found)
        return np.array(found)

    def copy(self) -> MlxDecoding:
        """See `Decoding.copy`. The decoder changes its list of arrays, but none of the arrays."""
        copy = MlxDecoding(self._network, self._audio)
        copy._kept = self._kept and list(self._kept)
        return copy

    def _feed(self, token: int) -> tuple[mx.array, Any]:
        decoder = self._network.model.decoder
        logits, self._kept, attention = decoder(mx.array([[token]]), self._audio, kv_cache=self._kept)
        return logits, attention
