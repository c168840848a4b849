"""The session on a virtual clock: scripted conversations, and random ones that must keep four promises."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulated_session import Ask, Burst, Speak, Step, Tool, World

from voice.audio.earcons import Earcon
from voice.conversation.approvals import ApprovalSettings, Approved, Denied, Question, Why
from voice.conversation.machine import SessionMachine, State
from voice.conversation.session_settings import SessionSettings
from voice.conversation.signals import (
    Asked,
    Begin,
    Clause,
    CutPlayback,
    CutTurn,
    Foresee,
    ItemHeard,
    Judged,
    KillTools,
    Notice,
    Offered,
    PausePlayback,
    Perform,
    Prepare,
    Pressed,
    Resolve,
    ResumePlayback,
    Say,
    Sound,
    Took,
    ToolBegan,
    Transcribed,
    TurnOver,
    Typed,
    Withdraw,
)
from voice.conversation.turn_events import Glimpse, Judge, Transcribe

COMMIT = Question("q1", "git commit", "Shall I commit this?", is_destructive=False)
DELETE = Question("q2", "rm -rf build", "Shall I delete the folder build?", is_destructive=True)
LONG = "One two three four five six seven eight nine ten"  # 3 s of speech


def after_request(*bursts: Burst, answer: tuple[Step, ...] = (Speak(LONG), Speak("The end"))) -> World:
    """The user asks at 1 s, for 1 s; Utter begins to answer at about 2.6 s."""
    return World([Burst(1.0, 1.0, "Explain the cart"), *bursts], [answer])


def test_a_request_is_taken_as_soon_as_it_sounds_complete_and_its_words_are_known():
    world = after_request().run(12)
    assert world.requests() == ["Explain the cart"]
    assert 2.3 <= world.times(Begin)[0] <= 2.5
    assert world.said() == [LONG, "The end"]
    assert world.machine.state is State.LISTENING
    order = list(dict.fromkeys(world.states))
    assert order == [State.LISTENING, State.JUDGING, State.THINKING, State.SPEAKING]


def test_a_thinking_pause_of_one_and_a_half_seconds_cuts_nothing():
    bursts = [Burst(1.0, 1.0, "Rename the function", 0.1), Burst(3.5, 0.8, "parse config to load settings")]
    world = World(bursts).run(12)
    assert world.requests() == ["Rename the function parse config to load settings"]
    assert len(world.decisions(Begin)) == 1
    assert world.decisions(Withdraw) == [Withdraw(1)]  # what was prepared on the first half


def test_the_rest_of_a_request_that_was_taken_too_early_joins_it():
    bursts = [Burst(1.0, 1.0, "Rename the function", 0.9), Burst(3.0, 0.8, "parse config please")]
    world = World(bursts, [[Tool(3.0)], [Speak("Done")]]).run(12)
    assert world.requests() == ["Rename the function parse config please"]


@pytest.mark.parametrize("transcription_s", [0.1, 0.5])
def test_the_rest_of_a_request_joins_it_also_when_the_answer_had_begun(transcription_s: float):
    bursts = [Burst(1.0, 1.0, "Fix the failing test", 0.9), Burst(3.5, 0.8, "but not the test itself")]
    for answer in (LONG, "Well"):
        world = World(bursts, [[Speak(answer)]], transcription_s).run(12)
        assert world.requests()[-1] == "Fix the failing test but not the test itself"
        assert world.said()[-1] == "Done."
    late = World([bursts[0], replace(bursts[1], at_s=4.0)], [[Speak(LONG)]], transcription_s).run(12)
    assert late.requests()[-1] == "but not the test itself"


def test_a_pause_that_sounds_incomplete_ends_after_two_seconds_and_four_when_one_takes_ones_time():
    world = World([Burst(1.0, 1.0, "Rename the", 0.1)]).run(8)
    assert 3.95 <= world.times(Begin)[0] <= 4.05
    assert world.decisions(Prepare) == [Prepare(1, "Rename the")]
    assert world.times(Prepare)[0] <= 2.45  # long before it is sure
    patient = World([Burst(1.0, 0.6, "Take your time"), Burst(4.0, 1.0, "Rename the", 0.1)]).run(12)
    assert 8.95 <= patient.times(Begin)[0] <= 9.05


def test_a_local_command_ends_after_less_than_half_a_second_and_needs_no_agent():
    world = World([Burst(1.0, 0.5, "What changed?", 0.1)], transcription_s=0.1).run(4)
    assert [done.spoken.name.value for done in world.decisions(Perform)] == ["what_changed"]
    assert 1.68 <= world.times(Perform)[0] <= 1.76
    assert world.decisions(Begin) == []
    assert world.decisions(Judge) == []  # its words came first


def test_over_sends_at_once_and_hold_on_waits_for_the_rest():
    world = World([Burst(1.0, 1.0, "Run the tests, over", 0.1)], transcription_s=0.1).run(4)
    assert world.requests() == ["Run the tests"]
    assert world.times(Begin)[0] <= 2.3
    bursts = [Burst(1.0, 1.0, "Rename parse config to, hold on", 0.9), Burst(7.0, 1.0, "load settings")]
    held = World(bursts).run(12)
    assert held.requests() == ["Rename parse config to load settings"]
    forgotten = World(bursts[:1]).run(14)
    assert forgotten.requests() == ["Rename parse config to"]


def test_a_cough_pauses_nothing_or_is_resumed_where_it_was():
    world = after_request(Burst(4.0, 0.1, ""), Burst(5.0, 0.3, "")).run(14)
    assert len(world.decisions(PausePlayback)) == len(world.decisions(ResumePlayback)) == 1
    assert world.decisions(CutPlayback) == []
    assert world.said() == [LONG, "The end"]
    assert world.times(ResumePlayback)[0] - 5.3 <= 2.0


def test_what_listeners_say_does_not_interrupt():
    world = after_request(Burst(4.0, 0.4, "Mm-hm.")).run(14)
    assert world.said() == [LONG, "The end"]
    assert world.decisions(CutTurn) == []
    assert ("Mm-hm.", "backchannel") in world.taken()


def test_real_words_cut_the_turn_and_are_the_next_request():
    world = after_request(Burst(4.0, 1.2, "No, only the total")).run(14)
    assert 4.16 <= world.times(PausePlayback)[0] <= 4.3
    assert world.decisions(CutTurn) == [CutTurn(1)]
    assert world.requests() == ["Explain the cart", "No, only the total"]
    assert world.said() == ["Done."]


def test_stop_silences_and_the_work_goes_on_and_continue_says_the_rest():
    world = after_request(
        Burst(4.0, 0.4, "Stop."),
        Burst(9.0, 0.5, "Continue."),
        answer=(Speak(LONG), Tool(3.0), Speak("The end")),
    ).run(20)
    assert world.decisions(CutTurn) == [] and world.decisions(KillTools) == []
    assert len(world.decisions(CutPlayback)) == 1
    assert world.said() == [LONG, "The end"]
    assert world.heard[0][0] > 9.5


def test_stop_stop_stop_ends_the_turn_and_kills_its_tools():
    world = after_request(Burst(4.0, 1.0, "Stop, stop, stop!"), answer=(Tool(30.0), Speak("The end"))).run(14)
    assert world.decisions(CutTurn) == [CutTurn(1)]
    assert len(world.decisions(KillTools)) == 1
    assert Sound(Earcon.STOPPED) in world.decisions(Sound)
    assert world.said() == []
    assert world.machine.state is State.LISTENING


def test_pause_holds_and_continue_goes_on_at_the_word():
    world = after_request(Burst(4.0, 0.4, "Pause."), Burst(12.0, 0.5, "Go on.")).run(20)
    assert world.decisions(CutPlayback) == []
    assert world.heard[0][0] > 12.5
    assert world.said() == [LONG, "The end"]


def test_a_harmless_command_does_not_interrupt_what_is_said():
    world = after_request(Burst(4.0, 0.4, "Slower.")).run(14)
    assert [done.spoken.name.value for done in world.decisions(Perform)] == ["slower"]
    assert world.said() == [LONG, "The end"]


def test_a_tool_is_heard_after_one_second_and_told_after_four_and_neither_while_the_user_speaks():
    world = after_request(answer=(Tool(6.0), Speak("The end"))).run(14)
    began_s = world.times(Begin)[0]
    tool_s = [at for at, decision in world.log if decision == Sound(Earcon.TOOL)]
    assert [round(at - began_s, 1) for at in tool_s] == [1.0]
    assert world.said() == ["Still running the tests.", "The end"]
    talking = after_request(Burst(3.0, 4.5, "and so on", 0.1), answer=(Tool(6.0), Speak("The end"))).run(7.4)
    assert Sound(Earcon.TOOL) not in talking.decisions(Sound)
    assert talking.decisions(Say) == []


def test_asleep_nothing_is_done_and_awake_the_answer_is_said():
    world = after_request(
        Burst(4.0, 0.8, "Go to sleep, Anna is here"),
        Burst(7.0, 1.0, "Run the tests"),
        Burst(10.0, 0.6, "Wake up"),
    ).run(20)
    assert world.requests() == ["Explain the cart"]
    assert ("Run the tests", "asleep") in world.taken()
    assert State.ASLEEP in world.states
    assert world.said() == [LONG, "The end"]
    assert world.heard[0][0] > 10.6


def test_deep_sleep_needs_the_longer_phrase():
    bursts = [Burst(1.0, 0.6, "Deep sleep"), Burst(4.0, 0.6, "Wake up")]
    assert World(bursts).run(8).machine.state is State.ASLEEP
    bursts[1] = Burst(4.0, 0.9, "Wake up and listen")
    assert World(bursts).run(8).machine.state is State.LISTENING


def test_its_own_words_in_the_microphone_are_no_request():
    world = after_request(Burst(4.0, 1.0, "two three four five")).run(14)
    assert ("two three four five", "own_voice") in world.taken()
    assert world.said() == [LONG, "The end"]


@pytest.mark.parametrize(
    ("heard", "taken"),
    [
        ("the last chain", "own_voice"),
        ("take back the last", "own_voice"),
        ("Again, again.", "own_voice"),
        ("again and again", "request"),
        ("Stop.", "command"),
        ("what is the last date", "request"),
    ],
)
def test_its_own_words_are_known_also_when_they_are_misheard(heard: str, taken: str):
    answer = (Speak("Undo takes back the last change, and again makes it: say stop for silence"),)
    world = after_request(Burst(4.0, 1.0, heard), answer=answer).run(14)
    assert (heard, taken) in world.taken()


def test_dictation_takes_all_down_until_it_is_done():
    bursts = [
        Burst(1, 0.6, "Dictation on"),
        Burst(3, 1, "Next line"),
        Burst(6, 1, "Undo"),
        Burst(9, 0.5, "Done"),
    ]
    world = World(bursts).run(14)
    assert world.requests() == ["Next line Undo"]


def asked(question: Question, *bursts: Burst) -> World:
    """The question sounds from about 2.4 s, and for 1.2 s (commit) or 1.8 s (delete)."""
    return after_request(*bursts, answer=(Ask(question), Speak("All right")))


def verdicts(world: World) -> list[object]:
    return [resolved.verdict for resolved in world.decisions(Resolve)]


@pytest.mark.parametrize(
    ("said", "completeness", "least_s", "most_s"),
    [
        ("Louder.", 0.9, 0.2, 0.3),
        ("Louder.", 0.1, 0.2, 0.3),  # as if more came: if it does, it gets this back
        ("Start over.", 0.9, 0.36, 0.44),  # has to be confirmed
        ("Mute.", 0.9, 0.36, 0.44),  # what follows would not be heard
        ("Read only.", 0.9, 0.36, 0.44),
        ("Goodbye.", 0.9, 0.36, 0.44),
        ("Stop.", 0.1, 0.1, 0.3),
    ],
)
def test_a_harmless_command_is_done_sooner(said: str, completeness: float, least_s: float, most_s: float):
    burst = Burst(1.0, 0.5, said, completeness)
    (done_s,) = World([burst], transcription_s=0.15).run(4).times(Perform)
    assert least_s <= done_s - burst.end_s <= most_s


@pytest.mark.parametrize(
    ("first", "rest", "gap_s", "requests"),
    [
        ("Skip.", "The tests in the slow folder.", 0.34, ["Skip The tests in the slow folder."]),
        ("Skip.", "The tests in the slow folder.", 0.6, ["The tests in the slow folder."]),
        ("Louder.", "Please.", 0.34, []),
        ("Louder.", "Slower.", 0.34, []),
        ("Stop.", "Run the tests.", 0.34, ["Run the tests."]),
    ],
)
def test_a_command_that_was_the_beginning_of_a_sentence_is_given_back_to_it(
    first: str, rest: str, gap_s: float, requests: list[str]
):
    bursts = [Burst(1.0, 0.4, first), Burst(1.4 + gap_s, 1.0, rest)]
    world = World(bursts, transcription_s=0.1).run(8)
    assert world.requests() == requests
    done = [decision.spoken.name.value for decision in world.decisions(Perform)]
    assert done == [word.strip(".").lower() for word in (first, rest) if rest == "Slower." or word == first]


@pytest.mark.parametrize(
    ("first", "rest", "done", "requests"),
    [
        ("Read line forty.", "To sixty.", [("read_lines", (40,)), ("read_lines", (40, 60))], []),
        ("More.", "Detail.", [("continue", ()), ("more_detail", ())], []),
        ("Next.", "Line.", [("skip", ()), ("next_line", ())], []),
        ("Literal stop.", "The server.", [("literal", ()), ("literal", ())], ["stop", "stop The server"]),
        ("Send it.", "Rename the cart.", [("send", ())], ["Rename the cart."]),
    ],
)
@pytest.mark.parametrize(("transcription_s", "said_s"), [(0.1, 0.6), (0.9, 1.6)])
def test_a_command_that_was_the_beginning_of_another_is_followed_by_that_one(
    first: str, rest: str, done: list[object], requests: list[str], transcription_s: float, said_s: float
):
    bursts = [Burst(1.0, said_s, first), Burst(1.34 + said_s, 0.6, rest)]
    world = World(bursts, transcription_s=transcription_s).run(8)
    spoken = [decision.spoken for decision in world.decisions(Perform)]
    assert [(one.name.value, one.numbers) for one in spoken] == done
    assert world.requests() == requests


def test_an_empty_word_after_a_command_does_not_send_what_waits():
    bursts = [
        Burst(1.0, 1.5, "Rename foo to bar, hold on."),
        Burst(4.0, 0.4, "Louder."),
        Burst(4.74, 0.4, "Please."),
        Burst(8.0, 1.0, "And run the tests."),
    ]
    world = World(bursts, transcription_s=0.1).run(14)
    assert world.requests() == ["Rename foo to bar And run the tests."]


def test_an_empty_word_after_a_command_keeps_utter_from_nothing():
    world = World([Burst(1.0, 0.4, "Louder."), Burst(1.74, 0.4, "Please.")], transcription_s=0.1).run(4)
    world.give(Notice("The battery is low."))
    assert world.run(8).said() == ["The battery is low."]


def test_a_command_of_somebody_else_is_no_beginning_of_what_the_user_says():
    bursts = [Burst(1, 0.5, "Continue."), Burst(1.84, 1, "Hey computer, run the tests")]
    settings = SessionSettings(wake_phrase="hey computer")
    assert World(bursts, transcription_s=0.1, settings=settings).run(6).requests() == ["run the tests"]
    addressed = [Burst(1, 0.8, "Hey computer, skip."), Burst(2.14, 1, "the tests")]
    assert World(addressed, transcription_s=0.1, settings=settings).run(6).requests() == ["skip the tests"]


def test_an_answer_waits_for_what_may_follow_however_complete_it_sounds():
    yes = Burst(5.0, 0.4, "Yes.", 0.99)
    world = asked(COMMIT, yes)
    world.transcription_s = 0.1
    assert world.run(14).times(Resolve)[0] >= yes.end_s + 0.36


def test_a_yes_after_the_question_approves():
    world = asked(COMMIT, Burst(5.0, 0.4, "Yes.")).run(14)
    assert verdicts(world) == [Approved(COMMIT, "Yes.")]
    assert State.ASKING in world.states
    assert world.said() == ["Shall I commit this?", "All right"]


def test_a_yes_into_the_question_makes_it_ask_again():
    world = asked(COMMIT, Burst(2.8, 0.4, "Yes.")).run(9)
    assert verdicts(world) == []
    assert world.said() == ["Once more: Shall I commit this?"]


def test_a_no_into_the_question_denies():
    world = asked(COMMIT, Burst(2.8, 0.4, "No!")).run(9)
    assert verdicts(world) == [Denied(COMMIT, Why.SAID_NO, "No!")]
    assert world.said() == ["All right"]


def test_a_question_survives_barge_in_and_the_words_are_not_lost():
    world = asked(COMMIT, Burst(2.8, 1.5, "What a lovely day it is"), Burst(9.0, 0.4, "Yes.")).run(24)
    assert verdicts(world) == [Approved(COMMIT, "Yes.")]
    assert world.said()[:2] == ["I need a yes or a no. Shall I commit this?", "All right"]
    assert world.requests() == ["Explain the cart", "What a lovely day it is"]


def test_an_answer_that_was_misheard_is_said_back_and_the_question_put_again():
    world = asked(COMMIT, Burst(5.0, 0.6, "I'm pleased."), Burst(14.0, 0.6, "Yes, please.")).run(24)
    again = "I heard: I'm pleased. I need a yes or a no. Shall I commit this?"
    assert world.said() == ["Shall I commit this?", again, "All right"]
    assert verdicts(world) == [Approved(COMMIT, "Yes, please.")]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Yes?", "That sounded like a question. Say it once more, or no. "),
        ("Yes? Sure?", "That sounded like a question. Say it once more, or no. "),
        ("Yes, I am sure?", "That sounded like a question. Say it once more, or no. "),
        ("Well yes, I am sure.", "I need a yes or a no. "),
    ],
)
def test_words_that_approve_are_not_said_back(said: str, told: str):
    world = asked(DELETE, Burst(6.0, 0.6, said)).run(16)
    assert verdicts(world) == [] and world.said()[1] == told + DELETE.asks


def test_a_second_answer_that_is_none_means_no_and_long_ones_are_not_said_back():
    long = "The weather is going to be fine all week"
    world = asked(COMMIT, Burst(5.0, 1.6, long), Burst(14.0, 0.6, "I'm pleased.")).run(24)
    assert world.said()[1] == "I need a yes or a no. Shall I commit this?"
    assert verdicts(world) == [Denied(COMMIT, Why.UNCLEAR, "I'm pleased.")]
    assert world.approved_s == []


def test_a_cough_into_the_question_lets_it_sound_to_its_end():
    world = asked(COMMIT, Burst(2.8, 0.3, ""), Burst(8.0, 0.4, "Yes.")).run(14)
    assert verdicts(world) == [Approved(COMMIT, "Yes.")]
    assert world.said()[0] == "Shall I commit this?"


def test_explain_reads_the_exact_command_before_the_phrase_counts():
    world = asked(DELETE, Burst(6.0, 0.5, "Explain."), Burst(13.0, 1.0, "Yes, I'm sure.")).run(20)
    assert world.said()[1] == "It is exactly this: rm -rf build. Shall I delete the folder build?"
    assert verdicts(world) == [Approved(DELETE, "Yes, I'm sure.")]


def test_silence_means_no_and_the_question_is_heard_again_meanwhile():
    world = asked(COMMIT).run(60)
    assert verdicts(world) == [Denied(COMMIT, Why.SILENCE)]
    assert world.decisions(Sound).count(Sound(Earcon.QUESTION)) == 3
    assert world.machine.state is State.LISTENING


def test_a_command_beside_the_question_leaves_it_pending():
    world = asked(COMMIT, Burst(5.0, 0.4, "Louder."), Burst(8.0, 0.4, "Yes.")).run(14)
    assert verdicts(world) == [Approved(COMMIT, "Yes.")]


def test_sleep_means_no_to_a_question():
    world = asked(COMMIT, Burst(5.0, 0.6, "Go to sleep.")).run(9)
    assert [verdict.why for verdict in verdicts(world)] == [Why.SAID_NO]  # type: ignore[attr-defined]
    assert world.machine.state is State.ASLEEP


def test_skip_goes_to_the_next_sentence_and_back_walks_further_back_each_time():
    three = tuple(Speak(f"{name} two three four", 0.1) for name in ("Ay", "Bee", "Cee"))
    assert after_request(Burst(3.0, 0.4, "Skip."), answer=three).run(12).said() == [
        "Bee two three four",
        "Cee two three four",
    ]
    world = after_request(
        Burst(8.0, 0.4, "Repeat."), Burst(12.0, 0.4, "Back."), Burst(16.0, 0.4, "Back."), answer=three
    ).run(20)
    assert [text.split()[0] for text in world.said()] == ["Ay", "Bee", "Cee", "Cee", "Bee", "Ay"]


def test_repeat_begins_the_sentence_anew():
    world = after_request(Burst(4.0, 0.4, "Repeat.")).run(14)
    assert world.said() == [LONG, "The end"]
    assert len(world.decisions(CutPlayback)) == 1


def test_i_said_takes_the_place_of_the_request_and_literal_words_are_one():
    world = after_request(Burst(4.0, 1.0, "I said, explain the card")).run(14)
    assert world.requests() == ["Explain the cart", "explain the card"]
    assert world.decisions(CutTurn) == [CutTurn(1)]
    assert World([Burst(1.0, 1.0, "Literal stop")]).run(6).requests() == ["stop"]


def test_typed_words_are_a_request_and_keys_are_commands():
    world = World([], [[Speak(LONG)]])
    world.give(Typed("Run the tests"))
    world.run(1.0).give(Pressed("s"))
    world.run(6.0)
    assert world.requests() == ["Run the tests"]
    assert world.said() == []
    assert [done.spoken.name.value for done in world.decisions(Perform)] == ["stop"]


def test_a_choice_is_a_command_only_while_there_are_choices():
    bursts = [Burst(1.0, 0.5, "Option two"), Burst(6.0, 0.5, "Option two")]
    world = World(bursts)
    world.give(Offered(is_open=True))
    world.run(5.0).give(Offered(is_open=False))
    world.run(10.0)
    assert [done.spoken.numbers for done in world.decisions(Perform)] == [(2,)]
    assert world.requests() == ["Option two"]


@pytest.mark.parametrize(("said", "expected"), [("Yes.", Approved), ("No.", Denied)])
def test_the_session_itself_may_ask_before_it_takes_a_change_back(said: str, expected: type):
    world = World([Burst(5.0, 0.4, said)])
    world.give(Asked(0, COMMIT))
    world.run(9.0)
    assert [type(verdict) for verdict in verdicts(world)] == [expected]


def test_a_question_is_answered_by_key_as_by_voice():
    world = asked(DELETE).run(6.0)
    world.give(Pressed("y"))
    world.run(12.0).give(Pressed("!"))
    world.run(16.0)
    assert world.said()[1] == "A yes is not enough for this. Say the whole phrase, or no. " + DELETE.asks
    assert verdicts(world) == [Approved(DELETE, "")]


def test_a_conversation_of_thirty_seconds():
    world = World(
        [
            Burst(1.0, 1.0, "What files are here?"),
            Burst(4.0, 0.3, "Okay."),
            Burst(8.0, 1.0, "Fix the failing", 0.1),
            Burst(10.2, 0.5, "test."),
            Burst(18.0, 0.4, "Yes."),
            Burst(22.0, 0.5, "What changed?"),
        ],
        [
            [Speak("Six files in all are here")],
            [Tool(2.5, has_effect=True), Ask(COMMIT), Speak("It is done")],
        ],
    ).run(30)
    assert world.requests() == ["What files are here?", "Fix the failing test."]
    assert world.said() == ["Six files in all are here", "Shall I commit this?", "It is done"]
    assert [text for text, _ in world.taken()] == [
        "What files are here?", "Okay.", "Fix the failing test.", "Yes.", "What changed?"
    ]  # fmt: skip
    assert world.longest_overlap_s <= 0.3


# ------------------------------------------------------------------------------------------------- random

WORDS = [
    "run the tests",
    "stop",
    "yes",
    "no",
    "wait",
    "mm-hm",
    "what changed",
    "pause",
    "continue",
    "explain",
    "stop stop stop",
    "yes I am sure",
    "slower",
    "go on then with it",
    "cancel",
    "scratch that",
    "status",
    "rename it, hold on",
    "commit it, over",
    "go to sleep",
    "wake up",
    "undo",
    "repeat",
    "back",
    "skip",
    "literal stop",
    "I said run it",
]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    bursts = [Burst(0.5, 1.0, "begin with this")]
    at_s = bursts[0].end_s
    for number in range(draw(st.integers(2, 7))):
        at_s += draw(st.sampled_from([0.3, 0.8, 1.7, 2.5, 3.0, 4.0, 5.0, 7.0]))
        kind = draw(st.sampled_from(["noise", "word", "word", "yes", "yes", "request"]))
        text = {
            "noise": "",
            "word": draw(st.sampled_from(WORDS)),
            "yes": draw(st.sampled_from(["yes", "yes I am sure", "mm-hm"])),
            "request": f"request number {number} please",
        }[kind]
        length_s = draw(st.sampled_from([0.3, 0.6, 1.2, 2.4] if text else [0.06, 0.2, 0.5]))
        bursts.append(Burst(round(at_s, 2), length_s, text, draw(st.sampled_from([0.1, 0.9]))))
        at_s += length_s
    step = st.sampled_from(
        [
            Speak("One two three"),
            Speak(LONG),
            Speak(LONG, 0.6),
            Tool(0.5),
            Tool(5.0),
            Tool(2.0, has_effect=True),
        ]
        + [Ask(COMMIT), Ask(DELETE)] * 2
    )
    answers = draw(st.lists(st.lists(step, min_size=1, max_size=4), min_size=1, max_size=5))
    for turn, answer in enumerate(answers):  # every question is one of its own
        for at, one in enumerate(answer):
            if isinstance(one, Ask):
                answer[at] = Ask(replace(one.question, id=f"{turn}.{at}"))
    session = SessionSettings(approvals=ApprovalSettings(silence_s=8.0))
    return World(bursts, answers, draw(st.sampled_from([0.06, 0.3, 0.9])), session)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(worlds())
def test_whatever_comes_the_four_promises_are_kept(world: World):
    end_s = world.bursts[-1].end_s
    world.run(end_s + 12)
    while world.machine.state not in (State.LISTENING, State.ASLEEP) and world.now_s < end_s + 150:
        world.run(world.now_s + 5)
    assert world.longest_overlap_s <= 0.3 + 1e-6
    taken = " ".join(text for text, _ in world.taken())
    for burst in world.bursts:
        assert all(
            word.strip(",") in taken
            for word in burst.text.replace(", hold on", "").replace(", over", "").split()
        )
    for at_s, question in world.approved_s:
        heard_s = [end for end, text in world.heard if question.asks in text and end < at_s]
        yes = [burst for burst in world.bursts if burst.text.startswith("yes") and burst.end_s <= at_s]
        assert heard_s and yes and yes[-1].at_s > heard_s[-1]
        assert not question.is_destructive or yes[-1].text == "yes I am sure"
    paused = [
        p.spoken.name.value for p in world.decisions(Perform) if p.spoken.name.value in ("pause", "continue")
    ]
    stays_paused = bool(paused) and paused[-1] == "pause"
    assert world.machine.state in (State.LISTENING, State.ASLEEP) or stays_paused


def test_with_a_wake_phrase_only_what_follows_it_counts_and_stop_always():
    bursts = [
        Burst(1, 1, "Anna, lunch is ready"),
        Burst(5, 1, "Hey computer, run the tests"),
        Burst(9, 1, "and what else is there"),
        Burst(30, 1, "Coming in a minute then"),
        Burst(40, 1, "Hey computer"),
        Burst(43, 1, "Explain the cart"),
        Burst(70, 0.4, "Stop."),
    ]
    world = World(bursts, settings=SessionSettings(wake_phrase="hey computer")).run(76)
    assert world.requests() == ["run the tests", "and what else is there", "Explain the cart"]
    assert [text for text, taken in world.taken() if taken == "not_addressed"] == [
        "Anna, lunch is ready",
        "Coming in a minute then",
    ]
    assert [done.spoken.name.value for done in world.decisions(Perform)] == ["stop"]


def test_what_is_to_be_transcribed_is_named_in_frames_from_before_the_first_sound():
    world = World([Burst(2.0, 1.6, "Rename the", 0.1)]).run(8)
    asked_for = world.decisions(Transcribe) + world.decisions(Judge)
    assert {one.first_frame for one in asked_for} == {84}  # 0.3 s before the sound in frame 99
    assert [one.end_frame for one in world.decisions(Transcribe)] == [184]  # 0.1 s of silence after it
    assert [one.end_frame - 179 for one in world.decisions(Judge)][:3] == [10, 25, 40]
    assert world.machine.needed_from > 250


@pytest.mark.parametrize(("transcription_s", "judged_at_s"), [(0.05, 0.2), (0.15, 0.26), (0.9, 0.4)])
def test_the_words_of_short_speech_are_not_kept_waiting_by_a_judgement(
    transcription_s: float, judged_at_s: float
):
    world = World([Burst(2.0, 0.8, "Run them", 0.9)], transcription_s=transcription_s).run(6)
    assert (world.decisions(Judge)[0].end_frame - 139) * 0.02 == pytest.approx(judged_at_s, abs=0.021)
    assert world.requests() == ["Run them"]


ASKED = "What is the difference between a list and a set?"
BEGUN = "What is the difference between a list and"


def test_while_the_user_speaks_what_was_said_is_read_but_for_its_last_words():
    world = World([Burst(1.0, 3.0, ASKED)]).run(6)
    assert [round(at_s - 1.0, 1) for at_s in world.times(Glimpse)] == [1.2, 2.2]
    assert world.decisions(Foresee) == [Foresee(BEGUN), Foresee(BEGUN)]
    assert all(at_s < 4.0 for at_s in world.times(Foresee))
    assert world.requests() == [ASKED]


def test_a_glimpse_that_comes_when_the_user_is_silent_is_not_used():
    world = World([Burst(1.0, 1.3, ASKED)], transcription_s=0.3).run(6)
    assert len(world.decisions(Glimpse)) == 1
    assert world.decisions(Foresee) == []


def test_a_long_story_is_looked_at_for_its_first_ten_seconds():
    world = World([Burst(1.0, 40.0, "A long story of many words")]).run(50)
    assert len(world.decisions(Foresee)) == 9
    assert world.times(Glimpse)[-1] < 11.0


def test_after_a_pause_nothing_is_looked_at_that_was_just_transcribed():
    world = World([Burst(1.0, 0.9, "What is the", 0.1), Burst(2.3, 2.0, ASKED)], transcription_s=0.1).run(8)
    assert world.times(Glimpse)[0] >= world.times(Transcribe)[0] + 0.98


@pytest.mark.parametrize("said", ["", "Stop.", "What changed?"])
def test_nothing_is_read_ahead_of_no_words_or_of_a_command(said: str):
    assert World([Burst(1.0, 3.0, said)]).run(6).decisions(Foresee) == []


def test_nobody_listens_ahead_while_utter_works_speaks_or_asks_takes_dictation_or_sleeps():
    """A stop would have to wait for it."""
    long_answer = Speak("It reads the file and gives back what is in it, line by line, to the end.", 4.0)
    first, later = Burst(1.0, 1.0, "What does it do?"), Burst(8.0, 3.0, ASKED)
    worlds = [
        World([first, Burst(3.5, 3.0, ASKED)], [[long_answer]]).run(8),
        World([first, later], [[long_answer]]).run(12),
        World([Burst(1.0, 1.0, "Commit it."), later], [[Ask(COMMIT)]]).run(12),
        World([Burst(1.0, 1.0, "Dictation mode."), later]).run(12),
        World([Burst(1.0, 1.0, "Go to sleep."), later]).run(12),
    ]
    assert [world.decisions(Glimpse) + world.decisions(Foresee) for world in worlds] == [[]] * 5


@pytest.mark.parametrize(
    ("bursts", "answers", "requests"),
    [
        (
            [
                Burst(1.0, 0.6, "Dictation mode."),
                Burst(3.0, 1.0, "First sentence."),
                Burst(6.0, 0.6, "Scratch this", 0.1),
                Burst(6.9, 1.0, "line from the list."),
                Burst(10.0, 0.5, "Done."),
            ],
            (),
            ["First sentence. Scratch this line from the list."],
        ),
        (
            [Burst(1.0, 0.5, "Try again", 0.1), Burst(1.8, 0.9, "with a name.")],
            (),
            ["Try again with a name."],
        ),
    ],
)
def test_a_command_that_takes_words_away_or_begins_work_waits_for_the_rest_of_a_sentence(
    bursts: list[Burst], answers: list[list[Step]], requests: list[str]
):
    world = World(bursts, answers, transcription_s=0.1).run(14)
    assert world.requests() == requests
    names = [perform.spoken.name.value for perform in world.decisions(Perform)]
    assert not {"scratch_that", "try_again"} & set(names)


def test_with_a_wake_phrase_only_what_follows_it_is_read_ahead():
    settings = SessionSettings(wake_phrase="hey otter")
    bursts = [Burst(1.0, 3.0, ASKED), Burst(10.0, 4.0, f"Hey otter, {ASKED}")]
    world = World(bursts, settings=settings).run(16)
    assert world.times(Foresee)[0] > 10.0
    assert {foresee.text.lower() for foresee in world.decisions(Foresee)} == {BEGUN.lower()}


def test_words_that_may_answer_a_question_are_asked_for_as_answers():
    world = World([Burst(1.0, 1.0, "Commit it."), Burst(8.0, 0.5, "No.")], [[Ask(COMMIT)]]).run(12)
    assert [asked.is_answer for asked in world.decisions(Transcribe)] == [False, True]


def test_speech_without_a_pause_is_transcribed_in_pieces_and_is_one_request():
    world = World([Burst(1.0, 40.0, "A long story", 0.9)]).run(50)
    pieces = world.decisions(Transcribe)
    assert [one.utterance for one in pieces] == [1, 2]
    assert pieces[0].end_frame == pieces[1].first_frame
    assert world.requests() == ["A long story"]


def test_inputs_that_nobody_waits_for_do_nothing():
    machine = SessionMachine()
    stale = (Clause(9, "Hi"), ItemHeard(4), Judged(3, 1, 0.9), Transcribed(3, 1, "stop", -0.1), TurnOver(2))
    assert [machine.step(given, 1.0) for given in stale] == [(), (), (), (), ()]


def test_nothing_is_said_to_be_at_work_while_it_waits_for_the_users_word():
    work = (Ask(COMMIT), Tool(6.0, "changing the cart"))
    world = World([Burst(1.0, 1.0, "Mend the cart"), Burst(14.0, 0.4, "Yes.")], [work]).run(3.0)
    world.give(ToolBegan(1, "changing the cart", has_effect=True))  # as the agent tells of it before it asks
    assert world.run(13.9).said() == [COMMIT.asks]
    world.run(24)
    assert world.said()[1:] == ["Still changing the cart."]
    answered = [
        type(one).__name__ for at_s, one in world.log if at_s >= 14 and isinstance(one, (Took, Resolve))
    ]
    assert answered == ["Took", "Resolve"]
