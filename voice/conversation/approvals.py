"""Whether the user has allowed one action: a pure state machine over what was asked, heard and answered.

Voice is misheard, overheard and answered too soon, so everything but a plain yes to this very question, begun
after the question was heard to its end in silence, means no or asks again. The first answer that is neither
yes nor no keeps the question, which is put once more; the second means no. Times are in session seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Union

from agent.errors import UtterError
from voice.conversation.answers import Meaning, meaning
from voice.conversation.words import plain_words

_LEAST_PHRASE_WORDS = 3


class UnsafePhrase(UtterError):
    """The chosen phrase could be said by chance, or is a no."""


@dataclass(frozen=True)
class ApprovalSettings:
    """When a yes is one."""

    phrase: str = "yes I am sure"  # approves what cannot be taken back; at least three words
    silence_s: float = 45.0  # without an answer means no
    after_voice_s: float = 0.25  # from Utter's own last sound until an answer counts: the room still echoes
    least_logprob: float = -0.7  # a yes that was heard less surely means no; see hearing/guards.py
    most_asked: int = 4  # times that one question is asked, then it means no

    def __post_init__(self) -> None:
        words = plain_words(self.phrase)
        if len(words) < _LEAST_PHRASE_WORDS or meaning(self.phrase, ()) is not Meaning.UNCLEAR:
            raise UnsafePhrase(
                f"{self.phrase!r} cannot be the phrase that approves: it could be said by chance. Choose at"
                " least three words that are no plain yes and hold no word of denial."
            )


@dataclass(frozen=True)
class Question:
    """One action that waits. `action` is the exact command or change, `asks` the sentence that is spoken."""

    id: str
    action: str
    asks: str
    is_destructive: bool


@dataclass(frozen=True)
class Answer:
    """What was said while a question waited; `began_s` is when its first sound was heard."""

    text: str
    began_s: float
    avg_logprob: float


class Why(Enum):
    """Why an action was not allowed."""

    SAID_NO = "said_no"
    SILENCE = "silence"
    UNSURE = "unsure"  # the yes was not heard surely enough
    UNCLEAR = "unclear"  # twice no answer to the question
    SUPERSEDED = "superseded"  # another question came
    NEVER_HEARD = "never_heard"  # it could not be asked to its end


class Hint(Enum):
    """What to tell when a question is asked again."""

    NONE = "none"
    TOO_EARLY = "too_early"  # it was answered before it was heard to its end
    NEEDS_PHRASE = "needs_phrase"  # a yes is not enough for this action
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Approved:
    """`question.action`, and nothing else, may be done once; `words` are what was heard."""

    question: Question
    words: str


@dataclass(frozen=True)
class Denied:
    question: Question
    why: Why
    words: str = ""


@dataclass(frozen=True)
class AskAgain:
    """`words` are those that were heard and are no answer; an answer that came too early has none."""

    question: Question
    hint: Hint
    words: str = ""


@dataclass(frozen=True)
class Explain:
    """Read the exact action; the question stays, and is heard again when that has been heard."""

    question: Question


@dataclass(frozen=True)
class Waits:
    """The user wants time: the silence is counted anew."""

    question: Question


Verdict = Union[Approved, Denied, AskAgain, Explain, Waits]


class Approvals:
    """At most one question waits. Each method gives what follows from it, or None."""

    def __init__(self, settings: ApprovalSettings | None = None) -> None:
        self._settings = settings or ApprovalSettings()
        self._phrase = plain_words(self._settings.phrase)
        self.pending: Question | None = None
        self._asked = 0
        self._unclear = 0
        self._heard_s: float | None = None  # when the question had been heard to its end
        self._quiet_since_s: float | None = (
            0.0  # since when Utter's own voice is silent; None while it sounds
        )
        self._waiting_since_s = 0.0

    @property
    def is_heard(self) -> bool:
        """Whether the question that waits has been heard to its end."""
        return self._heard_s is not None

    def ask(self, question: Question) -> Denied | None:
        """`question` is about to be spoken, for the first time or again. One that waits already is denied."""
        before = self.pending
        if before == question:
            self._heard_s = None
            self._asked += 1
            return self._deny(Why.NEVER_HEARD) if self._asked > self._settings.most_asked else None
        denied = None if before is None else Denied(before, Why.SUPERSEDED)
        self.pending, self._asked, self._unclear, self._heard_s = question, 1, 0, None
        return denied

    def heard(self, question_id: str, now_s: float) -> None:
        """The question, or its explanation, has sounded to its end."""
        if self.pending is not None and self.pending.id == question_id:
            self._heard_s = self._waiting_since_s = now_s

    def cut(self) -> None:
        """The question was broken off: it has to be asked again."""
        self._heard_s = None

    def voice(self, now_s: float, *, is_audible: bool) -> None:
        """Utter's own voice begins or ends to sound."""
        if is_audible:
            self._quiet_since_s = None
        elif self._quiet_since_s is None:
            self._quiet_since_s = now_s

    def answer(self, answer: Answer, now_s: float) -> Verdict | None:
        """The user said something. None when nothing waits, or nothing was said."""
        question = self.pending
        meant = meaning(answer.text, self._phrase)
        if question is None or meant is Meaning.NOTHING:
            return None
        self._waiting_since_s = now_s
        if meant is Meaning.DENIES:
            return self._deny(Why.SAID_NO, answer.text)
        if meant is Meaning.HOLDS_OFF:
            return Waits(question)
        if meant is Meaning.EXPLAIN:
            self._heard_s = None
            return Explain(question)
        if meant is Meaning.UNCLEAR:
            return self._unclear_answer(Hint.UNCLEAR, answer.text)
        if not self._came_after_the_question(answer):
            self._heard_s = None
            return AskAgain(question, Hint.TOO_EARLY)
        if not answer.avg_logprob >= self._settings.least_logprob:
            return self._deny(Why.UNSURE, answer.text)
        if question.is_destructive and meant is not Meaning.PHRASE:
            return self._unclear_answer(Hint.NEEDS_PHRASE, answer.text)
        self.pending = None
        return Approved(question, answer.text)

    def press(self, question_id: str, *, is_yes: bool, is_phrase: bool = False) -> Verdict | None:
        """A key was pressed in answer. It cannot be misheard, but it too answers only what was heard."""
        question = self.pending
        if question is None or question.id != question_id:
            return None
        if not is_yes:
            return self._deny(Why.SAID_NO)
        if not self.is_heard:
            return AskAgain(question, Hint.TOO_EARLY)
        if question.is_destructive and not is_phrase:
            return self._unclear_answer(Hint.NEEDS_PHRASE, "")
        self.pending = None
        return Approved(question, "")

    def deny(self) -> Denied | None:
        """Something else came up that means no: sleep, an abort, the end of the turn."""
        return None if self.pending is None else self._deny(Why.SAID_NO)

    def tick(self, now_s: float) -> Denied | None:
        """Time goes by while the user is silent."""
        if self.pending is None or self._heard_s is None:
            return None
        waited_s = now_s - self._waiting_since_s
        return self._deny(Why.SILENCE) if waited_s >= self._settings.silence_s else None

    def _came_after_the_question(self, answer: Answer) -> bool:
        if self._heard_s is None or self._quiet_since_s is None:
            return False
        return answer.began_s >= max(self._heard_s, self._quiet_since_s) + self._settings.after_voice_s

    def _unclear_answer(self, hint: Hint, words: str) -> Verdict:
        assert self.pending is not None
        self._unclear += 1
        self._heard_s = None
        return AskAgain(self.pending, hint, words) if self._unclear < 2 else self._deny(Why.UNCLEAR, words)

    def _deny(self, why: Why, words: str = "") -> Denied:
        assert self.pending is not None
        question, self.pending, self._heard_s = self.pending, None, None
        return Denied(question, why, words)
