"""Whether a recording of a person is good enough to make a voice of: a sentence for each fault. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice.audio.frames import SAMPLE_RATE, Samples

_FRAME = SAMPLE_RATE // 50  # 20 ms
_CLIPPED = 0.985
_CLIPPED_SHARE = 0.0005  # of the loud samples: a plosive may touch the limit now and then
_QUIET_DB = -45.0  # of the speech, to full scale
_NOISE_DB = 15.0  # speech over what lies between it
_TELEPHONE_HZ = 3_800
_TELEPHONE_SHARE = 2e-5  # of the power; speech through a wide band has a hundred times as much up there
_MIN_SPEECH_S = {"prompt": 1.0, "reference": 8.0}
_PAUSES = 0.1  # of the frames; whoever speaks pauses, and music seldom does


@dataclass(frozen=True)
class Measured:
    """Of mono float32 at 16 kHz; levels in dB to full scale; `wide_share` of the power is above 3.8 kHz."""

    speech_s: float
    speech_db: float
    noise_db: float
    clipped_share: float
    wide_share: float
    pauses: float


def measure(samples: Samples) -> Measured:
    """What `problem` looks at."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    if not len(frames):
        return Measured(0.0, -120.0, -120.0, 0.0, 0.0, 0.0)
    levels = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    top = float(np.quantile(levels, 0.95))
    is_speech = levels > top - 25
    speech = frames[is_speech]
    loud = np.abs(samples) > 0.1
    clipped = float(np.mean(np.abs(samples[loud]) > _CLIPPED)) if loud.any() else 0.0
    return Measured(
        speech_s=float(is_speech.sum()) * _FRAME / SAMPLE_RATE,
        speech_db=float(10 * np.log10(np.mean(speech**2) + 1e-12)),
        noise_db=float(np.quantile(levels, 0.05)),
        clipped_share=clipped,
        wide_share=_share_above(speech, _TELEPHONE_HZ),
        pauses=float(np.mean(levels < top - 18)),
    )


def problem(measured: Measured, of: str = "prompt") -> str:
    """A sentence for the speaker about what is wrong, or "" when it will do. `of`: prompt or reference."""
    least_s = _MIN_SPEECH_S[of]
    if measured.speech_db < _QUIET_DB:
        return "I hear next to nothing. Come nearer to the microphone, or turn it up."
    if measured.speech_s < least_s:
        return f"That is only {measured.speech_s:.0f} seconds of speech; at least {least_s:.0f} are needed."
    if measured.clipped_share > _CLIPPED_SHARE:
        return "That is clipped: it was too loud for the microphone. Turn it down, or go further away."
    if measured.wide_share < _TELEPHONE_SHARE:
        return "That sounds as through a telephone: nothing is in it above four kilohertz. Record it wider."
    if of == "reference" and measured.pauses < _PAUSES:
        return "There is not one pause in that, as in music or in a crowd. Record one person speaking."
    if measured.speech_db - measured.noise_db < _NOISE_DB:
        return "There is too much noise around you. Find a quieter place, or switch off what hums."
    return ""


def groups_alike(looks: NDArray[np.float32]) -> float:
    """How alike the two groups are that `looks`, unit vectors of 1.6 s each, fall into; 1 for one voice.

    A group of a single look or two is a cough or a laugh, not a person.
    """
    if len(looks) < 6:
        return 1.0
    alike = looks @ looks.T
    one, other = np.unravel_index(int(alike.argmin()), alike.shape)
    is_nearer = alike[:, one] >= alike[:, other]
    groups = looks[is_nearer], looks[~is_nearer]
    if min(map(len, groups)) < max(3, 0.15 * len(looks)):
        return 1.0
    centres = [group.mean(axis=0) for group in groups]
    return float(centres[0] @ centres[1] / (np.linalg.norm(centres[0]) * np.linalg.norm(centres[1])))


def _share_above(frames: NDArray[np.float64], hz: float) -> float:
    power = (np.abs(np.fft.rfft(frames * np.hanning(_FRAME))) ** 2).sum(axis=0)
    above = np.fft.rfftfreq(_FRAME, 1 / SAMPLE_RATE) > hz
    return float(power[above].sum() / max(float(power.sum()), 1e-12))
