"""Whisper's forward pass where there is no GPU: the MLX model's own float32 weights, computed by NumPy.

MLX's CPU backend evaluates exp, tanh and erf one number at a time and multiplies a vector by a matrix as a
matrix product. On two AVX-512 cores NumPy is 35 times as fast at the first and 2.6 times at the second,
which makes the whole transcription of a 4 s request about twice as fast. The numbers are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.hearing.whisper.network import MELS_PER_POSITION

Floats = NDArray[np.float32]

# 0.5 (1 + erf(x / sqrt 2)) is 0.5 (1 + tanh(x P(x^2))), P fitted by least squares on |x| < 6; the error of
# gelu is below 3e-5.
GELU_COEFFICIENTS = tuple(np.float32(c) for c in (0.7974584708, 0.0370503451, -0.0003587324))
_GELU_ROWS = 32  # so that the temporaries stay in the cache
_FEW_ROWS = 4  # up to here a product for each row is faster than one matrix product


def gelu(x: Floats) -> Floats:
    """The Gaussian error linear unit of `x` (rows, columns), in place."""
    for start in range(0, len(x), _GELU_ROWS):
        rows = x[start : start + _GELU_ROWS]
        square = np.minimum(rows * rows, np.float32(36.0))
        inner = square * GELU_COEFFICIENTS[-1]
        for coefficient in GELU_COEFFICIENTS[-2:0:-1]:
            inner += coefficient
            inner *= square
        inner += GELU_COEFFICIENTS[0]
        inner *= rows
        np.tanh(inner, out=inner)
        inner += np.float32(1.0)
        inner *= np.float32(0.5)
        rows *= inner
    return x


@dataclass(frozen=True)
class Linear:
    """A dense layer: weight (out, in), bias (out)."""

    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        y = _product(x, self.weight)
        y += self.bias
        return y


@dataclass(frozen=True)
class LayerNorm:
    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        y = x - x.mean(axis=-1, keepdims=True)
        variance = np.einsum("tc,tc->t", y, y)[:, None] / np.float32(x.shape[-1])
        y /= np.sqrt(variance + np.float32(1e-5))
        y *= self.weight
        y += self.bias
        return y


@dataclass(frozen=True)
class CrossAttention:
    norm: LayerNorm
    query: Linear
    key_value: Linear
    out: Linear


@dataclass(frozen=True)
class Block:
    norm: LayerNorm
    query_key_value: Linear
    out: Linear
    cross: CrossAttention | None
    mlp_norm: LayerNorm
    mlp1: Linear
    mlp2: Linear


def attend(query: Floats, key: Floats, value: Floats, mask: Floats | None = None) -> tuple[Floats, Floats]:
    """Softmax attention of query (heads, n, d) on key and value (heads, m, d): result (n, heads d), weights.

    The queries come scaled: 1 / sqrt(d) is in the weights that made them.
    """
    weights = query @ key.transpose(0, 2, 1)
    if mask is not None:
        weights += mask
    weights -= weights.max(axis=-1, keepdims=True)
    np.exp(weights, out=weights)
    weights /= weights.sum(axis=-1, keepdims=True)
    mixed = weights @ value
    return mixed.transpose(1, 0, 2).reshape(query.shape[1], -1), weights


class NumpyNetwork:
    """See `voice.hearing.whisper.network.Network`. One caller at a time, on any thread."""

    def __init__(self, model: Any) -> None:
        """Take the weights of an `mlx_whisper.whisper.Whisper` in float32; they are shared, not copied."""
        dims = model.dims
        self.n_mels: int = dims.n_mels
        self.max_positions: int = dims.n_audio_ctx
        self.max_tokens: int = dims.n_text_ctx
        self.n_heads: int = dims.n_text_head
        self._audio_heads: int = dims.n_audio_head
        encoder, decoder = model.encoder, model.decoder
        self._conv1 = _convolution(encoder.conv1)
        self._conv2 = _convolution(encoder.conv2)
        self._positions = _array(encoder._positional_embedding)
        self._encoder_blocks = [_block(block, dims.n_audio_head) for block in encoder.blocks]
        self._encoder_norm = _norm(encoder.ln_post)
        self.embedding = _array(decoder.token_embedding.weight)
        self.text_positions = _array(decoder.positional_embedding)
        self.blocks = [_block(block, dims.n_text_head) for block in decoder.blocks]
        self.norm = _norm(decoder.ln)
        self.alignment = [(int(layer), int(head)) for layer, head in np.asarray(model.alignment_heads)]

    def encode(self, mel: Floats) -> NumpyDecoding:
        """See `Network.encode`."""
        x = gelu(self._conv1(_neighbours(mel)))
        x = gelu(self._conv2(_neighbours(x)[::MELS_PER_POSITION]))
        x += self._positions[: len(x)]
        for block in self._encoder_blocks:
            query, key, value = _heads(block.query_key_value(block.norm(x)), 3, self._audio_heads)
            x += block.out(attend(query, key, value)[0])
            x += block.mlp2(gelu(block.mlp1(block.mlp_norm(x))))
        x = self._encoder_norm(x)
        audio: list[Floats] = []
        for block in self.blocks:
            assert block.cross is not None
            audio.append(np.ascontiguousarray(_heads(block.cross.key_value(x), 2, self.n_heads)))
        return NumpyDecoding(self, audio)


class NumpyDecoding:
    """See `voice.hearing.whisper.network.Decoding`."""

    def __init__(self, network: NumpyNetwork, audio: list[Floats]) -> None:
        """`audio` holds, for each block, keys and values (2, heads, positions, width / heads)."""
        self._network = network
        self._audio = audio
        self._n_tokens = 0
        _, heads, _, width = audio[0].shape
        shape = (2, heads, network.max_tokens, width)
        self._kept = [np.empty(shape, np.float32) for _ in network.blocks]

    def copy(self) -> NumpyDecoding:
        """See `Decoding.copy`."""
        copy = NumpyDecoding(self._network, self._audio)
        copy._n_tokens = self._n_tokens
        for theirs, ours in zip(copy._kept, self._kept, strict=True):
            theirs[:, :, : self._n_tokens] = ours[:, :, : self._n_tokens]
        return copy

    def feed(self, tokens: list[int]) -> tuple[Floats, Floats]:
        """See `Decoding.feed`."""
        x, aligned = self._advance(tokens)
        network = self._network
        return network.embedding @ network.norm(x[-1:])[0], np.stack(aligned)

    def feed_each(self, decodings: Sequence[NumpyDecoding], tokens: Sequence[int]) -> tuple[Floats, Floats]:
        """See `Decoding.feed_each`."""
        network, audio = self._network, self._audio
        at = [decoding._n_tokens for decoding in decodings]
        x = network.embedding[list(tokens)] + network.text_positions[at]
        aligned: list[Floats] = []
        for layer, block in enumerate(network.blocks):
            query, key, value = _heads(block.query_key_value(block.norm(x)), 3, network.n_heads)
            mixed = np.empty_like(x)
            for row, decoding in enumerate(decodings):
                keys, values = decoding._kept[layer]
                keys[:, at[row]], values[:, at[row]] = key[:, row], value[:, row]
                own, end = query[:, row : row + 1], at[row] + 1
                mixed[row] = attend(own, keys[:, :end], values[:, :end])[0]
            x += block.out(mixed)
            weights = _attend_audio(block, x, audio[layer], network.n_heads)
            aligned += [weights[head] for at_layer, head in network.alignment if at_layer == layer]
            x += block.mlp2(gelu(block.mlp1(block.mlp_norm(x))))
        for decoding in decodings:
            decoding._n_tokens += 1
        return _product(network.norm(x), network.embedding), np.stack(aligned, axis=1)

    def logprobs(self, tokens: list[int]) -> Floats:
        """See `Decoding.logprobs`."""
        x, _ = self._advance(tokens[:-1])
        logits = self._network.norm(x) @ self._network.embedding.T
        highest = logits.max(axis=-1)
        chosen = logits[np.arange(len(logits)), tokens[1:]]
        return chosen - highest - np.log(np.exp(logits - highest[:, None]).sum(axis=-1))

    def _advance(self, tokens: list[int]) -> tuple[Floats, list[Floats]]:
        """Take in `tokens`: their last hidden states, and the last one's attention in the alignment heads."""
        network, first, n = self._network, self._n_tokens, len(tokens)
        self._n_tokens = end = first + n
        x = network.embedding[tokens] + network.text_positions[first:end]
        mask = np.triu(np.full((n, end), -np.inf, np.float32), first + 1) if n > 1 else None
        aligned: list[Floats] = []
        for layer, block in enumerate(network.blocks):
            query, key, value = _heads(block.query_key_value(block.norm(x)), 3, network.n_heads)
            kept = self._kept[layer]
            kept[0, :, first:end], kept[1, :, first:end] = key, value
            x += block.out(attend(query, kept[0, :, :end], kept[1, :, :end], mask)[0])
            weights = _attend_audio(block, x, self._audio[layer], network.n_heads)
            aligned += [weights[head, -1] for at, head in network.alignment if at == layer]
            x += block.mlp2(gelu(block.mlp1(block.mlp_norm(x))))
        return x, aligned


