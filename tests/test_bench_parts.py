"""The benchmarks that run in parts lose nothing between them; the judge of narration is fair and not kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.kept import Kept, OutOfTime, fingerprint
from bench.narration import Fact, is_heard, is_known


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    assert Kept(path).value("one", lambda: [1, None]) == [1, None]

    def again() -> int:
        raise AssertionError("it is measured again")

    assert Kept(path).value("one", again) == [1, None]


def test_a_line_that_was_broken_off_is_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    Kept(path).value("one", lambda: 1)
    with path.open("a") as file:
        file.write('["two", 2')
    kept = Kept(path)
    assert len(kept) == 1
    assert kept.value("two", lambda: 3) == 3
    assert Kept(path).value("two", lambda: 4) == 3


def test_after_its_time_a_part_gives_only_what_is_known(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    Kept(path).value("one", lambda: 1)
    late = Kept(path, until=0.0)
    assert late.value("one", lambda: 2) == 1
    with pytest.raises(OutOfTime):
        late.value("two", lambda: 2)


def test_a_fingerprint_is_of_the_contents(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("1")
    before = fingerprint([file])
    file.write_text("2")
    assert fingerprint([file]) != before


@pytest.mark.parametrize(
    ("kind", "fact", "heard"),
    [
        ("symbols", "write out", "In the function right out, the line was rewritten."),
        ("symbols", "parse config", "in parse_config"),
        ("file names", "calc dot py", "In the file, calc.py, four lines."),
        ("file names", "calc dot py", "calc dot pi"),
        ("counts", "four", "calc.py, for lines added"),
        ("counts", "1200", "1,200 lines"),
        ("line numbers", "113", "line 1-1-3: return a"),
        ("line numbers", "119", "line 1 19, return a"),
        ("line numbers", "27", "calc.py, line27, return a"),
        ("line numbers", "seven", "line 7"),
    ],
)
def test_what_sounds_the_same_is_heard(kind: str, fact: str, heard: str) -> None:
    assert is_heard(Fact(kind, fact), heard)


@pytest.mark.parametrize(
    ("kind", "fact", "heard"),
    [
        ("symbols", "init", "It was initially so."),
        ("symbols", "time", "sometimes"),
        ("symbols", "narrate", "in the function array"),
        ("symbols", "change voice", "change boys"),
        ("file names", "calc dot py", "calc dot rs"),
        ("counts", "four", "for all of it, five lines"),
        ("line numbers", "113", "line 130"),
        ("line numbers", "113", "line 1, 13 lines"),
        ("line numbers", "113", "line 1 13 lines"),
    ],
)
def test_what_is_another_name_or_number_is_not(kind: str, fact: str, heard: str) -> None:
    assert not is_heard(Fact(kind, fact), heard)


NAMES = (
    "test plain numbers stay",
    "test sounds dot py",
    "test undo dot py",
    "change voice",
    "narrate",
    "to unpin",
)


@pytest.mark.parametrize(
    ("name", "heard", "is_it"),
    [
        ("test plain numbers stay", "Test plain number stay in 3 more", True),
        ("change voice", "in the function, change boys", True),
        ("test undo dot py", "In test sounds.py, three lines added", False),  # near, but another is nearer
        ("test undo dot py", "the file test", False),
        ("narrate", "in the function, Merrate", False),  # too short for a slip
        ("change voice", "charge boils", False),
    ],
)
def test_who_knows_the_names_knows_one_by_its_sound(name: str, heard: str, is_it: bool) -> None:
    assert is_known(name, heard, NAMES) is is_it
