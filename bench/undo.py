"""What keeping the files of each request costs, in a repository of 5,000 files."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from agent.undo import Restored, Timeline
from agent.workspace import Workspace
from bench.report import machine, table, write_section

FILES = 5_000
RUNS = 9
MOST_BEFORE_S = 0.5  # what a first change in a request may wait for


def main() -> bool:
    """Measure, and write the section. False when a change waits longer than is wanted."""
    with tempfile.TemporaryDirectory() as folder:
        times, stored_mb, source_mb = asyncio.run(_measure(Path(folder)))
    medians = {name: statistics.median(values) for name, values in times.items()}
    rows = [[name, f"{1000 * value:.0f}"] for name, value in medians.items()]
    text = (
        f"`python -m bench undo`: a git repository of {FILES:,} files ({source_mb:.0f} MB); medians of "
        f"{RUNS} requests that each change, make and remove a file. {machine()}"
    )
    notes = (
        f"- The first snapshot is taken beside the start of the session, those before a request beside the "
        f"model's reading; at most {MOST_BEFORE_S} s is wanted before a request. The snapshot after it comes "
        f"when all has been told.\n- The store takes {stored_mb:.1f} MB."
    )
    write_section("undo", f"{text}\n\n{table(['step', 'ms'], rows)}\n\n{notes}")
    return medians["before a request"] <= MOST_BEFORE_S


async def _measure(folder: Path) -> tuple[dict[str, list[float]], float, float]:
    root = folder / "work"
    source_mb = _make(root) / 1e6
    names = ("first snapshot", "before a request", "after a request", "undo", "redo")
    times: dict[str, list[float]] = {name: [] for name in names}
    timeline = Timeline(Workspace(root), folder / "store")
    await _timed(times["first snapshot"], timeline.warm())
    for run in range(RUNS):
        timeline.open(f"request {run}")
        await _timed(times["before a request"], timeline.before_change())
        (root / f"pack{run}/module{run}.py").write_text(f"run = {run}\n")
        (root / f"new{run}.py").write_text("new = True\n")
        (root / f"pack{run}/module{run + 50}.py").unlink()
        await _timed(times["after a request"], timeline.finish())
        for name, work in (("undo", timeline.undo()), ("redo", timeline.redo())):
            done = await _timed(times[name], work)
            assert isinstance(done, Restored), done
    stored = sum(file.stat().st_size for file in (folder / "store").rglob("*") if file.is_file())
    return times, stored / 1e6, source_mb


async def _timed(times: list[float], work: Awaitable[object]) -> object:
    begun_s = time.perf_counter()
    done = await work
    times.append(time.perf_counter() - begun_s)
    return done


def _make(root: Path) -> int:
    """A repository of small modules; gives its bytes."""
    total = 0
    for number in range(FILES):
        file = root / f"pack{number % 50}/module{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"def function_{number}_{line}():\n    return {number * line}\n" for line in range(40)]
        total += file.write_text("\n\n".join(lines))
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first")):
        who = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
        subprocess.run(["git", *who, *arguments], cwd=root, check=True)
    return total