def _attend_audio(block: Block, x: Floats, audio: Floats, n_heads: int) -> Floats:
    """Add to `x` what it finds in the audio's keys and values; gives the weights (heads, n, positions)."""
    assert block.cross is not None
    (query,) = _heads(block.cross.query(block.cross.norm(x)), 1, n_heads)
    mixed, weights = attend(query, *audio)
    x += block.cross.out(mixed)
    return weights


def _product(x: Floats, weight: Floats) -> Floats:
    """`x` (rows, in) times a weight (out, in)."""
    return np.stack([weight @ row for row in x]) if len(x) <= _FEW_ROWS else x @ weight.T


def _heads(x: Floats, parts: int, n_heads: int) -> Floats:
    """(n, parts width) as (parts, heads, n, width / heads), a view."""
    return x.reshape(len(x), parts, n_heads, -1).transpose(1, 2, 0, 3)


def _neighbours(x: Floats) -> Floats:
    """(n, channels) as (n, 3 channels): each frame between its neighbours, zeros beyond the ends."""
    padded = np.pad(x, ((1, 1), (0, 0)))
    return np.concatenate([padded[:-2], padded[1:-1], padded[2:]], axis=1)


def _array(weights: Any) -> Floats:
    return np.asarray(weights, np.float32)


def _linear(layer: Any) -> Linear:
    return Linear(_array(layer.weight), _array(layer.bias))


