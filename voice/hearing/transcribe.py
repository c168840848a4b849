"""Speech to text for one utterance with Whisper, its encoder cut to the utterance."""

from __future__ import annotations

import string
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from voice.audio.frames import SAMPLE_RATE, Samples
from voice.hearing.another_text import (
    WORTH_TELLING_NATS,
    has_words,
    likeliest_with_a_name,
    names_nothing,
    names_written,
    texts_with_a_name,
)
from voice.hearing.favoured import favoured
from voice.hearing.guards import FOR_A_NAME, WITH_A_NAME, Evidence, Limits, compression_ratio, rejection
from voice.hearing.lexicon import Lexicon
from voice.hearing.noise import without_noise
from voice.hearing.rescoring import variants
from voice.hearing.whisper.biasing import Bias
from voice.hearing.whisper.decoding import Decoded, opened
from voice.hearing.whisper.encoded import Encoded, as_spoken
from voice.hearing.whisper.loading import load
from voice.hearing.whisper.mel import HOP_SAMPLES, log_mel
from voice.hearing.whisper.network import MELS_PER_POSITION, POSITION_S
from voice.hearing.whisper.word_times import token_starts

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

# A text that is less sure than this and names nothing may be another one that does, see `another_text.py`.
_SURE_OF_NO_NAME = -0.1
_MOST_LOOKED_UP_IN = 40  # tokens, 30 words: each name that is looked up is gone on from to the end

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
    others: tuple[str, ...] = ()  # other texts, if any were found: those with a name first
    names: Mapping[tuple[int, int, str], float] = field(default_factory=dict[tuple[int, int, str], float])
    """What the audio says of names in `text`, see `voice.hearing.candidates.Evidence`."""
    text_logprob: float = 0.0
    """Natural log of the probability of all tokens."""


