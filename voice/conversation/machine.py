"""The session as a pure state machine: takes an input and its time, gives decisions. No device, model or clock.

`utter talk` feeds it frames, transcripts and the agent's events, and carries out what it decides. What it promises,
whatever the order of its inputs: Utter speaks into the user's words for no more than 0.3 s, no words are lost,
nothing is approved unheard, and it comes back to listening.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from voice.audio.earcons import Earcon
from voice.conversation.approvals import (
    Answer,
    Approvals,
    ApprovalSettings,
    Approved,
    AskAgain,
    Denied,
    Explain,
    Hint,
    Verdict,
    Why,
)  # fmt: skip
from voice.conversation.barge_in import BargeIn, BargeInSettings, is_backchannel
from voice.conversation.command_table import Name, Tier
from voice.conversation.commands import Situation, Spoken, by_key, commands_in
from voice.conversation.endings import Ending
from voice.conversation.mouth import Item, Mouth
from voice.conversation.own_words import OwnWords
from voice.conversation.signals import (
    Asked,
    Begin,
    Clause,
    CutTurn,
    Decision,
    Frame,
    Input,
    ItemHeard,
    Judged,
    KillTools,
    Kind,
    Notice,
    Perform,
    Prepare,
    Pressed,
    Resolve,
    Sound,
    Taken,
    Took,
    ToolBegan,
    ToolEnded,
    Transcribed,
    TurnOver,
    Withdraw,
)  # fmt: skip
from voice.conversation.turn_taking import (
    Event,
    Judge,
    Message,
    Resumed,
    Transcribe,
    TurnSettings,
    TurnTaking,
)
from voice.conversation.words import plain_words


class State(Enum):
    """What the session is doing, as the user would say."""

    LISTENING = "listening"
    JUDGING = "judging"  # the user has paused, and may have finished
    THINKING = "thinking"
    SPEAKING = "speaking"
    ASKING = "asking"
    ASLEEP = "asleep"


@dataclass(frozen=True)
class SessionSettings:
    """Times in seconds."""

    turns: TurnSettings = field(default_factory=TurnSettings)
    barge_in: BargeInSettings = field(default_factory=BargeInSettings)
    approvals: ApprovalSettings = field(default_factory=ApprovalSettings)
    join_s: float = 2.0  # speech that follows a request so soon, before any answer, is the rest of it
    tool_sound_s: float = 1.0  # a tool that takes longer is heard,
    tool_status_s: float = 4.0  # and then told of
    longest_wait_s: float = 5.0  # for words, before playback goes on without them
    remind_s: float = 20.0  # a question that waits is heard so often


_HINTS = {
    Hint.NONE: "",
    Hint.TOO_EARLY: "Once more: ",
    Hint.NEEDS_PHRASE: "A yes is not enough for this. Say the whole phrase, or no. ",
    Hint.UNCLEAR: "I need a yes or a no. ",
}
# Commands that the session carries out by itself while a question waits; all others are answers to it.
_BESIDE_A_QUESTION = frozenset(
    {Name.SLOWER, Name.FASTER, Name.NORMAL_SPEED, Name.LOUDER, Name.SOFTER, Name.STATUS, Name.WHERE_AM_I,
     Name.TAKE_YOUR_TIME, Name.USUAL_TIME, Name.HELP, Name.REPEAT}
)  # fmt: skip


@dataclass
class _Turn:
    """One request and the agent's work on it."""

    number: int
    text: str
    is_begun: bool = False
    is_over: bool = False
    is_silenced: bool = False
    has_effect: bool = False
    has_sounded: bool = False
    said_until_s: float = 0.0  # end of the user's speech
    was_complete: bool = True  # it sounded like the end of a turn
    doing: str = ""
    tool_since_s: float | None = None
    told: int = 0  # 1: the sound, 2: the words


