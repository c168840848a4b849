"""A voice matched to another: an engine's speech with the pitch, melody and colour of someone else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np
import soxr

from voice.speaking.matching.colour import MAX_GAIN, N_MOVED, RATE, Transport, coloured
from voice.speaking.matching.pitch import Pitch, pitch_of
from voice.speaking.matching.shift import Shift, shifted
from voice.speaking.matching.stretches import stretches
from voice.speaking.pieces import limited
from voice.speaking.synthesis import Samples, Synthesiser, SynthesisError


@dataclass(frozen=True)
class Matching:
    """What was fitted. `gain` keeps the loudness of the base; `most_gain` is what the filter may add."""

    shift: Shift
    moves: Transport
    gain: float = 1.0
    most_gain: float = MAX_GAIN

    def applied(self, samples: Samples, rate: int) -> Samples:
        """`samples` (mono float32 of the base voice, at `rate`) as the matched voice, at `RATE`."""
        audio = soxr.resample(samples, rate, RATE).astype(np.float32) if rate != RATE else samples
        pitch = pitch_of(audio, RATE)
        moved = shifted(audio, RATE, pitch, self.shift)
        moved_pitch = Pitch(self.shift.target_hz(pitch.hz))
        return coloured(moved, moved_pitch, self.moves, self.most_gain) * np.float32(self.gain)

    def save(self, file: Path) -> None:
        """Write an .npz file of plain numbers."""
        shift = np.array([self.shift.from_hz, self.shift.to_hz, self.shift.spread, self.shift.formants])
        moves = self.moves
        numbers = {"source": moves.source, "target": moves.target, "matrix": moves.matrix}
        gains = {"gain": np.float64(self.gain), "most_gain": np.float64(self.most_gain)}
        np.savez(file, shift=shift, **gains, **numbers)  # pyright: ignore[reportArgumentType]

    @classmethod
    def load(cls, file: Path) -> Matching:
        """Read what `save` wrote. Raises `SynthesisError` for anything else."""
        try:
            with ZipFile(file) as archive:
                if sum(member.file_size for member in archive.infolist()) > _MOST_BYTES:
                    raise ValueError("more numbers than there are in a voice")
            with np.load(file, allow_pickle=False) as read:
                shift, gain = np.asarray(read["shift"], np.float64), float(read["gain"])
                most_gain = float(read["most_gain"]) if "most_gain" in read else MAX_GAIN
                moves = Transport(*(np.asarray(read[name], np.float64) for name in _MOVES))
            shapes = [part.shape for part in (shift, moves.source, moves.target, moves.matrix)]
            if shapes != [(4,), (N_MOVED,), (N_MOVED,), (N_MOVED, N_MOVED)]:
                raise ValueError(f"arrays of the wrong shapes {shapes}")
            if min(shift[:2]) <= 0:
                raise ValueError("a pitch that is not over 0 Hz")
            if not all(np.isfinite(part).all() for part in (shift, moves.source, moves.target, moves.matrix)):
                raise ValueError("numbers that are not finite")
        except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile) as error:
            raise SynthesisError(
                f"The fitted parameters {file} cannot be used ({error}). Enrol the voice again."
            ) from error
        return cls(Shift(*(float(value) for value in shift)), moves, gain, most_gain)


_MOST_BYTES = 1_000_000
_OVERLAP = round(0.01 * RATE)  # of two stretches, half of it to either side of the cut
_MOVES = ("source", "target", "matrix")


class MatchedSynthesiser:
    """Speaks as `base` does, in the matched voice, stretch by stretch."""

    sample_rate = RATE

    def __init__(self, base: Synthesiser, matching: Matching) -> None:
        self._base = base
        self._matching = matching
        for _ in self.synthesise("Ready."):  # the first run of the filter builds its tables
            pass

    def synthesise(self, clause: str) -> Iterator[Samples]:
        """Yield mono float32 pieces as the base's words come, with a short silence after each sentence."""
        rate = self._base.sample_rate
        fading = np.zeros(0, np.float32)  # the end of the stretch before
        for stretch in stretches(self._base.synthesise(clause), rate):
            before, after, gap = (
                round(count * RATE / rate) for count in (stretch.before, stretch.after, stretch.gap)
            )
            matched = limited(self._matching.applied(stretch.samples, rate))
            matched = matched[max(0, before - _OVERLAP // 2) : len(matched) - max(0, after - _OVERLAP // 2)]
            ramp = min(_OVERLAP, len(matched) // 2)
            rise = np.linspace(0, 1, ramp, dtype=np.float32)
            matched[:ramp] *= rise
            matched[len(matched) - ramp :] *= rise[::-1]
            matched[: len(fading)] += fading
            if after:
                matched, fading = matched[:-ramp], matched[-ramp:]
            else:
                matched, fading = np.concatenate([matched, np.zeros(gap, np.float32)]), fading[:0]
            yield matched
