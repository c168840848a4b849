"""Another pitch and another size of the throat for the same speech: TD-PSOLA.

Moulines and Charpentier, "Pitch-synchronous waveform processing techniques for text-to-speech synthesis using
diphones", Speech Communication 9, 1990. Grains of two periods, of the old ones or of the new where these are
shorter, are laid down at the new distance; one that is read faster or slower moves the formants.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice.speaking.matching.pitch import HIGHEST_HZ, HOP_S, LOWEST_HZ, Pitch
from voice.speaking.synthesis import Samples

_UNVOICED_S = 0.008  # distance of grains where there is no period
_SEARCH = 0.3  # of a period, in which the next mark is looked for


@dataclass(frozen=True)
class Shift:
    """From a voice of median `from_hz` to one of `to_hz`; `spread` widens the melody, `formants` the colour.

    `formants` over 1 is a smaller speaker.
    """

    from_hz: float
    to_hz: float
    spread: float = 1.0
    formants: float = 1.0

    @property
    def is_none(self) -> bool:
        """Whether nothing would change."""
        return self.from_hz == self.to_hz and self.spread == 1.0 and self.formants == 1.0

    def target_hz(self, hz: NDArray[np.float64]) -> NDArray[np.float64]:
        """The new frequency for each old one, within what can be laid down; 0 stays 0."""
        octaves = np.log2(np.maximum(hz, 1.0) / self.from_hz) * self.spread
        return np.where(hz > 0, np.clip(self.to_hz * 2.0**octaves, LOWEST_HZ, 1.2 * HIGHEST_HZ), 0.0)


def shifted(samples: Samples, rate: int, pitch: Pitch, shift: Shift) -> Samples:
    """`samples` (mono float32) of that `pitch`, shifted; as long as before."""
    if shift.is_none or not len(samples):
        return samples
    hop = HOP_S * rate
    marks = _marks(samples, rate, pitch)
    periods = np.diff(marks, append=marks[-1] + round(_UNVOICED_S * rate)).astype(np.float64)
    at_frame = np.minimum((marks / hop + 0.5).astype(int), len(pitch.hz) - 1)
    is_voiced = pitch.hz[at_frame] > 0
    new_hz = shift.target_hz(pitch.hz)
    out = np.zeros(len(samples) + 4 * round(rate / LOWEST_HZ))
    weight = np.full(len(out), 1e-3)
    margin = 2 * round(rate / LOWEST_HZ)
    padded = np.pad(samples.astype(np.float64), (margin, margin))
    position = 0.0
    while position < len(samples):
        nearest = _nearest(marks, position)
        frame = min(int(position / hop + 0.5), len(new_hz) - 1)
        voiced = bool(is_voiced[nearest]) and new_hz[frame] > 0
        half = min(periods[nearest], periods[nearest - 1] if nearest else periods[nearest], rate / LOWEST_HZ)
        step = rate / new_hz[frame] if voiced else half
        # Wider grains lay one period over the next: the voice is blurred, and less like the person's.
        reach = int(min(half / shift.formants, step))
        offsets = np.arange(-reach, reach + 1)
        # Linear interpolation is enough: grains are read at 0.9 to 1.2 of their pace.
        read = offsets * shift.formants + marks[nearest] + margin
        if not voiced:  # noise keeps its place, so that it is not repeated into a tone
            read = offsets * shift.formants + position + margin
        whole = np.floor(read).astype(int)
        part = read - whole
        grain = padded[whole] * (1 - part) + padded[whole + 1] * part
        window = 0.5 + 0.5 * np.cos(np.pi * offsets / (reach + 1))
        start = round(position) + offsets[0]
        first = max(0, -start)
        span = slice(start + first, start + len(grain))
        out[span] += (grain * window)[first:]
        weight[span] += window[first:]
        position += step
    # Grains further apart than they are wide leave the gaps that belong there; closer ones are not louder.
    return (out / np.maximum(weight, 1.0))[: len(samples)].astype(np.float32)


def _nearest(marks: NDArray[np.int64], position: float) -> int:
    after = int(np.searchsorted(marks, position))
    if after == 0:
        return 0
    if after == len(marks):
        return after - 1
    return after if marks[after] - position < position - marks[after - 1] else after - 1


def _marks(samples: Samples, rate: int, pitch: Pitch) -> NDArray[np.int64]:
    """One mark a period, at the same place of each; evenly spaced where there is no voice."""
    hop, end = HOP_S * rate, len(samples)
    low = _smoothed(samples, max(3, rate // 2_000))
    sign = 1.0 if low.max(initial=0.0) >= -low.min(initial=0.0) else -1.0
    low = low * sign
    marks = [0]
    was_voiced = False
    while True:
        hz = pitch.hz[min(int(marks[-1] / hop + 0.5), len(pitch.hz) - 1)]
        if hz <= 0:
            following, was_voiced = marks[-1] + round(_UNVOICED_S * rate), False
        else:
            period = rate / hz
            reach = _SEARCH if was_voiced else 0.5  # a stretch of voice begins at its own highest point
            start = marks[-1] + round(period * (1 - reach))
            stop = marks[-1] + round(period * (1 + reach)) + 1
            if stop >= end:
                following = marks[-1] + round(period)
            else:
                near = 1 - 0.3 * np.abs(np.linspace(-1, 1, stop - start)) if was_voiced else 1.0
                following = start + int(np.argmax(np.maximum(low[start:stop], 0) * near))
                following = max(following, marks[-1] + int(0.5 * period))
            was_voiced = True
        if following >= end:
            return np.array(marks, np.int64)
        marks.append(following)


def _smoothed(samples: Samples, width: int) -> NDArray[np.float64]:
    return np.convolve(samples, np.hanning(width + 2)[1:-1] / width, mode="same").astype(np.float64)
