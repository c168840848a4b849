"""The commands that do more than decide: each is given and looked at, with a real agent and real files."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.engine.scripted import ScriptedEngine
from agent.events import ToolCallReady, ToolResult
from agent.facts import FileEdited, LineChange
from agent.loop import Agent
from agent.permissions import Mode
from agent.template import ChatTemplate
from agent.tools.process import project_environment
from agent.tools.toolbox import Toolbox
from agent.workspace import Workspace
from voice.audio.earcons import Earcon
from voice.conversation import project_words
from voice.conversation.agent_turns import Approver
from voice.conversation.approvals import Approved, Denied, Why
from voice.conversation.command_table import COMMANDS, Name
from voice.conversation.commands import Spoken, commands_in
from voice.conversation.errands import Errands, Services
from voice.conversation.machine import SessionMachine
from voice.conversation.project_words import ProjectWords
from voice.conversation.reading import Reader
from voice.conversation.signals import Asked, Input, ItemHeard, Notice, Offered, Pressed, Say, Typed
from voice.conversation.turns import AgentEvent, Replied, Understood
from voice.hearing.spoken_code import Change, Source, Unsure, Written
from voice.speaking.verbosity import Level, Verbosity

CODE = "def area(width):\n    if width:\n        return width * 2\n\nLIMIT = 9\n"
# What the session machine, or the live session itself, does whole: nothing is left for an errand.
OF_THE_SESSION = {
    *(Name.STOP, Name.ABORT, Name.PAUSE, Name.REPEAT, Name.SKIP, Name.BACK, Name.SEND, Name.DICTATION_OFF),
    *(Name.SLEEP, Name.DEEP_SLEEP, Name.WAKE, Name.DEEP_WAKE, Name.APPROVE, Name.YES, Name.NO, Name.EXPLAIN),
    *(Name.MUTE, Name.UNMUTE, Name.GOODBYE),
}


class Pace:
    """The player as far as errands know it."""

    def __init__(self) -> None:
        self.steps = 0
        self.gain = 0

    def faster(self, times: int) -> float:
        self.steps = self.steps + times if times else 0
        return 1.2**self.steps

    def louder(self, times: int) -> float:
        self.gain += times
        return 1.4**self.gain

    def say(self, item: int, text: str) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def cut(self) -> str:
        return ""

    def chime(self, earcon: Earcon) -> None: ...
    async def run(self) -> None: ...


@dataclass
class Session:
    """Takes what errands give, and answers a question that is put with `word`."""

    root: Path
    word: str = "yes"
    unheard: str | None = None
    given: list[Input] = field(default_factory=list)
    voices: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.machine = SessionMachine()
        self.player = Pace()
        self.approver = Approver("yes I am sure")
        self.approver.connect(self.give)
        engine = ScriptedEngine(())
        toolbox = Toolbox(Workspace(self.root), project_environment(os.environ, Path(sys.prefix)))
        self.agent = Agent(engine, ChatTemplate(engine.chat_template), toolbox)
        self.also_heard: dict[str, list[str]] = {}
        self.words_file = self.root / "words.txt"

        async def what_changed() -> list[str]:
            return ["One file changed."]

        async def branch() -> str:
            return "main"

        async def change_voice(name: str | None) -> None:
            self.voices.append(name)

        async def also_heard(text: str) -> list[str]:
            return self.also_heard.get(text, [])

        services = Services(
            agent=self.agent,
            approver=self.approver,
            reader=Reader(Workspace(self.root)),
            words_file=self.words_file,
            transcript=self.root / "20260101-120000",
            what_changed=what_changed,
            branch=branch,
            change_voice=change_voice,
            also_heard=also_heard,
        )
        self.errands = Errands(services, ProjectWords(), Verbosity())
        self.errands.connect(self)

    def give(self, given: Input) -> None:
        self.given.append(given)
        for decision in self.machine.step(given, 1.0):
            if isinstance(decision, Say):  # and it is heard at once
                self.machine.step(ItemHeard(decision.item), 1.0)
        if isinstance(given, Asked):
            question = given.question
            says_yes = self.word == "yes"
            self.approver.resolve(
                Approved(question, "Yes.") if says_yes else Denied(question, Why.SAID_NO, "No.")
            )

    async def listen_again(self) -> str | None:
        return self.unheard

    def says(self, text: str) -> list[str]:
        """Carry out the one command that `text` is; gives what is told of it."""
        (spoken,) = commands_in(text, self.machine.situation)
        return self.does(spoken)

    def does(self, spoken: Spoken) -> list[str]:
        before = len(self.given)
        asyncio.run(_awaited(self.errands.run(spoken)))
        return [given.text for given in self.given[before:] if isinstance(given, Notice)]

    def requests(self, written: Written) -> None:
        """The user has asked for this."""
        self.errands.see(Understood(written))

    def works_in(self, path: str, line: int) -> None:
        """The agent has changed a line there."""
        self.errands.see(AgentEvent(ToolCallReady("1", "run_command", {"command": "ls -l src"})))
        change = LineChange(line, "a", "b")
        self.errands.see(AgentEvent(ToolResult("1", True, "", (FileEdited(path, 1, 1, (change,)),))))


async def _awaited(work: Awaitable[None]) -> None:
    await work


@pytest.fixture
def session(tmp_path: Path) -> Session:
    (tmp_path / "area.py").write_text(CODE)
    return Session(tmp_path)


def test_each_command_is_carried_out_by_the_session_or_by_an_errand(session: Session) -> None:
    assert {command.name for command in COMMANDS} - set(session.errands.names) == OF_THE_SESSION


def test_pace_and_loudness_change_by_steps_and_are_told(session: Session) -> None:
    assert session.says("faster") == ["Faster, 1.2."]
    assert session.says("faster faster faster") == ["Faster, 2.1."]
    assert session.says("slower") == ["Slower, 1.7."]
    assert session.says("normal speed") == ["The usual speed."]
    assert (session.says("louder"), session.says("softer"), session.player.gain) == (
        ["Louder."],
        ["Softer."],
        0,
    )


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("shorter", Level.BRIEF),
        ("more detail", Level.FULL),
        ("quiet mode", Level.QUIET),
        ("full narration", Level.FULL),
    ],
)
def test_how_much_is_said_can_be_chosen_and_is_said_back(session: Session, said: str, level: Level) -> None:
    assert len(session.says(said)) == 1
    assert session.errands.verbosity.level is level


def test_continue_gives_the_rest_of_a_short_answer(session: Session) -> None:
    session.says("shorter")
    session.errands.verbosity.begin()
    session.errands.verbosity.filter(["One.", "Two.", "Three.", "Four."])
    assert session.says("continue") == ["Three.", "Four."]
    assert session.says("tell me more") == []


def test_spell_that_spells_the_last_name_and_again_in_words_for_letters(session: Session) -> None:
    assert session.says("spell that") == ["There is no name to spell yet."]
    session.errands.see(Replied("It is in parse_cfg now."))
    assert session.says("spell that") == ["p, a, r, s, e, underscore, c, f, g."]
    assert session.says("again")[0].startswith("papa, alfa, romeo, sierra, echo, underscore, charlie")
    session.says("status")
    assert session.says("again") == []  # of something else: the session repeats what was said


def test_code_is_read_exactly_and_at_the_chosen_punctuation(session: Session) -> None:
    assert session.says("read it exactly") == ["There was no code yet."]
    session.works_in("area.py", 2)
    assert session.says("read it exactly") == ["ls dash l src."]
    assert session.says("punctuation most") == ["Punctuation: most."]
    assert "star" in session.says("read line 3")[0]
    assert session.says("no punctuation") == ["Punctuation: none."]


def test_lines_are_read_from_where_the_work_was(session: Session) -> None:
    assert session.says("next line") == ["No file has been worked on yet. Ask for one first."]
    session.works_in("area.py", 2)
    assert session.says("where am I") == ["area dot py, line 2, in area on the branch main."]
    assert session.says("next line")[0].startswith("Line 3: ")
    assert session.says("previous line")[0].startswith("Line 2: ")
    assert [line[:7] for line in session.says("read lines 1 to 2")[-2:]] == ["Line 1:", "Line 2:"]
    assert len(session.says("read this function")) == 3
    assert session.says("read line 70") == ["area dot py has 5 lines."]


def test_what_changed_and_status_and_help_are_told(session: Session) -> None:
    assert session.says("what changed") == ["One file changed."]
    assert session.says("status") == ["I am listening."]
    session.requests(Written("run it", "run it", ()))
    assert session.says("what are you doing")[0].startswith("I am at work on your request: thinking, for 0 s")
    session.errands.see(AgentEvent(ToolCallReady("1", "run_tests", {})))
    assert "running the tests" in session.says("status")[0]
    session.errands.see(Replied("Done."))
    assert session.says("status") == ["I am listening."]
    first = session.says("help")
    assert len(first) == 7 and first[-1] == "Say more for the next ones."
    assert session.says("more")[0] not in first


@pytest.mark.parametrize(("word", "typed"), [("yes", ["undo that"]), ("no", [])])
def test_undo_names_the_file_and_is_asked_about_first(session: Session, word: str, typed: list[str]) -> None:
    session.word = word
    session.works_in("area.py", 2)
    told = session.says("undo that")
    (asked,) = [given.question for given in session.given if isinstance(given, Asked)]
    assert asked.asks == "Shall I take back the last change, in area dot py?"
    assert [given.text for given in session.given if isinstance(given, Typed)] == typed
    assert told == ([] if typed else ["I left it as it is."])


def test_redo_and_start_over_are_asked_about_first(session: Session) -> None:
    session.says("redo that")
    assert session.given[-1] == Typed("redo that")
    assert session.says("start over") == ["We begin anew."]
    session.word = "no"
    assert session.says("start over") == ["I left it as it is."]


def test_tightening_is_done_at_once_and_loosening_needs_a_yes(session: Session) -> None:
    assert session.says("read only mode") == ["I change nothing from now on."]
    assert session.agent.mode is Mode.READ_ONLY
    session.word = "no"
    session.says("allow edits")
    assert session.agent.mode is Mode.READ_ONLY
    session.says("ask first")
    assert session.agent.mode is Mode.ASK_FIRST
    session.word = "yes"
    session.says("allow edits")
    assert session.agent.mode is Mode.WORK


def test_words_of_the_project_are_learnt_written_down_and_forgotten(session: Session) -> None:
    assert session.says("add word kubectl") == ["I know kubectl now."]
    assert session.says("when I say cloud code I mean Claude Code") == ["I write Claude Code for cloud code."]
    session.says("add the word teas tree spelled t e a t r e e")
    assert session.errands.words.applied("ask cloud code about teas tree") == "ask Claude Code about teatree"
    assert project_words.load(session.words_file) == session.errands.words
    assert session.says("forget the word kubectl") == ["I forgot kubectl."]
    assert session.says("forget the word kubectl") == ["I knew no word kubectl."]
    assert "kubectl" not in session.words_file.read_text()


HEARD = Written(
    "open pars config",
    "open parse_config",
    (Change(5, 16, "pars config", "parse_config", Source.SIMILAR_IDENTIFIER, ("pass_config",)),),
    (Unsure(0, 4, "open", ("oven",)),),
)


def test_other_readings_have_numbers_and_the_one_that_is_picked_takes_the_place(session: Session) -> None:
    assert session.says("correct that") == ["You have not asked for anything yet."]
    session.requests(HEARD)
    told = session.says("correct that")
    assert [line[:9] for line in told[:-1]] == [f"Number {number}:" for number in range(1, len(told))]
    assert "Number 2: open pass_config" in told
    assert session.says("number 9") == [f"There are {len(told) - 1} of them."]
    session.says("option two")
    assert session.given[-1] == Pressed("I", (), ("open pass_config",))
    assert session.errands.corrections.chosen == "open pass_config"
    assert not session.machine.situation.choice


def test_what_else_was_heard_is_a_reading_too(session: Session) -> None:
    session.also_heard["run it"] = ["ruin it", "run it"]
    session.requests(Written("run it", "run it", ()))
    assert session.says("correct that")[0] == "Number 1: ruin it"
    session.says("number one")
    assert session.given[-1] == Pressed("I", (), ("ruin it",))


def test_a_new_request_closes_the_choice_and_without_doubt_there_is_none(session: Session) -> None:
    session.requests(HEARD)
    session.says("correct that")
    session.requests(Written("run it", "run it", ()))
    assert session.given[-1] == Offered(is_open=False)
    assert session.says("correct that")[0].startswith("I have no other reading")


def test_letters_take_the_place_of_what_they_were_heard_as(session: Session) -> None:
    session.requests(Written("open the teas tree file", "open the teas tree file", ()))
    session.says("spell it t e a t r e e")
    assert session.given[-1] == Pressed("I", (), ("open the teatree file",))
    assert session.says("spell it x y z")[0].startswith("Nothing that you said sounds like xyz.")


def test_try_again_is_what_was_not_understood_or_else_the_last_request(session: Session) -> None:
    assert session.says("try that again") == ["There is nothing to try again."]
    session.requests(HEARD)
    session.says("try again")
    assert session.given[-1] == Typed("open pars config")
    session.unheard = "run the tests"
    session.says("try that again")
    assert session.given[-1] == Typed("run the tests")
    session.unheard = ""
    assert session.says("try again") == ["I still cannot make out any words. I keep what you said."]


def test_another_voice_and_the_plain_one(session: Session) -> None:
    assert session.says("switch voice to Amy") == ["This is my voice now."]
    session.says("plain voice")
    assert session.voices == ["amy", None]


def test_the_transcript_is_kept_and_the_folder_named(session: Session) -> None:
    assert "20260101-120000" in session.says("save transcript")[0]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("never mind", "Dropped."),
        ("scratch that", "Dropped."),
        ("take your time", "I wait longer when you pause."),
        ("usual timing", "I wait as long as usual when you pause."),
        ("dictation on", "I take down what you say. Say done at the end."),
    ],
)
def test_what_cannot_be_heard_from_the_state_is_said(session: Session, said: str, told: str) -> None:
    assert session.says(said) == [told]


def test_a_key_whose_words_were_not_typed_asks_for_them(session: Session) -> None:
    by_name = {command.name: command for command in COMMANDS}
    told = [
        session.does(Spoken(by_name[name]))
        for name in (Name.ADD_WORD, Name.FORGET_WORD, Name.REPLACE_WORD, Name.I_SAID, Name.LITERAL)
    ]
    assert all(len(lines) == 1 and lines[0].endswith("?") for lines in told)
    assert session.does(Spoken(by_name[Name.PICK])) == ["Which number?"]
    assert session.does(Spoken(by_name[Name.SPELL_IT])) == ["Which letters?"]
