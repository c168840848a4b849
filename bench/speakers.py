"""People to match voices to: recordings that scripts/speakers.sh fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from voice.audio.frames import SAMPLE_RATE, Samples
from voice.enrolling import read_recording

_MOST_S = 45
_LONGEST_CLIPS = 40  # short ones are single numbers
_KINDS = (".g722", ".ogg")


@dataclass(frozen=True)
class Speaker:
    """Two recordings, mono float32 at 16 kHz: one that guides the match, one that only judges it."""

    name: str
    tuning: Samples
    held_out: Samples


def people(folder: Path) -> Iterator[Speaker]:
    """One for each folder in `folder`; none when it is not there."""
    for own in sorted(path for path in folder.glob("*") if path.is_dir()):
        files = (file for file in own.rglob("*") if file.suffix in _KINDS)
        clips = sorted(files, key=lambda file: (-file.stat().st_size, file.name))[:_LONGEST_CLIPS]
        yield Speaker(own.name, _joined(clips[::2]), _joined(clips[1::2]))


def _joined(files: list[Path]) -> Samples:
    pause = np.zeros(SAMPLE_RATE // 5, np.float32)
    parts = [part for file in files for part in (_decoded(file), pause)]
    return np.concatenate([pause, *parts])[: _MOST_S * SAMPLE_RATE]


def _decoded(file: Path) -> Samples:
    """Mono float32 at 16 kHz; G.722 has no container that soundfile knows."""
    if file.suffix != ".g722":
        return read_recording(file)
    with av.open(str(file), format="g722") as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate(frames).astype(np.float32) / 32_768
