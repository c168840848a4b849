"""Speech to text for one utterance with Whisper, its encoder cut to the utterance."""

from __future__ import annotations

import string
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voice.audio.frames import SAMPLE_RATE, Samples
from voice.hearing.guards import Evidence, Limits, rejection
from voice.hearing.whisper.decoding import Decoded, decode
from voice.hearing.whisper.loading import load
from voice.hearing.whisper.mel import HOP_SAMPLES, log_mel
from voice.hearing.whisper.network import MELS_PER_POSITION, POSITION_S, Decoding
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
    zlib on the text, both of what was decoded, rejected or not.
    """

    text: str
    words: tuple[Word, ...]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    rejected: str | None
    audio_s: float
    transcription_s: float


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

    def warm_up(self) -> None:
        """Transcribe half a second of silence, so that the first utterance finds the weights in memory."""
        self.transcribe(np.zeros(SAMPLE_RATE // 2, np.float32))

    def transcribe(self, samples: Samples, voiced_s: float | None = None) -> Heard:
        """Transcribe one utterance of mono float32 at 16 kHz, at most `max_audio_s` long.

        `voiced_s` is how much of it is speech, where that is known; else all of it is taken to be. Raises
        `ValueError` for longer audio: the segmenter cuts it before.
        """
        started = time.perf_counter()
        audio_s = len(samples) / SAMPLE_RATE
        if audio_s > self.max_audio_s:
            raise ValueError(f"{audio_s:.1f} s of audio in one utterance; at most {self.max_audio_s:.1f} s")
        decoding = self._network.encode(log_mel(_with_tail(samples), self._filters))
        max_tokens = min(int(_TOKENS_PER_S * audio_s) + _TOKENS_AT_LEAST, self._network.max_tokens // 2)
        decoded = self._decode(decoding, max_tokens, _speech_end(samples))
        text = self._tokenizer.decode(list(decoded.tokens)).strip()
        ratio = compression_ratio(text)
        evidence = Evidence(
            text=text,
            speech_s=audio_s if voiced_s is None else voiced_s,
            avg_logprob=decoded.avg_logprob,
            no_speech_prob=decoded.no_speech_prob,
            compression_ratio=ratio,
            cut_short=not decoded.finished,
        )
        rejected = rejection(evidence, self._limits)
        return Heard(
            text="" if rejected else text,
            words=() if rejected else self._words(decoded, audio_s),
            avg_logprob=decoded.avg_logprob,
            no_speech_prob=decoded.no_speech_prob,
            compression_ratio=ratio,
            rejected=rejected,
            audio_s=audio_s,
            transcription_s=time.perf_counter() - started,
        )

    def _decode(self, decoding: Decoding, max_tokens: int, speech_end: int) -> Decoded:
        """Greedily, and once more with a beam where that was unsure of words that were said."""
        greedy = decode(decoding.copy(), self._vocabulary, max_tokens, speech_end)
        likely_noise = greedy.no_speech_prob > self._limits.no_speech_prob
        if greedy.avg_logprob > _SURE_LOGPROB or likely_noise:
            return greedy
        return decode(decoding, self._vocabulary, max_tokens, speech_end, _BEAM_WIDTH)

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
