"""Push-to-talk: words count only between two presses of its key, and pauses between them end nothing."""

from __future__ import annotations

import pytest
from simulated_session import Ask, Burst, Speak, Step, World

from voice.config import SettingsError, load
from voice.conversation.approvals import Approved, Question
from voice.conversation.commands import Situation
from voice.conversation.keyboard import Keys, typed
from voice.conversation.machine import State
from voice.conversation.session_settings import SessionSettings
from voice.conversation.signals import Begin, PausePlayback, Pressed, Resolve, Say, TalkKey, Typed

KEY = SessionSettings(is_push_to_talk=True)
LONG = "One two three four five six seven eight nine ten"


def talk(world: World, *presses_s: float, until_s: float) -> World:
    """The key is pressed at these times: open, close, open …"""
    for at_s in presses_s:
        world.run(at_s).give(TalkKey())
    return world.run(until_s)


def test_what_is_said_while_the_key_was_not_pressed_is_not_heard():
    world = talk(
        World([Burst(1, 1, "Anna, lunch"), Burst(5, 1, "Run the tests")], settings=KEY), 4.8, 6.1, until_s=12
    )
    assert world.requests() == ["Run the tests"]
    assert [text for text, _ in world.taken()] == ["Run the tests"]


def test_the_second_press_ends_the_request_at_once_and_no_pause_does():
    bursts = [Burst(1.0, 1.0, "Rename the function", 0.9), Burst(9.0, 1.0, "parse config", 0.1)]
    world = talk(World(bursts, settings=KEY), 0.8, 10.1, until_s=14)
    assert world.requests() == ["Rename the function parse config"]
    assert len(world.decisions(Begin)) == 1
    assert world.times(Begin)[0] <= 10.1 + 0.02 + world.transcription_s + 0.04


def test_utter_falls_silent_when_the_key_is_pressed_and_goes_on_when_nothing_was_said():
    world = World([Burst(1, 1, "Explain the cart")], [[Speak(LONG)]], settings=KEY)
    talk(world, 0.8, 2.1, 3.4, 6.0, until_s=12)
    assert world.times(PausePlayback) == [3.4]
    assert world.said() == [LONG]


def test_a_command_still_ends_by_itself():
    world = talk(World([Burst(1, 0.5, "What changed?")], settings=KEY), 0.8, until_s=4)
    assert [took for _, took in world.taken()] == ["command"]


def test_a_yes_counts_only_while_the_key_is_pressed():
    question = Question("q1", "git commit", "Shall I commit this?", is_destructive=False)
    answer: list[Step] = [Ask(question)]
    bursts = [Burst(1, 1, "Commit it all"), Burst(6, 0.5, "Yes."), Burst(10, 0.5, "Yes.")]
    world = talk(World(bursts, [answer], settings=KEY), 0.8, 2.1, 9.8, 10.6, until_s=14)
    assert [decision.verdict for decision in world.decisions(Resolve)] == [Approved(question, "Yes.")]
    assert world.times(Resolve)[0] > 10.0


def test_the_key_wakes_and_without_the_setting_it_does_nothing():
    world = World([], settings=KEY)
    world.give(Pressed("Z"))
    assert world.machine.state is State.ASLEEP
    world.give(TalkKey())
    assert world.machine.state is State.LISTENING
    open_mic = talk(World([Burst(1, 1, "Run the tests")]), 0.5, until_s=6)
    assert open_mic.requests() == ["Run the tests"] and open_mic.decisions(Say)


def test_the_space_bar_is_the_key_and_where_lines_are_typed_an_empty_one():
    keys = Keys(lambda text: None, is_push_to_talk=True)
    assert keys.take(" ", Situation()) == [TalkKey()]
    assert keys.take("/run it\n", Situation()) == [Typed("run it")]  # a space inside a line is one
    assert typed("", Situation(), is_push_to_talk=True) == TalkKey()
    assert typed("", Situation()) is None


@pytest.mark.parametrize("phrase", ["", "hey computer", "are you there utter"])
def test_a_wake_phrase_has_two_words_or_more(phrase: str):
    assert load(overrides=[f'conversation.wake_phrase="{phrase}"']).conversation.wake_phrase == phrase


def test_a_single_word_is_no_wake_phrase():
    with pytest.raises(SettingsError, match="wake_phrase"):
        load(overrides=["conversation.wake_phrase=athena"])
