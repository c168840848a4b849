"""The parts of a live session that need no model: keys, words of the project, verbosity, exact reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from agent.workspace import Workspace
from voice import config
from voice.audio.earcons import Earcon
from voice.conversation import project_words
from voice.conversation.commands import Situation
from voice.conversation.keyboard import Keys, typed
from voice.conversation.machine import SessionMachine
from voice.conversation.player import InPrint
from voice.conversation.project_words import ProjectWords
from voice.conversation.reading import Reader, indent_unit
from voice.conversation.signals import Frame, Notice, Pressed, Typed
from voice.conversation.turn_events import Transcribe
from voice.speaking.doing import doing, has_effect
from voice.speaking.exactly import Punctuation, exactly, spelled
from voice.speaking.verbosity import Level, Verbosity
from voice.talking import session_settings

ANY = Situation()
NOT_NOW = Notice("The key y says yes to a question, if little can go wrong. There is no need for it now.")


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
        ("y", [NOT_NOW]),  # nothing was asked
        ("é", []),
        (
            "yes, push it\n",
            [Typed("yes, push it")],
        ),  # pasted, or dictated to another program: no key is in it
        ("nnnn", [Pressed("n")] * 4),
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
    assert typed("y", ANY) == NOT_NOW  # and no request: that would end the one at work
    assert typed("yes", ANY) == Typed("yes")


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


@pytest.mark.parametrize("level", list(Level))
def test_failures_and_questions_are_said_at_every_level(level: Level) -> None:
    verbosity = Verbosity(level)
    verbosity.begin()
    turn = ["I looked.", "I read it.", "Seven tests passed, one failed:", "test subtract, five.", "It adds.",
            "Shall I go on?", "Here is more.", "That is it."]  # fmt: skip
    said = [clause for clause in turn for clause in verbosity.filter([clause])] + verbosity.finish()
    assert [one for one in turn[2:4] if one not in said] == [] and "Shall I go on?" in said
    assert ("It adds." in said) == (level in (Level.NORMAL, Level.FULL))
    assert ("That is it." in said) == (level is not Level.BRIEF)
    assert sorted(said + verbosity.more()) == sorted(turn)


def test_quiet_mode_does_not_say_the_last_sentence_twice() -> None:
    verbosity = Verbosity(Level.QUIET)
    verbosity.begin()
    assert verbosity.filter(["I looked.", "One test failed."]) == ["One test failed."]
    assert verbosity.finish() == []


@pytest.mark.parametrize(
    ("code", "aloud"),
    [
        ("parseConfig", "parse cap config"),
        ("HTTPClient2", "all caps http cap client 2"),
        ("__init__", "underscore underscore init underscore underscore"),
        ("MAX_SIZE", "all caps max underscore all caps size"),
        ("a[{()}]", "a left bracket left brace left paren right paren right brace right bracket"),
        ("x == -1", "x equals equals dash 1"),
        ("# ------------", "hash 12 times dash"),
        ("naïveÉtat 变量_x", "naïve cap état 变量 underscore x"),
    ],
)
def test_names_are_split_at_their_capitals_and_marks_have_names(code: str, aloud: str) -> None:
    assert exactly(code) == aloud


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
    outline, *said = reader.lines(1, 3)
    assert outline == "A dot py has five lines: function f. Line 1 is in f."
    assert said[1].startswith("Line 2: indent 1, ") and said[2].startswith("Line 3: indent 2, ")
    assert reader.step(1)[0].startswith("Line 4: empty")
    reader.go_to("a.py", 2)
    assert len(reader.function()) == 3
    assert "line 3, in f on the branch main" in reader.where("main")[0]
    assert reader.lines(70, 80) == ["a dot py has 5 lines."]


def test_an_outline_is_said_once_before_the_lines_are_read(tmp_path: Path) -> None:
    methods = "".join(f"  m{n}() {{\n    return {n};\n  }}\n" for n in range(3))
    (tmp_path / "cart.js").write_text(f"class Cart {{\n{methods}}}\nfunction pay(x) {{\n  return x;\n}}\n")
    reader = Reader(Workspace(tmp_path))
    reader.go_to("cart.js", 12)
    outline, first, *_ = reader.function()
    assert (
        outline
        == "Cart dot J S has 14 lines: function pay; class Cart with three methods. Line 12 is in pay."
    )
    assert first.startswith("Line 12:")
    assert [line[:16] for line in reader.lines(2, 3)] == ["Line 2: indent 1", "Line 3: indent 2"]


def test_a_step_of_indentation_is_what_the_file_makes_it(tmp_path: Path) -> None:
    assert indent_unit(["a", "  b", "    c"]) == 2
    assert indent_unit(["a", "\tb", "\t\tc"]) == 4
    assert indent_unit(["a", "", " * b"]) == 4


def test_what_a_tool_is_doing_follows_still() -> None:
    assert doing("run_tests", {}) == "running the tests"
    assert doing("read_file", {"path": "src/a.py"}).startswith("reading a")
    assert doing("rewrite_function", {"name": "late_fee"}) == "changing late fee"
    assert has_effect("edit_file") and not has_effect("run_tests")


def test_settings_of_hearing_hold_while_talking_too() -> None:
    asked = [
        "hearing.pre_roll_s=0.5",
        "hearing.max_utterance_s=10",
        "conversation.pause_s=3",
        "conversation.join_s=1",
    ]
    chosen = session_settings(config.load(overrides=asked))
    assert (chosen.hearing.pre_roll_s, chosen.hearing.max_utterance_s) == (0.5, 10.0)
    assert (chosen.turns.incomplete_s, chosen.work.join_s) == (3.0, 1.0)
    machine = SessionMachine(chosen)
    frames = [decision for n in range(1, 601) for decision in machine.step(Frame(n > 100), n * 0.02)]
    pieces = [one for one in frames if isinstance(one, Transcribe)]
    assert [(one.first_frame, one.end_frame) for one in pieces] == [(75, 575)]  # 0.5 s before; 10 s in all


@pytest.mark.parametrize(("chimes", "played"), [(True, 1), (False, 0)])
def test_short_sounds_in_print_sound_unless_lines_alone_are_wanted(chimes: bool, played: int) -> None:
    class Sink:
        clock_rate = 16_000
        played = 0

        def chime(self, samples: object) -> None:
            self.played += 1

    sink = Sink()
    player = InPrint(cast(Any, None), chimes=chimes)
    player.attach(cast(Any, sink))
    player.chime(Earcon.HEARD)
    assert sink.played == played
