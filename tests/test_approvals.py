"""Consent by voice: what must never approve, and what must."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_session import Ask, Burst, Speak, World

from voice.conversation.answers import Meaning, meaning
from voice.conversation.approvals import (
    Answer,
    Approvals,
    ApprovalSettings,
    Approved,
    AskAgain,
    Denied,
    Explain,
    Hint,
    Question,
    UnsafePhrase,
    Verdict,
    Waits,
    Why,
)

COMMIT = Question("q1", "git commit -m 'Mend subtract'", "Shall I commit this?", is_destructive=False)
DELETE = Question("q2", "rm -rf build", "Shall I delete the folder build?", is_destructive=True)
PHRASE = ("yes", "i", "am", "sure")
SURE = -0.2
HEARD_S = 10.0

ADVERSARIAL = """
Okay, wait, don't run that.
Okay, wait, don't run that
Sure, but what does that do?
Yes, but not now.
Yes, no, wait.
Yes. No.
No. Yes. No.
Yes, stop.
Yes, cancel that.
Yes, after the tests pass.
Yes, if the tests pass.
Yes, unless it touches main.
Yes, except the last file.
Yes, but first show me the diff.
Yes?
Yes, really?
Sure?
Go ahead?
Do it?
Yes I am sure?
I am not sure.
Yes, I am not sure.
I'm sure you shouldn't.
Yes I'm sure that is wrong.
Don't do it.
Do not do it.
Please don't.
Never do it.
Don't go ahead.
You can't do that.
I wouldn't do it.
It isn't right, do it again.
Go ahead and cancel.
Go ahead and explain it.
Go ahead with the other one.
Do it later.
Do it in the other branch.
Do it to the copy only.
Do that in a test first.
Approve nothing.
I approve of neither.
I don't approve.
Who approved this?
Not approved.
Approved by whom?
Deny.
Denied, obviously.
No.
Nope.
Nah.
No way.
No thanks, yes to the other.
Not now.
Hold on.
Hold on, yes was for Anna.
Wait.
Wait a second.
Just a moment.
Let me think, yes maybe.
Later.
Maybe.
Maybe yes.
Perhaps.
I guess so.
I think so.
Probably.
What is that?
What does it do?
Why?
Why would you do that?
Which one?
How many files is that?
Explain.
Explain that, sure.
Read the command.
Read it to me.
Help.
Status.
Repeat that.
Thank you.
Thanks.
Thanks for watching.
Okay.
Okay okay.
Mm-hm.
Uh-huh.
Right.
Alright.
Fine.
Good.
Great.
I see.
Hmm.
Yes, Anna, I'm coming.
Yes, dinner at seven.
Yes mum, in a minute.
She said yes to him.
I said yes to Peter, not to you.
Tell them yes.
He says go ahead.
They said do it.
Oh yes, the tests are slow.
Yes the second one.
Yes to all.
Yes to everything.
Always yes.
Yes and always allow this.
Yes yes yes yes yes yes yes.
Say yes I am sure.
If I say yes I am sure, what happens?
The phrase is yes I am sure.
Yes I am sure I want to stop.
Yes I am sure about the other one.
I am sure.
Sure sure sure sure.
Yesterday.
Yes sir I can boogie.
Eyes.
Guess.
Yet.
Yup, but undo it afterwards.
Run the tests.
Push it to main.
Delete everything.
Yes, delete everything.
Yes, and push.
Yes and run the tests instead.
Affirmative on the first, negative on the second.
Abort.
Stop.
Stop stop stop.
Never mind.
Forget it.
Cancel.
Go to sleep.
Mute.
Okay I do not mean that.
Do. Not. Do it.
Without me.
[BLANK_AUDIO]
you
So.
The end.
Please subscribe.
Is that safe? Yes?
Can you undo that?
Could you go ahead and wait?
Yes, but not that.
Yes, but not that one.
Okay, wait, don't.
Ok wait, do not.
I would say yes if it were tested.
I would say yes, if I could.
I'd say yes.
He said, yes, go ahead.
Anna said "yes".
"Yes," she said.
She says, yes please.
The answer was yes.
My boss would say yes.
No yes no.
Yes no yes.
No, yes.
Sure, never.
Sure, when hell freezes over.
Sure, as if.
Yeah, right.
Yeah, no.
Yeah, nah.
Yes, I am sure not.
Yes I am sure, not.
Yes I am unsure.
Yes I'm sure?
Yes am I sure?
Yes I am surely not.
Yes I was sure.
Yes I am sore.
Yes I am shore.
Yes aye am sure.
Yes eye am sure.
Yes I am sir.
Yes I am Sue.
Yes I am sure he is.
Yes I am sure you are wrong.
Yes, I am. Sure?
Non.
Non, merci.
Non non non.
Oui, mais non.
Nein.
Nein danke.
Nein, ja.
Ja, nein.
Ja, aber nicht so.
Nicht jetzt.
Lieber nicht.
Halt.
Oui.
Ja.
Si.
Pas maintenant.
Jamais.
Niemals.
Know.
Know, know.
Yes, know.
Yes, knot.
Yes, naught.
Knot now.
Yes, weight.
Yes, weigh it.
Yes, wate.
Yes, Don.
Yes, doughnut.
Yes, do knot.
Dew it not.
Due it.
Chess.
Jess.
Less.
S.
Yes'm but later.
Yes-man.
Yes, minister.
Guess yes.
Oh yes?
Yes, isn't it?
Yes, right?
Yes or no?
Yes and no.
Yes, maybe.
Yes, perhaps.
Yes, in theory.
Yes, eventually.
Yes, soon.
Yes, tomorrow.
Yes, once it is reviewed.
Yes, as long as it is safe.
Yes, provided you keep a copy.
Yes, only the first.
Yes, just the log.
Yes, hmm.
Yes, let me see it first.
Yes, who is that?
Yes, hello?
Yes, speaking.
Yes, hang up.
Yes, thanks, bye.
Ask me again.
Do it and I quit.
Do it if you dare.
Do it over my dead body.
Do it tomorrow.
Do it again.
Go ahead, make my day.
Go ahead, I dare you.
Go ahead, Anna, eat.
Go a head.
Please do nothing.
Please do tell.
Of course not.
Of course he would.
Absolutely not.
Absolutely no way.
Definitely maybe.
By no means.
Under no circumstances.
Over my dead body.
Approve it yourself.
I approve this message.
I disapprove.
Disapproved.
Not yes.
Yes is what I did not say.
Un-approve.
That is a no.
That's a hard no.
Hard pass.
Skip it.
Leave it.
Leave it alone.
Keep the folder.
Undo.
Yes undo.
Yes, revert.
Please please please.
Yes please, a coffee.
Sure, a tea please.
Sure thing, mum.
Yep, on my way.
Yup yup yup.
Okay, go.
Okay, sure, whatever.
Whatever.
If you must.
If you say so.
Your call.
You decide.
I don't know.
I don't mind.
Do what you want.
Yes I am sure yes I am sure no.
No. I am sure.
I'm sure, no.
Are you sure?
Am I sure? Yes.
Say the phrase.
The phrase is, yes I am sure.
Repeat after me: yes I am sure.
To approve, say yes I am sure.
Say yes.
Say yes or no.
Shall I commit this? Yes.
Shall I delete the folder build? Yes I am sure.
It cannot be taken back.
""".strip().splitlines()

YES = """
Yes.
Yes, please.
Yeah.
Yep.
Yup!
Sure.
Sure, go ahead.
Yes, do it.
Yes, go ahead.
Go ahead.
Do it.
Please do.
Of course.
Okay, yes.
Okay, do it.
Um, yes.
Yes, yes.
Approved.
I approve.
Yes, that's fine.
YES
""".strip().splitlines()


def asked(question: Question = COMMIT, settings: ApprovalSettings | None = None) -> Approvals:
    """A question that was heard to its end at `HEARD_S`, and silence since."""
    approvals = Approvals(settings)
    approvals.ask(question)
    approvals.voice(8.0, is_audible=True)
    approvals.voice(HEARD_S, is_audible=False)
    approvals.heard(question.id, HEARD_S)
    return approvals


def say(
    approvals: Approvals, text: str, began_s: float = HEARD_S + 1.0, logprob: float = SURE
) -> Verdict | None:
    return approvals.answer(Answer(text, began_s, logprob), began_s + 1.0)


def test_there_are_far_more_than_a_hundred_attacks():
    assert len(set(ADVERSARIAL)) == len(ADVERSARIAL) >= 300


@pytest.mark.parametrize("question", [COMMIT, DELETE], ids=["commit", "delete"])
@pytest.mark.parametrize("text", ADVERSARIAL)
def test_an_attack_approves_nothing_nor_does_it_said_twice(text: str, question: Question):
    approvals = asked(question)
    for began_s in (HEARD_S + 1.0, HEARD_S + 5.0):
        approvals.heard(question.id, began_s - 1.0)
        assert not isinstance(say(approvals, text, began_s), Approved)


@pytest.mark.parametrize("question", [COMMIT, DELETE], ids=["commit", "delete"])
@pytest.mark.parametrize("text", ADVERSARIAL[::9])
def test_nor_does_it_in_a_whole_session(text: str, question: Question):
    world = World(
        [Burst(1.0, 1.0, "Mend the cart"), Burst(6.0, 0.8, text), Burst(14.0, 0.8, text)],
        [[Ask(question), Speak("All right")]],
    ).run(20)
    assert world.approved_s == []
    heard = " ".join(text for text, _ in world.taken())
    assert text in heard


@pytest.mark.parametrize("yes", ["Yes.", "Yes, I'm sure."])
@pytest.mark.parametrize("at_s", [round(2.4 + 0.2 * step, 1) for step in range(8)])
def test_a_yes_begun_at_any_moment_before_the_question_has_ended_approves_nothing(yes: str, at_s: float):
    world = World([Burst(1.0, 1.0, "Mend the cart"), Burst(at_s, 0.4, yes)], [[Ask(COMMIT)]]).run(12)
    ends_s = [ended_s for ended_s, text in world.heard if COMMIT.asks in text]
    assert ends_s and at_s < ends_s[0] + 0.25  # the room still echoes
    assert world.approved_s == []


@pytest.mark.parametrize("text", ["Non.", "Nein danke.", "Jamais!", "Lieber nicht.", "Know.", "Know, know."])
def test_a_no_in_the_languages_next_door_or_misheard_is_one(text: str):
    assert say(asked(COMMIT), text) == Denied(COMMIT, Why.SAID_NO, text)


@pytest.mark.parametrize("text", YES)
def test_a_plain_yes_allows_what_can_be_taken_back(text: str):
    assert say(asked(COMMIT), text) == Approved(COMMIT, text)


@pytest.mark.parametrize("text", YES)
def test_a_plain_yes_never_allows_what_cannot(text: str):
    approvals = asked(DELETE)
    assert say(approvals, text) == AskAgain(DELETE, Hint.NEEDS_PHRASE, text)
    approvals.heard(DELETE.id, HEARD_S + 5.0)
    assert say(approvals, text, HEARD_S + 6.0) == Denied(DELETE, Why.UNCLEAR, text)


@pytest.mark.parametrize("text", ["Yes I am sure.", "yes, I'm sure", "Um, yes I am sure!"])
@pytest.mark.parametrize("question", [COMMIT, DELETE], ids=["commit", "delete"])
def test_the_phrase_allows_either(text: str, question: Question):
    assert say(asked(question), text) == Approved(question, text)


def test_another_phrase_can_be_chosen_and_then_only_that_one_counts():
    settings = ApprovalSettings(phrase="juliet papa charlie")
    assert isinstance(say(asked(DELETE, settings), "Juliet Papa Charlie."), Approved)
    assert not isinstance(say(asked(DELETE, settings), "Yes I am sure."), Approved)


@pytest.mark.parametrize(
    "phrase", ["yes", "go ahead", "yes please", "", "do not stop", "never say never", "yes go ahead"]
)
def test_a_phrase_that_could_be_said_by_chance_is_refused(phrase: str):
    with pytest.raises(UnsafePhrase, match="three words"):
        ApprovalSettings(phrase=phrase)


@pytest.mark.parametrize("word", ["no", "don't", "stop", "cancel", "never", "abort", "not"])
@given(
    before=st.sampled_from(["yes", "yes I am sure", "go ahead", "do it", "sure please"]),
    after=st.sampled_from(["", "yes", "yes I am sure"]),
)
def test_a_word_of_denial_anywhere_wins(word: str, before: str, after: str):
    for text in (f"{before} {word} {after}", f"{word} {before}", f"{before}, {word}."):
        assert meaning(text, PHRASE) is Meaning.DENIES
        assert say(asked(DELETE), text) == Denied(DELETE, Why.SAID_NO, text)


def test_a_yes_begun_before_the_question_was_heard_to_its_end_asks_again():
    approvals = asked()
    assert say(approvals, "yes", HEARD_S - 0.5) == AskAgain(COMMIT, Hint.TOO_EARLY)
    assert say(approvals, "yes", HEARD_S + 9.0) == AskAgain(COMMIT, Hint.TOO_EARLY)  # not asked again yet


def test_a_yes_in_the_echo_of_the_question_does_not_count():
    assert isinstance(say(asked(), "yes", HEARD_S + 0.1), AskAgain)
    assert isinstance(say(asked(), "yes", HEARD_S + 0.3), Approved)


def test_nothing_approves_while_utter_speaks_but_a_no_always_counts():
    approvals = asked()
    approvals.voice(HEARD_S + 0.5, is_audible=True)
    assert isinstance(say(approvals, "yes I am sure"), AskAgain)
    approvals.heard(COMMIT.id, HEARD_S + 3.0)
    assert isinstance(say(approvals, "yes I am sure", HEARD_S + 4.0), AskAgain)
    assert say(approvals, "no") == Denied(COMMIT, Why.SAID_NO, "no")


def test_a_yes_that_utter_spoke_into_does_not_count():
    approvals = asked()
    approvals.voice(HEARD_S + 1.2, is_audible=True)
    approvals.voice(HEARD_S + 1.4, is_audible=False)
    assert isinstance(say(approvals, "yes", HEARD_S + 1.0), AskAgain)


def test_a_yes_is_for_one_action_once():
    approvals = asked()
    assert isinstance(say(approvals, "yes"), Approved)
    assert say(approvals, "yes") is None
    approvals.ask(DELETE)
    assert isinstance(say(approvals, "yes I am sure"), AskAgain)


def test_what_is_approved_is_the_very_action_that_was_asked_for():
    approvals = asked(DELETE)
    changed = Question(DELETE.id, "rm -rf /", DELETE.asks, is_destructive=True)
    assert approvals.ask(changed) == Denied(DELETE, Why.SUPERSEDED)
    assert isinstance(say(approvals, "yes I am sure"), AskAgain)


def test_a_question_that_was_broken_off_is_asked_again():
    approvals = asked()
    approvals.cut()
    assert isinstance(say(approvals, "yes"), AskAgain)
    assert approvals.ask(COMMIT) is None
    approvals.heard(COMMIT.id, HEARD_S + 5.0)
    assert isinstance(say(approvals, "yes", HEARD_S + 6.0), Approved)


def test_a_second_question_means_no_to_the_first():
    approvals = asked(COMMIT)
    assert approvals.ask(DELETE) == Denied(COMMIT, Why.SUPERSEDED)
    assert approvals.pending == DELETE


def test_silence_means_no():
    approvals = asked()
    assert approvals.tick(HEARD_S + 44.9) is None
    assert approvals.tick(HEARD_S + 45.0) == Denied(COMMIT, Why.SILENCE)
    assert say(approvals, "yes", HEARD_S + 46.0) is None


def test_silence_is_not_counted_before_the_question_was_heard():
    approvals = asked()
    approvals.cut()
    assert approvals.tick(HEARD_S + 500.0) is None


def test_wait_gives_time_and_then_a_yes_counts():
    approvals = asked()
    assert say(approvals, "Hold on.", HEARD_S + 40.0) == Waits(COMMIT)
    assert approvals.tick(HEARD_S + 80.0) is None
    assert isinstance(say(approvals, "yes", HEARD_S + 80.0), Approved)


@pytest.mark.parametrize("logprob", [-0.71, -3.0, float("nan")])
def test_a_yes_that_was_not_heard_surely_means_no(logprob: float):
    assert say(asked(), "yes", logprob=logprob) == Denied(COMMIT, Why.UNSURE, "yes")


def test_explain_keeps_the_question_which_must_be_heard_again():
    approvals = asked(DELETE)
    assert say(approvals, "Explain.") == Explain(DELETE)
    assert isinstance(say(approvals, "yes I am sure"), AskAgain)
    approvals.heard(DELETE.id, HEARD_S + 9.0)
    assert isinstance(say(approvals, "yes I am sure", HEARD_S + 10.0), Approved)


def test_a_second_answer_that_is_none_means_no():
    approvals = asked()
    assert say(approvals, "What a day") == AskAgain(COMMIT, Hint.UNCLEAR, "What a day")
    approvals.heard(COMMIT.id, HEARD_S + 5.0)
    assert say(approvals, "What a night", HEARD_S + 6.0) == Denied(COMMIT, Why.UNCLEAR, "What a night")


@pytest.mark.parametrize("logprob", [SURE, -3.0])
def test_a_yes_that_was_misheard_is_asked_for_once_more(logprob: float):
    approvals = asked()
    assert say(approvals, "I'm pleased.", logprob=logprob) == AskAgain(COMMIT, Hint.UNCLEAR, "I'm pleased.")
    assert isinstance(say(approvals, "Yes, please.", HEARD_S + 2.0), AskAgain)  # it was not put again yet
    approvals.heard(COMMIT.id, HEARD_S + 5.0)
    assert say(approvals, "Yes, please.", HEARD_S + 6.0) == Approved(COMMIT, "Yes, please.")


def test_a_question_that_is_always_broken_off_means_no():
    approvals = asked()
    assert [approvals.ask(COMMIT) for _ in range(4)] == [None, None, None, Denied(COMMIT, Why.NEVER_HEARD)]


def test_a_key_answers_too_but_only_what_was_heard():
    approvals = asked(DELETE)
    assert approvals.press("q1", is_yes=True, is_phrase=True) is None
    assert approvals.press(DELETE.id, is_yes=True) == AskAgain(DELETE, Hint.NEEDS_PHRASE)
    assert approvals.press(DELETE.id, is_yes=True, is_phrase=True) == AskAgain(DELETE, Hint.TOO_EARLY)
    approvals.heard(DELETE.id, HEARD_S + 5.0)
    assert approvals.press(DELETE.id, is_yes=True, is_phrase=True) == Approved(DELETE, "")
    assert asked().press(COMMIT.id, is_yes=False) == Denied(COMMIT, Why.SAID_NO)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("say"), st.sampled_from([*ADVERSARIAL, *YES, "yes I am sure"])),
            st.tuples(
                st.sampled_from(["audible", "silent", "heard", "cut", "ask", "ask other"]), st.just("")
            ),
        ),
        max_size=30,
    )
)
def test_nothing_is_ever_approved_that_was_not_heard_in_silence(steps: list[tuple[str, str]]):
    approvals = asked(DELETE)
    heard, audible, now_s = True, False, HEARD_S
    for step, text in steps:
        now_s += 1.0
        if step == "say":
            verdict = say(approvals, text, now_s - 0.5)
            if isinstance(verdict, Approved):
                assert heard and not audible
                assert text == "yes I am sure" or (text in YES and not verdict.question.is_destructive)
            heard = heard and isinstance(verdict, (Waits, type(None)))
        elif step in ("audible", "silent"):
            audible = step == "audible"
            approvals.voice(now_s, is_audible=audible)
        elif step == "heard" and approvals.pending is not None:
            approvals.heard(approvals.pending.id, now_s)
            heard = True
        elif step == "cut":
            approvals.cut()
            heard = False
        elif step.startswith("ask"):
            approvals.ask(DELETE if step == "ask" else COMMIT)
            heard = False
