"""Piper: how long until the first audio of a clause, and its real-time factor."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from bench.report import machine, table, write_section
from voice import config
from voice.commands.context import store_of
from voice.speaking.engines.piper import PiperSynthesiser
from voice.speaking.synthesis import Synthesiser

RUNS = 5
CLAUSES = (
    ("a short first clause", "Seven tests passed, one failed:"),
    ("a sentence", "Line seven of calc dot py, in subtract: return a plus b became return a minus b."),
    (
        "an answer of three sentences",
        "The function parse config reads config dot py, line by line. It splits each line at the first "
        "equals sign. What it returns is a dictionary of strings, empty when there is no such file.",
    ),
)


@dataclass(frozen=True)
class Timing:
    """One synthesis, in seconds."""

    first_audio_s: float
    whole_s: float
    speech_s: float


def timed(voice: Synthesiser, text: str) -> Timing:
    start = time.perf_counter()
    first_s = 0.0
    n_samples = 0
    for piece in voice.synthesise(text):
        first_s = first_s or time.perf_counter() - start
        n_samples += len(piece)
    return Timing(first_s, time.perf_counter() - start, n_samples / voice.sample_rate)


def main() -> bool:
    """Measure, print and write the section; there is no limit to keep."""
    start = time.perf_counter()
    piper = PiperSynthesiser(store_of(config.load()).path("piper-joe-split"))
    load_s = time.perf_counter() - start
    rows: list[list[str]] = []
    for name, text in CLAUSES:
        timings = [timed(piper, text) for _ in range(RUNS)]
        first_s = statistics.median(timing.first_audio_s for timing in timings)
        factor = statistics.median(timing.whole_s / timing.speech_s for timing in timings)
        speech_s = statistics.median(timing.speech_s for timing in timings)
        rows.append([name, f"{speech_s:.1f} s", f"{1000 * first_s:.0f} ms", f"{factor:.2f}"])
    text = "`python -m bench speech`:\n\n" + table(
        ["Piper en_US-joe-medium says", "speech", "first audio", "real-time factor"], rows
    )
    text += f"\n\nMedians of {RUNS} runs after warm-up; loading and warming took {load_s:.1f} s. {machine()}"
    write_section("speech", text)
    print(text)
    return True


if __name__ == "__main__":
    main()
