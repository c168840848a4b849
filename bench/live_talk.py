"""`utter talk` in a process of its own, and a user before it who speaks, types, and hears what is said."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import soundfile

from agent.models.store import ModelStore
from bench.virtual_sound import BLOCK_S, Listener, VirtualSound
from voice.audio.frames import Samples

LIMIT_S = 120.0  # for any one thing to happen, however busy the machine
_BREATH_S = 1.5
_AGAIN_S, _TIMES = 8.0, 4  # sound that breaks up on a busy machine is not understood; a user says it again


class LiveTalk:
    """Its lines are the captions of both sides. Close it when done."""

    def __init__(
        self, sound: VirtualSound, store: ModelStore, project: Path, settings: tuple[str, ...] = ()
    ) -> None:
        self.sound = sound
        self.mouth: Listener = sound.listen("mouth")
        self._lines: queue.Queue[tuple[float, str]] = queue.Queue()
        self.log: list[str] = []
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "voice.cli"),
                *(part for setting in settings for part in ("--set", setting)),
                *("talk", "--repo", str(project)),
            ],
            env={**sound.environment, "UTTER_CACHE": str(store.root.parent)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def until(self, start: str, limit_s: float = LIMIT_S) -> str:
        """The next line that begins so. Raises `AssertionError` when none comes."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            try:
                _, line = self._lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                break
            self.log.append(line)
            if line.startswith(start):
                return line
        raise AssertionError(f"nothing began with {start!r} within {limit_s} s of:\n" + "\n".join(self.log))

    def lines(self) -> list[str]:
        """Those that have come and were not waited for."""
        return [line for _, line in self.stamped_lines()]

    def stamped_lines(self) -> list[tuple[float, str]]:
        """Those, each with its moment of `time.monotonic`."""
        found: list[tuple[float, str]] = []
        while not self._lines.empty():
            found.append(self._lines.get())
        self.log += [line for _, line in found]
        return found

    def until_heard(self) -> float:
        """The moment, of `time.monotonic`, at which Utter is to be heard next."""
        end, before = time.monotonic() + LIMIT_S, len(self.mouth.sounded_s)
        while len(self.mouth.sounded_s) == before:
            self._check(end, "Utter is not to be heard")
        return self.mouth.sounded_s[before]

    def until_silent(self, for_s: float = 0.7, after_s: float = 0.0, limit_s: float = LIMIT_S) -> None:
        """Utter has been heard, for more than `after_s`, and has been silent for so long."""
        end, before = time.monotonic() + limit_s, len(self.mouth.sounded_s)
        enough = before + round(after_s / BLOCK_S)
        while len(self.mouth.sounded_s) <= enough:
            self._check(end, "Utter is not to be heard")
        self._until_quiet(for_s)

    def say(self, samples: Samples, rate: int) -> subprocess.Popen[bytes]:
        """The user says this; gives control back at once, and the process that ends when it was said."""
        return self.sound.say(samples, rate)

    def say_recording(self, path: Path) -> subprocess.Popen[bytes]:
        """The user says what was recorded, as in `say`."""
        samples, rate = soundfile.read(path, dtype="float32")
        return self.say(np.asarray(samples, np.float32), rate)

    def say_until(self, path: Path, start: str) -> str:
        """The user says what was recorded, and again when nothing comes of it, until a line begins so."""
        for _ in range(_TIMES - 1):
            self.say_recording(path).wait(LIMIT_S)
            try:
                return self.until(start, _AGAIN_S)
            except AssertionError:  # what Utter says meanwhile, a question put again perhaps, comes first
                self._until_quiet(_BREATH_S)
        self.say_recording(path).wait(LIMIT_S)
        return self.until(start)

    def type(self, line: str) -> None:
        """By the keyboard."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def end(self) -> int:
        """By the keyboard too; gives the exit status."""
        self.type("goodbye")
        return self._process.wait(LIMIT_S)

    def listen_anew(self) -> None:
        """The loudspeaker was unplugged and is back."""
        self.mouth.close()
        self.mouth = self.sound.listen("mouth")

    def close(self) -> None:
        """End it however it stands."""
        self._process.kill()
        self._process.wait()
        self.mouth.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put((time.monotonic(), line.strip()))

    def _until_quiet(self, for_s: float) -> None:
        end = time.monotonic() + LIMIT_S
        while self.mouth.silent_since_s() < for_s:
            self._check(end, "Utter does not fall silent")

    def _check(self, end_s: float, what: str) -> None:
        if time.monotonic() > end_s:
            unread = [line for _, line in list(self._lines.queue)]
            raise AssertionError(f"{what} in time, in:\n" + "\n".join([*self.log, *unread]))
        time.sleep(0.01)
