"""When the user has finished: joins endpointing, the words so far and the sound of the last ones. Pure.

Two speeds: a complete local command ends after 0.4 s of silence at the latest; anything else as soon as it
sounds complete, which is judged from 0.2 s of silence on, or else after 2 s. Short speech is judged when its
words are known, or from 0.4 s on: it may be a command, whose words come first. One that can be taken again
ends after 0.2 s without that judgement, unless it answers a question; if it was the beginning of a sentence
or of another command, the rest gets it back. What was said before a long pause is never lost: it waits and
joins what follows. While the user speaks on, the words so far are looked at now and then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from voice.conversation.command_table import Name, Tier
from voice.conversation.commands import Situation, Spoken, commands_in, is_complete_command
from voice.conversation.endings import Ended, Ending, ending_of
from voice.conversation.short_words import LONGEST_S
from voice.conversation.turn_events import Event, Glimpse, Judge, Message, Resumed, Transcribe
from voice.hearing.endpoint import Decision, Endpointer, EndpointSettings, Span

HEARING = EndpointSettings(pause_s=0.1, end_silence_s=2.0)
"""What is told sooner than in a recording; the silence that ends an utterance is set anew for each."""


# After these the next words are another matter, and the session is not as it was.
_LASTING = (Name.SEND, Name.DICTATION_ON, Name.DICTATION_OFF, Name.GOODBYE)
# These remove words or begin work, which the rest of a sentence that gets them back does not undo.
_NOT_UNDONE = (Name.SCRATCH_THAT, Name.TRY_AGAIN, Name.PICK, Name.OPTION)


@dataclass(frozen=True)
class TurnSettings:
    """Silence in seconds, counted from the last speech, unless it says otherwise."""

    command_s: float = 0.4  # ends a complete local command; short speech is judged then, known or not
    judge_s: float = 0.2  # from here on it is judged whether the turn sounds complete,
    judge_again_s: float = 0.3  # again and again: the longer the silence, the surer the model
    short_s: float = LONGEST_S  # so much speech, gaps left out, may be a command
    complete: float = 0.5  # so likely complete, and the turn is over
    incomplete_s: float = 2.0  # ends a turn that does not sound complete
    patience: float = 2.0  # "take your time" makes that so much longer
    hold_s: float = 8.0  # "hold on" gives so much time
    noise_s: float = 0.4  # ends sounds in which no words were heard
    open_s: float = 60.0  # ends what is said while a key keeps the turn open
    glimpse_s: float = 1.2  # so long after an utterance began its words are looked at, and
    glimpse_again_s: float = 1.0  # so long after that, or after a pause, again,
    glimpses_until_s: float = 10.0  # so long: each takes the longer, the more was said


@dataclass
class _Utterance:
    """One stretch of audio while its words are awaited."""

    number: int
    began_s: float
    revision: int = 0
    text: str | None = None
    avg_logprob: float = 0.0
    completeness: float | None = None
    ended_s: float = 0.0
    speech_s: float = 0.0
    is_over: bool = False
    is_piece: bool = False  # split off: the same turn goes on
    is_rest: bool = False  # of the piece before it
    judged_at_s: float = 0.0  # silence at the last judgement
    glimpsed_at_s: float = 0.0  # how long it had lasted when its words were asked for last


@dataclass(frozen=True)
class _Command:
    """One that was carried out, and may have been the beginning of more."""

    text: str
    ended_s: float
    situation: Situation


class TurnTaking:
    """Fed with every frame, and with the answers to what it asks for."""

    def __init__(self, settings: TurnSettings | None = None, hearing: EndpointSettings = HEARING) -> None:
        self._settings = settings or TurnSettings()
        self._endpointer = Endpointer(hearing)
        self._utterances: deque[_Utterance] = deque()  # the last one may still be spoken
        self._number = 0
        self._partial: list[str] = []  # said before, waiting for what follows
        self._partial_due_s: float | None = None
        self._command: _Command | None = None  # what was said last
        self._is_paused = False
        self.is_patient = False  # "take your time"
        self._is_open = False  # a key keeps the turn open
        self.situation = Situation()

    @property
    def in_speech(self) -> bool:
        """Whether the user has begun and not yet ended an utterance."""
        return self._endpointer.in_speech

    @property
    def needed_from(self) -> int:
        """The first frame that may still be asked for."""
        return self._endpointer.needed_from

    @property
    def began_s(self) -> float:
        """When the last of the utterances began that are not yet taken."""
        return self._utterances[-1].began_s if self._utterances else 0.0

    @property
    def is_judging(self) -> bool:
        """Whether the user is silent after words that are not yet taken."""
        return self._is_paused or bool(self._utterances and not self._endpointer.in_speech)

    @property
    def awaits_words(self) -> bool:
        """Whether words of an utterance that is over are still to come."""
        return any(utterance.is_over for utterance in self._utterances)

    @property
    def partial(self) -> str:
        """What waits for the next speech."""
        return " ".join(self._partial)

    def process(self, is_speech: bool, now_s: float) -> Iterator[Event]:
        """Take the next frame. What was done with one event may decide what the next one is."""
        decision = self._endpointer.process(is_speech)
        if decision is Decision.SPEECH_STARTED:
            self._begin(now_s - self._endpointer.since_start_s)
        elif decision is Decision.SPEECH_PAUSED:
            yield self._pause()
        elif decision is Decision.SPEECH_RESUMED:
            self._is_paused = False
            yield Resumed()
        elif decision in (Decision.SPEECH_ENDED, Decision.SPEECH_SPLIT):
            yield from self._end(now_s, is_piece=decision is Decision.SPEECH_SPLIT)
        elif decision is Decision.DISCARDED:
            yield from self._discard(now_s)
        if self._is_paused:
            yield from self._judge()
        elif self._endpointer.in_speech:
            yield from self._glimpse()
        due_s = self._partial_due_s
        is_due = due_s is not None and now_s >= due_s and not self.situation.question
        if is_due and not self.in_speech and not self._utterances:
            yield self._partial_message(now_s)

    def transcribed(
        self, number: int, revision: int, text: str, avg_logprob: float, now_s: float
    ) -> Iterator[Event]:
        """The answer to `Transcribe`; `text` is empty when it was no speech. Stale ones are ignored."""
        utterance = self._of(number, revision)
        if utterance is not None:
            utterance.text, utterance.avg_logprob = text, avg_logprob
            self._set_silence()
            yield from self._messages(now_s)

    def took_command(self, text: str, ended_s: float) -> None:
        """`text`, said until `ended_s`, is carried out; words that follow at once may be the rest of it."""
        if _is_passing(commands_in(text, self.situation)):
            self._command = _Command(text.rstrip(" .,;:!?"), ended_s, self.situation)

    def judged(self, number: int, revision: int, completeness: float) -> None:
        """The answer to `Judge`. Stale ones are ignored."""
        utterance = self._of(number, revision)
        if utterance is not None:
            utterance.completeness = completeness
            self._set_silence()

    def words_so_far(self) -> str | None:
        """The words up to the present pause, of the whole turn; None while they are not known."""
        present = self._utterances[-1] if self._utterances else None
        if present is None or not self._is_paused or present.text is None or len(self._utterances) > 1:
            return None
        return " ".join((*self._partial, present.text)).strip()

    def words_begun(self, number: int, text: str) -> str | None:
        """The words of the turn up to a glimpse of `text`; None when the user does not speak on."""
        present = self._utterances[-1] if self._utterances else None
        is_spoken = present is not None and self._endpointer.in_speech and not self._is_paused
        if not is_spoken or present is None or present.number != number or len(self._utterances) > 1:
            return None
        return " ".join((*self._partial, text)).strip()

    def put_back(self, text: str, now_s: float, *, wait_s: float) -> None:
        """`text` was taken too early: it joins the next speech, or comes again after `wait_s`."""
        self._partial.insert(0, text)
        self._partial_due_s = now_s + wait_s

    def hold(self, now_s: float) -> None:
        """The user wants time for the rest."""
        if self._partial:
            self._partial_due_s = now_s + self._hold_s()

    def open(self) -> None:
        """From now on no silence ends a request."""
        self._is_open = True

    def close(self, now_s: float) -> None:
        """What was said since is all, also after a "hold on": the next frame ends it."""
        self._is_open = False
        self._endpointer.end_after(0.0)
        self._send_partial(now_s)

    def drop_partial(self) -> str:
        """Forget and give what waits."""
        text = self.partial
        self._partial, self._partial_due_s = [], None
        return text

    def _begin(self, began_s: float, *, is_rest: bool = False) -> None:
        self._number += 1
        self._utterances.append(_Utterance(self._number, began_s, is_rest=is_rest))
        self._is_paused = False
        self._endpointer.end_after(self._longest_s())

    def _pause(self) -> Transcribe:
        present = self._utterances[-1]
        present.revision += 1
        present.text = present.completeness = None
        present.judged_at_s, present.glimpsed_at_s = 0.0, self._endpointer.since_start_s
        self._is_paused = True
        self._endpointer.end_after(self._longest_s())
        return self._transcribe(present, self._endpointer.present)

    def _transcribe(self, utterance: _Utterance, span: Span) -> Transcribe:
        return Transcribe(utterance.number, utterance.revision, span.start, span.end)

    def _judge(self) -> list[Event]:
        present, silence_s = self._utterances[-1], self._endpointer.silence_s
        step_s = self._settings.judge_again_s if present.judged_at_s else self._settings.judge_s
        if self._is_open or silence_s < present.judged_at_s + step_s - 1e-6:
            return []
        is_short = self._endpointer.speech_s <= self._settings.short_s
        if present.text is None and is_short and silence_s < self._settings.command_s:
            return []
        present.judged_at_s = silence_s
        span = self._endpointer.present
        return [Judge(present.number, present.revision, span.start, span.end)]

    def _glimpse(self) -> list[Event]:
        present, length_s, settings = self._utterances[-1], self._endpointer.since_start_s, self._settings
        again_s = present.glimpsed_at_s + settings.glimpse_again_s if present.glimpsed_at_s else 0.0
        is_due = max(settings.glimpse_s, again_s) <= length_s <= settings.glimpses_until_s
        if present.is_rest or not is_due:
            return []
        present.glimpsed_at_s = length_s
        span = self._endpointer.present
        return [Glimpse(present.number, span.start, span.end)]

    def _end(self, now_s: float, *, is_piece: bool) -> Iterator[Event]:
        present = self._utterances[-1]
        if not self._is_paused:  # split in the middle of speech
            present.revision += 1
            present.text = None
            assert self._endpointer.span is not None
            yield self._transcribe(present, self._endpointer.span)
        present.is_over, present.is_piece = True, is_piece
        present.ended_s, present.speech_s = now_s - self._endpointer.silence_s, self._endpointer.speech_s
        self._is_paused = False
        if is_piece:
            self._begin(now_s, is_rest=True)
        yield from self._messages(now_s)

    def _discard(self, now_s: float) -> Iterator[Event]:
        """A click or a cough; it ends nothing, unless it was all the rest of a piece that was split off."""
        self._is_paused = False
        is_begun = bool(self._utterances) and not self._utterances[-1].is_over
        if is_begun and self._utterances.pop().is_rest:
            if self._utterances:
                self._utterances[-1].is_piece = False
            else:
                self._send_partial(now_s)
        yield from self._messages(now_s)

    def _messages(self, now_s: float) -> Iterator[Event]:
        """The turns of which all words are known."""
        while self._utterances and self._utterances[0].is_over and self._utterances[0].text is not None:
            message = self._message(self._utterances.popleft(), now_s)
            if message is not None:
                yield message

    def _message(self, utterance: _Utterance, now_s: float) -> Message | None:
        # An answer is taken as it was said: "yes, hold on" is no "yes".
        said = utterance.text or ""
        ended = Ended(said, Ending.NONE) if self.situation.question else ending_of(said)
        text = ended.text
        if utterance.is_piece or (text and ended.ending is Ending.HOLD):
            self._partial += [text] if text else []
            self._partial_due_s = now_s + (
                self._hold_s() if ended.ending is Ending.HOLD else self._longest_s()
            )
            return None
        if text:
            text = self._with_command(text, utterance)
            if text and self._joins(text):
                text = " ".join((self.drop_partial(), text)).strip()
        elif utterance.is_rest:
            self._send_partial(now_s)
        return Message(
            text=text,
            ending=ended.ending,
            began_s=utterance.began_s,
            ended_s=utterance.ended_s,
            speech_s=utterance.speech_s,
            avg_logprob=utterance.avg_logprob,
            completeness=utterance.completeness,
        )

    def _with_command(self, text: str, utterance: _Utterance) -> str:
        """`text`, behind the command that was taken just before it for all that is said: "skip", "the tests".

        Nothing of "louder", "please" is left, since both together are no other command.
        """
        before, self._command = self._command, None
        if before is None or commands_in(text, self.situation):
            return text
        is_rest = utterance.began_s - before.ended_s < self._settings.command_s
        if not is_rest or self.situation.question:  # an answer is taken as it was said
            return text
        whole = f"{before.text} {text}"
        is_same = commands_in(whole, before.situation) == commands_in(before.text, before.situation)
        return "" if is_same else whole

    def _send_partial(self, now_s: float) -> None:
        """Nothing follows what waits."""
        if self._partial:
            self._partial_due_s = now_s

    def _joins(self, text: str) -> bool:
        """A command said while words wait is a command; all else is the rest of them."""
        return bool(self._partial) and not self.situation.question and not commands_in(text, self.situation)

    def _partial_message(self, now_s: float) -> Message:
        return Message(self.drop_partial(), Ending.NONE, now_s, now_s, 0.0, 0.0, None)

    def _set_silence(self) -> None:
        if self._is_paused and self._endpointer.in_speech:
            self._endpointer.end_after(self._needed_s(self._utterances[-1]))

    def _needed_s(self, present: _Utterance) -> float:
        """The silence that ends the present utterance, from what is known of it."""
        settings, text = self._settings, present.text
        is_complete = present.completeness is not None and present.completeness >= settings.complete
        if text == "":
            return settings.noise_s
        if text is not None:
            names = {spoken.name for spoken in commands_in(text, self.situation)}
            ending = ending_of(text).ending
            if ending is Ending.SEND or names & {Name.STOP, Name.SEND}:
                return 0.0
            if is_complete_command(text, self.situation):
                return settings.judge_s if self._can_be_given_back(text) else settings.command_s
            if ending is Ending.HOLD:
                return settings.judge_s  # what was said waits as a part
        if is_complete and not self._is_open:
            return settings.judge_s
        return self._longest_s()

    def _can_be_given_back(self, text: str) -> bool:
        """A command that has done no harm if more follows. "Yes", and then "but not now", is none."""
        spoken = commands_in(text, self.situation)
        is_undone = _is_passing(spoken) and not any(one.name in _NOT_UNDONE for one in spoken)
        return is_undone and not self.situation.question

    def _longest_s(self) -> float:
        if self._is_open:
            return self._settings.open_s
        return self._settings.incomplete_s * (self._settings.patience if self.is_patient else 1.0)

    def _hold_s(self) -> float:
        return max(self._settings.hold_s, self._longest_s())

    def _of(self, number: int, revision: int) -> _Utterance | None:
        return next(
            (one for one in self._utterances if one.number == number and one.revision == revision), None
        )


def _is_passing(spoken: Sequence[Spoken]) -> bool:
    """Whether nothing is lost if more words follow: not so once the microphone is closed."""
    return bool(spoken) and all(
        one.command.tier is Tier.HARMLESS and one.name not in _LASTING for one in spoken
    )
