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

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

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

    def plug_in(self, name: str) -> str:
        """A new null sink; gives its module's number, for `unplug`."""
        made = self._pactl("load-module", "module-null-sink", f"sink_name={name}", f"rate={_RATE}")
        return made.stdout.strip()

    def unplug(self, module: str) -> None:
        self._pactl("unload-module", module)

    def make_default(self, *, source: str, sink: str) -> None:
        self._pactl("set-default-source", source)
        self._pactl("set-default-sink", sink)

    def _pactl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pactl", *arguments], env=self.environment, capture_output=True, text=True, check=True
        )


@contextmanager
def virtual_sound(folder: Path) -> Iterator[VirtualSound]:
    """Skips the test where there is no PulseAudio."""
    missing = [name for name in ("pulseaudio", "pactl", "pacat") if shutil.which(name) is None]
    if missing or not sys.platform.startswith("linux"):
        pytest.skip(f"needs PulseAudio; not installed: {', '.join(missing) or 'a Linux system'}")
    socket = folder / "socket"
    (folder / "asound.conf").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
    environment = {
        **os.environ,
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "PULSE_SERVER": f"unix:{socket}",
        "ALSA_CONFIG_PATH": f"{_BASE}:{folder / 'asound.conf'}",
    }
    server = subprocess.Popen(
        [
            *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
            *("--log-level=error", "-L"),
            f"module-native-protocol-unix auth-anonymous=1 socket={socket}",
        ],
        env=environment,
    )
    try:
        for _ in range(200):
            if subprocess.run(["pactl", "info"], env=environment, capture_output=True).returncode == 0:
                break
        else:
            pytest.skip("PulseAudio does not start on this machine")
        yield VirtualSound(environment)
    finally:
        server.terminate()
        server.wait()
