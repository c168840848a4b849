"""PulseAudio null sinks as a microphone and a loudspeaker; a test that needs them is skipped without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import virtual_sound as devices
from bench.virtual_sound import VirtualSound


@contextmanager
def virtual_sound(folder: Path, *, echo_gain: float = 0.0) -> Iterator[VirtualSound]:
    """Skips the test where there is no PulseAudio."""
    try:
        with devices.virtual_sound(folder, echo_gain=echo_gain) as sound:
            yield sound
    except devices.NoPulseAudio as missing:
        pytest.skip(str(missing))


__all__ = ["VirtualSound", "virtual_sound"]
