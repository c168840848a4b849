"""The question that waits for the user's word: asked, asked again, and settled. Pure; part of the machine."""

from __future__ import annotations

from voice.audio.earcons import Earcon
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
    Verdict,
)
from voice.conversation.command_table import Name
from voice.conversation.mouth import Item, Mouth
from voice.conversation.signals import Decision, Kind, Resolve, Sound
from voice.conversation.words import plain_words

_REMIND_S = 20.0  # a question that waits is heard so often

_HINTS = {
    Hint.NONE: "",
    Hint.TOO_EARLY: "Once more: ",
    Hint.NEEDS_PHRASE: "A yes is not enough for this. Say the whole phrase, or no. ",
    Hint.UNCLEAR: "I need a yes or a no. ",
}
_SOUNDED = "That sounded like a question. Say it once more, or no. "
_MOST_TOLD = 5  # words that a yes, a no or a phrase may be misheard as; more are not said back


class Asking:
    """At most one question. Decisions go to `out`, in the order in which they are to be done."""

    def __init__(self, settings: ApprovalSettings, mouth: Mouth, out: list[Decision]) -> None:
        self._approvals = Approvals(settings)
        self._phrase = plain_words(settings.phrase)
        self._mouth = mouth
        self._out = out
        self._hint: str | None = None  # the question is to be asked, behind these words
        self._turn = 0  # that asks
        self._reminded_s = 0.0

    @property
    def pending(self) -> Question | None:
        """The question that waits."""
        return self._approvals.pending

    def ask(self, question: Question, turn: int) -> None:
        """The agent waits for the user's word in `turn`; of turn 0, the session does."""
        self._turn = turn
        before = self._approvals.ask(question)
        if before is not None:
            self._out.append(Resolve(before))
        self._drop_question()
        self._hint = ""

    def speak(self) -> None:
        """Nothing is in the way: put the question, if it is to be put."""
        if self._is_lost():
            self.again()
        pending, hint = self._approvals.pending, self._hint
        if pending is not None and hint is not None:
            self._hint = None
            self._mouth.queue(Item(hint + pending.asks, Kind.QUESTION))
            self._out.append(Sound(Earcon.QUESTION))

    def voice(self, now_s: float) -> None:
        """Tell whether Utter's own voice may be heard."""
        self._approvals.voice(now_s, is_audible=self._mouth.is_audible)

    def heard(self, item: Item, now_s: float) -> None:
        """Something was said to its end."""
        pending = self._approvals.pending
        if item.kind is Kind.QUESTION and pending is not None:
            self._approvals.heard(pending.id, now_s)
            self._reminded_s = now_s

    def answer(self, answer: Answer, now_s: float) -> Verdict | None:
        """The user said something while the question waited."""
        verdict = self._approvals.answer(answer, now_s)
        self._follow(verdict)
        return verdict

    def press(self, name: Name) -> bool:
        """A key was pressed; whether it was an answer."""
        pending = self._approvals.pending
        if pending is None or name not in (Name.YES, Name.NO, Name.APPROVE, Name.EXPLAIN):
            return False
        if name is Name.EXPLAIN:
            self._follow(Explain(pending))
        else:
            is_yes, is_phrase = name is not Name.NO, name is Name.APPROVE
            self._follow(self._approvals.press(pending.id, is_yes=is_yes, is_phrase=is_phrase))
        return True

    def again(self, hint: str = "") -> None:
        """The question was broken off, or not answered: ask it once more, unless that was too often."""
        pending = self._approvals.pending
        if pending is None:
            return
        self._drop_question()
        denied = self._approvals.ask(pending)
        if denied is not None:
            self._resolve(denied)
        else:
            self._hint = hint

    def deny(self, of_turn: int | None = None) -> None:
        """Something came up that means no; `of_turn`: to a question of this turn alone."""
        denied = self._approvals.deny() if of_turn in (None, self._turn) else None
        if denied is not None:
            self._resolve(denied)

    def tick(self, now_s: float) -> None:
        """Time goes by while the user is silent."""
        denied = self._approvals.tick(now_s)
        if denied is not None:
            self._resolve(denied)
        elif self._approvals.is_heard and not self._mouth.sounding and now_s >= self._reminded_s + _REMIND_S:
            self._reminded_s = now_s
            self._out.append(Sound(Earcon.QUESTION))

    def _follow(self, verdict: Verdict | None) -> None:
        if isinstance(verdict, (Approved, Denied)):
            self._resolve(verdict)
        elif isinstance(verdict, AskAgain):
            self.again(_told(verdict, self._phrase))
        elif isinstance(verdict, Explain):
            self._drop_question()
            question = verdict.question
            exactly = f"It is exactly this: {question.action}. {question.asks}"
            self._mouth.queue(Item(exactly, Kind.QUESTION))

    def _resolve(self, verdict: Approved | Denied) -> None:
        self._drop_question()
        self._hint = None
        self._out.append(Resolve(verdict))

    def _is_lost(self) -> bool:
        """Whether a question waits that was cut before its end, and that nothing will say any more."""
        items = (*self._mouth.sounding.values(), *self._mouth.waiting)
        is_on_its_way = self._hint is not None or any(item.kind is Kind.QUESTION for item in items)
        return self._approvals.pending is not None and not self._approvals.is_heard and not is_on_its_way

    def _drop_question(self) -> None:
        """A question that sounds or waits to sound does so no more; replies beside it are said again."""
        if any(item.kind is Kind.QUESTION for item in self._mouth.sounding.values()):
            decisions, unheard = self._mouth.cut()
            self._out += decisions
            self._mouth.say_again([item for item in unheard if item.kind is not Kind.QUESTION])
        self._mouth.drop_waiting(Kind.QUESTION)
        self._approvals.cut()


def _told(verdict: AskAgain, phrase: tuple[str, ...]) -> str:
    """What is said before the question is put again: that a "yes, please" was heard as "I'm pleased", too.

    What would approve is not said aloud: the microphone may hear it.
    """
    hint, words = _HINTS[verdict.hint], verdict.words.strip(" .,;:!?")
    if verdict.hint is not Hint.UNCLEAR or not words:
        return hint
    if meaning(words.replace("?", ""), phrase) in (Meaning.YES, Meaning.PHRASE):
        return _SOUNDED
    heard = plain_words(words)
    is_told = len(heard) <= _MOST_TOLD and f" {' '.join(phrase)} " not in f" {' '.join(heard)} "
    return f"I heard: {words}. {hint}" if is_told else hint
