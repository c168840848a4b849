"""What a voice would read wrongly is written out for it, and a project says how its words are said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import UtterError
from voice.speaking.expanded import expanded
from voice.speaking.pieces import speakable_pieces
from voice.speaking.pronunciation import (
    Pronouncing,
    load_pronunciations,
    pronouncing,
    pronunciations_file,
)
from voice.speaking.spoken_text import spoken
from voice.speaking.synthesis import Samples


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("on 2026-11-02.", "on 2 November 2026."),
        ("at 20:15 and 9:05 and 7:00", "at 20 15 and 9 oh 5 and 7 o'clock"),
        ("1.2.3 and v2 and V2.1 and 3.14", "1 point 2 point 3 and version 2 and version 2 point 1 and 3.14"),
        ("10ms, 1 GiB, 2.5 kHz.", "10 milliseconds, 1 gibibyte, 2.5 kilohertz."),
        ("30 fps and 1 fps", "30 frames per second and 1 frame per second"),
        ("1e-5 or 2E6", "1 times 10 to the minus 5 or 2 times 10 to the 6"),
        ("0x1F", "hex 1 F"),
        ("line 42, Line 113: and lines 7 to 120", "line 42, Line 1 13: and lines 7 to 120"),
        ("lines 113 to 130, 400 lines, 1300 of them", "lines 1 13 to 1 3 0, 400 lines, 1300 of them"),
        (
            "line 100, line 119, line 1000, line 1005",
            "line 1 hundred, line 1 19, line 1 thousand, line 10 oh 5",
        ),
        ("line 1200, line 2112, line 11111", "line 12 hundred, line 21 12, line 1 1 1 1 1"),
        ("line 000, line 0012, line 101", "line 0 0 0, line 0 0 1 2, line 1 0 1"),
        ("lines 3 to 7, 1,234 of them", "lines 3 to 7, 1,234 of them"),
        ("2026-13-40 and 25:99 and ms", "2026-13-40 and 25:99 and ms"),
    ],
)
def test_numbers_are_written_out(written: str, said: str) -> None:
    assert expanded(written) == said


def test_what_is_shown_stays_as_it_was_but_for_dates() -> None:
    assert spoken("Version 1.2.3 of 2026-11-22") == "Version 1.2.3 of 22 November 2026"
    assert list(speakable_pieces("It is 1.2.3 now.")) == ["It is 1 point 2 point 3 now."]


@given(st.lists(st.integers(0, 10**9), max_size=8))
def test_plain_numbers_stay_as_they_are(numbers: list[int]) -> None:
    text = ", ".join(map(str, numbers))
    assert expanded(text) == text


class Echo:
    """Keeps what it is to say."""

    sample_rate = 8_000

    def __init__(self) -> None:
        self.said: list[str] = []

    def synthesise(self, clause: str) -> Iterator[Samples]:
        self.said.append(clause)
        yield np.zeros(1, np.float32)


def test_a_project_says_how_its_words_are_said(tmp_path: Path) -> None:
    path = pronunciations_file(tmp_path / "shelf.txt")
    assert path.name == "shelf.said.txt"
    assert load_pronunciations(path) == {}
    path.write_text("# ours\nnginx -> engine x\n\nC++ -> see plus plus\n", encoding="utf-8")
    echo = Echo()
    voice = pronouncing(echo, load_pronunciations(path))
    assert isinstance(voice, Pronouncing)
    list(voice.synthesise("Nginx and nginxes are in C++."))
    assert echo.said == ["engine x and nginxes are in see plus plus."]
    assert pronouncing(echo, {}) is echo


@pytest.mark.parametrize("line", ["nginx", "nginx ->", "-> engine x", f"a -> {'b' * 300}"])
def test_a_line_that_is_no_pronunciation_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "shelf.said.txt"
    path.write_text(f"a -> b\n{line}\n", encoding="utf-8")
    with pytest.raises(UtterError, match="line 2"):
        load_pronunciations(path)
