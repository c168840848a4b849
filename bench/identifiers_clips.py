"""The audio of the identifier benchmark: each sentence in one voice at one noise level, kept in a folder."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs

from bench.synthetic import Clip, Voices, with_noise

NOISE_LEVELS_DB = (None, 30.0, 20.0)
FOLDER = Path(platformdirs.user_cache_dir("utter")) / "bench" / "identifiers"
_SEED = 6


@dataclass(frozen=True)
class Drawn:
    """What is to be said, in which voice and in how much noise (None is none)."""

    text: str
    voice: str
    snr_db: float | None
    seed: int


def drawn(texts: Iterable[str], names: tuple[str, ...]) -> list[Drawn]:
    """Each text once; its voice and its noise level are drawn by a fixed seed."""
    random_ = random.Random(_SEED)
    return [
        Drawn(text, random_.choice(names), random_.choice(NOISE_LEVELS_DB), random_.randrange(2**31))
        for text in texts
    ]


class KeptVoices:
    """Voices that remember what they have said; they are loaded when something new is to be said."""

    def __init__(self, kokoro: Path, piper: Path, folder: Path = FOLDER) -> None:
        self._paths = kokoro, piper
        self._folder = folder
        self._voices: Voices | None = None

    def clip(self, one: Drawn) -> Clip:
        """The sound of it."""
        samples = self._said(one.text, one.voice)
        return Clip(one.text, one.voice, one.snr_db, with_noise(samples, one.snr_db, one.seed))

    def _said(self, text: str, voice: str) -> np.ndarray:
        key = hashlib.sha256(f"{voice}\0{text}".encode()).hexdigest()[:24]
        path = self._folder / f"{key}.npy"
        if path.is_file():
            return np.load(path).astype(np.float32) / 32768
        if self._voices is None:
            self._voices = Voices(*self._paths)
        samples = np.rint(self._voices.say(text, voice) * 32767).astype(np.int16)
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part.npy")
        np.save(unfinished, samples)
        unfinished.replace(path)
        return samples.astype(np.float32) / 32768
