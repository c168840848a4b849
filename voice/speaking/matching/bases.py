"""The voices that a match may start from, and which of them are worth trying for a pitch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from voice.speaking.engines.kokoro import KokoroSynthesiser
from voice.speaking.engines.piper import PiperSynthesiser
from voice.speaking.matching.fit import Base
from voice.speaking.synthesis import Samples, Synthesiser

PIPER = "joe"

# Median pitch in Hz, of the sentences in fit.py; so that only those nearest are made to speak.
_KOKORO_HZ = {
    "jm_kumo": 91.0,
    "jf_gongitsune": 221.0,
    "jf_nezumi": 236.0,
    "jf_alpha": 266.0,
    "jf_tebukuro": 318.0,
}
_TRIED = 2


def kokoro_bases(folder: Path, target_hz: float) -> Iterator[Base]:
    """The voices of the Kokoro model in `folder` whose pitch is nearest."""
    near = nearest_kokoro(target_hz)
    kokoro = KokoroSynthesiser(folder, near[0])
    for name in near:
        kokoro.use(name)
        yield Base.of(name, _said(kokoro), kokoro.sample_rate)


def nearest_kokoro(target_hz: float) -> list[str]:
    """The voices that are worth trying for someone of that median pitch, nearest first."""
    return sorted(_KOKORO_HZ, key=lambda name: abs(math.log2(_KOKORO_HZ[name] / target_hz)))[:_TRIED]


def piper_base(model: Path) -> Base:
    """The embedded Piper voice."""
    piper = PiperSynthesiser(model)
    return Base.of(PIPER, _said(piper), piper.sample_rate)


def _said(voice: Synthesiser) -> Callable[[str], Samples]:
    return lambda text: np.concatenate([np.zeros(0, np.float32), *voice.synthesise(text)])
