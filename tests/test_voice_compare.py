"""Voices are compared in a table that reads as lines, and in a picture."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from agent.models.store import ModelStore
from voice.comparing import Compared, draw, measurable
from voice.opening import open_voice
from voice.profiles.library import Library
from voice.profiles.profile import Voice

ROWS = [
    Compared("joe", "plain", None, 86.4, 3.38, 0.05),
    Compared("<anna>", "matched", 0.712, 192.0, None, 0.11),
]


def test_each_figure_has_a_heading() -> None:
    assert all(len(row.cells()) == len(Compared.headings()) for row in ROWS)
    assert ROWS[0].cells() == ("joe", "plain", "none to compare", "86 Hz", "3.38", "0.05")
    assert ROWS[1].cells()[2:5] == ("0.71", "192 Hz", "not measured")


def test_the_picture_has_a_bar_for_every_figure_there_is() -> None:
    picture = ElementTree.fromstring(draw(ROWS))
    tag = "{http://www.w3.org/2000/svg}"
    bars = [bar for bar in picture.iter(f"{tag}rect") if bar.get("fill") == "steelblue"]
    told = [text.text for text in picture.iter(f"{tag}text")]
    assert len(bars) == 6
    assert told.count("none") == 2 and "<anna>" in told and "192" in told


def test_a_voice_that_cannot_speak_here_is_told_and_does_not_keep_the_others_from_it() -> None:
    library = Library(Path("nowhere"))
    joe, kumo = library.load("joe"), library.load("kumo")

    def measured(voice: Voice) -> Compared:
        if voice is kumo:
            open_voice(voice, 1.0, ModelStore(Path("nowhere")))
        return ROWS[0]

    joe_row, (name, why), odd = measurable([joe, kumo, ("odd", "It has no consent.")], measured)
    assert (joe_row, name, odd) == (ROWS[0], "kumo", ("odd", "It has no consent."))
    assert "kokoro" in why
