"""The request that the agent works on: begun early, joined, cut or withdrawn. Pure; part of the machine."""

from __future__ import annotations

from dataclasses import dataclass

from voice.audio.earcons import Earcon
from voice.conversation.asking import Asking
from voice.conversation.mouth import Item, Mouth
from voice.conversation.signals import (
    Begin,
    Clause,
    CutTurn,
    Decision,
    Kind,
    Prepare,
    Sound,
    ToolBegan,
    ToolEnded,
    TurnOver,
    Withdraw,
)
from voice.conversation.turn_events import Message


@dataclass(frozen=True)
class WorkSettings:
    """Times in seconds."""

    join_s: float = 2.0  # speech that follows a request so soon, before any answer, is the rest of it
    resume_s: float = 1.9  # and so soon, also when the answer had begun: a pause to think is no end
    complete: float = 0.5  # a request that sounded less complete is joined by what follows, however late
    tool_sound_s: float = 1.0  # a tool that takes longer is heard,
    tool_status_s: float = 4.0  # and then told of


@dataclass
class Turn:
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


class Work:
    """At most one turn. Decisions go to `out`, in the order in which they are to be done."""

    def __init__(self, settings: WorkSettings, mouth: Mouth, asking: Asking, out: list[Decision]) -> None:
        self._settings = settings
        self._mouth = mouth
        self._asking = asking
        self._out = out
        self._turns = 0
        self._silenced: list[Item] = []  # what "stop" kept from being said
        self._last: Turn | None = None  # done, or cut by words that may be the rest of its request
        self.turn: Turn | None = None

    @property
    def is_thinking(self) -> bool:
        """Whether the agent is at work on a request."""
        return self.turn is not None and self.turn.is_begun and not self.turn.is_over

    # ---------------------------------------------------------------------------------------- requests

    def prepare(self, words: str) -> None:
        """The user is silent, and `words` may be all: start on them, if nothing else is being done."""
        if self.turn is None:
            self._turns += 1
            self.turn = Turn(self._turns, words)
            self._out.append(Prepare(self._turns, words))

    def request(self, text: str, message: Message | None = None) -> None:
        """`text` is what the user wants now: by itself, or as the rest of a request that was just made."""
        turn = self._last if self.turn is None or not self.turn.is_begun else self.turn
        if turn is not None and message is not None and self._is_rest_of(turn, message):
            text = f"{turn.text} {text}"
            if turn is self.turn:
                self._out.append(Withdraw(turn.number))
                self._forget(turn)
        self.fall_silent()
        self._last = None
        if self.turn is not None and self.turn.is_begun:
            self.end(self.turn)
        self._silenced.clear()
        if self.turn is not None and self.turn.text != text:
            self.withdraw_prepared()
        if self.turn is None:
            self._turns += 1
            self.turn = Turn(self._turns, text)
        self._begin(self.turn, message)

    def _begin(self, turn: Turn, message: Message | None) -> None:
        turn.is_begun = True
        if message is not None:
            turn.said_until_s = message.ended_s
            turn.was_complete = (
                message.completeness is None or message.completeness >= self._settings.complete
            )
        self._out += [Sound(Earcon.HEARD), Begin(turn.number, turn.text)]

    def _is_rest_of(self, turn: Turn, message: Message) -> bool:
        pause_s = message.began_s - turn.said_until_s
        if turn.has_effect or turn.said_until_s == 0.0:
            return False
        if turn.has_sounded or turn.is_over:
            return pause_s <= self._settings.resume_s
        return not turn.was_complete or pause_s <= self._settings.join_s

    def withdraw_prepared(self) -> None:
        """The user went on, or meant something else."""
        if self.turn is not None and not self.turn.is_begun:
            self._out.append(Withdraw(self.turn.number))
            self._forget(self.turn)

    def fall_silent(self) -> None:
        """Real words: what was being said is over, and so is the turn that said it."""
        if self._mouth.sounding:
            decisions, _ = self._mouth.cut()
            self._out += decisions
            if self.turn is not None:
                self._last = self.turn
                self.end(self.turn)

    def end(self, turn: Turn) -> None:
        """Interrupt a turn; a question of it that waits means no."""
        self._asking.deny(turn.number)
        self._out.append(CutTurn(turn.number) if turn.is_begun else Withdraw(turn.number))
        self._forget(turn)

    def _forget(self, turn: Turn) -> None:
        self._mouth.drop_waiting(Kind.REPLY)
        self.turn = None

    # ------------------------------------------------------------------------------------------- answers

    def take(self, given: Clause | ToolBegan | ToolEnded | TurnOver) -> None:
        """Something of the present turn."""
        turn = self.turn
        if turn is None:
            return
        if isinstance(given, Clause):
            item = Item(given.text, Kind.REPLY)
            if turn.is_silenced:
                self._silenced.append(item)
            else:
                self._mouth.queue(item)
        elif isinstance(given, ToolBegan):
            turn.has_effect |= given.has_effect
            turn.doing, turn.tool_since_s, turn.told = given.doing, None, 0
        elif isinstance(given, ToolEnded):
            turn.doing, turn.tool_since_s = "", None
        else:
            turn.is_over, turn.doing = True, ""
            self._asking.deny(turn.number)

    def tell_of_tool(self, now_s: float, *, is_waiting: bool) -> None:
        """Time goes by in which nobody speaks: a tool that takes long is heard, then told of.

        `is_waiting`: it has not begun, but waits for the user's word.
        """
        turn = self.turn
        if turn is None or not turn.doing:
            return
        if is_waiting:
            turn.tool_since_s = None
            return
        if turn.tool_since_s is None:
            turn.tool_since_s = now_s
        for_s = now_s - turn.tool_since_s
        if turn.told < 1 and for_s >= self._settings.tool_sound_s:
            turn.told = 1
            self._out.append(Sound(Earcon.TOOL))
        if turn.told < 2 and for_s >= self._settings.tool_status_s and not turn.is_silenced:
            turn.told = 2
            self._mouth.queue(Item(f"Still {turn.doing}.", Kind.STATUS))

    def may_speak(self) -> bool:
        """Nothing is said of a request before it is whole."""
        return self.turn is None or self.turn.is_begun

    def settle(self) -> None:
        """A turn of which all has been heard is done."""
        if self.turn is not None and self.turn.is_over and not self._mouth.is_busy:
            self._last, self.turn = self.turn, None

    def silence(self) -> None:
        """Say nothing more of this answer, unless told to go on; the work is not touched."""
        decisions, unheard = self._mouth.cut()
        self._out += decisions
        left = [*unheard, *self._mouth.waiting]
        self._silenced += [item for item in left if item.kind is Kind.REPLY]
        self._mouth.waiting.clear()
        if self.turn is not None:
            self.turn.is_silenced = True

    def stop(self) -> None:
        """End the turn and say nothing more of it."""
        self.silence()
        self._silenced.clear()
        if self.turn is not None:
            self.end(self.turn)

    def go_on(self) -> None:
        """Say what was silenced, and what comes."""
        for item in self._silenced:
            self._mouth.queue(item)
        self._silenced.clear()
        if self.turn is not None:
            self.turn.is_silenced = False
