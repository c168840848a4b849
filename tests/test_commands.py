"""Local commands: every phrase of the table fires, only as the whole utterance, and near misses never do."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.conversation.command_table import COMMANDS, Name, Tier
from voice.conversation.commands import Situation, by_key, commands_in, is_complete_command, valid_now
from voice.conversation.patterns import all_phrases, expand
from voice.conversation.words import plain_words

IDLE = Situation()
EVERYTHING = Situation(question=True, choice=True)
FILLED = {
    "<number>": "7",
    "<letters>": "a b c",
    "<words>": "fast API",
    "<name>": "Amy",
    "<term>": "Kubernetes",
    "<aside>": "I am on the phone",
}
PHRASES = [
    (command.name, " ".join(FILLED.get(token, token) for token in phrase.split()))
    for command, phrase in all_phrases()
]


def names(text: str, situation: Situation = IDLE, speech_s: float | None = None) -> list[Name]:
    return [spoken.name for spoken in commands_in(text, situation, speech_s)]


def situation_for(name: Name) -> Situation:
    return Situation(dictation=True) if name is Name.DICTATION_OFF else EVERYTHING


def test_there_are_all_32_families_and_each_command_once():
    assert {command.group for command in COMMANDS} == set(range(33))
    assert {command.name for command in COMMANDS} == set(Name)
    assert max(Counter(command.name for command in COMMANDS).values()) == 1


def test_every_command_has_a_key_of_its_own():
    assert max(Counter(command.key for command in COMMANDS).values()) == 1
    for command in COMMANDS:
        assert by_key(command.key, Situation(question=True, choice=True, dictation=True)) is command


@pytest.mark.parametrize(("name", "phrase"), PHRASES, ids=lambda value: str(getattr(value, "value", value)))
def test_every_phrase_of_the_table_is_its_command(name: Name, phrase: str):
    assert names(phrase, situation_for(name)) == [name]


def test_no_phrase_stands_for_two_commands():
    meant: dict[str, Name] = {}
    for command, phrase in all_phrases():
        key = " ".join(plain_words(phrase))
        assert meant.setdefault(key, command.name) is command.name, phrase


@pytest.mark.parametrize(
    "text",
    [
        "stop the server",
        "stop server",
        "make it stop",
        "stop at line 40",
        "don't stop",
        "the tests stop after ten seconds",
        "nonstop",
        "add a stop button",
        "stop and start the server",
        "stops",
        "abort the merge",
        "cancel the subscription in billing dot py",
        "cancel button",
        "never mind the tests, run lint",
        "pause the animation",
        "wait for the queue to drain",
        "wait until the tests are done",
        "hold on to the reference",
        "continue the loop",
        "continue statement",
        "go on with the refactoring",
        "more tests please",
        "repeat the string three times",
        "repeat function",
        "again run the tests",
        "skip the failing test",
        "next function",
        "next line of the file should be empty",
        "go back to the old design",
        "back up the database",
        "faster sorting",
        "make it faster",
        "louder than bombs",
        "shorter names please",
        "make it shorter than eighty characters",
        "more details about parse config",
        "spell check the readme",
        "spell that function correctly",
        "read it into a list",
        "punctuation is wrong in the readme",
        "read line by line",
        "read lines from the file",
        "line 40 is wrong",
        "read line 40 and fix it",
        "where am I calling parse config",
        "what changed in calc dot pie",
        "status code 404",
        "status of the pull request",
        "what are you doing in that function",
        "go to sleep function",
        "go to sleep dot py",
        "go to line 40 and sleep",
        "sleep for two seconds",
        "wake up the worker thread",
        "wake up call",
        "start listening on port 80",
        "stop listening on port 80",
        "over the last week",
        "send it to the printer",
        "hand it over",
        "scratch that itch",
        "scratch file",
        "correct that typo",
        "number 7",
        "option two",
        "the first one",
        "yes",
        "no",
        "explain",
        "yes I am sure",
        "what is that",
        "undo the migration",
        "undo that and run the tests",
        "undo function",
        "redo log",
        "read only property",
        "read only the first line",
        "ask first the user",
        "allow edits to the config",
        "add word count to the status bar",
        "when I say hello",
        "forget about the tests",
        "forget it and move on",
        "forget to close the file",
        "mute the warnings",
        "private mode flag",
        "help me fix the tests",
        "help text",
        "switch to the main branch",
        "use the voice module",
        "save the transcript to a database",
        "start over from the first test",
        "goodbye message",
        "quit the loop",
        "exit code one",
        "done",
        "say hello",
        "silence the warnings",
        "quiet flag",
        "be quiet about errors",
        "resume the download",
        "unmute button",
    ],
)
def test_a_near_miss_is_left_to_the_agent(text: str):
    assert names(text) == []


@pytest.mark.parametrize("name", [name for name, _ in PHRASES[::7]], ids=str)
@pytest.mark.parametrize(
    "frame", ["{} the server", "do not {}", "please fix the function that says {} twice"]
)
def test_a_phrase_inside_a_longer_request_does_nothing(name: Name, frame: str):
    phrases = [p for n, p in PHRASES if n is name and not any(p.endswith(f) for f in FILLED.values())]
    for phrase in phrases:
        assert names(frame.format(phrase)) == []


@given(
    st.sampled_from(PHRASES), st.sampled_from(["server", "parse config", "in the readme", "tests", "button"])
)
def test_a_command_of_fixed_words_never_fires_with_words_after_it(phrase: tuple[Name, str], more: str):
    name, text = phrase
    free = any(filling in text for filling in FILLED.values()) or "go to sleep" in text
    if not free:
        assert name not in names(f"{text} {more}", situation_for(name))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Stop.", [Name.STOP]),
        ("Okay, stop!", [Name.STOP]),
        ("um, stop please", [Name.STOP]),
        ("Hey Utter, stop talking.", [Name.STOP]),
        ("stop, stop", [Name.STOP]),
        ("Stop, stop, stop.", [Name.ABORT]),
        ("stop stop stop stop stop", [Name.ABORT]),
        ("Could you repeat that, please?", [Name.REPEAT]),
        ("louder and slower", [Name.LOUDER, Name.SLOWER]),
        ("louder, stop", [Name.STOP, Name.LOUDER]),
        ("stop and go to sleep", [Name.STOP, Name.SLEEP]),
        ("never mind, go back", [Name.CANCEL, Name.BACK]),
        ("continu", [Name.CONTINUE]),
        ("wake up, wake up", [Name.WAKE]),
        ("What’s changed?", [Name.WHAT_CHANGED]),
        ("Go to sleep, I'm talking to Anna about lunch.", [Name.SLEEP]),
        ("Read-only mode.", [Name.READ_ONLY]),
        ("Goodbye.", [Name.GOODBYE]),
    ],
)
def test_how_people_say_it(text: str, expected: list[Name]):
    assert names(text) == expected


@pytest.mark.parametrize(
    ("text", "numbers", "texts"),
    [
        ("Read line 40 to 52.", (40, 52), ()),
        ("read lines forty to fifty-two", (40, 52), ()),
        ("Read lines 40-52.", (40, 52), ()),
        ("read lines one hundred and five through 1,200", (105, 1200), ()),
        ("line 7", (7,), ()),
        ("When I say Barack in, I mean barge-in.", (), ("Barack in", "barge-in")),
        ("add word FastAPI", (), ("FastAPI",)),
        ("Add the word Zod spelled zip odd delta.", (), ("Zod", "zod")),
        ("forget the word kubectl", (), ("kubectl",)),
        ("switch voice to Amy", (), ("Amy",)),
        ("punctuation most", (), ("most",)),
        ("spell it cap papa alpha are underscore 2", (), ("Par_2",)),
        ("I said, run the Tests", (), ("run the Tests",)),
        ("literal stop", (), ("stop",)),
        ("option too", (2,), ()),
        ("number three", (3,), ()),
        ("the last one", (-1,), ()),
    ],
)
def test_arguments_are_handed_on(text: str, numbers: tuple[int, ...], texts: tuple[str, ...]):
    (spoken,) = commands_in(text, EVERYTHING)
    assert (spoken.numbers, spoken.texts) == (numbers, texts)


def test_said_over_and_over_a_harmless_command_counts_so_often_and_one_that_needs_a_yes_is_none():
    (spoken,) = commands_in("next next next", IDLE)
    assert (spoken.name, spoken.times) == (Name.SKIP, 3)
    assert names("undo undo") == []


def test_a_loop_of_the_recogniser_is_no_abort_and_neither_are_words_that_no_one_can_say_so_fast():
    assert names("stop " * 9) == []
    assert names("stop stop stop", speech_s=0.2) == []
    assert names("stop stop stop", speech_s=0.8) == [Name.ABORT]


def test_asleep_only_waking_is_heard_and_deeply_asleep_only_the_longer_phrase():
    asleep, deep = Situation(asleep=True), Situation(asleep=True, deep_asleep=True)
    heard = {text: names(text, asleep) for text in ("wake up", "stop", "resume listening", "yes", "undo")}
    assert heard == {
        "wake up": [Name.WAKE], "stop": [], "resume listening": [Name.WAKE], "yes": [], "undo": []
    }  # fmt: skip
    assert names("wake up", deep) == []
    assert names("wake up and listen", deep) == [Name.DEEP_WAKE]
    assert by_key("k", deep) is not None


def test_while_dictating_commands_are_words_but_for_safety_and_the_end():
    dictating = Situation(dictation=True)
    said = ["next line", "faster", "undo", "stop", "done", "scratch that", "status"]
    assert [names(text, dictating) for text in said] == [
        [], [], [], [Name.STOP], [Name.DICTATION_OFF], [Name.SCRATCH_THAT], []
    ]  # fmt: skip


def test_answers_are_commands_only_while_a_question_waits():
    asked = Situation(question=True)
    assert [names(text, asked) for text in ("yes", "no", "explain")] == [
        [Name.YES], [Name.NO], [Name.EXPLAIN]
    ]  # fmt: skip
    assert {command.name for command in valid_now(asked)} > {Name.YES, Name.NO, Name.STOP}
    assert Name.YES not in {command.name for command in valid_now(IDLE)}


def test_what_could_go_on_is_not_complete():
    complete = {
        text: is_complete_command(text, IDLE) for text in ("stop", "what changed", "read line 40", "fix it")
    }
    assert complete == {"stop": True, "what changed": True, "read line 40": False, "fix it": False}


def test_a_command_that_cannot_be_taken_back_by_the_next_word_asks_first():
    assert {command.name for command in COMMANDS if command.tier is Tier.CONFIRM} == {
        Name.UNDO, Name.REDO, Name.ALLOW_EDITS, Name.START_OVER
    }  # fmt: skip


def test_patterns_are_taken_apart():
    assert expand("[a|b] c (d|e f) {g}") == (
        ("c", "d", "=g"), ("c", "e", "f", "=g"), ("a", "c", "d", "=g"), ("a", "c", "e", "f", "=g"),
        ("b", "c", "d", "=g"), ("b", "c", "e", "f", "=g"),
    )  # fmt: skip


@given(st.text(max_size=60))
def test_any_text_is_matched_without_error(text: str):
    commands_in(text, EVERYTHING)
