"""Greedy decoding of one utterance: temperature 0, no earlier text, bounded in length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice.hearing.whisper.network import Decoding

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Vocabulary:
    """The token ids that decoding needs.

    `prompt` goes from start-of-transcript to the timestamp 0.00. Timestamps are on although their values are
    not used: with the encoder cut to the utterance the model finds the end by them. Without them base wrote
    one in five clean requests twice.
    """

    prompt: tuple[int, ...]
    end: int
    no_speech: int
    first_timestamp: int  # 0.00; those after it are the highest ids
    never: tuple[int, ...]  # special tokens, brackets, music notes: nothing that is spoken
    not_first: tuple[int, ...]  # a blank, or an end before any text


@dataclass(frozen=True)
class Decoded:
    """`tokens` are text alone. `attention` is (heads, len(tokens) + 1, positions).

    Row i of the attention is that of the step which chose token i; the last one is of the step that ended it.
    """

    tokens: tuple[int, ...]
    attention: Floats
    avg_logprob: float
    no_speech_prob: float
    finished: bool  # the model found an end before `max_tokens`


def decode(decoding: Decoding, vocabulary: Vocabulary, max_tokens: int, speech_end: int) -> Decoded:
    """Take the likeliest token until the end, at most `max_tokens` of them.

    `speech_end` is the encoder position (20 ms) behind which there is silence: a timestamp there is the end,
    where base would now and then say a short request again. `avg_logprob` is over the text alone, among
    text alone (openai/whisper counts the timestamps in, which are unsure in short requests), 0 for no text;
    `no_speech_prob` is read at start-of-transcript.
    """
    at_start, attention = decoding.feed([vocabulary.prompt[0]])
    no_speech_prob = float(np.exp(_logprob(at_start, vocabulary.no_speech)))
    never, not_first = list(vocabulary.never), list(vocabulary.not_first)
    chosen: list[int] = [vocabulary.first_timestamp]
    rows: list[Floats] = []
    last_row = attention
    sum_logprob = 0.0
    logits, attention = decoding.feed(list(vocabulary.prompt[1:]))
    while True:
        logits[never] = -np.inf
        if not rows:
            logits[not_first] = -np.inf
        mask_timestamps(logits, chosen, vocabulary)
        token = int(logits.argmax())
        if chosen[-1] < vocabulary.first_timestamp or not rows:
            last_row = attention
        if token == vocabulary.end or len(chosen) > max_tokens:
            break
        if token < vocabulary.first_timestamp:
            rows.append(attention)
            sum_logprob += _logprob(logits[: vocabulary.first_timestamp], token)
        chosen.append(token)
        if token >= vocabulary.first_timestamp + speech_end:
            break
        logits, attention = decoding.feed([token])
    return Decoded(
        tokens=tuple(token for token in chosen if token < vocabulary.first_timestamp),
        attention=np.stack([*rows, last_row], axis=1),
        avg_logprob=sum_logprob / max(1, len(rows)),
        no_speech_prob=no_speech_prob,
        finished=token >= vocabulary.end,
    )


def mask_timestamps(logits: Floats, chosen: list[int], vocabulary: Vocabulary) -> None:
    """Forbid in `logits` what may not follow `chosen`: the rules of openai/whisper's `ApplyTimestampRules`.

    Timestamps come in pairs around text and do not go back, and one is taken when all of them together are
    likelier than the likeliest text.
    """
    first = vocabulary.first_timestamp
    closing = chosen[-1] >= first and len(chosen) > 1 and chosen[-2] < first
    if closing:
        logits[: vocabulary.end] = -np.inf
    elif chosen[-1] >= first:
        logits[first:] = -np.inf
    latest = max(token for token in chosen if token >= first)
    logits[first : latest if closing else latest + 1] = -np.inf
    timestamps, text = logits[first:], logits[:first]
    highest = timestamps.max()
    if np.isfinite(highest) and highest + np.log(np.exp(timestamps - highest).sum()) > text.max():
        logits[:first] = -np.inf


def _logprob(logits: Floats, token: int) -> float:
    highest = logits.max()
    return float(logits[token] - highest - np.log(np.exp(logits - highest).sum()))