@dataclass(frozen=True)
class _Best:
    """The likeliest text so far, why it is not to be believed, and what the audio says of names in it.

    `names` is None where none is looked for; it `names_nothing` where one is, and none is written.
    """

    decoded: Decoded
    evidence: Evidence
    rejected: str | None
    names: Mapping[tuple[int, int, str], float] | None = None
    names_nothing: bool = False


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
        self._lately: OrderedDict[str, Heard] = OrderedDict()

    def expect(self, lexicon: Lexicon) -> None:
        """From now on the names of `lexicon` are likely to be said. May be called on any thread."""
        if lexicon is self._expected[0]:
            return
        tokens = [as_spoken(self._tokenizer, name) for name in favoured(lexicon)]
        bias = Bias(tokens, *_BIAS_NATS) if tokens else None
        self._expected = (lexicon, bias)

    def heard_as(self, text: str) -> Heard | None:
        """The utterance that was transcribed lately as `text`."""
        return self._lately.get(text)

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
        encoded = self._encoded(samples)
        likely = encoded.likelihoods(phrases, _LEAST_LIKELY)
        lexicon, bias = self._expected
        is_wide = max(likely, default=_LEAST_LIKELY) < _FAIR_CHANCE
        speech_s = audio_s if voiced_s is None else voiced_s

        def heard_with(bias: Bias | None) -> _Best:
            decoded = encoded.decoded(bias)
            if is_wide and self._is_unsure(decoded) and not is_enough(encoded.text(decoded.tokens)):
                decoded = encoded.decoded(bias, _BEAM_WIDTH)
            evidence = _evidence(encoded, decoded, speech_s)
            rejected = rejection(evidence, limits or self._limits)
            is_possible = not rejected or (limits is None and rejection(evidence, WITH_A_NAME) is None)
            if not is_possible or is_enough(evidence.text):
                return _Best(decoded, evidence, rejected)
            names = _names(encoded, evidence.text, lexicon, decoded.avg_logprob)
            is_nameless = names_nothing(evidence.text, lexicon, names)
            return _Best(decoded, evidence, rejected, names, is_nameless)

        best = heard_with(bias)
        others = paths = tuple(map(encoded.text, best.decoded.others))
        may_be_other = bias is not None and best.names_nothing and may_change(best.evidence.text)
        if bias is not None and is_wide and (best.rejected or (may_be_other and best.decoded.is_bent)):
            # What an expected name was heard for may be something else.
            plain = heard_with(None)
            if plain.rejected is None:
                paths = tuple(map(encoded.text, plain.decoded.others))
                others = (best.evidence.text, *others, *paths)
                best = plain
                may_be_other = best.names_nothing and may_change(best.evidence.text)
        if best.rejected and best.names is not None and has_words(best.evidence.text):
            is_named = bool(names_written(best.evidence.text, lexicon, best.names))
            best = replace(best, rejected=None if is_named else best.rejected)
        is_other = False
        if bias is not None and may_be_other:
            heard, within = best, limits or (WITH_A_NAME if best.rejected else FOR_A_NAME)
            text = heard.evidence.text
            is_unsure = heard.evidence.avg_logprob < _SURE_OF_NO_NAME
            if is_wide and is_unsure and len(heard.decoded.tokens) <= _MOST_LOOKED_UP_IN:
                least = encoded.logprob(text) - WORTH_TELLING_NATS
                paths = (*paths, *texts_with_a_name(encoded, (text, *paths), least, bias))
            found, with_names = likeliest_with_a_name(encoded, heard.evidence, paths, lexicon)
            others = (*with_names, *others)
            for other in found:
                if may_change(other.text) and rejection(other, within) is None:
                    names = _names(encoded, other.text, lexicon, heard.decoded.avg_logprob)
                    best, is_other = _Best(heard.decoded, other, None, names), True
                    others = (text, *others)
                    break
        evidence, text = best.evidence, "" if best.rejected else best.evidence.text
        n_tokens = len(encoded.tokens(text) if is_other else best.decoded.tokens)
        heard = Heard(
            text=text,
            words=self._words(best.decoded, audio_s) if text and not is_other else (),
            avg_logprob=evidence.avg_logprob,
            no_speech_prob=evidence.no_speech_prob,
            compression_ratio=evidence.compression_ratio,
            rejected=best.rejected,
            audio_s=audio_s,
            transcription_s=time.perf_counter() - started,
            text_logprob=evidence.avg_logprob * n_tokens,
            likelihoods=tuple(likely),
            others=tuple(dict.fromkeys(one for one in others if one != text)),
            names=(best.names or {}) if text else {},
        )
        self._keep(heard)
        return heard

    def _keep(self, heard: Heard) -> None:
        if heard.text:
            self._lately[heard.text] = heard
            self._lately.move_to_end(heard.text)
        while len(self._lately) > _UTTERANCES_KEPT:
            self._lately.popitem(last=False)

    def glimpse(self, samples: Samples, is_wanted: Callable[[], bool] = lambda: True) -> str:
        """The likeliest words of speech that goes on, without a second look at any; "" where it is none.

        `samples` as in `transcribe`. The last words are not to be relied on. It breaks off with "" as soon as
        it is no longer wanted.
        """
        encoded = self._encoded(samples)
        decoded = encoded.decoded(self._expected[1], goes_on=is_wanted)
        evidence = _evidence(encoded, decoded, len(samples) / SAMPLE_RATE)
        return "" if not is_wanted() or rejection(evidence, self._limits) else evidence.text

    def _encoded(self, samples: Samples) -> Encoded:
        audio_s = len(samples) / SAMPLE_RATE
        if audio_s > self.max_audio_s:
            raise ValueError(f"{audio_s:.1f} s of audio in one utterance; at most {self.max_audio_s:.1f} s")
        samples = without_noise(samples)
        fresh = self._network.encode(log_mel(_with_tail(samples), self._filters))
        most = min(int(_TOKENS_PER_S * audio_s) + _TOKENS_AT_LEAST, self._network.max_tokens // 2)
        begun = opened(fresh.copy(), self._vocabulary)
        return Encoded(fresh, begun, self._vocabulary, self._tokenizer, most, _speech_end(samples))

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


def _evidence(encoded: Encoded, decoded: Decoded, speech_s: float) -> Evidence:
    text = encoded.text(decoded.tokens)
    return Evidence(
        text=text,
        speech_s=speech_s,
        avg_logprob=decoded.avg_logprob,
        no_speech_prob=decoded.no_speech_prob,
        compression_ratio=compression_ratio(text),
        cut_short=not decoded.finished,
    )


def _names(
    encoded: Encoded, text: str, lexicon: Lexicon, avg_logprob: float
) -> Mapping[tuple[int, int, str], float]:
    """What the audio says of names of `lexicon` in the text, where one may be."""
    found: dict[tuple[int, int, str], float] = {}
    possible = variants(text, lexicon)
    if possible:
        as_heard = encoded.logprob(text)
        doubt = min(-_DOUBT_NATS * avg_logprob, _MOST_DOUBT_NATS)
        for one in possible:
            likelier = encoded.logprob(one.text) - as_heard
            found[one.start, one.end, one.written] = min(likelier + doubt, max(likelier, 0.0))
    return found


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
