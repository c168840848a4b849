"""Speech to text for one utterance with Whisper, its encoder cut to the utterance."""

from __future__ import annotations

import re
import string
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from voice.audio.frames import SAMPLE_RATE, Samples
from voice.hearing.favoured import favoured
from voice.hearing.guards import WITH_A_NAME, Evidence, Limits, rejection
from voice.hearing.lexicon import Lexicon
from voice.hearing.rescoring import variants
from voice.hearing.spoken_code import write_out
from voice.hearing.whisper.biasing import Bias
from voice.hearing.whisper.decoding import Decoded, Opened, decode, likelihoods, opened
from voice.hearing.whisper.loading import load
from voice.hearing.whisper.mel import HOP_SAMPLES, log_mel
from voice.hearing.whisper.network import MELS_PER_POSITION, POSITION_S, Decoding
from voice.hearing.whisper.word_times import token_starts
from voice.hearing.written import OF_A_NAME

# Silence after the utterance in place of Whisper's padding to 30 s. With 0.2 to 0.5 s base repeated a phrase
# once in a while; with 1.0 s it did not.
TAIL_S = 1.0

# No one says more: fast English is about 6 tokens a second.
_TOKENS_PER_S = 8
_TOKENS_AT_LEAST = 16

# Below this mean a beam is worth its time: on 219 spoken requests, clean and in noise, none of them the
# benchmark's, word errors fell from 14.2 % to 11.1 %. Clean requests are seldom below it.
_SURE_LOGPROB = -0.4
_BEAM_WIDTH = 5

# Added to a token that begins a name of the repository, and to each that goes on with it. On 42 spoken
# requests of bench/identifiers, tuned part, 81 % of the names were written right with it, 74 % without.
_BIAS_NATS = (1.0, 2.0)
_UTTERANCES_KEPT = 8

# For each nat that the mean log probability is below 0: what was heard unsurely was rather something else.
# Fitted with the constants in `candidates.py`.
_DOUBT_NATS, _MOST_DOUBT_NATS = 12.0, 8.0

# A text without a name is looked at again with a beam if it is less sure than this, its names this many times
# likelier; and another path that spells a name out is taken if the audio makes it less likely by no more than
# so many nats. On 162 requests over three repositories that nothing else was tuned on, with what was done in
# `candidates.py` at the same time, 92 % of the names were written right, not 88 %; in 102 requests heard
# with the names of another repository none was written, and in 58 plain sentences no word changed.
_SURE_OF_NO_NAME = -0.2
_BIASED_MORE = 2.0
_NEARLY_NATS = 4.0

_MORE_OR_LESS_WORDS = 2  # a name in one word may have been heard as two or three
_NEGATIONS = re.compile(r"\b(?:no|not|never|without|except|only|don't|doesn't|cannot|can't)\b", re.IGNORECASE)

_LEAST_WORDS = 3  # of a request with a name in it: "open parse config"

_LEAST_LIKELY = -8.0  # of a phrase that is asked about; what is below it is not computed to the end
_FAIR_CHANCE = -5.0  # of such a phrase: no other words are looked for with a beam, which takes a second

_SILENCE_DB = 30.0  # below the loudest 20 ms
_SYLLABLE_POSITIONS = 8  # 0.16 s; Whisper's timestamps are about as exact


