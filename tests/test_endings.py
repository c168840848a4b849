"""Words that end a turn, words that people say while they listen, and Utter's own words."""

from __future__ import annotations

import pytest

from voice.conversation.barge_in import BargeIn, is_backchannel
from voice.conversation.endings import Ending, ending_of
from voice.conversation.own_words import OwnWords


@pytest.mark.parametrize(
    ("text", "rest", "ending"),
    [
        ("Run the tests. Over.", "Run the tests.", Ending.SEND),
        ("Run the tests over", "Run the tests", Ending.SEND),
        ("run the tests, send it", "run the tests", Ending.SEND),
        ("Fix it. Over and out.", "Fix it.", Ending.SEND),
        ("Fix it, over.", "Fix it", Ending.SEND),
        ("Rename the function to, hold on", "Rename the function to", Ending.HOLD),
        ("Open calc dot pie, let me think.", "Open calc dot pie", Ending.HOLD),
        ("delete the cart class cancel cancel", "delete the cart class", Ending.CANCEL),
        ("Hand it over.", "Hand it over.", Ending.NONE),
        ("start over", "start over", Ending.NONE),
        ("write the mail and send it", "write the mail and send it", Ending.NONE),
        ("what are we iterating over", "what are we iterating over", Ending.NONE),
        ("put the handler on hold", "put the handler on hold", Ending.NONE),
        ("over", "over", Ending.NONE),
        ("", "", Ending.NONE),
    ],
)
def test_the_words_that_end_a_turn_are_taken_off_it(text: str, rest: str, ending: Ending):
    ended = ending_of(text)
    assert (ended.text, ended.ending) == (rest, ending)


@pytest.mark.parametrize(
    "text", ["Mm-hm.", "Okay.", "yeah, right", "Uh-huh", "Thank you.", "I see.", "okay okay"]
)
def test_what_listeners_say_is_no_turn(text: str):
    assert is_backchannel(text)


@pytest.mark.parametrize(
    "text", ["", "Okay, now run the tests", "no", "stop", "right click menu", "thank you note"]
)
def test_what_asks_for_something_is_one(text: str):
    assert not is_backchannel(text)


def test_speech_pauses_playback_after_200_ms_and_clicks_do_not():
    barge_in = BargeIn()
    assert [barge_in.process(True) for _ in range(12)].index(True) == 9
    barge_in = BargeIn()
    assert not any(barge_in.process(frame % 6 == 0) for frame in range(300))


def test_speech_with_a_gap_of_a_frame_or_two_still_counts():
    barge_in = BargeIn()
    marks = [barge_in.process(mark == "#") for mark in "####.###.###"]
    assert marks.index(True) <= 12


def test_utters_own_words_are_known_and_the_users_are_not():
    own = OwnWords()
    own.saying("Seven tests passed, one failed: test subtract.", 10.0)
    assert own.are_in("seven tests passed one failed", 11.0)
    assert own.are_in("Seven tests passed when failed", 11.0)
    assert not own.are_in("fix the failing test", 11.0)
    assert not own.are_in("test subtract", 11.0)
    assert not own.are_in("seven tests passed one failed", 41.0)


@pytest.mark.parametrize(
    ("text", "is_echo"),
    [
        ("Change limits dot py", True),
        ("change limit.", True),  # the end of the last word is lost easily
        ("limits", True),
        ("limit", False),  # one word may be anything
        ("change the limit", False),
        ("hange limits", False),
        ("I ch", False),  # so little may be anything
        ("May I", True),
        ("", False),
    ],
)
def test_a_piece_of_what_sounds_is_known(text: str, is_echo: bool):
    own = OwnWords()
    question = "May I change limits dot py?"
    own.saying(question, 10.0)
    own.may_come_back(10.0)
    assert own.is_echo(text, 10.2, [question]) == is_echo
    assert not own.is_echo(text, 20.0, [question])  # it has not been heard lately
