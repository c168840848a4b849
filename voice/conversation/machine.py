"""The session as a pure state machine: takes an input and its time, gives decisions. No device, no model.

`utter talk` feeds it frames, transcripts and the agent's events, and carries out what it decides. What it
promises, whatever the order of its inputs: Utter speaks into the user's words for at most 0.3 s, no words are
lost, nothing is approved unheard, and it comes back to listening.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from voice.audio.earcons import Earcon
from voice.conversation.addressed import WakePhrase
from voice.conversation.approvals import Answer, ApprovalSettings, AskAgain, Denied, Why
from voice.conversation.asking import Asking
from voice.conversation.barge_in import BargeIn, BargeInSettings, is_backchannel
from voice.conversation.command_table import Name, Tier
from voice.conversation.commands import Situation, Spoken, by_key, commands_in
from voice.conversation.endings import Ending
from voice.conversation.mouth import Item, Mouth
from voice.conversation.own_words import OwnWords
from voice.conversation.signals import (
    Asked,
    Decision,
    Frame,
    Input,
    ItemHeard,
    Judged,
    KillTools,
    Kind,
    Notice,
    Offered,
    Perform,
    Pressed,
    Resolve,
    Sound,
    Taken,
    Took,
    Transcribed,
    Typed,
)
from voice.conversation.turn_taking import Event, Message, Resumed, Transcribe, TurnSettings, TurnTaking
from voice.conversation.words import plain_words
from voice.conversation.work import Work, WorkSettings


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
    """Of the parts; `longest_wait_s` for words, before playback goes on without them."""

    turns: TurnSettings = field(default_factory=TurnSettings)
    barge_in: BargeInSettings = field(default_factory=BargeInSettings)
    approvals: ApprovalSettings = field(default_factory=ApprovalSettings)
    work: WorkSettings = field(default_factory=WorkSettings)
    longest_wait_s: float = 5.0
    wake_phrase: str = ""  # with one, words count only behind it, or soon after the last exchange


_LONGEST_ANSWER = 3  # words; more hold a request too
# Commands that the session carries out by itself while a question waits; all others are answers to it.
_BESIDE_A_QUESTION = frozenset(
    {Name.SLOWER, Name.FASTER, Name.NORMAL_SPEED, Name.LOUDER, Name.SOFTER, Name.STATUS, Name.WHERE_AM_I,
     Name.TAKE_YOUR_TIME, Name.USUAL_TIME, Name.HELP, Name.REPEAT}
)  # fmt: skip


class SessionMachine:
    """`step` is the only way in; what it gives is to be done in order."""

    def __init__(self, settings: SessionSettings | None = None) -> None:
        settings = settings or SessionSettings()
        self._longest_wait_s = settings.longest_wait_s
        self._out: list[Decision] = []
        self._taking = TurnTaking(settings.turns)
        self._barge_in = BargeIn(settings.barge_in)
        self._own_words = OwnWords()
        self._wake_phrase = WakePhrase(settings.wake_phrase)
        self._mouth = Mouth()
        self._asking = Asking(settings.approvals, self._mouth, self._out)
        self._work = Work(settings.work, self._mouth, self._asking, self._out)
        self._now_s = 0.0
        self._set_aside: list[str] = []  # words said while a question waited
        self._dictated: list[str] | None = None
        self._performed: Name | None = None  # the last command
        self._is_choosing = False  # numbered choices have been told
        self._is_paused_by_user = False
        self._is_asleep = self._is_deeply = False
        self._awaits_words_since_s: float | None = None

    # ---------------------------------------------------------------------------------------- from outside

    @property
    def state(self) -> State:
        """What it is doing now."""
        if self._is_asleep:
            return State.ASLEEP
        if self._asking.pending is not None:
            return State.ASKING
        if self._mouth.sounding:
            return State.SPEAKING
        if self._work.is_thinking:
            return State.THINKING
        return State.JUDGING if self._taking.is_judging else State.LISTENING

    @property
    def situation(self) -> Situation:
        """What the next words can mean."""
        return Situation(
            question=self._asking.pending is not None,
            choice=self._is_choosing,
            dictation=self._dictated is not None,
            asleep=self._is_asleep,
            deep_asleep=self._is_deeply,
        )

    @property
    def needed_from(self) -> int:
        """The first of the frames given so far whose audio may still be asked for."""
        return self._taking.needed_from

    def step(self, given: Input, now_s: float) -> tuple[Decision, ...]:
        """Take one input at its time in session seconds, which never goes back."""
        self._out.clear()
        self._now_s = now_s
        self._taking.situation = self.situation
        self._take(given)
        self._settle()
        self._asking.voice(now_s)
        return tuple(self._out)

    def _take(self, given: Input) -> None:
        if isinstance(given, Frame):
            self._frame(given.is_speech and not given.is_own_voice)
        elif isinstance(given, Transcribed):
            self._transcribed(given)
        elif isinstance(given, Judged):
            self._taking.judged(given.utterance, given.revision, given.completeness)
        elif isinstance(given, ItemHeard):
            item = self._mouth.heard(given.item)
            self._wake_phrase.exchange(self._now_s)
            if item is not None:
                self._asking.heard(item, self._now_s)
        elif isinstance(given, Notice):
            self._mouth.queue(Item(given.text, Kind.NOTICE))
        elif isinstance(given, Pressed):
            self._pressed(given)
        elif isinstance(given, Typed):
            self._is_paused_by_user = False
            self._work.request(given.text)
        elif isinstance(given, Offered):
            self._is_choosing = given.is_open
        elif isinstance(given, Asked) and given.turn == 0:
            self._ask(given)
        elif self._work.turn is None or given.turn != self._work.turn.number:
            if isinstance(given, Asked):
                self._out.append(Resolve(Denied(given.question, Why.SUPERSEDED)))
        elif isinstance(given, Asked):
            self._ask(given)
        else:
            self._work.take(given)

    def _ask(self, asked: Asked) -> None:
        self._asking.ask(asked.question)
        if self._is_asleep:
            self._asking.deny()
        elif self._is_paused_by_user:
            self._out.append(Sound(Earcon.QUESTION))  # it is put when the user lets speech go on

    def _settle(self) -> None:
        """Nothing is said into the user's words; when they are over and taken, speech goes on."""
        if not self._taking.awaits_words:
            self._awaits_words_since_s = None
        elif self._awaits_words_since_s is None:
            self._awaits_words_since_s = self._now_s
        since_s = self._awaits_words_since_s
        awaits_words = since_s is not None and self._now_s - since_s < self._longest_wait_s
        if self._taking.in_speech or awaits_words or self._is_asleep or self._is_paused_by_user:
            return
        self._out += self._mouth.go_on()
        if self._work.may_speak():
            self._speak()
        self._work.settle()
        is_free = self._work.turn is None and self._asking.pending is None and not self._mouth.sounding
        if is_free and self._set_aside:
            text = " ".join(self._set_aside)
            self._set_aside.clear()
            self._work.request(text)

    def _speak(self) -> None:
        self._asking.speak()
        while self._mouth.waiting:
            said, item = self._mouth.say_next()
            self._own_words.saying(item.text, self._now_s)
            if item.kind is Kind.REPLY and self._work.turn is not None:
                self._work.turn.has_sounded = True
            self._out.append(said)

    # ------------------------------------------------------------------------------------------- the user

    def _frame(self, is_speech: bool) -> None:
        if self._barge_in.process(is_speech):
            self._out += self._mouth.hold()
        self._hear(self._taking.process(is_speech, self._now_s))
        if not self._taking.in_speech:
            self._asking.tick(self._now_s)
            if not self._is_asleep and not self._mouth.sounding:
                self._work.tell_of_tool(self._now_s)

    def _hear(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Message):
                self._message(event)
            elif isinstance(event, Resumed):
                self._work.withdraw_prepared()
            elif isinstance(event, Transcribe) or not self._is_asleep:
                self._out.append(event)

    def _transcribed(self, given: Transcribed) -> None:
        messages = self._taking.transcribed(
            given.utterance, given.revision, given.text, given.avg_logprob, self._now_s
        )
        self._hear(messages)
        words = self._taking.words_so_far()
        if not messages and words and self._may_be_request(words):
            meant = self._wake_phrase.meant(words, self._now_s)
            if meant:
                self._work.fall_silent()
                self._work.prepare(meant)

    def _may_be_request(self, words: str) -> bool:
        """The user is silent, and may have finished: can something be done already?"""
        if self._is_asleep or self._asking.pending is not None or self._dictated is not None:
            return False
        if commands_in(words, self.situation) or self._is_only_listening(words):
            return False
        return not self._own_words.are_in(words, self._now_s)

    def _is_only_listening(self, words: str) -> bool:
        return bool(self._mouth.sounding) and is_backchannel(words)

    def _message(self, message: Message) -> None:
        text = message.text
        if not text:
            self._took(text, Taken.NOISE)
        elif self._is_asleep:
            self._while_asleep(text)
        elif self._own_words.are_in(text, message.began_s):
            self._work.withdraw_prepared()
            self._took(text, Taken.OWN_VOICE)
        elif self._asking.pending is not None:
            self._answer(message)
        else:
            self._addressed(message)

    def _addressed(self, message: Message) -> None:
        """Words that may be a command or a request, if they are meant for Utter."""
        text = self._wake_phrase.meant(message.text, message.began_s)
        spoken = commands_in(text or message.text, self.situation, message.speech_s or None)
        if text is None and not any(one.command.tier is Tier.SAFETY for one in spoken):
            self._took(message.text, Taken.NOT_ADDRESSED)
            return
        self._wake_phrase.exchange(self._now_s)
        if spoken:
            self._work.withdraw_prepared()
            self._took(message.text, Taken.COMMAND)
            for one in spoken:
                self._perform(one)
        elif not text:
            self._took(message.text, Taken.COMMAND)
            self._out.append(Sound(Earcon.AWAKE))
        elif message.ending is Ending.CANCEL:
            self._work.withdraw_prepared()
            self._took(text, Taken.CANCELLED)
        elif self._dictated is not None:
            self._took(text, Taken.DICTATED)
            self._dictated.append(text)
            if message.ending is Ending.SEND:
                self._end_dictation()
        elif self._is_only_listening(text):
            self._took(text, Taken.BACKCHANNEL)
        else:
            self._took(text, Taken.REQUEST)
            self._is_paused_by_user = False
            self._work.request(text, message)

    def _took(self, text: str, taken: Taken) -> None:
        self._out.append(Took(text, taken))

    def _answer(self, message: Message) -> None:
        text = message.text
        spoken = commands_in(text, self.situation, message.speech_s or None)
        if spoken and all(one.name in _BESIDE_A_QUESTION for one in spoken):
            self._took(text, Taken.COMMAND)
            for one in spoken:
                self._perform(one)
            return
        answer = Answer(text, message.began_s, message.avg_logprob)
        verdict = self._asking.answer(answer, self._now_s)
        is_more = len(plain_words(text)) > _LONGEST_ANSWER and not spoken
        if is_more and isinstance(verdict, (Denied, AskAgain)):
            self._set_aside.append(text)
            self._took(text, Taken.LATER)
        else:
            self._took(text, Taken.ANSWER)
        for one in spoken:
            if one.command.tier is Tier.SAFETY and one.name not in (Name.YES, Name.NO, Name.APPROVE):
                self._perform(one)

    def _while_asleep(self, text: str) -> None:
        spoken = commands_in(text, self.situation)
        self._took(text, Taken.COMMAND if spoken else Taken.ASLEEP)
        for one in spoken:
            self._perform(one)

    # ------------------------------------------------------------------------------------------- commands

    def _pressed(self, given: Pressed) -> None:
        command = by_key(given.key, self.situation)
        if command is not None and not self._asking.press(command.name):
            self._perform(Spoken(command, given.numbers, given.texts))

    def _perform(self, spoken: Spoken) -> None:
        name, before = spoken.name, self._performed
        self._performed = name
        if name is Name.STOP:
            self._is_paused_by_user = False
            self._asking.again()
            self._work.silence()
        elif name is Name.ABORT:
            self._is_paused_by_user = False
            self._asking.deny()
            self._work.stop()
            self._out += [KillTools(), Sound(Earcon.STOPPED)]
        elif name in (Name.CANCEL, Name.SCRATCH_THAT):
            self._take_back()
        elif name is Name.PAUSE:
            self._is_paused_by_user = self._mouth.is_busy
            self._out += self._mouth.hold()
            self._taking.hold(self._now_s)
        elif name is Name.CONTINUE:
            self._is_paused_by_user = False
            self._work.go_on()
        elif name is Name.SKIP:
            self._is_paused_by_user = False
            self._out += self._mouth.skip()
        elif name in (Name.REPEAT, Name.BACK) or (name is Name.AGAIN and before is not Name.SPELL_THAT):
            self._is_paused_by_user = False
            self._out += self._mouth.repeat(further=name is not Name.REPEAT)
        elif name in (Name.I_SAID, Name.LITERAL) and spoken.texts:
            if name is Name.I_SAID:
                self._take_back()
            self._work.request(spoken.texts[0])
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
            text = self._taking.drop_partial()
            self._took(text, Taken.REQUEST)
            self._work.request(text)
        self._out.append(Perform(spoken))

    def _take_back(self) -> None:
        """Drop what was said last: of a dictation, of a message that waits, or the request itself."""
        if self._dictated:
            self._dictated.pop()
        elif self._taking.partial:
            self._took(self._taking.drop_partial(), Taken.CANCELLED)
        else:
            self._work.fall_silent()
            if self._work.turn is not None:
                self._work.end(self._work.turn)

    def _fall_asleep(self, *, deeply: bool) -> None:
        decisions, unheard = self._mouth.cut()
        self._out += decisions
        self._mouth.say_again([item for item in unheard if item.kind is Kind.REPLY])
        self._asking.deny()
        self._work.withdraw_prepared()
        self._is_asleep, self._is_deeply = True, deeply
        self._out.append(Sound(Earcon.ASLEEP))

    def _end_dictation(self) -> None:
        text = " ".join(self._dictated or ())
        self._dictated = None
        if text:
            self._work.request(text)
