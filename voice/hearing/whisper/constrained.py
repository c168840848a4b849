"""Which names the audio speaks for in one place of a text: a beam search that may only spell names there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voice.hearing.whisper.biasing import Bias
from voice.hearing.whisper.decoding import Opened, Vocabulary, log_sum, mask_timestamps
from voice.hearing.whisper.network import Decoding, Floats

_WIDTH = 10  # paths through the trie of names
_NAMES = 4  # that are gone on from, to the end of the text


@dataclass(frozen=True)
class _Path:
    """All tokens so far, timestamps too; the log probability of the text behind the prefix.

    `node` is the place in the trie.
    """

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


def continued(
    begun: Opened,
    vocabulary: Vocabulary,
    prefix: Sequence[int],
    names: Bias,
    least: float,
    max_tokens: int,
    speech_end: int,
) -> list[tuple[int, ...]]:
    """The likeliest texts, in tokens: `prefix`, then one of `names`, and then all else that was said.

    A text is given up where what follows the prefix is less likely than `least`, in nats. `speech_end` as in
    `decode`: at a pause before it the text goes on.
    """
    decoding = begun.decoding.copy()
    logits = decoding.feed(list(prefix))[0] if prefix else begun.logits
    start = _Path(decoding, logits, (vocabulary.first_timestamp, *prefix), 0.0)
    spelled = _spelled(start, vocabulary, names, least)
    found = _to_the_end(spelled, vocabulary, least, max_tokens, speech_end)
    return [tuple(token for token in path.tokens if token < vocabulary.first_timestamp) for path in found]


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


def _to_the_end(
    paths: Sequence[_Path], vocabulary: Vocabulary, least: float, max_tokens: int, speech_end: int
) -> list[_Path]:
    """Each of `paths` with the likeliest words behind it."""
    first = vocabulary.first_timestamp
    never = list(vocabulary.never)
    found, open_ = list[_Path](), list(paths)
    while open_:
        steps = list[_Step]()
        for path in open_:
            logits = path.logits.copy()
            logits[never] = -np.inf
            mask_timestamps(logits, path.tokens, vocabulary)
            text, timestamps = logits[:first], logits[first:]
            token, logprob = int(text.argmax()), path.logprob
            if log_sum(timestamps) > text[token]:
                token = first + int(timestamps.argmax())
            elif token != vocabulary.end:
                logprob += float(_logprobs(path.logits, vocabulary)[token])
            if token == vocabulary.end or token >= first + speech_end:
                found.append(path)
            elif logprob >= least and len(path.tokens) <= max_tokens:
                steps.append(_Step(path, token, logprob, path.node))
        open_ = _follow(steps)
    return found


def _logprobs(logits: Floats, vocabulary: Vocabulary) -> Floats:
    """Among text alone."""
    text = logits[: vocabulary.first_timestamp]
    return text - log_sum(text)


def _follow(steps: Sequence[_Step]) -> list[_Path]:
    if not steps:
        return []
    decodings = [step.path.decoding.copy() for step in steps]
    logits, _ = decodings[0].feed_each(decodings, [step.token for step in steps])
    return [
        _Path(decoding, logits[n], (*step.path.tokens, step.token), step.logprob, step.node)
        for n, (step, decoding) in enumerate(zip(steps, decodings, strict=True))
    ]
