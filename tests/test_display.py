"""Captions of both sides as they happen: labelled lines for a screen reader, nothing torn in a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from agent.events import ToolArgumentsDelta, ToolCallReady, ToolCallStarted, ToolResult
from voice.audio.earcons import Earcon
from voice.commands.talk import plain_console
from voice.conversation.turns import (
    AgentEvent,
    Answered,
    CommandDone,
    Interrupted,
    Moment,
    NotTaken,
    Saying,
    Sounded,
    Stamped,
    Told,
    Understood,
    UtteranceHeard,
    Wrote,
)
from voice.display import Display
from voice.hearing.spoken_code import Written
from voice.hearing.transcribe import Heard

HEARD = Heard("Run the toasts.", (), -0.2, 0.01, 1.0, None, 1.0, 0.1)
MOMENTS: tuple[tuple[Moment, str], ...] = (
    (UtteranceHeard(HEARD, 1.0), "you: Run the toasts."),
    (Wrote("run the tests"), "you: run the tests"),
    (Understood(Written("run the toasts", "run the tests", ())), "understood: run the tests"),
    (Saying("Ten passed."), "utter: Ten passed."),
    (NotTaken("Anna?", "asleep"), "not taken: asleep, 'Anna?'"),
    (CommandDone("read_lines"), "command: read lines"),
    (Interrupted("Ten"), "interrupted; heard until then: Ten"),
    (
        Answered("rm -rf build", False, "No.", "said_no"),
        "action: `rm -rf build`: not allowed, said no; heard: No.",
    ),
    (Told("The microphone is gone."), "note: The microphone is gone."),
    *((Sounded(earcon.value), f"sound: {earcon.value}") for earcon in Earcon),
)


def shown(console: Console, out: io.StringIO, *moments: Moment) -> str:
    display = Display(console)
    for moment in moments:
        display.tell(Stamped(1.0, moment))
    return out.getvalue()


@pytest.mark.parametrize(("moment", "line"), MOMENTS, ids=lambda one: type(one).__name__)
def test_each_moment_is_one_labelled_line_for_a_screen_reader(moment: Moment, line: str) -> None:
    out = io.StringIO()
    assert shown(plain_console(out), out, moment) == line + "\n"


def test_each_sound_is_a_word_of_its_own() -> None:
    assert len({earcon.value for earcon in Earcon}) == len(Earcon)


CALL = (
    ToolCallStarted("1", "edit_file"),
    ToolArgumentsDelta("1", '{"path": '),
    ToolArgumentsDelta("1", '"a"}'),
)


def test_for_a_screen_reader_a_call_comes_once_and_whole_and_nothing_is_drawn_over() -> None:
    out = io.StringIO()
    moments = [AgentEvent(event) for event in (*CALL, ToolCallReady("1", "edit_file", {"path": "a"}))]
    text = shown(plain_console(out), out, *moments, AgentEvent(ToolResult("1", True, "ok", ())))
    assert text == 'tool: edit_file {"path": "a"}\nresult: ok\n'
    assert "\x1b" not in text and "\r" not in text


def test_in_a_terminal_what_comes_between_the_pieces_of_a_call_has_a_line_of_its_own() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, no_color=True, width=100, highlight=False)
    pieces = [AgentEvent(event) for event in CALL]
    shown(console, out, *pieces[:2], Saying("One."), pieces[2], Saying("Two."))
    lines = [line for line in out.getvalue().splitlines() if "utter" in line]
    assert len(lines) == 2
    assert all(line.replace("\x1b[2m", "").startswith("utter") for line in lines)
