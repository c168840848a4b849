"""What goes into the session machine and what comes out of it: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Union

from voice.audio.earcons import Earcon
from voice.conversation.approvals import Approved, Denied, Question
from voice.conversation.commands import Spoken
from voice.conversation.turn_events import Glimpse, Judge, Transcribe

# ------------------------------------------------------------------------------------------------- inputs


@dataclass(frozen=True)
class Frame:
    """20 ms of the microphone. `is_own_voice`: what is in it is Utter's own sound, come back.

    `may_be_echo`: what Utter says comes back, as far as is known; with headphones none does.
    """

    is_speech: bool
    is_own_voice: bool = False
    may_be_echo: bool = True


@dataclass(frozen=True)
class Transcribed:
    """The answer to `Transcribe`; `text` is empty when what was heard was no speech."""

    utterance: int
    revision: int
    text: str
    avg_logprob: float


@dataclass(frozen=True)
class Glimpsed:
    """The answer to `Glimpse`; `text` is empty when no words were heard."""

    utterance: int
    text: str


@dataclass(frozen=True)
class Judged:
    """The answer to `Judge`, from 0 to 1."""

    utterance: int
    revision: int
    completeness: float


@dataclass(frozen=True)
class Clause:
    """The agent's answer goes on with `text`."""

    turn: int
    text: str


@dataclass(frozen=True)
class ToolBegan:
    """A tool runs; `doing` says what, fit to be spoken ("running the tests")."""

    turn: int
    doing: str
    has_effect: bool


@dataclass(frozen=True)
class ToolEnded:
    turn: int


@dataclass(frozen=True)
class Asked:
    """The agent waits for the user's word; of turn 0, the session does. Answered by one `Resolve`."""

    turn: int
    question: Question


@dataclass(frozen=True)
class TurnOver:
    """The agent has nothing more to say or do in this turn."""

    turn: int


@dataclass(frozen=True)
class ItemHeard:
    """What `Say` gave out has been played to its end."""

    item: int


@dataclass(frozen=True)
class Notice:
    """Something that a command, or a device, has to say."""

    text: str


@dataclass(frozen=True)
class Pressed:
    """A key of the command table, with the arguments that were typed after it, if it takes any."""

    key: str
    numbers: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Typed:
    """A request by keyboard, or the reading that the user chose."""

    text: str


@dataclass(frozen=True)
class TalkKey:
    """The key of push-to-talk: from now on the microphone counts, or no longer."""


@dataclass(frozen=True)
class Offered:
    """Numbered choices have been told, or are no longer open."""

    is_open: bool


Input = Union[
    Frame,
    Transcribed,
    Glimpsed,
    Judged,
    Clause,
    ToolBegan,
    ToolEnded,
    Asked,
    TurnOver,
    ItemHeard,
    Notice,
    Pressed,
    Typed,
    TalkKey,
    Offered,
]

# ---------------------------------------------------------------------------------------------- decisions


@dataclass(frozen=True)
class Foresee:
    """The user has begun so, and speaks on: let the model read what will stay.

    `text` may be "": then it is what comes before the words.
    """

    text: str


@dataclass(frozen=True)
class Prepare:
    """The words so far may be a whole request: start on them, but run no tool and say nothing yet."""

    turn: int
    text: str


@dataclass(frozen=True)
class Begin:
    """The request is whole: work on it, and speak. Comes with or without a `Prepare` of the same turn."""

    turn: int
    text: str


@dataclass(frozen=True)
class Withdraw:
    """The user went on: rewind all of this turn, as if it had never been."""

    turn: int


@dataclass(frozen=True)
class CutTurn:
    """The user interrupted: stop the turn if it still runs, cut it to what was heard; its tools go on."""

    turn: int


class Kind(Enum):
    """What a spoken item is."""

    REPLY = "reply"
    QUESTION = "question"
    STATUS = "status"
    NOTICE = "notice"


@dataclass(frozen=True)
class Say:
    """Queue this for the speaker; answer with `ItemHeard`."""

    item: int
    text: str
    kind: Kind


@dataclass(frozen=True)
class PausePlayback:
    """Fall silent now; what is queued stays."""


@dataclass(frozen=True)
class ResumePlayback:
    """Go on where it was paused."""


@dataclass(frozen=True)
class CutPlayback:
    """Drop all that is queued. No `ItemHeard` follows for what was dropped."""


@dataclass(frozen=True)
class Perform:
    """Do a local command; what the session itself has to do for it is already among the decisions."""

    spoken: Spoken


@dataclass(frozen=True)
class KillTools:
    """Kill the process groups of the running tools, and say truthfully what was killed."""


@dataclass(frozen=True)
class Resolve:
    """The answer to `Asked`. The action that was approved must be the one that is then done."""

    verdict: Approved | Denied


@dataclass(frozen=True)
class Sound:
    """Play a short sound."""

    earcon: Earcon


class Taken(Enum):
    """What became of words."""

    REQUEST = "request"
    COMMAND = "command"
    ANSWER = "answer"
    LATER = "later"  # said while a question waited: they are the next request
    DICTATED = "dictated"
    BACKCHANNEL = "backchannel"
    OWN_VOICE = "own_voice"
    NOISE = "noise"
    ASLEEP = "asleep"
    CANCELLED = "cancelled"
    NOT_ADDRESSED = "not_addressed"  # said without the wake phrase


@dataclass(frozen=True)
class Took:
    """For the log: each message is taken as exactly one thing."""

    text: str
    taken: Taken


Decision = Union[
    Transcribe,
    Glimpse,
    Judge,
    Foresee,
    Prepare,
    Begin,
    Withdraw,
    CutTurn,
    Say,
    PausePlayback,
    ResumePlayback,
    CutPlayback,
    Perform,
    KillTools,
    Resolve,
    Sound,
    Took,
]
