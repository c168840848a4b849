"""Beam search over one utterance: no earlier text, bounded in length; a beam of one is greedy decoding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice.hearing.whisper.biasing import START, Bias, Place
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
    stops: tuple[int, ...] = ()  # a full stop or its like, with which a short utterance may end


@dataclass(frozen=True)
class Opened:
    """A decoder that has read the prompt: its first logits and attention, and how likely it is no speech.

    It is not used up: all that is asked of one utterance may begin from it.
    """

    decoding: Decoding
    logits: Floats
    attention: Floats
    no_speech_prob: float


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
    others: tuple[tuple[int, ...], ...] = ()  # the text tokens of the other paths, the likeliest first
    is_bent: bool = False  # in a beam of one the bias chose a token


@dataclass(frozen=True)
class _Path:
    """One way through the utterance: what was chosen, and the logits for what comes next.

    `logprob` is that of all choices among what the rules allowed, `text_logprob` that of the text alone.
    """

    decoding: Decoding
    logits: Floats
    chosen: tuple[int, ...]
    rows: tuple[Floats, ...]
    next_row: Floats
    logprob: float = 0.0
    text_logprob: float = 0.0
    place: Place = START
    is_bent: bool = False


@dataclass(frozen=True)
class _Step:
    """A token that may come next on a path, and the path's log probability with it.

    `score` is what paths are chosen by: the log probability, and what the names on the path add to it.
    """

    path: _Path
    token: int
    logprob: float
    score: float
    place: Place
    is_bent: bool


def opened(decoding: Decoding, vocabulary: Vocabulary) -> Opened:
    """Read the prompt; `decoding` is fresh, and used up. The speech is judged at start-of-transcript."""
    at_start, _ = decoding.feed([vocabulary.prompt[0]])
    no_speech_prob = float(np.exp(_logprob(at_start, vocabulary.no_speech)))
    logits, attention = decoding.feed(list(vocabulary.prompt[1:]))
    return Opened(decoding, logits, attention, no_speech_prob)


def decode(
    begun: Opened,
    vocabulary: Vocabulary,
    max_tokens: int,
    speech_end: int,
    width: int = 1,
    bias: Bias | None = None,
    goes_on: Callable[[], bool] = lambda: True,
) -> Decoded:
    """The likeliest text, at most `max_tokens` of it, found by a beam search over `width` paths.

    `speech_end` is the encoder position (20 ms) behind which there is silence: a timestamp there is the end,
    where base would now and then say a short request again. `avg_logprob` is over the text alone, among
    text alone (openai/whisper counts the timestamps in, which are unsure in short requests), 0 for no text.
    `bias` makes names likelier; `avg_logprob` does not count what it adds. Where it no longer `goes_on`,
    what is there by then is the text, unfinished.
    """
    first = (vocabulary.first_timestamp,)
    paths = [_Path(begun.decoding.copy(), begun.logits.copy(), first, (), begun.attention)]
    ended: list[tuple[_Step, bool]] = []
    while True:
        steps = [step for path in paths for step in _steps(path, vocabulary, width + 1, bias)]
        going, is_cut = list[_Step](), not goes_on()
        for step in sorted(steps, key=lambda step: -step.score):
            is_end = step.token == vocabulary.end or step.token >= vocabulary.first_timestamp + speech_end
            if is_end or is_cut or len(step.path.chosen) > max_tokens:
                ended.append((step, is_end))
            else:
                going.append(step)
            if width in (len(ended), len(going)):
                break
        if len(ended) == width or not going:
            break
        paths = _follow(going, vocabulary)
    ended.sort(key=lambda step: -step[0].score / len(step[0].path.chosen))
    texts = [
        tuple(token for token in end.path.chosen if token < vocabulary.first_timestamp) for end, _ in ended
    ]
    end, finished = ended[0]
    best = end.path
    return Decoded(
        tokens=texts[0],
        attention=np.stack([*best.rows, best.next_row], axis=1),
        avg_logprob=best.text_logprob / max(1, len(best.rows)),
        no_speech_prob=begun.no_speech_prob,
        finished=finished,
        others=tuple(dict.fromkeys(text for text in texts if text != texts[0])),
        is_bent=width == 1 and end.is_bent,
    )


def likelihoods(
    begun: Opened, vocabulary: Vocabulary, phrases: Sequence[Sequence[int]], least: float
) -> list[float]:
    """For each of `phrases`, in tokens, the log probability that it, and nothing after it, is what was said.

    One below `least` is given as `least`, and costs little; what phrases begin with together is fed once.
    """
    found = [least] * len(phrases)
    open_ = [(begun.decoding, begun.logits, 0.0, list(range(len(phrases))))]
    for length in range(1 + max(map(len, phrases), default=0)):
        following: list[tuple[Decoding, int, float, list[int]]] = []
        for decoding, logits, total, numbers in open_:
            ended = [number for number in numbers if len(phrases[number]) == length]
            if ended:
                marks = logits[[*vocabulary.stops, vocabulary.end]]
                end = log_sum(np.concatenate((marks, logits[vocabulary.first_timestamp :])))
                for number in ended:
                    found[number] = max(total + end - log_sum(logits), least)
            text = logits[: vocabulary.first_timestamp]
            normaliser = log_sum(text)
            going = [number for number in numbers if number not in ended]
            for token in dict.fromkeys(phrases[number][length] for number in going):
                so_far = total + float(text[token]) - normaliser
                if so_far >= least:
                    same = [number for number in going if phrases[number][length] == token]
                    following.append((decoding.copy(), token, so_far, same))
        if not following:
            break
        decodings = [decoding for decoding, _, _, _ in following]
        all_logits, _ = begun.decoding.feed_each(decodings, [token for _, token, _, _ in following])
        open_ = [
            (decoding, logits, total, numbers)
            for (decoding, _, total, numbers), logits in zip(following, all_logits, strict=True)
        ]
    return found


def _steps(path: _Path, vocabulary: Vocabulary, count: int, bias: Bias | None) -> list[_Step]:
    """The `count` likeliest next tokens of a path, as the rules leave them.

    Timestamps count as one token: where there is one matters, not which, and the model seldom knows which.
    """
    logits = path.logits
    logits[list(vocabulary.never)] = -np.inf
    if not path.rows:
        logits[list(vocabulary.not_first)] = -np.inf
    mask_timestamps(logits, path.chosen, vocabulary)
    total = log_sum(logits)
    timestamps = logits[vocabulary.first_timestamp :]
    best, together = int(timestamps.argmax()), log_sum(timestamps)
    timestamps[:] = -np.inf
    timestamps[best] = together
    wanted = logits if bias is None else bias.added_to(logits, path.place)
    likeliest = int(logits.argmax())
    steps: list[_Step] = []
    for token in map(int, np.argpartition(-wanted, count)[:count]):
        if np.isfinite(logits[token]):
            logprob = path.logprob + float(logits[token]) - total
            place = path.place if bias is None else bias.after(path.place, token)
            is_bent = path.is_bent or token != likeliest
            steps.append(_Step(path, token, logprob, logprob + place.bonus, place, is_bent))
    return steps


def _follow(steps: Sequence[_Step], vocabulary: Vocabulary) -> list[_Path]:
    """The paths with one token more each, in one pass: it is reading the weights that takes time."""
    is_shared = len(steps) > 1  # several may go on from the same path
    decodings = [step.path.decoding.copy() if is_shared else step.path.decoding for step in steps]
    logits, attention = decodings[0].feed_each(decodings, [step.token for step in steps])
    return [_longer(step, decodings[n], logits[n], attention[n], vocabulary) for n, step in enumerate(steps)]


def _longer(
    step: _Step, decoding: Decoding, logits: Floats, attention: Floats, vocabulary: Vocabulary
) -> _Path:
    path, token = step.path, step.token
    is_text = token < vocabulary.first_timestamp
    text_logprob = _logprob(path.logits[: vocabulary.first_timestamp], token) if is_text else 0.0
    return _Path(
        decoding,
        logits,
        (*path.chosen, token),
        (*path.rows, path.next_row) if is_text else path.rows,
        # Timestamps are skipped: a word lasts until the step after it, not until the timestamp's.
        attention if is_text or not path.rows else path.next_row,
        step.logprob,
        path.text_logprob + text_logprob,
        step.place,
        step.is_bent,
    )


def mask_timestamps(logits: Floats, chosen: Sequence[int], vocabulary: Vocabulary) -> None:
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
    if log_sum(timestamps) > text.max():
        logits[:first] = -np.inf


def _logprob(logits: Floats, token: int) -> float:
    return float(logits[token]) - log_sum(logits)


def log_sum(logits: Floats) -> float:
    """The log of the sum of what `logits` are the logs of; -inf where all are."""
    highest = logits.max()
    if not np.isfinite(highest):
        return -np.inf
    return float(highest + np.log(np.exp(logits - highest).sum()))
