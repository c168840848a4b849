"""Times whole spoken sessions: `utter demo` as its own process, warm several times, and cold as its peer."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.report import machine, table, write_section
from voice import config
from voice.app import contexts_of
from voice.commands.context import store_of

RUNS = 5
TESTS_REQUEST = 2  # the third: "Run the tests."
MOST_RESPONSE_S = 4.0
MOST_START_S = 10.0
MOST_MEMORY_GIB = 4.0


@dataclass(frozen=True)
class Session:
    """One run: seconds from the start to the first request, each request's response, the most memory held."""

    start_s: float
    requests: tuple[str, ...]
    responses_s: tuple[float, ...]
    memory_gib: float


def main() -> bool:
    """Run the sessions and write the section `session`; False when a limit is missed."""
    store = store_of(config.load())
    with tempfile.TemporaryDirectory() as folder:
        shutil.rmtree(contexts_of(store), ignore_errors=True)  # the next run computes and keeps them again
        cold = run_demo(Path(folder) / "cold")
        warm = [run_demo(Path(folder) / f"warm{number}") for number in range(RUNS)]
    rows = [
        [
            request,
            f"{median(session.responses_s[number] for session in warm):.2f}",
            f"{cold.responses_s[number]:.2f}",
        ]
        for number, request in enumerate(cold.requests)
    ]
    response_s = median(session.responses_s[TESTS_REQUEST] for session in warm)
    start_s = median(session.start_s for session in warm)
    memory_gib = max(session.memory_gib for session in [cold, *warm])
    write_section("session", _text(rows, response_s, start_s, cold.start_s, memory_gib))
    return response_s <= MOST_RESPONSE_S and start_s <= MOST_START_S and memory_gib <= MOST_MEMORY_GIB


def _text(rows: list[list[str]], response_s: float, start_s: float, cold_s: float, memory_gib: float) -> str:
    return "\n\n".join(
        [
            f"`python -m bench session`: `utter demo` as its own process, medians of {RUNS} warm runs beside "
            f"one run without a saved context. End of speech to first audio in seconds. {machine()}",
            table(["request", "warm", "cold"], rows),
            f"- Request 3, warm: {response_s:.2f} s; at most {MOST_RESPONSE_S:.0f} s is wanted.\n"
            f"- Start of the program to the first request: {start_s:.1f} s warm, {cold_s:.1f} s cold; warm, "
            f"at most {MOST_START_S:.0f} s is wanted.\n"
            f"- Peak resident memory: {memory_gib:.2f} GiB; at most {MOST_MEMORY_GIB:.0f} GiB is wanted.",
        ]
    )


def run_demo(out: Path) -> Session:
    """One session in its own process. Raises `SystemExit` when it fails."""
    log = out.with_suffix(".log")
    with log.open("wb") as output:
        command = [sys.executable, "-m", "voice.cli", "demo", "--out", str(out)]
        process = subprocess.Popen(command, stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"the session failed:\n{log.read_text(encoding='utf-8')}")
    rows = [json.loads(line) for line in (out / "transcript.jsonl").read_text(encoding="utf-8").splitlines()]
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes on macOS, kilobytes on Linux
    return Session(
        start_s=next(row["start_s"] for row in rows if row["type"] == "Ready"),
        requests=tuple(row["heard"]["text"] for row in rows if row["type"] == "UtteranceHeard"),
        responses_s=tuple(row["timings"]["response_s"] for row in rows if row["type"] == "TurnDone"),
        memory_gib=used.ru_maxrss * unit / 2**30,
    )


def median(values: Iterable[float]) -> float:
    return statistics.median(values)