@dataclass(frozen=True)
class Word:
    """One word as written; its begin and end in seconds from the utterance's first sample."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Heard:
    """What was heard in one utterance. `text` is empty and `rejected` says why when it is not to be trusted.

    `avg_logprob` is the mean natural log of the chosen tokens' probabilities and `compression_ratio` that of
    zlib on the text, both of what was decoded, rejected or not. `words` is empty for a text that another path
    of the decoder gave, for the name in it.
    """

    text: str
    words: tuple[Word, ...]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    rejected: str | None
    audio_s: float
    transcription_s: float
    likelihoods: tuple[float, ...] = ()  # log probabilities of the phrases that were asked about
    others: tuple[str, ...] = ()  # other texts, where a beam found some, the likeliest first
    names: Mapping[tuple[int, int, str], float] = field(default_factory=dict[tuple[int, int, str], float])
    """What the audio says of names in `text`, see `voice.hearing.candidates.Evidence`."""
    text_logprob: float = 0.0
    """Natural log of the probability of all tokens that were decoded."""


class Transcriber:
    """A loaded Whisper model.

    Make it and call it on one and the same thread: MLX's streams belong to the thread that made them. It
    has no async form; hand it to an executor of one worker.
    """

    def __init__(self, model_dir: Path, language: str = "en", limits: Limits | None = None) -> None:
        """Load the folder that `mlx_whisper.load_models.load_model` reads, in float32.

        Raises `TranscriberError`.
        """
        self._limits = limits or Limits()
        loaded = load(model_dir, language)
        self._network, self._vocabulary = loaded.network, loaded.vocabulary
        self._tokenizer, self._filters = loaded.tokenizer, loaded.filters
        self.max_audio_s = self._network.max_positions * POSITION_S - TAIL_S
        self._expected: tuple[Lexicon, Bias | None] = (Lexicon(), None)
        self._lately: OrderedDict[str, Mapping[tuple[int, int, str], float]] = OrderedDict()

    def expect(self, lexicon: Lexicon) -> None:
        """From now on the names of `lexicon` are likely to be said. May be called on any thread."""
        if lexicon is self._expected[0]:
            return
        tokens = [self._tokenizer.encode(f" {name}") for name in favoured(lexicon)]
        bias = Bias(tokens, *_BIAS_NATS) if tokens else None
        self._expected = (lexicon, bias)

    def names_in(self, text: str) -> Mapping[tuple[int, int, str], float]:
        """`Heard.names` of an utterance that was transcribed lately; nothing for other texts."""
        return self._lately.get(text, {})

    def warm_up(self) -> None:
        """Transcribe half a second of silence, so that the first utterance finds the weights in memory."""
        self.transcribe(np.zeros(SAMPLE_RATE // 2, np.float32))

    def transcribe(
        self,
        samples: Samples,
        voiced_s: float | None = None,
        phrases: Sequence[str] = (),
        limits: Limits | None = None,
        is_enough: Callable[[str], bool] = lambda _text: False,
        may_change: Callable[[str], bool] = lambda _text: True,
    ) -> Heard:
        """Transcribe one utterance of mono float32 at 16 kHz, at most `max_audio_s` long.

        `voiced_s` is how much of it is speech, where that is known; else all of it is taken to be. Of each of
        `phrases` it is told how likely it was all that was said. `limits` hold in place of the usual ones. A
        text that `is_enough` is not looked at again, however unsure it is. One that `may_change` gives way to
        another one that names something, and may change as well.
        Raises `ValueError` for longer audio: the segmenter cuts it before.
        """
        started = time.perf_counter()
        audio_s = len(samples) / SAMPLE_RATE
        decoding, begun = self._begun(samples)
        asked = [self._tokenizer.encode(f" {phrase}") for phrase in phrases]
        likely = likelihoods(begun, self._vocabulary, asked, _LEAST_LIKELY)
        max_tokens = self._most_tokens(audio_s)
        lexicon, bias = self._expected
        is_wide = max(likely, default=_LEAST_LIKELY) < _FAIR_CHANCE
        speech_s, speech_end = audio_s if voiced_s is None else voiced_s, _speech_end(samples)

        def heard_with(bias: Bias | None) -> tuple[Decoded, Evidence, str | None]:
            decoded = decode(begun, self._vocabulary, max_tokens, speech_end, bias=bias)
            if is_wide and self._is_unsure(decoded) and not is_enough(self._said(decoded.tokens)):
                decoded = decode(begun, self._vocabulary, max_tokens, speech_end, _BEAM_WIDTH, bias)
            evidence = self._evidence(decoded, speech_s)
            return decoded, evidence, rejection(evidence, limits or self._limits)

        def is_taken(other: Evidence) -> bool:
            return may_change(other.text) and rejection(other, limits or self._limits) is None

        decoded, evidence, rejected = heard_with(bias)
        others = paths = decoded.others
        if rejected and bias is not None and is_wide:
            # An expected name may be a guess where the words that were said are none.
            plain, plain_evidence, plain_rejected = heard_with(None)
            if plain_rejected is None:
                others, paths = (decoded.tokens, *others, *plain.others), plain.others
                decoded, evidence, rejected = plain, plain_evidence, None
        text = evidence.text
        is_possible = not rejected or (limits is None and rejection(evidence, WITH_A_NAME) is None)
        is_possible = is_possible and not is_enough(text)
        names = self._names(decoding, text, lexicon, decoded.avg_logprob) if is_possible else {}
        if rejected and is_possible and _has_name(text, lexicon, names):
            rejected = None
        named, n_tokens = None, len(decoded.tokens)
        names_nothing = is_possible and not _writes_a_name(text, lexicon, names)
        if names_nothing and not rejected and bias is not None and may_change(text):
            if is_wide and _SURE_LOGPROB < decoded.avg_logprob < _SURE_OF_NO_NAME:
                more = bias.stronger(_BIASED_MORE)
                wide = decode(begun, self._vocabulary, max_tokens, speech_end, _BEAM_WIDTH, more)
                others, paths = (*others, wide.tokens, *wide.others), (*paths, wide.tokens, *wide.others)
            named = self._likeliest_with_a_name(decoding, evidence, paths, lexicon, is_taken)
            if named is not None:
                evidence, text = named, named.text
                n_tokens = len(self._tokenizer.encode(f" {text}"))
                others = (decoded.tokens, *others)
                names = self._names(decoding, text, lexicon, decoded.avg_logprob)
        other_texts = dict.fromkeys(map(self._said, others))
        return Heard(
            text="" if rejected else text,
            words=() if rejected or named is not None else self._words(decoded, audio_s),
            avg_logprob=evidence.avg_logprob,
            no_speech_prob=decoded.no_speech_prob,
            compression_ratio=evidence.compression_ratio,
            rejected=rejected,
            audio_s=audio_s,
            transcription_s=time.perf_counter() - started,
            text_logprob=evidence.avg_logprob * n_tokens,
            likelihoods=tuple(likely),
            others=tuple(other for other in other_texts if other != text),
            names={} if rejected else names,
        )

    def _likeliest_with_a_name(
        self,
        decoding: Decoding,
        best: Evidence,
        paths: Sequence[Sequence[int]],
        lexicon: Lexicon,
        is_taken: Callable[[Evidence], bool],
    ) -> Evidence | None:
        """Of `paths` the likeliest that spells a name out, if the audio speaks for it as for `best`."""
        texts = dict.fromkeys(map(self._said, paths))
        named = [text for text in texts if _says_as_much(text, best.text) and _has_name(text, lexicon, {})]
        if not named:
            return None
        logprobs = {text: self._logprob(decoding.copy(), text) for text in named}
        least = self._logprob(decoding.copy(), best.text) - _NEARLY_NATS
        for text in sorted(named, key=logprobs.__getitem__, reverse=True):
            n_tokens = len(self._tokenizer.encode(f" {text}"))
            avg_logprob, ratio = logprobs[text] / n_tokens, compression_ratio(text)
            one = replace(best, text=text, avg_logprob=avg_logprob, compression_ratio=ratio)
            if logprobs[text] >= least and is_taken(one):
                return one
        return None

    def _said(self, tokens: Sequence[int]) -> str:
        return self._tokenizer.decode(list(tokens)).strip()

    def _evidence(self, decoded: Decoded, speech_s: float) -> Evidence:
        text = self._said(decoded.tokens)
        return Evidence(
            text=text,
            speech_s=speech_s,
            avg_logprob=decoded.avg_logprob,
            no_speech_prob=decoded.no_speech_prob,
            compression_ratio=compression_ratio(text),
            cut_short=not decoded.finished,
        )

    def _names(
        self, decoding: Decoding, text: str, lexicon: Lexicon, avg_logprob: float
    ) -> Mapping[tuple[int, int, str], float]:
        """What the audio says of names of `lexicon` in the text, where one may be."""
        found: dict[tuple[int, int, str], float] = {}
        possible = variants(text, lexicon)
        if possible:
            as_heard = self._logprob(decoding.copy(), text)
            for one in possible:
                likelier = self._logprob(decoding.copy(), one.text) - as_heard
                doubt = min(-_DOUBT_NATS * avg_logprob, _MOST_DOUBT_NATS)
                found[one.start, one.end, one.written] = min(likelier + doubt, max(likelier, 0.0))
        self._lately[text] = found
        while len(self._lately) > _UTTERANCES_KEPT:
            self._lately.popitem(last=False)
        return found

    def _logprob(self, decoding: Decoding, text: str) -> float:
        """The log probability that `text` is what was said; `decoding` is fresh, and used up."""
        prompt = list(self._vocabulary.prompt)
        logprobs = decoding.logprobs([*prompt, *self._tokenizer.encode(f" {text}")])
        return float(logprobs[len(prompt) - 1 :].sum())

    def glimpse(self, samples: Samples, is_wanted: Callable[[], bool] = lambda: True) -> str:
        """The likeliest words of speech that goes on, without a second look at any; "" where it is none.

        `samples` as in `transcribe`. The last words are not to be relied on. It breaks off with "" as soon as
        it is no longer wanted.
        """
        _, begun = self._begun(samples)
        audio_s, bias = len(samples) / SAMPLE_RATE, self._expected[1]
        most = self._most_tokens(audio_s)
        decoded = decode(begun, self._vocabulary, most, _speech_end(samples), bias=bias, goes_on=is_wanted)
        evidence = self._evidence(decoded, audio_s)
        return "" if not is_wanted() or rejection(evidence, self._limits) else evidence.text

    def _begun(self, samples: Samples) -> tuple[Decoding, Opened]:
        """The decoder over `samples`, fresh, and another one that has read the prompt."""
        audio_s = len(samples) / SAMPLE_RATE
        if audio_s > self.max_audio_s:
            raise ValueError(f"{audio_s:.1f} s of audio in one utterance; at most {self.max_audio_s:.1f} s")
        decoding = self._network.encode(log_mel(_with_tail(samples), self._filters))
        return decoding, opened(decoding.copy(), self._vocabulary)

    def _most_tokens(self, audio_s: float) -> int:
        return min(int(_TOKENS_PER_S * audio_s) + _TOKENS_AT_LEAST, self._network.max_tokens // 2)

    def _is_unsure(self, decoded: Decoded) -> bool:
        """Whether a beam is worth its time: words were said, and not surely these."""
        is_noise = decoded.no_speech_prob > self._limits.no_speech_prob
        return decoded.avg_logprob <= _SURE_LOGPROB and not is_noise

    def _words(self, decoded: Decoded, audio_s: float) -> tuple[Word, ...]:
        starts = token_starts(decoded.attention)
        if not starts:
            return ()
        texts, tokens_of_words = self._tokenizer.split_to_word_tokens(list(decoded.tokens))
        return _times(texts, [len(tokens) for tokens in tokens_of_words], starts, audio_s)


def compression_ratio(text: str) -> float:
    """Bytes of `text` by bytes of it after zlib: above about 2.4 it repeats itself. 0 for no text."""
    data = text.encode("utf-8")
    return len(data) / len(zlib.compress(data))


def _has_name(text: str, lexicon: Lexicon, names: Mapping[tuple[int, int, str], float]) -> bool:
    """Whether a name of `lexicon` stands among several words, or is written for some of them."""
    return len(text.split()) >= _LEAST_WORDS and _writes_a_name(text, lexicon, names)


def _says_as_much(text: str, other: str) -> bool:
    """Whether no words are lost from one to the other, nor a no: only how they are spelled is another."""
    is_as_long = abs(len(text.split()) - len(other.split())) <= _MORE_OR_LESS_WORDS
    return is_as_long and len(_NEGATIONS.findall(text)) == len(_NEGATIONS.findall(other))


def _writes_a_name(text: str, lexicon: Lexicon, names: Mapping[tuple[int, int, str], float]) -> bool:
    """Whether one stands in the text or is written for some of it."""
    words = [word.strip(string.punctuation) for word in text.split()]
    if any(
        word in lexicon.file_names or (word in lexicon.identifiers and not word.isalpha()) for word in words
    ):
        return True
    changes = write_out(text, lexicon, evidence=names).changes
    return any(change.source in OF_A_NAME for change in changes)


def _speech_end(samples: Samples) -> int:
    """The encoder position behind which the audio is near silent, less one syllable; its end in noise."""
    per_position = HOP_SAMPLES * MELS_PER_POSITION
    n_positions = len(samples) // per_position
    power = np.square(samples[: n_positions * per_position].reshape(n_positions, per_position)).mean(axis=1)
    loud = np.flatnonzero(power > power.max(initial=0.0) * 10 ** (-_SILENCE_DB / 10))
    return max(1, int(loud[-1]) + 1 - _SYLLABLE_POSITIONS) if len(loud) else 1


def _with_tail(samples: Samples) -> Samples:
    """`samples` and the tail, filled up to a whole number of encoder positions."""
    per_position = HOP_SAMPLES * MELS_PER_POSITION
    length = len(samples) + int(TAIL_S * SAMPLE_RATE)
    return np.pad(samples, (0, -(-length // per_position) * per_position - len(samples)))


def _times(texts: list[str], n_tokens: list[int], starts: list[int], audio_s: float) -> tuple[Word, ...]:
    """Words with their times; punctuation that stands alone is joined to the word before it."""
    words: list[Word] = []
    first = 0
    for text, n in zip(texts, n_tokens, strict=True):
        start_s, end_s = (min(starts[at] * POSITION_S, audio_s) for at in (first, first + n))
        first += n
        if words and not text.strip(string.punctuation + string.whitespace):
            before = words[-1]
            words[-1] = Word(before.text + text.strip(), before.start_s, before.end_s)
        elif text.strip():
            words.append(Word(text.strip(), start_s, end_s))
    return tuple(words)
