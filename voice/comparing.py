"""What `utter voices compare` measures of a voice: likeness, pitch, how clean it sounds, how fast it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np

from agent.errors import UtterError
from agent.models.store import ModelStore
from voice.audio.frames import SAMPLE_RATE
from voice.enrolling import read_recording
from voice.opening import open_voice
from voice.profiles.profile import Voice
from voice.speaking.matching.dnsmos import Dnsmos
from voice.speaking.matching.likeness import SpeakerEncoder, likeness
from voice.speaking.matching.pitch import pitch_of

_TEXT = (
    "I found three places where the parser reads a file, and one of them never closes it.",
    "All of the tests pass now, except for the one that checks the date.",
)
DNSMOS = "dnsmos"
_ROW_PX, _BAR_PX, _LEFT_PX = 22, 160, 110


@dataclass(frozen=True)
class Compared:
    """One voice's figures; None where there is nothing to compare with, or the judge is not here.

    `likeness` is to the person's own recording, which guided the match.
    """

    name: str
    kind: str
    likeness: float | None
    pitch_hz: float
    dnsmos: float | None
    real_time_factor: float

    @staticmethod
    def headings() -> tuple[str, ...]:
        """Of `cells`."""
        return ("voice", "kind", "likeness", "pitch", "DNSMOS", "real-time factor")

    def cells(self) -> tuple[str, ...]:
        """For a table."""
        return (
            self.name,
            self.kind,
            "none to compare" if self.likeness is None else f"{self.likeness:.2f}",
            f"{self.pitch_hz:.0f} Hz",
            "not measured" if self.dnsmos is None else f"{self.dnsmos:.2f}",
            f"{self.real_time_factor:.2f}",
        )


def compare_voice(voice: Voice, speed: float, store: ModelStore, encoder: SpeakerEncoder) -> Compared:
    """Let `voice` speak and measure it."""
    speaking = open_voice(voice, speed, store)
    began_s = time.perf_counter()
    speech = np.concatenate([piece for text in _TEXT for piece in speaking.synthesise(text)])
    took_s = time.perf_counter() - began_s
    alike: float | None = None
    if voice.profile.reference is not None:
        own = read_recording(voice.folder / voice.profile.reference.file)
        alike = likeness(encoder.embed(speech, speaking.sample_rate), encoder.embed(own, SAMPLE_RATE))
    judged = (
        Dnsmos(store.path(DNSMOS)).overall(speech, speaking.sample_rate) if store.is_ready(DNSMOS) else None
    )
    return Compared(
        voice.name,
        voice.profile.kind,
        alike,
        pitch_of(speech, speaking.sample_rate).median_hz,
        judged,
        took_s / (len(speech) / speaking.sample_rate),
    )


def measurable(
    voices: Iterable[Voice | tuple[str, str]], measured: Callable[[Voice], Compared]
) -> Iterator[Compared | tuple[str, str]]:
    """The figures of each voice, or its name and why it cannot speak here: its model may be missing."""
    for voice in voices:
        if isinstance(voice, tuple):
            yield voice
            continue
        try:
            yield measured(voice)
        except UtterError as error:
            yield voice.name, str(error)


def draw(rows: list[Compared]) -> str:
    """The figures as bars, an SVG document."""
    columns = (
        ("likeness, to 1", [row.likeness for row in rows], 1.0),
        ("pitch in Hz, to 400", [row.pitch_hz for row in rows], 400.0),
        ("DNSMOS, to 5", [row.dnsmos for row in rows], 5.0),
        ("real-time factor, to 1", [row.real_time_factor for row in rows], 1.0),
    )
    height = (len(rows) + 2) * _ROW_PX
    width = _LEFT_PX + len(columns) * (_BAR_PX + 50)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for number, row in enumerate(rows):
        parts.append(f'<text x="4" y="{(number + 2) * _ROW_PX}">{escape(row.name)}</text>')
    for place, (heading, values, top) in enumerate(columns):
        x = _LEFT_PX + place * (_BAR_PX + 50)
        parts.append(f'<text x="{x}" y="16" font-weight="bold">{heading}</text>')
        for number, value in enumerate(values):
            y = (number + 2) * _ROW_PX
            if value is None:
                parts.append(f'<text x="{x}" y="{y}" fill="gray">none</text>')
                continue
            length = _BAR_PX * min(value / top, 1.0)
            parts.append(f'<rect x="{x}" y="{y - 12}" width="{length:.0f}" height="14" fill="steelblue"/>')
            told = f"{value:.0f}" if top > 10 else f"{value:.2f}"
            parts.append(f'<text x="{x + length + 4:.0f}" y="{y}">{told}</text>')
    return "\n".join([*parts, "</svg>", ""])
