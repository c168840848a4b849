"""The session where it once went wrong: words lost or taken for others, questions that hung unheard."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulated_session import Ask, Burst, Speak, Step, Tool, World

from voice.audio.earcons import Earcon
from voice.conversation.approvals import ApprovalSettings, Approved, Denied, Question, Why
from voice.conversation.machine import State
from voice.conversation.session_settings import SessionSettings
from voice.conversation.signals import (
    Asked,
    Begin,
    Frame,
    KillTools,
    Notice,
    Pressed,
    Resolve,
    Sound,
    TalkKey,
    Typed,
)
from voice.conversation.turn_taking import TurnSettings

COMMIT = Question("q1", "git commit", "Shall I commit this?", is_destructive=False)
DELETE = Question("q2", "rm -rf build", "Shall I delete the folder build?", is_destructive=True)
LONG = "One two three four five six seven eight nine ten"  # 3 s of speech


def asked(question: Question, *bursts: Burst, settings: SessionSettings | None = None) -> World:
    """The question sounds from about 2.4 s, and for 1.2 s (commit) or 1.8 s (delete)."""
    steps: tuple[Step, ...] = (Ask(question), Speak("All right"))
    first = Burst(1.0, 1.0, "Hey computer, explain the cart" if settings else "Explain the cart")
    return World([first, *bursts], [steps], settings=settings or SessionSettings())


def verdicts(world: World) -> list[object]:
    return [resolved.verdict for resolved in world.decisions(Resolve)]


# ------------------------------------------------------------------------------------------- words that wait


@pytest.mark.parametrize("noise_s", [0.06, 0.18, 0.5])
def test_a_click_or_a_cough_does_not_end_the_time_to_think(noise_s: float):
    bursts = [
        Burst(1.0, 1.0, "Rename parse config to, hold on", 0.9),
        Burst(4.0, noise_s, ""),
        Burst(8.0, 1.0, "load settings"),
    ]
    assert World(bursts).run(14).requests() == ["Rename parse config to load settings"]


def test_time_to_think_is_never_shorter_than_the_pause_that_the_user_chose():
    slow = SessionSettings(turns=TurnSettings(incomplete_s=20.0))
    world = World([Burst(1.0, 1.0, "Rename it to, hold on"), Burst(15.0, 1.0, "load", 0.9)], settings=slow)
    assert world.run(40).requests() == ["Rename it to load"]


def test_what_was_set_aside_for_later_is_dropped_by_stop_stop_stop_and_by_cancel():
    for word in ("Stop, stop, stop!", "Cancel."):
        later, end = Burst(5.0, 1.5, "and delete the old folder too"), Burst(11.0, 1.0, word)
        world = asked(COMMIT, later, end).run(20)
        assert world.requests() == ["Explain the cart"], word
        assert ("and delete the old folder too", "later") in world.taken()


def test_stop_stop_stop_drops_words_that_wait_for_their_rest():
    bursts = [Burst(1.0, 1.0, "Delete the folder, hold on", 0.9), Burst(4.0, 1.0, "Stop, stop, stop!")]
    world = World(bursts).run(20)
    assert world.requests() == [] and len(world.decisions(KillTools)) == 1


def test_a_yes_that_does_not_count_is_no_request_either():
    phrase = SessionSettings(approvals=ApprovalSettings(phrase="make it so number one"))
    for at_s in (3.0, 6.0):
        said = Burst(at_s, 1.2, "make it so number one", logprob=-2.0)
        world = World([Burst(1.0, 1.0, "Explain"), said], [(Ask(DELETE),)], settings=phrase).run(30)
        assert world.requests() == ["Explain"]
    world = asked(DELETE, Burst(6.0, 1.0, "yes yes go ahead"), Burst(14.0, 0.4, "No.")).run(24)
    assert world.requests() == ["Explain the cart"]


# ------------------------------------------------------------------------------- whose words they are


def test_words_that_utter_said_a_while_ago_are_the_users_when_it_is_silent():
    answer = (Speak("I could fix the failing test"),)
    world = World([Burst(1.0, 1.0, "What now"), Burst(9.0, 1.0, "Fix the failing test")], [answer]).run(14)
    assert world.requests() == ["What now", "Fix the failing test"]


def test_with_headphones_words_that_utter_is_just_saying_may_be_the_users():
    for may_be_echo, taken in ((True, "own_voice"), (False, "command")):
        world = World([Burst(4.0, 1.0, "What changed")], ())
        world.give(Notice("Say what changed, or where am I, or read the next line of the file at once"))
        give = world.give
        world.give = lambda one, give=give, may=may_be_echo: give(  # type: ignore[method-assign]
            replace(one, may_be_echo=may) if isinstance(one, Frame) else one
        )
        assert world.run(9.0).taken() == [("What changed", taken)]


# ------------------------------------------------------------------------------ questions that hung


def test_a_question_that_is_skipped_is_asked_again_and_does_not_wait_unheard_for_ever():
    world = asked(COMMIT).run(3.0)
    world.give(Pressed("n"))
    world.run(60)
    assert COMMIT.asks in world.said()
    assert verdicts(world) == [Denied(COMMIT, Why.SILENCE)]


def test_a_question_of_the_session_outlives_the_turn_beside_it():
    world = World([Burst(1.0, 1.0, "Explain the cart"), Burst(9.0, 0.4, "Yes.")], [(Tool(2.0),)]).run(3.0)
    world.give(Asked(0, COMMIT))
    world.run(14.0)
    assert verdicts(world) == [Approved(COMMIT, "Yes.")]


def test_a_question_and_words_that_wait_for_their_rest_do_not_wait_for_each_other():
    world = World([Burst(1.0, 1.0, "Rename it to, hold on"), Burst(7.0, 0.4, "Yes.")]).run(3.0)
    world.give(Asked(0, COMMIT))
    world.run(14.0)
    assert verdicts(world) == [Approved(COMMIT, "Yes.")]
    assert world.requests() == ["Rename it to"]


def test_who_wants_a_pause_has_not_answered():
    world = asked(COMMIT, Burst(5.0, 0.4, "Pause."), Burst(9.0, 0.4, "Pause."), Burst(13.0, 0.4, "Yes."))
    assert verdicts(world.run(16.0)) == [Approved(COMMIT, "Yes.")]


@pytest.mark.parametrize("at_s", [0.6, 3.0])
def test_the_key_of_cancel_drops_a_question_of_the_session_too(at_s: float):
    world = World([])
    world.give(Asked(0, COMMIT))
    world.run(at_s).give(Pressed("c"))
    world.run(6.0)
    assert verdicts(world) == [Denied(COMMIT, Why.SAID_NO)]
    assert world.machine.state is State.LISTENING


def test_a_question_of_the_session_that_a_typed_request_cut_is_asked_again():
    world = World([])
    world.give(Asked(0, COMMIT))
    world.run(0.5).give(Typed("Explain the cart"))
    world.run(20.0)
    assert COMMIT.asks in world.said()


@pytest.mark.parametrize("word", ["Continue.", "Yes.", "What a lovely day it is"])
def test_a_question_that_came_while_speech_was_paused_is_heard_when_the_user_goes_on(word: str):
    steps = (Speak(LONG), Tool(3.0), Ask(COMMIT))
    bursts = [Burst(1.0, 1.0, "Explain the cart"), Burst(4.0, 0.4, "Pause."), Burst(12.0, 0.6, word)]
    world = World(bursts, [steps]).run(20)
    assert any(COMMIT.asks in text for text in world.said())
    assert verdicts(world) == []


# ------------------------------------------------------------------------------------- a wake phrase


def test_with_a_wake_phrase_a_yes_of_somebody_else_approves_nothing_and_a_no_counts_always():
    wake = SessionSettings(wake_phrase="hey computer")
    world = asked(COMMIT, Burst(20.0, 0.4, "Yes."), settings=wake).run(24)
    assert verdicts(world) == [] and ("Yes.", "not_addressed") in world.taken()
    world = asked(COMMIT, Burst(20.0, 0.8, "Hey computer, yes."), settings=wake).run(24)
    assert verdicts(world) == [Approved(COMMIT, "yes.")]
    world = asked(COMMIT, Burst(20.0, 0.4, "No."), settings=wake).run(24)
    assert verdicts(world) == [Denied(COMMIT, Why.SAID_NO, "No.")]
    world = asked(COMMIT, Burst(5.0, 0.4, "Yes."), settings=wake).run(9)
    assert verdicts(world) == [Approved(COMMIT, "Yes.")]  # soon after the question


# ------------------------------------------------------------------------------------- push-to-talk


def talk(world: World, *keys_s: float, until_s: float) -> World:
    for at_s in keys_s:
        world.run(at_s).give(TalkKey())
    return world.run(until_s)


def by_key(*bursts: Burst, answers: tuple[tuple[Step, ...], ...] = ()) -> World:
    return World(bursts, answers, settings=SessionSettings(is_push_to_talk=True))


def test_no_silence_ends_what_is_said_while_the_key_is_down_not_even_after_hold_on():
    bursts = (Burst(1.5, 1.0, "Rename it to, hold on"), Burst(16.0, 1.0, "load settings"))
    world = talk(by_key(*bursts), 1.0, 18.0, until_s=22)
    assert world.requests() == ["Rename it to load settings"]
    assert world.times(Begin)[0] >= 18.0


def test_a_long_story_is_sent_at_the_key_also_when_its_last_piece_is_a_breath():
    bursts = (Burst(1.5, 21.0, "A long story"), Burst(23.5, 0.4, ""))
    world = talk(by_key(*bursts), 1.0, 23.9, until_s=30)
    assert world.requests() == ["A long story"]


def test_a_key_that_was_forgotten_does_not_keep_utter_silent():
    world = talk(by_key(Burst(1.5, 1.0, "Explain the cart")), 1.0, until_s=80)
    assert world.requests() == ["Explain the cart"]
    assert world.said() == ["Done."]
    idle = World([], [(Tool(2.0), Ask(COMMIT))], settings=SessionSettings(is_push_to_talk=True))
    idle.give(Typed("Commit it"))
    assert COMMIT.asks in talk(idle, 1.0, until_s=70).said()
    assert Sound(Earcon.ASLEEP) in idle.decisions(Sound)  # who cannot see it hears that it is closed
    over = talk(by_key(Burst(1.5, 1.0, "Explain the cart, over")), 1.0, until_s=12)
    assert over.said() == ["Done."]
