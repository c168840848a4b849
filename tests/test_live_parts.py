"""The parts of a live session that need no model: keys, words of the project, verbosity, exact reading."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.workspace import Workspace
from voice.conversation import project_words
from voice.conversation.commands import Situation
from voice.conversation.keyboard import Keys, typed
from voice.conversation.project_words import ProjectWords
from voice.conversation.reading import Reader
from voice.conversation.signals import Pressed, Typed
from voice.speaking.doing import doing, has_effect
from voice.speaking.exactly import Punctuation, exactly, spelled
from voice.speaking.verbosity import Level, Verbosity

ANY = Situation()


def keys() -> Keys:
    return Keys(lambda text: None)


@pytest.mark.parametrize(
    ("pressed", "given"),
    [
        ("s", [Pressed("s")]),
        ("\x1b[B", [Pressed("down")]),
        ("\x7f", [Pressed("backspace")]),
        ("\x04", [Pressed("ctrl-d")]),
        ("/run the tests\n", [Typed("run the tests")]),
        ("j40 to 52\n", [Pressed("j", (40, 52))]),
        ("/stop stop stop\n", [Pressed("S")]),
        ("/ab\x7f\x7f\n", []),
        ("y", []),  # nothing was asked
    ],
)
def test_a_key_acts_at_once_or_opens_a_line(pressed: str, given: list[object]) -> None:
    assert keys().take(pressed, ANY) == given


def test_a_line_is_a_key_or_words() -> None:
    assert typed("s", ANY) == Pressed("s")
    assert typed("what changed", ANY) == Pressed("d")
    assert typed("yes", Situation(question=True)) == Pressed("y")
    assert typed("stop the server", ANY) == Typed("stop the server")
    assert typed("  ", ANY) is None


def test_words_of_the_project_are_kept_and_applied(tmp_path: Path) -> None:
    path = tmp_path / "words" / "shelf.txt"
    words = ProjectWords().with_word("teatree").with_meaning("cloud code", "Claude Code")
    project_words.save(path, words)
    assert path.read_text() == "teatree\ncloud code -> Claude Code\n"
    assert project_words.load(path) == words
    assert words.applied("Ask Cloud Code, not the cloud.") == "Ask Claude Code, not the cloud."
    assert words.without("Claude Code").applied("cloud code") == "cloud code"
    assert project_words.load(tmp_path / "none.txt") == ProjectWords()


def test_how_much_is_said_follows_the_level() -> None:
    verbosity = Verbosity(Level.BRIEF)
    verbosity.begin()
    assert verbosity.filter(["one", "two", "three"]) == ["one", "two"]
    assert verbosity.filter(["four"]) == []
    assert verbosity.more() == ["three", "four"] and verbosity.more() == []
    verbosity.level = Level.QUIET
    verbosity.begin()
    assert verbosity.filter(["one", "two"]) == []
    assert verbosity.finish() == ["two"]
    assert verbosity.step(-1) is Level.QUIET and verbosity.step(5) is Level.FULL


def test_code_is_read_at_the_level_of_punctuation() -> None:
    assert exactly("f(x) += MAX", Punctuation.NONE) == "f x all caps max"
    assert exactly("f(x) += MAX", Punctuation.SOME) == "f x plus equals all caps max"
    assert exactly("__init__, y", Punctuation.ALL).startswith("underscore underscore init underscore")
    assert spelled("aB.", {"a": "alfa", "b": "bravo"}) == "alfa, cap bravo, dot"


def test_lines_are_read_from_a_place_that_moves(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(x):\n    if x:\n        return 1\n\nZ = 2\n")
    reader = Reader(Workspace(tmp_path))
    assert "No file" in reader.step(1)[0]
    reader.go_to("a.py")
    said = reader.lines(1, 3)
    assert said[1].startswith("Line 2: indent 1, ") and said[2].startswith("Line 3: indent 2, ")
    assert reader.step(1)[0].startswith("Line 4: empty")
    reader.go_to("a.py", 2)
    assert len(reader.function()) == 3
    assert "line 3, in f on the branch main" in reader.where("main")[0]
    assert reader.lines(70, 80) == ["a dot py has 5 lines."]


def test_what_a_tool_is_doing_follows_still() -> None:
    assert doing("run_tests", {}) == "running the tests"
    assert doing("read_file", {"path": "src/a.py"}).startswith("reading a")
    assert doing("rewrite_function", {"name": "late_fee"}) == "changing late fee"
    assert has_effect("edit_file") and not has_effect("run_tests")
