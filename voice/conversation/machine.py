"""The session as a pure state machine: takes an input and its time, gives decisions. No device, no model.

`utter talk` feeds it frames, transcripts and the agent's events, and carries out what it decides. What it
promises, whatever the order of its inputs: Utter speaks into the user's words for at most 0.3 s, no words are
lost, nothing is approved unheard, and it comes back to listening.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum

from voice.audio.earcons import Earcon
from voice.conversation.addressed import WakePhrase
from voice.conversation.answers import Meaning, meaning
from voice.conversation.approvals import Answer, AskAgain, Denied, Explain, Why
from voice.conversation.asking import Asking
from voice.conversation.barge_in import BargeIn, is_backchannel
from voice.conversation.command_table import Name, Tier
from voice.conversation.commands import Situation, Spoken, by_key, commands_in
from voice.conversation.endings import Ending
from voice.conversation.mouth import Item, Mouth
from voice.conversation.own_words import OwnWords
from voice.conversation.performing import Performing, Wishes
from voice.conversation.push_to_talk import PushToTalk
from voice.conversation.session_settings import SessionSettings
from voice.conversation.short_words import listened_for
from voice.conversation.signals import (
    Asked,
    Decision,
    Foresee,
    Frame,
    Glimpsed,
    Input,
    ItemHeard,
    Judged,
    Kind,
    Notice,
    Offered,
    Pressed,
    Resolve,
    Sound,
    Taken,
    TalkKey,
    Took,
    Transcribed,
    Typed,
)
from voice.conversation.turn_events import Event, Glimpse, Message, Resumed, Transcribe
from voice.conversation.turn_taking import TurnTaking
from voice.conversation.words import plain_words
from voice.conversation.work import Work


class State(Enum):
    """What the session is doing, as the user would say."""

    LISTENING = "listening"
    JUDGING = "judging"  # the user has paused, and may have finished
    THINKING = "thinking"
    SPEAKING = "speaking"
    ASKING = "asking"
    ASLEEP = "asleep"


_UNSURE_WORDS = 2  # at the end of what is heard amid speech: they become others as more is said
_LONGEST_ANSWER = 3  # words; more hold a request too
_CONSENT = (Name.YES, Name.APPROVE)
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
        self._taking = TurnTaking(settings.turns, settings.hearing)
        self._barge_in = BargeIn(settings.barge_in)
        self._own_words = OwnWords()
        self._wake_phrase = WakePhrase(settings.wake_phrase)
        self._mouth = Mouth()
        self._asking = Asking(settings.approvals, self._mouth, self._out)
        self._work = Work(settings.work, self._mouth, self._asking, self._out)
        self._wishes = Wishes()
        self._performing = Performing(
            self._wishes, self._taking, self._mouth, self._asking, self._work, self._out
        )
        self._now_s = 0.0
        self._phrase = plain_words(settings.approvals.phrase)
        self._is_choosing = False  # numbered choices have been told
        self._key = PushToTalk(
            self._wishes,
            self._taking,
            self._mouth,
            self._out,
            is_used=settings.is_push_to_talk,
            longest_s=settings.turns.open_s,
        )
        self._awaits_words_since_s: float | None = None

    # ---------------------------------------------------------------------------------------- from outside

    @property
    def state(self) -> State:
        """What it is doing now."""
        if self._wishes.is_asleep:
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
            dictation=self._wishes.dictated is not None,
            asleep=self._wishes.is_asleep,
            deep_asleep=self._wishes.is_deeply,
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
            if given.may_be_echo and self._mouth.is_audible:
                self._own_words.may_come_back(self._now_s)
            self._frame(given.is_speech and not given.is_own_voice and self._key.hears)
        elif isinstance(given, Transcribed):
            self._transcribed(given)
        elif isinstance(given, Glimpsed):
            self._glimpsed(given)
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
            self._wishes.is_paused = False
            self._work.request(given.text)
        elif isinstance(given, TalkKey):
            self._key.pressed(self._now_s)
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
        self._work.withdraw_prepared()  # or nothing could be said before those words are sent
        self._asking.ask(asked.question, asked.turn)
        if self._wishes.is_asleep:
            self._asking.deny()
        elif self._wishes.is_paused:
            self._out.append(Sound(Earcon.QUESTION))  # it is put when the user lets speech go on

    def _settle(self) -> None:
        """Nothing is said into the user's words; when they are over and taken, speech goes on."""
        if not self._taking.awaits_words:
            self._awaits_words_since_s = None
        elif self._awaits_words_since_s is None:
            self._awaits_words_since_s = self._now_s
        since_s = self._awaits_words_since_s
        awaits_words = since_s is not None and self._now_s - since_s < self._longest_wait_s
        if self._taking.in_speech or self._key.is_kept_open or awaits_words or self._wishes.is_asleep:
            return
        if self._wishes.is_paused:
            return
        self._out += self._mouth.go_on()
        if self._work.may_speak():
            self._speak()
        self._work.settle()
        is_free = self._work.turn is None and self._asking.pending is None and not self._mouth.sounding
        if is_free and self._wishes.set_aside:
            text = " ".join(self._wishes.set_aside)
            self._wishes.set_aside.clear()
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
        self._key.tick(self._now_s, is_speech=is_speech)
        if self._barge_in.process(is_speech):
            self._out += self._mouth.hold()
        self._hear(self._taking.process(is_speech, self._now_s))
        if not self._taking.in_speech:
            self._asking.tick(self._now_s)
            if not self._wishes.is_asleep and not self._mouth.sounding:
                self._work.tell_of_tool(self._now_s, is_waiting=self._asking.pending is not None)

    def _hear(self, events: Iterator[Event]) -> bool:
        """Whether all that the user said in a turn was among them."""
        is_said = False
        for event in events:
            if isinstance(event, Message):
                is_said = True
                self._message(event)
            elif isinstance(event, Resumed):
                self._work.withdraw_prepared()
            elif isinstance(event, Glimpse):
                self._out += [event] if self._is_idle else []
            elif isinstance(event, Transcribe):
                is_answer = self._asking.pending is not None
                self._out.append(replace(event, listens_for=self._listened_for(), is_answer=is_answer))
            elif not self._wishes.is_asleep:
                self._out.append(event)
        return is_said

    def _listened_for(self) -> tuple[str, ...]:
        is_alone = not (self._taking.partial or self._own_words.may_be_heard(self._now_s))
        return listened_for(self.situation, is_sounding=bool(self._mouth.sounding), is_alone=is_alone)

    def _transcribed(self, given: Transcribed) -> None:
        messages = self._taking.transcribed(
            given.utterance, given.revision, given.text, given.avg_logprob, self._now_s
        )
        is_said = self._hear(messages)
        words = self._taking.words_so_far()
        if not is_said and words and self._may_be_request(words):
            meant = self._wake_phrase.meant(words, self._now_s)
            if meant:
                self._work.fall_silent()
                self._work.prepare(meant)

    def _glimpsed(self, given: Glimpsed) -> None:
        """The user speaks on, and Utter is idle: what is said already may be read."""
        words = self._taking.words_begun(given.utterance, given.text)
        if words and self._is_idle and self._may_be_request(words):
            meant = self._wake_phrase.meant(words, self._now_s)
            if meant:
                self._out.append(Foresee(" ".join(meant.split()[:-_UNSURE_WORDS])))

    @property
    def _is_idle(self) -> bool:
        """Nothing is being done or said, so that the beginning of a request may be read."""
        return self._takes_requests and self._work.turn is None and not self._mouth.is_busy

    @property
    def _takes_requests(self) -> bool:
        is_awake = not self._wishes.is_asleep
        return is_awake and self._asking.pending is None and self._wishes.dictated is None

    def _may_be_request(self, words: str) -> bool:
        """Can something be done already, though more may follow?"""
        if not self._takes_requests or commands_in(words, self.situation) or self._is_only_listening(words):
            return False
        return not self._is_own_voice(words, self._taking.began_s)

    def _is_own_voice(self, text: str, began_s: float) -> bool:
        """Whether Utter heard itself, in speech that began at `began_s`. A stop counts whoever said it."""
        if any(one.command.tier is Tier.SAFETY for one in commands_in(text, self.situation)):
            return False
        items = [item.text for item in self._mouth.sounding.values()]
        return self._own_words.is_echo(text, began_s, items)

    def _is_only_listening(self, words: str) -> bool:
        return bool(self._mouth.sounding) and is_backchannel(words)

    def _message(self, message: Message) -> None:
        text = message.text
        if not text:
            if not self._taking.partial:
                self._work.withdraw_prepared()  # of "louder, please"
            self._took(text, Taken.NOISE)
        elif self._wishes.is_asleep:
            self._while_asleep(text)
        elif self._is_own_voice(text, message.began_s):
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
            self._taking.took_command(text or message.text, message.ended_s)
            for one in spoken:
                self._perform(one)
            if any(one.name in (Name.SEND, Name.DICTATION_OFF) for one in spoken):
                self._key.said_all(message.began_s, self._now_s)
        elif not text:
            self._took(message.text, Taken.COMMAND)
            self._out.append(Sound(Earcon.AWAKE))
        elif message.ending is Ending.CANCEL:
            self._work.withdraw_prepared()
            self._took(text, Taken.CANCELLED)
        elif self._wishes.dictated is not None:
            self._took(text, Taken.DICTATED)
            self._wishes.dictated.append(text)
            if message.ending is Ending.SEND:
                self._performing.end_dictation()
                self._key.said_all(message.began_s, self._now_s)
        elif self._is_only_listening(text):
            self._took(text, Taken.BACKCHANNEL)
        else:
            self._took(text, Taken.REQUEST)
            self._wishes.is_paused = False
            self._work.request(text, message)
            self._key.said_all(message.began_s, self._now_s)

    def _took(self, text: str, taken: Taken) -> None:
        self._out.append(Took(text, taken))

    def _answer(self, message: Message) -> None:
        """Words while a question waits. What makes things safer counts whoever said it, a yes does not."""
        meant = self._wake_phrase.meant(message.text, message.began_s)
        text = meant or message.text
        spoken = commands_in(text, self.situation, message.speech_s or None)
        is_safe = any(one.command.tier is Tier.SAFETY and one.name not in _CONSENT for one in spoken)
        if meant is None and not is_safe:
            self._took(text, Taken.NOT_ADDRESSED)
            return
        self._wake_phrase.exchange(self._now_s)
        if not meant and not is_safe:  # the wake phrase alone
            self._took(text, Taken.COMMAND)
            self._out.append(Sound(Earcon.AWAKE))
            return
        beside = {*_BESIDE_A_QUESTION, Name.CONTINUE} if self._wishes.is_paused else _BESIDE_A_QUESTION
        if spoken and all(one.name in beside for one in spoken):
            self._took(text, Taken.COMMAND)
            for one in spoken:
                self._perform(one)
            return
        answer, before = Answer(text, message.began_s, message.avg_logprob), len(self._out)
        verdict = self._asking.answer(answer, self._now_s)
        if isinstance(verdict, (AskAgain, Explain)):
            self._wishes.is_paused = False  # or it would never be heard
        is_more = len(plain_words(text)) > _LONGEST_ANSWER and not spoken
        is_later = is_more and meaning(text, self._phrase) in (Meaning.DENIES, Meaning.UNCLEAR)
        if is_later:
            self._wishes.set_aside.append(text)
        # What was said comes before what follows from it.
        self._out.insert(before, Took(text, Taken.LATER if is_later else Taken.ANSWER))
        for one in spoken:
            if one.command.tier is Tier.SAFETY and one.name not in (*_CONSENT, Name.NO):
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
        self._performing.perform(spoken, self._now_s)
