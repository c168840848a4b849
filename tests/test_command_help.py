"""Help on the commands: few at a time, only what can be said now; the documentation is up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice.conversation.command_help import as_markdown, help_page, spoken_form
from voice.conversation.command_table import COMMANDS
from voice.conversation.commands import Situation, commands_in, valid_now


def test_help_tells_six_at_a_time_and_all_in_the_end():
    pages = [help_page(Situation(), page) for page in range(12)]
    told = [line for page in pages for line in page]
    assert max(map(len, pages)) == 6
    assert len(told) == len(set(told)) == len([one for one in valid_now(Situation()) if one.group])
    assert pages[-1] == ()


def test_help_begins_with_the_answers_while_a_question_waits():
    assert [line.partition(":")[0] for line in help_page(Situation(question=True))[:3]] == [
        "yes",
        "no",
        "explain",
    ]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name.value)
def test_what_is_told_can_be_said(command):
    said = spoken_form(command)
    situation = Situation(question=True, choice=True, dictation=command.name.value == "dictation_off")
    assert [spoken.name for spoken in commands_in(said, situation)] == [command.name]


def test_the_page_of_the_documentation_is_the_table():
    page = Path(__file__).parent.parent / "docs" / "commands.md"
    assert page.read_text(encoding="utf-8") == as_markdown()
