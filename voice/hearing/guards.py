"""Decides whether what Whisper wrote was said at all. Pure; called once for each utterance."""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass, replace

# What Whisper writes for noise and silence: captions of the videos that it learned from.
# Sources: arXiv 2501.11378 "Investigation of Whisper ASR Hallucinations", and our own noise (tests).
HALLUCINATIONS = frozenset(
    {
        "you",
        "thank you",
        "thank you very much",
        "thank you so much",
        "thanks",
        "thanks for watching",
        "thank you for watching",
        "thank you for listening",
        "please subscribe",
        "subscribe",
        "bye",
        "bye bye",
        "okay",
        "oh",
        "so",
        "the",
        "i",
        "uh",
        "hmm",
        "the end",
        "music",
        "applause",
        "silence",
        "blank audio",
        "subtitles by the amara org community",
        "i m sorry",
        "i m going to go to the bathroom",
    }
)


@dataclass(frozen=True)
class Limits:
    """Beyond these a transcript is not believed.

    Tuned on nine noises at three levels (log probability -0.9 and below) and on short requests in six voices,
    clean and at 20 dB (-0.95 and above, clean mostly above -0.6).
    """

    unsure_logprob: float = -1.0  # below it the words are guesses
    no_speech_prob: float = 0.6  # above it there was likely no speech,
    no_speech_logprob: float = -0.7  # unless the words are surer than this
    phrase_logprob: float = -0.7  # a phrase that noise is taken for must be surer,
    phrase_s: float = 0.2  # and take this long
    compression_ratio: float = 2.4
    words_per_s: float = 6.0  # more cannot be said
    words_free: int = 3  # a short utterance may have this many, however short it is
    same_in_a_row: int = 4  # one phrase this many times over is a loop


WITH_A_NAME = Limits(unsure_logprob=-1.35, no_speech_logprob=-1.0)
"""For several words with a name of the repository among them, which noise does not make: of ten requests that
were not believed, eight are, seven of them with the right name; of 50 pieces of noise, none is."""

FOR_A_NAME = replace(WITH_A_NAME, unsure_logprob=-2.0)
"""For a text that is taken in place of one that was believed, for the name in it."""

IT_WAS_SPEECH = Limits(
    unsure_logprob=-math.inf, no_speech_logprob=-math.inf, phrase_logprob=-math.inf, phrase_s=0.0
)
"""The user says so: then only what no one can have said is not believed."""


@dataclass(frozen=True)
class Evidence:
    """What is known of one transcript: `speech_s` of speech; `cut_short`: no end was found."""

    text: str
    speech_s: float
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    cut_short: bool = False


def rejection(heard: Evidence, limits: Limits) -> str | None:
    """Why the transcript is not to be believed, in words for the log, or None."""
    words = re.findall(r"[\w']+", heard.text.lower())
    if not words:
        return "no words"
    if heard.no_speech_prob > limits.no_speech_prob and heard.avg_logprob < limits.no_speech_logprob:
        return "no speech"
    if _repeats(words) >= limits.same_in_a_row or heard.compression_ratio > limits.compression_ratio:
        return "the same words over and over"
    if heard.cut_short or len(words) > limits.words_free + limits.words_per_s * heard.speech_s:
        return "more words than can be said in the time"
    if heard.avg_logprob < limits.unsure_logprob:
        return "too unsure"
    phrase = " ".join(re.findall(r"\w+", heard.text.lower()))
    doubtful = heard.avg_logprob < limits.phrase_logprob or heard.speech_s < limits.phrase_s
    if phrase in HALLUCINATIONS and doubtful:
        return "a phrase that noise is often taken for"
    return None


def compression_ratio(text: str) -> float:
    """Bytes of `text` by bytes of it after zlib: above about 2.4 it repeats itself. 0 for no text."""
    data = text.encode("utf-8")
    return len(data) / len(zlib.compress(data))


def _repeats(words: list[str]) -> int:
    """How many times in a row the most repeated phrase of up to six words stands in `words`."""
    most = 1
    for length in range(1, 7):
        run = 0
        for at in range(len(words) - length):
            run = run + 1 if words[at] == words[at + length] else 0
            most = max(most, run // length + 1)
    return most
