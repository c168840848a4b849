"""A microphone and a loudspeaker without hardware: PulseAudio null sinks, started and ended by the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soxr

from voice.audio.frames import Samples

_BASE = "/usr/share/alsa/alsa.conf"
_RATE = 48_000


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

    def plug_in(self) -> bool:
        """A microphone and a loudspeaker are there; False where the server does not start."""
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
            if self._pactl("set-default-sink", "mouth") == 0:
                return self._pactl("set-default-source", "ears.monitor") == 0
        return False

    def unplug(self) -> None:
        """All devices are gone."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait()

    def _pactl(self, *arguments: str) -> int:
        return subprocess.run(["pactl", *arguments], env=self.environment, capture_output=True).returncode


@contextmanager
def virtual_sound(folder: Path) -> Iterator[VirtualSound]:
    """Skips the test where there is no PulseAudio."""
    missing = [name for name in ("pulseaudio", "pactl", "pacat") if shutil.which(name) is None]
    if missing or not sys.platform.startswith("linux"):
        pytest.skip(f"needs PulseAudio; not installed: {', '.join(missing) or 'a Linux system'}")
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
    if not sound.plug_in():
        pytest.skip("PulseAudio does not start on this machine")
    try:
        yield sound
    finally:
        sound.unplug()