def _norm(layer: Any) -> LayerNorm:
    return LayerNorm(_array(layer.weight), _array(layer.bias))


def _convolution(layer: Any) -> Linear:
    """A convolution over three frames as a dense layer over `_neighbours`; MLX keeps (out, 3, in)."""
    weight = _array(layer.weight)
    return Linear(weight.reshape(len(weight), -1), _array(layer.bias))


def _joined(attention: Any, names: tuple[str, ...], n_heads: int) -> Linear:
    """Some of query, key and value as one layer, the query scaled by 1 / sqrt(width of a head)."""
    weights: list[Floats] = []
    biases: list[Floats] = []
    for name in names:
        layer = getattr(attention, name)
        weight = _array(layer.weight)
        bias = _array(layer.bias) if "bias" in layer else np.zeros(len(weight), np.float32)
        scale = np.float32((len(weight) // n_heads) ** -0.5 if name == "query" else 1.0)
        weights.append(weight * scale)
        biases.append(bias * scale)
    return Linear(np.concatenate(weights), np.concatenate(biases))


def _block(block: Any, n_heads: int) -> Block:
    cross = None
    if block.cross_attn:
        cross = CrossAttention(
            norm=_norm(block.cross_attn_ln),
            query=_joined(block.cross_attn, ("query",), n_heads),
            key_value=_joined(block.cross_attn, ("key", "value"), n_heads),
            out=_linear(block.cross_attn.out),
        )
    return Block(
        norm=_norm(block.attn_ln),
        query_key_value=_joined(block.attn, ("query", "key", "value"), n_heads),
        out=_linear(block.attn.out),
        cross=cross,
        mlp_norm=_norm(block.mlp_ln),
        mlp1=_linear(block.mlp1),
        mlp2=_linear(block.mlp2),
    )
