"""Finds the base voice and the filter that come nearest to a person's recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import soxr
from rapidfuzz.distance import Levenshtein

from voice.audio.frames import SAMPLE_RATE
from voice.speaking.matching.colour import MAX_GAIN, RATE, Analysed, Colour, Transport, colour_of, transport
from voice.speaking.matching.likeness import Embedding, SpeakerEncoder, likeness
from voice.speaking.matching.matched import Matching
from voice.speaking.matching.pitch import Pitch, pitch_of
from voice.speaking.matching.shift import Shift, shifted
from voice.speaking.matching.tuning import tuned
from voice.speaking.synthesis import Samples

PROMPTS = (
    "The quick brown fox jumps over the lazy dog, while five wizards watch from the hill.",
    "Please open the main file and read me the first few lines of every function in it.",
    "She would rather have a cup of strong tea than another hour of this noisy meeting.",
    "Yesterday we measured the voyage at eighty kilometres, and the weather was quite unpleasant.",
)
"""What the bases say to be compared: every English sound, and statements of several lengths."""

FORMANTS = (0.9, 1.0, 1.1, 1.2, 1.25)  # with 0.8 Whisper loses one word in eight
SPREAD = (0.7, 1.3)
_NEAREST = 3  # bases by pitch that are tried
_JUDGED_S = 12  # of each match, about two prompts
_TUNED_S = 6  # of the prompts, that guide the tuning; the rest judges it
_LIKER = 0.01  # that a tuned filter must be there
_FAR_OCTAVES = 0.5
_FAR_GAIN = 2.5  # with 3.5 DNSMOS is 0.05 less, with 1.5 a match is less like the person by as much
_LEVELS = (0.25, 2.0)  # gain that a filter may need
_WORD = 0.015  # likeness that a word of the prompts is worth, where Whisper loses more than of the base

Hear = Callable[[Samples], str]
"""The words in mono float32 at 16 kHz."""


@dataclass(frozen=True)
class Base:
    """A voice to start from: its name, and what it makes of the prompts joined (mono float32 at `RATE`)."""

    name: str
    speech: Samples
    pitch: Pitch

    @classmethod
    def of(
        cls, name: str, say: Callable[[str], Samples], rate: int, prompts: Sequence[str] = PROMPTS
    ) -> Base:
        """`say` gives mono float32 at `rate`."""
        speech = np.concatenate([say(prompt) for prompt in prompts])
        audio = soxr.resample(speech, rate, RATE).astype(np.float32) if rate != RATE else speech
        return cls(name, audio, pitch_of(audio, RATE))


@dataclass(frozen=True)
class Target:
    """The person's voice, of a recording."""

    pitch: Pitch
    colour: Colour
    embedding: Embedding

    @classmethod
    def of(cls, samples: Samples, rate: int, encoder: SpeakerEncoder) -> Target | None:
        """None when there is not enough voice in `samples` (mono float32 at `rate`)."""
        audio = soxr.resample(samples, rate, RATE).astype(np.float32) if rate != RATE else samples
        pitch = pitch_of(audio, RATE)
        colour = colour_of(audio, pitch)
        return None if colour is None else cls(pitch, colour, encoder.embed(audio, RATE))


@dataclass(frozen=True)
class Fitted:
    """The best match found. `likeness` is that on what guided the fit and its tuning, and so too good.

    `lost` is how many words Whisper loses more of it than of its base.
    """

    base: str
    matching: Matching
    likeness: float
    lost: int = 0

    @property
    def worth(self) -> float:
        return self.likeness - self.price

    @property
    def price(self) -> float:
        """In likeness, of the words that are lost."""
        return _WORD * max(0, self.lost)


@dataclass(frozen=True)
class _Candidate:
    """A match, and how it says the prompts."""

    base: Base
    fitted: Fitted
    spoken: Samples

    @classmethod
    def of(
        cls, base: Base, target: Target, encoder: SpeakerEncoder, made: tuple[Matching, Samples]
    ) -> _Candidate:
        matching, spoken = made
        score = likeness(encoder.embed(spoken[: _JUDGED_S * RATE], RATE), target.embedding)
        return cls(base, Fitted(base.name, matching, score), spoken)

    def heard(self, hear: Hear, lost_by_base: int) -> _Candidate:
        """With how many words Whisper loses more."""
        return replace(self, fitted=replace(self.fitted, lost=_misheard(self.spoken, hear) - lost_by_base))


