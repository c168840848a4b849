"""Captions and chapters of a spoken text, as WebVTT (https://www.w3.org/TR/webvtt1/). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cue:
    """A text and when it sounds, in seconds from the beginning."""

    start_s: float
    end_s: float
    text: str


def webvtt(cues: Sequence[Cue]) -> str:
    """The file that holds `cues`, numbered; those that take no time are left out."""
    blocks = [
        f"{number}\n{_time(cue.start_s)} --> {_time(cue.end_s)}\n{_escaped(cue.text)}\n"
        for number, cue in enumerate((cue for cue in cues if cue.end_s > cue.start_s), 1)
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def _time(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"


def _escaped(text: str) -> str:
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return plain.replace(">", "&gt;")
