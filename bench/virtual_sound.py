"""A microphone and a loudspeaker without hardware: PulseAudio null sinks, for tests and benchmarks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soxr

from voice.audio.frames import Samples

_BASE = "/usr/share/alsa/alsa.conf"
_RATE = 48_000
_LISTENING_RATE = 16_000
BLOCK_S = 0.01  # what a listener takes at once
_AUDIBLE = 0.004  # -48 dBFS


class NoPulseAudio(Exception):
    """It is not installed, or does not start; the text says what is missing."""


class Listener:
    """Listens to what a sink plays, and knows when. Times are those of `time.monotonic`."""

    def __init__(self, device: str, environment: dict[str, str]) -> None:
        self.sounded_s: list[float] = []  # the time of each `BLOCK_S` that was audible
        self._process = subprocess.Popen(
            [
                *("parec", f"--device={device}.monitor", f"--rate={_LISTENING_RATE}", "--channels=1"),
                *("--format=s16le", "--latency-msec=10"),
            ],
            stdout=subprocess.PIPE,
            env=environment,
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def silent_since_s(self) -> float:
        """How long nothing has been audible."""
        return time.monotonic() - self.sounded_s[-1] if self.sounded_s else float("inf")

    def close(self) -> None:
        """Listen no more."""
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        n_bytes = 2 * int(BLOCK_S * _LISTENING_RATE)
        while len(data := self._process.stdout.read(n_bytes)) == n_bytes:
            if np.abs(np.frombuffer(data, "<i2").astype(np.int32)).max() > _AUDIBLE * 32768:
                self.sounded_s.append(time.monotonic())


class VirtualSound:
    """`environment` is that of a process that hears what is given to `say` and plays into nothing."""

    def __init__(self, environment: dict[str, str], socket: Path) -> None:
        self.environment = environment
        self._socket = socket
        self._server: subprocess.Popen[bytes] | None = None

    def say(self, samples: Samples, rate: int) -> subprocess.Popen[bytes]:
        """Let the microphone hear this, in real time; gives the process that plays it."""
        pcm = (np.clip(soxr.resample(samples, rate, _RATE), -1, 1) * 32767).astype("<i2").tobytes()
        player = subprocess.Popen(
            [*("pacat", "--device=ears", f"--rate={_RATE}", "--channels=1"), "--format=s16le"],
            stdin=subprocess.PIPE,
            env=self.environment,
        )
        assert player.stdin is not None
        player.stdin.write(pcm)
        player.stdin.close()
        return player

    def listen(self, device: str) -> Listener:
        """Listen to `mouth`, what is played, or to `ears`, what the microphone hears. Close it when done."""
        return Listener(device, self.environment)

    def plug_in(self, *, echo_gain: float = 0.0) -> bool:
        """A microphone and a loudspeaker are there; False where the server does not start.

        `echo_gain` of what the loudspeaker plays comes back to the microphone, about 50 ms later.
        """
        self._server = subprocess.Popen(
            [
                *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
                *("--log-level=error", "-L"),
                f"module-native-protocol-unix auth-anonymous=1 socket={self._socket}",
                *("-L", f"module-null-sink sink_name=mouth rate={_RATE}"),
                *("-L", f"module-null-sink sink_name=ears rate={_RATE}"),
            ],
            env=self.environment,
        )
        for _ in range(200):
            if self.pactl("set-default-sink", "mouth") == 0:
                is_there = self.pactl("set-default-source", "ears.monitor") == 0
                return is_there and (not echo_gain or self._lead_back(echo_gain))
        return False

    def unplug(self) -> None:
        """All devices are gone."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait()

    def pactl(self, *arguments: str) -> int:
        """The status of a command to the server; 0 is success."""
        return subprocess.run(["pactl", *arguments], env=self.environment, capture_output=True).returncode

    def _lead_back(self, gain: float) -> bool:
        loop = ("module-loopback", "source=mouth.monitor", "sink=ears", "latency_msec=50")
        fixed = ("source_dont_move=true", "sink_dont_move=true", "remix=false")
        if self.pactl("load-module", *loop, *fixed) != 0:
            return False
        return self.pactl("set-sink-input-volume", "0", f"{gain:.3f}") == 0


@contextmanager
def virtual_sound(folder: Path, *, echo_gain: float = 0.0) -> Iterator[VirtualSound]:
    """A server of its own in `folder`. Raises `NoPulseAudio` where there can be none."""
    missing = [name for name in ("pulseaudio", "pactl", "pacat", "parec") if shutil.which(name) is None]
    if missing or not sys.platform.startswith("linux"):
        raise NoPulseAudio(f"needs PulseAudio; not installed: {', '.join(missing) or 'a Linux system'}")
    (folder / "asound.conf").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
    sound = VirtualSound(
        {
            **os.environ,
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_SERVER": f"unix:{folder / 'socket'}",
            "ALSA_CONFIG_PATH": f"{_BASE}:{folder / 'asound.conf'}",
        },
        folder / "socket",
    )
    try:
        if not sound.plug_in(echo_gain=echo_gain):
            raise NoPulseAudio("PulseAudio does not start on this machine")
        yield sound
    finally:
        sound.unplug()
