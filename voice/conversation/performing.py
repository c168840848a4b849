"""What local commands change in the session itself: speech, sleep, requests. Pure; part of the machine."""

from __future__ import annotations

from dataclasses import dataclass, field

from voice.audio.earcons import Earcon
from voice.conversation.asking import Asking
from voice.conversation.command_table import Name
from voice.conversation.commands import Spoken
from voice.conversation.mouth import Mouth
from voice.conversation.signals import Decision, KillTools, Kind, Perform, Sound, Taken, Took
from voice.conversation.turn_taking import TurnTaking
from voice.conversation.work import Work


@dataclass
class Wishes:
    """What the user wants until further notice, and the words that wait for it."""

    is_paused: bool = False  # speech is held
    is_asleep: bool = False
    is_deeply: bool = False  # asleep
    dictated: list[str] | None = None  # None: no dictation
    set_aside: list[str] = field(default_factory=list[str])  # words said while a question waited


class Performing:
    """Does commands one after another. Decisions go to `out`, in the order in which they are to be done."""

    def __init__(
        self,
        wishes: Wishes,
        taking: TurnTaking,
        mouth: Mouth,
        asking: Asking,
        work: Work,
        out: list[Decision],
    ) -> None:
        self._wishes = wishes
        self._taking = taking
        self._mouth = mouth
        self._asking = asking
        self._work = work
        self._out = out
        self._last: Name | None = None

    def perform(self, spoken: Spoken, now_s: float) -> None:
        """Do a command, and leave the rest of it to whoever reads the decisions."""
        name, before, wishes = spoken.name, self._last, self._wishes
        self._last = name
        if name is Name.STOP:
            wishes.is_paused = False
            self._asking.again()
            self._work.silence()
        elif name is Name.ABORT:
            self._abort()
        elif name is Name.CANCEL:
            wishes.set_aside.clear()
            self._asking.deny()
            self._take_back()
        elif name is Name.SCRATCH_THAT:
            self._take_back()
        elif name is Name.PAUSE:
            wishes.is_paused = self._mouth.is_busy
            self._out += self._mouth.hold()
            self._taking.hold(now_s)
        elif name is Name.CONTINUE:
            wishes.is_paused = False
            self._work.go_on()
        elif name is Name.SKIP:
            wishes.is_paused = False
            self._out += self._mouth.skip()
        elif name in (Name.REPEAT, Name.BACK) or (name is Name.AGAIN and before is not Name.SPELL_THAT):
            wishes.is_paused = False
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
            wishes.is_asleep = wishes.is_deeply = False
            self._out.append(Sound(Earcon.AWAKE))
        elif name is Name.DICTATION_ON:
            wishes.dictated = wishes.dictated or []
        elif name is Name.DICTATION_OFF or (name is Name.SEND and wishes.dictated is not None):
            self.end_dictation()
        elif name is Name.SEND and self._taking.partial:
            text = self._taking.drop_partial()
            self._out.append(Took(text, Taken.REQUEST))
            self._work.request(text)
        self._out.append(Perform(spoken))

    def end_dictation(self) -> None:
        """All that was taken down is a request."""
        text = " ".join(self._wishes.dictated or ())
        self._wishes.dictated = None
        if text:
            self._work.request(text)

    def _abort(self) -> None:
        """Nothing that was said before is still to be done."""
        self._wishes.is_paused = False
        self._wishes.set_aside.clear()
        self._drop_partial()
        self._asking.deny()
        self._work.stop()
        self._out += [KillTools(), Sound(Earcon.STOPPED)]

    def _take_back(self) -> None:
        """Drop what was said last: of a dictation, of words that wait, or the request itself."""
        if self._wishes.dictated:
            self._wishes.dictated.pop()
        elif self._taking.partial:
            self._drop_partial()
        elif self._wishes.set_aside:
            self._wishes.set_aside.pop()
        else:
            self._work.fall_silent()
            if self._work.turn is not None:
                self._work.end(self._work.turn)

    def _drop_partial(self) -> None:
        if self._taking.partial:
            self._out.append(Took(self._taking.drop_partial(), Taken.CANCELLED))

    def _fall_asleep(self, *, deeply: bool) -> None:
        decisions, unheard = self._mouth.cut()
        self._out += decisions
        self._mouth.say_again([item for item in unheard if item.kind is Kind.REPLY])
        self._asking.deny()
        self._work.withdraw_prepared()
        self._wishes.is_asleep, self._wishes.is_deeply = True, deeply
        self._out.append(Sound(Earcon.ASLEEP))
