"""Transcription of spoken requests: Utter against faster-whisper with the same weights, time and word errors.

The speech is made on the spot, see `synthetic.py`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

THREADS = 2
# The numeric libraries read these when they load.
os.environ.setdefault("OPENBLAS_NUM_THREADS", str(THREADS))
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))

import numpy as np  # noqa: E402
from faster_whisper import WhisperModel  # noqa: E402
from rapidfuzz.distance import Levenshtein  # noqa: E402

from bench.report import machine, table, write_section  # noqa: E402
from bench.synthetic import Clip, Voices, clips  # noqa: E402
from voice import config  # noqa: E402
from voice.commands.context import store_of  # noqa: E402
from voice.hearing.transcribe import Transcriber  # noqa: E402

ROUNDS = 3
MOST_RATIO = 0.6
ABOUT_4_S = (3.5, 4.5)  # seconds of speech in what is called a 4 s request
SILENCE_S = 1.0  # that every clip holds around its speech

_NUMBERS = {"0": "zero", "10": "ten", "20": "twenty", "30": "thirty"}


@dataclass(frozen=True)
class Result:
    """One clip by both: seconds (medians over the rounds) and word errors. Clean clips are timed."""

    clip: Clip
    ours_s: float
    theirs_s: float
    ours_errors: int
    theirs_errors: int

    @property
    def words(self) -> int:
        return len(normalised(self.clip.text))

    @property
    def is_timed(self) -> bool:
        return (
            self.clip.snr_db is None
            and ABOUT_4_S[0] <= len(self.clip.samples) / 16_000 - SILENCE_S <= ABOUT_4_S[1]
        )


def main() -> bool:
    """Measure, print and write the section; true when both limits are kept."""
    store = store_of(config.load())
    ours = Transcriber(store.path("whisper-base-mlx"))
    theirs = WhisperModel(
        str(store.path("whisper-base")), device="cpu", compute_type="int8", cpu_threads=THREADS
    )

    def by_ours(samples: np.ndarray) -> str:
        return ours.transcribe(samples).text

    def by_theirs(samples: np.ndarray) -> str:
        segments, _ = theirs.transcribe(
            samples, language="en", beam_size=1, temperature=0.0, condition_on_previous_text=False
        )
        return " ".join(segment.text for segment in segments)

    spoken = list(clips(Voices(store.path("kokoro"), store.path("piper-joe"))))
    ours.warm_up()
    by_theirs(spoken[0].samples)
    results = [measure(clip, by_ours, by_theirs) for clip in spoken]
    ratio = median(result.ours_s / result.theirs_s for result in results if result.is_timed)
    text = report(results, ratio)
    print(text)
    write_section("transcription", text)
    return ratio <= MOST_RATIO and errors(results, ours=True) <= errors(results, ours=False)


def measure(clip: Clip, ours: Callable[[np.ndarray], str], theirs: Callable[[np.ndarray], str]) -> Result:
    """Both in turn, clean clips several times, so that what else the machine does falls on both."""
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    texts: dict[str, str] = {}
    for _ in range(ROUNDS if clip.snr_db is None else 1):
        for name, transcribe in (("ours", ours), ("theirs", theirs)):
            started = time.perf_counter()
            texts[name] = transcribe(clip.samples)
            seconds[name].append(time.perf_counter() - started)
    wrong = {name: word_errors(clip.text, text) for name, text in texts.items()}
    return Result(clip, median(seconds["ours"]), median(seconds["theirs"]), wrong["ours"], wrong["theirs"])


def normalised(text: str) -> list[str]:
    """Words in lower case without punctuation, numbers in words: what both write differently is no error."""
    words = re.findall(r"[a-z']+|\d+", text.lower())
    return [_NUMBERS.get(word, word) for word in words]


def word_errors(said: str, heard: str) -> int:
    """Words to replace, add or leave out."""
    return Levenshtein.distance(normalised(said), normalised(heard))


def errors(results: Sequence[Result], *, ours: bool) -> float:
    """The word error rate."""
    wrong = sum(result.ours_errors if ours else result.theirs_errors for result in results)
    return wrong / sum(result.words for result in results)


def difference(results: Sequence[Result]) -> tuple[float, float]:
    """The 95 % interval of our word error rate less theirs, by resampling the clips in pairs."""
    random = np.random.default_rng(0)
    more = np.array([result.ours_errors - result.theirs_errors for result in results])
    words = np.array([result.words for result in results])
    picks = random.integers(len(results), size=(10_000, len(results)))
    low, high = np.percentile(more[picks].sum(axis=1) / words[picks].sum(axis=1), [2.5, 97.5])
    return float(low), float(high)


def report(results: Sequence[Result], ratio: float) -> str:
    timed = [result for result in results if result.is_timed]
    groups: list[tuple[str, list[Result]]] = [("all", list(results))]
    for snr_db in sorted({result.clip.snr_db for result in results}, key=lambda level: -(level or 99.0)):
        name = "clean" if snr_db is None else f"pink noise, {snr_db:.0f} dB"
        groups.append((name, [result for result in results if result.clip.snr_db == snr_db]))
    for voice in sorted({result.clip.voice for result in results}):
        groups.append((f"voice {voice}", [result for result in results if result.clip.voice == voice]))
    low, high = difference(results)
    rows = [
        [
            name,
            str(len(group)),
            f"{100 * errors(group, ours=True):.1f} %",
            f"{100 * errors(group, ours=False):.1f} %",
        ]
        for name, group in groups
    ]
    return (
        "`python -m bench transcription`: "
        f"Whisper base, {len(results)} clips of {len({r.clip.text for r in results})} synthetic requests, "
        f"{THREADS} threads each, in turn, median of {ROUNDS}; faster-whisper int8, beam 1. {machine()}\n\n"
        f"A clean request of about 4 s ({len(timed)} clips): Utter {median(r.ours_s for r in timed):.2f} s, "
        f"faster-whisper {median(r.theirs_s for r in timed):.2f} s; "
        f"ratio {ratio:.2f} (at most {MOST_RATIO}).\n\n"
        f"Word error rate; the difference over all clips lies between {100 * low:+.1f} and {100 * high:+.1f} "
        "points (95 %, clips resampled in pairs):\n\n"
        + table(["clips", "n", "Utter", "faster-whisper"], rows)
    )