def fit(
    target: Target,
    bases: Sequence[Base],
    encoder: SpeakerEncoder,
    formants: Sequence[float] = FORMANTS,
    hear: Hear | None = None,
) -> Fitted | None:
    """The best of the bases nearest in pitch and of the factors for formants; None when no base is voiced.

    With `hear`, the bases must have said all of `PROMPTS`; words that are lost count against a match, and the
    filter of the best is tuned.
    """
    found: list[_Candidate] = []
    for base in nearest(target, bases):
        for factor in formants:
            made = _matched(base, target, factor)
            if made is not None:
                found.append(_Candidate.of(base, target, encoder, made))
    found.sort(key=lambda one: one.fitted.likeness, reverse=True)
    if not found:
        return None
    return found[0].fitted if hear is None else _tuned(*_best(found, hear), target, encoder, hear).fitted


def _best(found: Sequence[_Candidate], hear: Hear) -> tuple[_Candidate, int]:
    """The one of most worth, and how many words Whisper loses of its base.

    `found` are sorted by likeness, and none is heard that cannot be it.
    """
    lost_by: dict[str, int] = {}
    best: _Candidate | None = None
    for one in found:
        if best is not None and one.fitted.likeness <= best.fitted.worth:
            break
        if one.base.name not in lost_by:
            lost_by[one.base.name] = _misheard(one.base.speech, hear)
        heard = one.heard(hear, lost_by[one.base.name])
        if best is None or heard.fitted.worth > best.fitted.worth:
            best = heard
    assert best is not None
    return best, lost_by[best.base.name]


def _tuned(
    best: _Candidate, lost_by_base: int, target: Target, encoder: SpeakerEncoder, hear: Hear
) -> _Candidate:
    """As it was, or liker on prompts that did not guide the tuning, by more than lost words cost."""
    base, matching = best.base, best.fitted.matching
    moved, pitch = _moved(base, matching.shift)
    seen = min(_TUNED_S * RATE, len(moved) // 2)
    part = Analysed.of(moved[:seen], pitch)

    def like(spoken: Sequence[Samples]) -> list[float]:
        return [likeness(one, target.embedding) for one in encoder.embed_all(spoken, RATE)]

    deviations, most = np.sqrt(np.diag(target.colour.covariance)), matching.most_gain
    moves = tuned(matching.moves, deviations, lambda some: like([part.filtered(one, most) for one in some]))
    made = _filtered(base, matching.shift, Analysed.of(moved, pitch), moves)
    new = _Candidate.of(base, target, encoder, made).heard(hear, lost_by_base)
    as_new, as_old = like([new.spoken[seen:], best.spoken[seen:]])
    return new if as_new - as_old > _LIKER + new.fitted.price - best.fitted.price else best


def _misheard(prompts: Samples, hear: Hear) -> int:
    heard = hear(soxr.resample(prompts, RATE, SAMPLE_RATE).astype(np.float32))
    return word_errors(" ".join(PROMPTS), heard)


def word_errors(text: str, heard: str) -> int:
    """Words that were written wrong, left out or added; marks and capitals do not count."""
    return Levenshtein.distance(_plain(text), _plain(heard))


def _plain(text: str) -> list[str]:
    return "".join(c for c in text.lower() if c.isalnum() or c.isspace()).split()


def nearest(target: Target, bases: Sequence[Base]) -> list[Base]:
    """The few bases whose pitch is nearest, in octaves."""

    def octaves(base: Base) -> float:
        return abs(float(np.log2(base.pitch.median_hz / target.pitch.median_hz)))

    return sorted((base for base in bases if base.pitch.median_hz > 0), key=octaves)[:_NEAREST]


def _matched(base: Base, target: Target, formants: float) -> tuple[Matching, Samples] | None:
    """What makes `base` sound like `target` with this factor, and how; None with too little voice."""
    spread = float(np.clip(target.pitch.spread / max(base.pitch.spread, 1e-3), *SPREAD))
    shift = Shift(base.pitch.median_hz, target.pitch.median_hz, spread, formants)
    moved, pitch = _moved(base, shift)
    colour = colour_of(moved, pitch)
    if colour is None:
        return None
    return _filtered(base, shift, Analysed.of(moved, pitch), transport(colour, target.colour))


def _moved(base: Base, shift: Shift) -> tuple[Samples, Pitch]:
    return shifted(base.speech, RATE, base.pitch, shift), Pitch(shift.target_hz(base.pitch.hz))


def _filtered(base: Base, shift: Shift, moved: Analysed, moves: Transport) -> tuple[Matching, Samples]:
    """Brought to the loudness of the base when it is applied; the samples here are not."""
    # A shift over half an octave or more leaves noise that the filter must not make much louder.
    is_far = abs(np.log2(shift.to_hz / shift.from_hz)) >= _FAR_OCTAVES
    most_gain = _FAR_GAIN if is_far else MAX_GAIN
    spoken = moved.filtered(moves, most_gain)
    gain = float(np.clip(_level(base.speech) / max(_level(spoken), 1e-6), *_LEVELS))
    return Matching(shift, moves, gain, most_gain), spoken


def _level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples**2)))
