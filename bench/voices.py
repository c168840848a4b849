"""Voices: how soon and how evenly each engine speaks, and how like a person a matched one is, how clean.

`python -m bench.voices --minutes 7` judges a part of the matches and keeps it; with the last part, or with
`python -m bench voices` for all at once, the section is written.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
import platformdirs
import soxr

from agent.models.store import ModelStore
from bench.kept import Kept, OutOfTime, fingerprint
from bench.report import machine, table, write_section
from bench.speakers import Speaker, people
from bench.speech import CLAUSES, RUNS, timed
from bench.transcription import normalised, word_errors
from voice import config
from voice.audio.frames import SAMPLE_RATE, Samples
from voice.commands.context import store_of
from voice.enrolling import Ears, open_encoder
from voice.speaking.clauses import Clauses
from voice.speaking.engines.kokoro import KokoroSynthesiser
from voice.speaking.engines.piper import PiperSynthesiser
from voice.speaking.matching.bases import PIPER, nearest_kokoro
from voice.speaking.matching.dnsmos import Dnsmos
from voice.speaking.matching.fit import Base, Target, fit
from voice.speaking.matching.likeness import SpeakerEncoder, likeness
from voice.speaking.matching.matched import MatchedSynthesiser, Matching
from voice.speaking.spoken_text import spoken
from voice.speaking.synthesis import Synthesiser

ROOT = Path(__file__).resolve().parent.parent
KEPT = Path(platformdirs.user_cache_dir("utter")) / "bench" / "voices"
FIRST_AUDIO_MS = {"Piper": 100, "Piper, matched": 200, "Kokoro": 900}
LIKENESS = {"Piper": 0.64, "Kokoro": 0.70}
LEAST_PEOPLE = 6
GAPLESS_FACTOR, MOST_GAP_MS = 0.8, 1
WORDS, MOST_MORE_MEMORY = (200, 2_000), 1.25
TAKES = {"Piper": 3, "Kokoro": 1}  # of each sentence: Piper never says one twice the same
MOST_ERRORS_MORE, MOST_DNSMOS_LESS, MOST_FACTOR_MORE = 0.02, 0.2, 0.15
TEXTS = (
    "The function reads eleven lines from the settings file and returns a dictionary of strings.",
    "In the second module, line forty two, the price is rounded before the discount is taken off.",
    "Nobody has changed this branch since Thursday, so it should be safe to merge it today.",
    "I found three places where the parser reads a file, and one of them never closes it.",
    "All of the tests pass now, except for the one that checks the date.",
    "Shall I rename this variable, or do you want to keep it as it is?",
)


@dataclass(frozen=True)
class Judged:
    """What a voice says, judged; `errors` are wrong words a take, `likeness` is to the held-out recording."""

    likeness: float
    errors: float
    dnsmos: float


@dataclass(frozen=True)
class Row:
    """A speaker, the engine, its base, and how that is judged plain and matched."""

    speaker: str
    engine: str
    base: str
    plain: Judged
    matched: Judged


class _Again:
    """Says again, piece by piece, what a voice said."""

    def __init__(self, rate: int) -> None:
        self.sample_rate = rate
        self._pieces: dict[str, Sequence[Samples]] = {}

    def ready(self, pieces: Sequence[Samples]) -> str:
        """The text by which to ask for them."""
        text = str(len(self._pieces))
        self._pieces[text] = pieces
        return text

    def synthesise(self, clause: str) -> Iterator[Samples]:
        """What was readied; nothing else is known."""
        yield from self._pieces.get(clause, ())


class Bench:
    """The models, and what the bases say, each made once."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self.encoder: SpeakerEncoder = open_encoder(store)
        self._dnsmos = Dnsmos(store.path("dnsmos"))
        self._ears = Ears(config.load(), store)
        self.kokoro = KokoroSynthesiser(store.path("kokoro-float"), "jm_kumo")
        self.piper = PiperSynthesiser(store.path("piper-joe-split"))
        self._bases: dict[str, Base] = {}

    def speakers(self) -> list[Speaker]:
        return list(people(self._store.root.parent / "bench-speakers"))

    def matching(self) -> Matching:
        """Any one for Piper."""
        target = Target.of(self.speakers()[0].tuning, SAMPLE_RATE, self.encoder)
        fitted = target and fit(target, [self._base(PIPER)], self.encoder, (1.1,))
        assert fitted
        return fitted.matching

    def matched(self, speaker: Speaker, engine: str) -> tuple[str, Judged, Judged] | None:
        """The base, and how it is judged plain and matched; None without enough voice in the recording."""
        target = Target.of(speaker.tuning, SAMPLE_RATE, self.encoder)
        if target is None:
            return None
        bases: list[Base] = [self._base(PIPER)]
        if engine == "Kokoro":
            bases = [self._base(name) for name in nearest_kokoro(target.pitch.median_hz)]
        fitted = fit(target, bases, self.encoder, hear=self._ears.words)
        if fitted is None:
            return None
        base: Synthesiser = self.piper
        if fitted.base != PIPER:
            self.kokoro.use(fitted.base)
            base = self.kokoro
        held_out = self.encoder.embed(speaker.held_out, SAMPLE_RATE)
        takes = [list(base.synthesise(text)) for _ in range(TAKES[engine]) for text in TEXTS]
        again = _Again(base.sample_rate)
        matching = MatchedSynthesiser(again, fitted.matching)
        moved = [_said(matching, again.ready(pieces)) for pieces in takes]
        plain = [np.concatenate(pieces) for pieces in takes]
        return (
            fitted.base,
            self._judge(plain, base.sample_rate, held_out),
            self._judge(moved, matching.sample_rate, held_out),
        )

    def _base(self, name: str) -> Base:
        if name not in self._bases:
            voice: Synthesiser = self.piper
            if name != PIPER:
                self.kokoro.use(name)
                voice = self.kokoro
            self._bases[name] = Base.of(name, lambda text: _said(voice, text), voice.sample_rate)
        return self._bases[name]

    def _judge(self, said: list[Samples], rate: int, held_out: np.ndarray) -> Judged:
        narrow = [soxr.resample(speech, rate, SAMPLE_RATE).astype(np.float32) for speech in said]
        heard = [self._ears.words(speech) for speech in narrow]
        joined = np.concatenate(said)
        return Judged(
            likeness(self.encoder.embed(joined, rate), held_out),
            sum(map(word_errors, cycle(TEXTS), heard)) / (len(said) // len(TEXTS)),
            self._dnsmos.overall(joined, rate),
        )


def main(minutes: float | None = None) -> bool:
    """Measure, print and write the section; False when something is missed.

    With `minutes` matches are judged no longer than that; what was judged is kept for the next time.
    """
    until = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    bench = Bench(store_of(config.load()))
    kept = Kept(KEPT / f"judged-{_of_voices()}.jsonl", until)
    try:
        rows = list(judged(bench, kept))
    except OutOfTime:
        print(f"bench: {len(kept)} matches are judged")
        return True
    likeness_text, likeness_met = _likeness_report(rows)
    speed_text, speed_met = _speed_report(bench)
    memory_text, memory_met = _memory_report()
    text = f"`python -m bench voices`:\n\n{speed_text}\n\n{memory_text}\n\n{likeness_text}\n\n{machine()}"
    print(text)
    write_section("voices", text)
    return likeness_met and speed_met and memory_met


def judged(bench: Bench, kept: Kept) -> Iterator[Row]:
    """Every speaker with each engine. Raises `OutOfTime`, see `Kept`."""
    for speaker in bench.speakers():
        for engine in LIKENESS:

            def made() -> tuple[str, tuple[float, ...], tuple[float, ...]] | None:
                found = bench.matched(speaker, engine)  # noqa: B023
                return found and (found[0], astuple(found[1]), astuple(found[2]))

            found = kept.value(f"{speaker.name} {engine}", made)
            if found is not None:
                base, plain, matched = found
                yield Row(speaker.name, engine, base, Judged(*plain), Judged(*matched))


def _of_voices() -> str:
    folders = (ROOT / "voice" / "speaking" / "matching", ROOT / "voice" / "speaking" / "engines")
    files = (ROOT / "bench" / "speakers.py", ROOT / "bench" / "voices.py")
    return fingerprint([*files, *(path for folder in folders for path in folder.glob("*.py"))])


def _speed_report(bench: Bench) -> tuple[str, bool]:
    matched = MatchedSynthesiser(bench.piper, bench.matching())
    voices: dict[str, Synthesiser] = {"Piper": bench.piper, "Piper, matched": matched, "Kokoro": bench.kokoro}
    table_rows: list[list[str]] = []
    factors: dict[str, float] = {}
    is_met = True
    for name, voice in voices.items():
        first = [timed(voice, CLAUSES[0][1]) for _ in range(RUNS)]
        sentence = [timed(voice, CLAUSES[1][1]) for _ in range(RUNS)]
        first_ms = 1000 * statistics.median(one.first_audio_s for one in first)
        factors[name] = statistics.median(one.whole_s / one.speech_s for one in sentence)
        gap_ms = 1000 * statistics.median(_longest_gap_s(voice, CLAUSES[2][1]) for _ in range(RUNS))
        is_met &= first_ms <= FIRST_AUDIO_MS[name]
        is_met &= gap_ms <= MOST_GAP_MS or factors[name] >= GAPLESS_FACTOR
        limit = f"{FIRST_AUDIO_MS[name]} ms"
        table_rows.append([name, f"{first_ms:.0f} ms", limit, f"{factors[name]:.2f}", f"{gap_ms:.0f} ms"])
    is_met &= factors["Piper, matched"] - factors["Piper"] <= MOST_FACTOR_MORE
    headers = ["engine", "first audio of a first clause", "at most", "real-time factor", "longest gap"]
    return (
        table(headers, table_rows) + "\n\nThe longest gap is what an answer of three sentences leaves silent"
        " because the next piece is not there when the one before has been played; none is wanted where the"
        f" real-time factor is under {GAPLESS_FACTOR}."
    ), is_met


def _longest_gap_s(voice: Synthesiser, text: str) -> float:
    """The longest time for which what was made has been played and the next piece is not there yet."""
    clauses = Clauses()
    played_s: float | None = None
    longest_s = 0.0
    for clause in [*clauses.feed(text), *clauses.finish()]:
        for piece in voice.synthesise(spoken(clause)):
            now_s = time.perf_counter()
            if played_s is not None:
                longest_s = max(longest_s, now_s - played_s)
            played_s = max(now_s, played_s or now_s) + len(piece) / voice.sample_rate
    return longest_s


def _memory_report() -> tuple[str, bool]:
    """The most memory that `utter say` takes for few words and for many."""
    with tempfile.TemporaryDirectory() as folder:
        few, many = (_peak_mib(" ".join(_words(n)), Path(folder) / f"{n}.wav") for n in WORDS)
    return (
        f"`utter say -o` takes at most {few:.0f} MiB for {WORDS[0]} words and {many:.0f} MiB for {WORDS[1]}: "
        f"{many / few:.2f} times as much (at most {MOST_MORE_MEMORY})."
    ), many / few <= MOST_MORE_MEMORY


def _words(n_words: int) -> list[str]:
    words = " ".join(TEXTS).split()
    return [words[number % len(words)] for number in range(n_words)]


def _peak_mib(text: str, output: Path) -> float:
    process = subprocess.Popen([sys.executable, "-m", "voice.cli", "say", text, "-o", str(output)])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"utter say ended with {process.returncode}")
    return usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _likeness_report(rows: list[Row]) -> tuple[str, bool]:
    told = [
        [
            row.speaker,
            row.engine,
            row.base,
            f"{row.plain.likeness:.2f}",
            f"{row.matched.likeness:.2f}",
            f"{row.plain.errors:.1f} to {row.matched.errors:.1f}",
            f"{row.plain.dnsmos:.2f} to {row.matched.dnsmos:.2f}",
        ]
        for row in rows
    ]
    words = sum(len(normalised(text)) for text in TEXTS)
    is_met = True
    sums: list[str] = []
    for engine, wanted in LIKENESS.items():
        own = [row for row in rows if row.engine == engine]
        mean = statistics.mean(row.matched.likeness for row in own)
        more = statistics.mean((row.matched.errors - row.plain.errors) / words for row in own)
        less = statistics.mean(row.plain.dnsmos - row.matched.dnsmos for row in own)
        is_met &= (
            len(own) >= LEAST_PEOPLE
            and mean >= wanted
            and more <= MOST_ERRORS_MORE
            and less <= MOST_DNSMOS_LESS
        )
        sums.append(
            f"{engine}: likeness {mean:.2f} over {len(own)} people (at least {wanted}); word "
            f"errors {100 * more:+.1f} points (at most {100 * MOST_ERRORS_MORE:.0f}); DNSMOS {-less:+.2f} "
            f"(at least -{MOST_DNSMOS_LESS})."
        )
    headers = ["speaker", "engine", "base", "before", "matched", "word errors", "DNSMOS"]
    return (
        "Likeness is the cosine of GE2E embeddings to a recording that the match did not see. The encoder "
        "also guides the match.\n\n" + "\n".join(f"- {line}" for line in sums) + "\n\n" + table(headers, told)
    ), is_met


def _said(voice: Synthesiser, text: str) -> Samples:
    return np.concatenate(list(voice.synthesise(text)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, help="judge no longer, and keep what was judged")
    sys.exit(0 if main(parser.parse_args().minutes) else 1)