class SessionMachine:
    """`step` is the only way in; what it gives is to be done in order."""

    def __init__(self, settings: SessionSettings | None = None) -> None:
        self._settings = settings or SessionSettings()
        self._taking = TurnTaking(self._settings.turns)
        self._barge_in = BargeIn(self._settings.barge_in)
        self._approvals = Approvals(self._settings.approvals)
        self._own_words = OwnWords()
        self._mouth = Mouth()
        self._turn: _Turn | None = None
        self._turns = 0
        self._out: list[Decision] = []
        self._now_s = 0.0
        self._ask_hint: Hint | None = None  # the question is to be asked, with this hint
        self._set_aside: list[str] = []  # words said while a question waited
        self._dictated: list[str] | None = None
        self._silenced: list[Item] = []  # what "stop" kept from being said
        self._is_paused_by_user = False
        self._is_asleep = self._is_deeply = False
        self._waits_for_words_since_s: float | None = None
        self._reminded_s = 0.0

    # ---------------------------------------------------------------------------------------- from outside

    @property
    def state(self) -> State:
        """What it is doing now."""
        turn = self._turn
        if self._is_asleep:
            return State.ASLEEP
        if self._approvals.pending is not None:
            return State.ASKING
        if self._mouth.sounding:
            return State.SPEAKING
        if turn is not None and turn.is_begun and not turn.is_over:
            return State.THINKING
        return State.JUDGING if self._taking.is_judging else State.LISTENING

    @property
    def situation(self) -> Situation:
        """What the next words can mean."""
        return Situation(
            question=self._approvals.pending is not None,
            dictation=self._dictated is not None,
            asleep=self._is_asleep,
            deep_asleep=self._is_deeply,
        )

    def step(self, given: Input, now_s: float) -> tuple[Decision, ...]:
        """Take one input at its time in session seconds, which never goes back."""
        self._out, self._now_s = [], now_s
        self._taking.situation = self.situation
        self._take(given)
        self._settle()
        self._approvals.voice(now_s, is_audible=self._mouth.is_audible)
        return tuple(self._out)

    def _take(self, given: Input) -> None:
        if isinstance(given, Frame):
            self._frame(given.is_speech and not given.is_own_voice)
        elif isinstance(given, Transcribed):
            self._transcribed(given)
        elif isinstance(given, Judged):
            self._taking.judged(given.utterance, given.revision, given.completeness)
        elif isinstance(given, ItemHeard):
            self._heard(given.item)
        elif isinstance(given, Notice):
            self._mouth.queue(Item(given.text, Kind.NOTICE))
        elif isinstance(given, Pressed):
            self._pressed(given.key)
        elif self._turn is not None and given.turn == self._turn.number:
            self._of_turn(given, self._turn)
        elif isinstance(given, Asked):
            self._out.append(Resolve(Denied(given.question, Why.SUPERSEDED)))

    # ------------------------------------------------------------------------------------------- the user

    def _frame(self, is_speech: bool) -> None:
        if self._barge_in.process(is_speech):
            self._out += self._mouth.hold()
        self._hear(self._taking.process(is_speech, self._now_s))
        if self._taking.in_speech:
            return
        denied = self._approvals.tick(self._now_s)
        if denied is not None:
            self._resolve(denied)
        self._tell_of_tool()
        self._remind()

    def _hear(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Message):
                self._message(event)
            elif isinstance(event, Resumed):
                self._withdraw_prepared()
            elif isinstance(event, Transcribe) or not self._is_asleep:
                self._out.append(event)

    def _transcribed(self, given: Transcribed) -> None:
        messages = self._taking.transcribed(
            given.utterance, given.revision, given.text, given.avg_logprob, self._now_s
        )
        self._hear(messages)
        words = self._taking.words_so_far()
        if not messages and words:
            self._words_so_far(words)

    def _words_so_far(self, words: str) -> None:
        """The user is silent, and may have finished: what can be done already?"""
        if self._is_asleep or self.situation.question or self._dictated is not None:
            return
        if commands_in(words, self.situation) or self._is_only_listening(words):
            return
        if self._own_words.are_in(words, self._now_s):
            return
        self._silence_for_words()
        if self._turn is None:
            self._turns += 1
            self._turn = _Turn(self._turns, words)
            self._out.append(Prepare(self._turns, words))

    def _is_only_listening(self, words: str) -> bool:
        return bool(self._mouth.sounding) and is_backchannel(words)

    def _silence_for_words(self) -> None:
        """Real words: what was being said is over, and so is the turn that said it."""
        turn = self._turn
        if self._mouth.sounding:
            decisions, _ = self._mouth.cut()
            self._out += decisions
            if turn is not None:
                self._end_turn(turn)

    def _message(self, message: Message) -> None:
        text = message.text
        if not text:
            self._took(text, Taken.NOISE)
        elif self._is_asleep:
            self._while_asleep(text)
        elif self._own_words.are_in(text, message.began_s):
            self._withdraw_prepared()
            self._took(text, Taken.OWN_VOICE)
        elif self._approvals.pending is not None:
            self._answer(message)
        elif spoken := commands_in(text, self.situation, message.speech_s or None):
            self._withdraw_prepared()
            self._took(text, Taken.COMMAND)
            for one in spoken:
                self._perform(one)
        elif message.ending is Ending.CANCEL:
            self._withdraw_prepared()
            self._took(text, Taken.CANCELLED)
        elif self._dictated is not None:
            self._dictated.append(text)
            self._took(text, Taken.DICTATED)
            if message.ending is Ending.SEND:
                self._end_dictation()
        elif self._is_only_listening(text):
            self._took(text, Taken.BACKCHANNEL)
        else:
            self._took(text, Taken.REQUEST)
            self._request(text, message)

    def _took(self, text: str, taken: Taken) -> None:
        self._out.append(Took(text, taken))

    # ------------------------------------------------------------------------------------------- requests

    def _request(self, text: str, message: Message | None = None) -> None:
        """`text` is what the user wants now; the rest of the last request, if that has just been made."""
        turn = self._turn
        if turn is not None and turn.is_begun:
            if message is not None and self._is_rest_of(turn, message):
                text = f"{turn.text} {text}"
                self._out.append(Withdraw(turn.number))
                self._forget_turn(turn)
            else:
                self._silence_for_words()
                self._end_turn(turn)
        self._silence_for_words()
        self._silenced.clear()
        self._is_paused_by_user = False
        turn = self._turn
        if turn is not None and turn.text != text:
            self._withdraw_prepared()
            turn = None
        if turn is None:
            self._turns += 1
            turn = self._turn = _Turn(self._turns, text)
        turn.is_begun = True
        if message is not None:
            turn.said_until_s = message.ended_s
            judged = message.completeness
            turn.was_complete = judged is None or judged >= self._settings.turns.complete
        self._out += [Sound(Earcon.HEARD), Begin(turn.number, text)]

    def _is_rest_of(self, turn: _Turn, message: Message) -> bool:
        if turn.has_sounded or turn.has_effect or turn.is_over:
            return False
        return not turn.was_complete or message.began_s - turn.said_until_s <= self._settings.join_s

    def _withdraw_prepared(self) -> None:
        turn = self._turn
        if turn is not None and not turn.is_begun:
            self._out.append(Withdraw(turn.number))
            self._forget_turn(turn)

    def _end_turn(self, turn: _Turn) -> None:
        """Interrupt a turn; a question of it that waits means no."""
        denied = self._approvals.deny()
        if denied is not None:
            self._resolve(denied)
        self._out.append(CutTurn(turn.number) if turn.is_begun else Withdraw(turn.number))
        self._forget_turn(turn)

    def _forget_turn(self, turn: _Turn) -> None:
        self._mouth.drop(turn.number)
        self._turn = None

    # ------------------------------------------------------------------------------------------- the agent

    def _of_turn(self, given: Clause | ToolBegan | ToolEnded | Asked | TurnOver, turn: _Turn) -> None:
        if isinstance(given, Clause):
            item = Item(given.text, Kind.REPLY, turn.number)
            if turn.is_silenced:
                self._silenced.append(item)
            else:
                self._mouth.queue(item)
        elif isinstance(given, ToolBegan):
            turn.has_effect |= given.has_effect
            turn.doing, turn.tool_since_s, turn.told = given.doing, self._now_s, 0
        elif isinstance(given, ToolEnded):
            turn.tool_since_s = None
        elif isinstance(given, TurnOver):
            turn.is_over, turn.tool_since_s = True, None
            denied = self._approvals.deny()
            if denied is not None:
                self._resolve(denied)
        else:
            self._asked(given)

    def _asked(self, asked: Asked) -> None:
        before = self._approvals.ask(asked.question)
        if before is not None:
            self._out.append(Resolve(before))
        self._drop_question()
        self._ask_hint = Hint.NONE
        if self._is_asleep and (denied := self._approvals.deny()):
            self._resolve(denied)

    def _tell_of_tool(self) -> None:
        turn = self._turn
        if turn is None or turn.tool_since_s is None or self._is_asleep or self._mouth.sounding:
            return
        for_s = self._now_s - turn.tool_since_s
        if turn.told < 1 and for_s >= self._settings.tool_sound_s:
            turn.told = 1
            self._out.append(Sound(Earcon.TOOL))
        if turn.told < 2 and for_s >= self._settings.tool_status_s and not turn.is_silenced:
            turn.told = 2
            self._mouth.queue(Item(f"Still {turn.doing}.", Kind.STATUS))

    # ------------------------------------------------------------------------------------------- speaking

    def _heard(self, number: int) -> None:
        item = self._mouth.heard(number)
        pending = self._approvals.pending
        if item is not None and item.kind is Kind.QUESTION and pending is not None:
            self._approvals.heard(pending.id, self._now_s)
            self._reminded_s = self._now_s

    def _settle(self) -> None:
        """Nothing is said into the user's words; when they are over and taken, speech goes on."""
        awaits = self._taking.awaits_words
        if not awaits:
            self._waits_for_words_since_s = None
        elif self._waits_for_words_since_s is None:
            self._waits_for_words_since_s = self._now_s
        since_s = self._waits_for_words_since_s
        waits = since_s is not None and self._now_s - since_s < self._settings.longest_wait_s
        if self._taking.in_speech or waits or self._is_asleep or self._is_paused_by_user:
            return
        self._out += self._mouth.go_on()
        turn = self._turn
        if turn is None or turn.is_begun:
            self._speak()
        turn = self._turn
        if turn is not None and turn.is_over and not self._mouth.sounding and not self._mouth.waiting:
            self._turn = None
        if (
            self._turn is None
            and self._set_aside
            and self._approvals.pending is None
            and not self._mouth.sounding
        ):
            text = " ".join(self._set_aside)
            self._set_aside.clear()
            self._request(text)

    def _speak(self) -> None:
        pending = self._approvals.pending
        if pending is not None and self._ask_hint is not None:
            hint, self._ask_hint = self._ask_hint, None
            self._mouth.queue(Item(_HINTS[hint] + pending.asks, Kind.QUESTION))
            self._out.append(Sound(Earcon.QUESTION))
        while self._mouth.waiting:
            said, item = self._mouth.say_next()
            self._own_words.saying(item.text, self._now_s)
            if item.kind is Kind.REPLY and self._turn is not None:
                self._turn.has_sounded = True
            self._out.append(said)

    # ------------------------------------------------------------------------------------------- questions

    def _answer(self, message: Message) -> None:
        text = message.text
        spoken = commands_in(text, self.situation, message.speech_s or None)
        if spoken and all(one.name in _BESIDE_A_QUESTION for one in spoken):
            self._took(text, Taken.COMMAND)
            for one in spoken:
                self._perform(one)
            return
        verdict = self._approvals.answer(Answer(text, message.began_s, message.avg_logprob), self._now_s)
        is_long = len(plain_words(text)) > 3 and not spoken
        if is_long and isinstance(verdict, (Denied, AskAgain)):
            self._set_aside.append(text)
            self._took(text, Taken.LATER)
        else:
            self._took(text, Taken.ANSWER)
        if verdict is not None:
            self._follow(verdict)
        for one in spoken:
            if one.command.tier is Tier.SAFETY and one.name not in (Name.YES, Name.NO, Name.APPROVE):
                self._perform(one)

    def _follow(self, verdict: Verdict) -> None:
        if isinstance(verdict, (Approved, Denied)):
            self._resolve(verdict)
        elif isinstance(verdict, AskAgain):
            self._drop_question()
            self._ask_again(verdict.hint)
        elif isinstance(verdict, Explain):
            self._drop_question()
            question = verdict.question
            self._mouth.queue(Item(f"It is exactly this: {question.action}. {question.asks}", Kind.QUESTION))

    def _ask_again(self, hint: Hint) -> None:
        pending = self._approvals.pending
        denied = None if pending is None else self._approvals.ask(pending)
        if denied is not None:
            self._resolve(denied)
        else:
            self._ask_hint = hint

    def _resolve(self, verdict: Approved | Denied) -> None:
        self._drop_question()
        self._ask_hint = None
        self._out.append(Resolve(verdict))

    def _drop_question(self) -> None:
        """A question that sounds or waits to sound does so no more; replies beside it are said again."""
        if any(item.kind is Kind.QUESTION for item in self._mouth.sounding.values()):
            decisions, unheard = self._mouth.cut()
            self._out += decisions
            self._mouth.waiting.extendleft(reversed([i for i in unheard if i.kind is not Kind.QUESTION]))
        for item in [item for item in self._mouth.waiting if item.kind is Kind.QUESTION]:
            self._mouth.waiting.remove(item)
        self._approvals.cut()

    def _remind(self) -> None:
        due_s = self._reminded_s + self._settings.remind_s
        if self._approvals.is_heard and not self._mouth.sounding and self._now_s >= due_s:
            self._reminded_s = self._now_s
            self._out.append(Sound(Earcon.QUESTION))

    # ------------------------------------------------------------------------------------------- commands

    def _pressed(self, key: str) -> None:
        command = by_key(key, self.situation)
        pending = self._approvals.pending
        if command is None:
            return
        if pending is not None and command.name in (Name.YES, Name.NO, Name.APPROVE):
            is_phrase = command.name is Name.APPROVE
            is_yes = is_phrase or command.name is Name.YES
            verdict = self._approvals.press(pending.id, is_yes=is_yes, is_phrase=is_phrase)
            if verdict is not None:
                self._follow(verdict)
        elif pending is not None and command.name is Name.EXPLAIN:
            self._follow(Explain(pending))
        else:
            self._perform(Spoken(command))

    def _while_asleep(self, text: str) -> None:
        spoken = commands_in(text, self.situation)
        self._took(text, Taken.COMMAND if spoken else Taken.ASLEEP)
        for one in spoken:
            self._perform(one)

    def _perform(self, spoken: Spoken) -> None:
        name, turn = spoken.name, self._turn
        if name is Name.STOP:
            self._silence()
        elif name is Name.ABORT:
            self._stop_work(turn)
        elif name in (Name.CANCEL, Name.SCRATCH_THAT):
            self._take_back(turn)
        elif name is Name.PAUSE:
            self._is_paused_by_user = bool(self._mouth.sounding or self._mouth.waiting)
            self._out += self._mouth.hold()
            self._taking.hold(self._now_s)
        elif name is Name.CONTINUE:
            self._is_paused_by_user = False
            self._mouth.waiting.extend(self._silenced)
            self._silenced.clear()
            if turn is not None:
                turn.is_silenced = False
        elif name in (Name.TAKE_YOUR_TIME, Name.USUAL_TIME):
            self._taking.is_patient = name is Name.TAKE_YOUR_TIME
        elif name in (Name.SLEEP, Name.DEEP_SLEEP):
            self._fall_asleep(deeply=name is Name.DEEP_SLEEP)
        elif name in (Name.WAKE, Name.DEEP_WAKE):
            self._is_asleep = self._is_deeply = False
            self._out.append(Sound(Earcon.AWAKE))
        elif name is Name.DICTATION_ON:
            self._dictated = self._dictated or []
        elif name is Name.DICTATION_OFF or (name is Name.SEND and self._dictated is not None):
            self._end_dictation()
        elif name is Name.SEND and self._taking.partial:
            self._request(self._taking.drop_partial())
        self._out.append(Perform(spoken))

    def _silence(self) -> None:
        """Say nothing more of this answer, unless told to go on; the work is not touched."""
        decisions, unheard = self._mouth.cut()
        self._out += decisions
        left = [item for item in (*unheard, *self._mouth.waiting) if item.kind is Kind.REPLY]
        self._silenced += left
        self._mouth.waiting.clear()
        self._is_paused_by_user = False
        if self._turn is not None:
            self._turn.is_silenced = True
        if self._approvals.pending is not None:
            self._ask_again(Hint.NONE)

    def _stop_work(self, turn: _Turn | None) -> None:
        self._silence()
        self._silenced.clear()
        if turn is not None:
            self._end_turn(turn)
        self._out += [KillTools(), Sound(Earcon.STOPPED)]

    def _take_back(self, turn: _Turn | None) -> None:
        """Drop what was said last: of a dictation, of a message that waits, or the request itself."""
        if self._dictated:
            self._dictated.pop()
        elif self._taking.partial:
            self._took(self._taking.drop_partial(), Taken.CANCELLED)
        elif turn is not None:
            self._silence_for_words()
            if self._turn is not None:
                self._end_turn(turn)

    def _fall_asleep(self, *, deeply: bool) -> None:
        decisions, unheard = self._mouth.cut()
        self._out += decisions
        self._mouth.waiting.extendleft(reversed([item for item in unheard if item.kind is Kind.REPLY]))
        denied = self._approvals.deny()
        if denied is not None:
            self._resolve(denied)
        self._withdraw_prepared()
        self._is_asleep, self._is_deeply = True, deeply
        self._out.append(Sound(Earcon.ASLEEP))

    def _end_dictation(self) -> None:
        text = " ".join(self._dictated or ())
        self._dictated = None
        if text:
            self._request(text)


__all__ = ["Judge", "SessionMachine", "SessionSettings", "State"]
