"""Which names the audio speaks for in one place of a text: a beam search that may only spell names there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice.hearing.whisper.biasing import Bias
from voice.hearing.whisper.decoding import Opened, Vocabulary
from voice.hearing.whisper.network import Decoding

Floats = NDArray[np.float32]

_WIDTH = 10  # paths through the trie of names
_NAMES = 4  # that are gone on from, to the end of the text


@dataclass(frozen=True)
class _Path:
    """What follows the prefix so far; `node` is the place in the trie."""

    decoding: Decoding
    logits: Floats
    tokens: tuple[int, ...]
    logprob: float
    node: int = 0


@dataclass(frozen=True)
class _Step:
    """A token that may come next on a path."""

    path: _Path
    token: int
    logprob: float
    node: int


def with_a_name(
    begun: Opened,
    vocabulary: Vocabulary,
    prefix: Sequence[int],
    names: Bias,
    least: float,
    max_tokens: int,
) -> list[tuple[int, ...]]:
    """The likeliest texts, in tokens, that have one of `names` behind `prefix`, and then what else was said.

    A text is given up where what follows the prefix is less likely than `least`, in nats.
    """
    decoding = begun.decoding.copy()
    logits = decoding.feed(list(prefix))[0] if prefix else begun.logits
    spelled = _spelled(_Path(decoding, logits, (), 0.0), vocabulary, names, least)
    room = max_tokens - len(prefix)
    return [(*prefix, *path.tokens) for path in _to_the_end(spelled, vocabulary, least, room)]


def _spelled(start: _Path, vocabulary: Vocabulary, names: Bias, least: float) -> list[_Path]:
    """The likeliest names behind `start`."""
    open_, found = [start], list[_Path]()
    while open_:
        steps = list[_Step]()
        for path in open_:
            logprobs = _logprobs(path.logits, vocabulary)
            for token, node in names.after_node(path.node).items():
                logprob = path.logprob + float(logprobs[token])
                if logprob >= least:
                    steps.append(_Step(path, token, logprob, node))
        steps.sort(key=lambda step: -step.logprob)
        open_ = _follow(steps[:_WIDTH])
        found += [path for path in open_ if names.is_end(path.node)]
        found = sorted(found, key=lambda path: -path.logprob)[:_NAMES]
        if len(found) == _NAMES:
            least = max(least, found[-1].logprob)
    return found


def _to_the_end(paths: Sequence[_Path], vocabulary: Vocabulary, least: float, room: int) -> list[_Path]:
    """Each of `paths` with the likeliest words behind it."""
    found, open_ = list[_Path](), list(paths)
    while open_:
        steps = list[_Step]()
        for path in open_:
            logits = path.logits.copy()
            logits[list(vocabulary.never)] = -np.inf
            text, timestamps = logits[: vocabulary.first_timestamp], logits[vocabulary.first_timestamp :]
            token = int(text.argmax())
            is_end = token == vocabulary.end or np.logaddexp.reduce(timestamps) > text[token]
            if is_end:
                found.append(path)
                continue
            logprob = path.logprob + float(_logprobs(path.logits, vocabulary)[token])
            if logprob >= least and len(path.tokens) < room:
                steps.append(_Step(path, token, logprob, path.node))
        open_ = _follow(steps)
    return found


def _logprobs(logits: Floats, vocabulary: Vocabulary) -> Floats:
    """Among text alone."""
    text = logits[: vocabulary.first_timestamp]
    return text - np.logaddexp.reduce(text)


def _follow(steps: Sequence[_Step]) -> list[_Path]:
    if not steps:
        return []
    decodings = [step.path.decoding.copy() for step in steps]
    logits, _ = decodings[0].feed_each(decodings, [step.token for step in steps])
    return [
        _Path(decoding, logits[n], (*step.path.tokens, step.token), step.logprob, step.node)
        for n, (step, decoding) in enumerate(zip(steps, decodings, strict=True))
    ]
