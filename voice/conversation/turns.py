"""What happens in a spoken session, as plain values: readers show them, log them and check them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Union

from agent.events import Event, TextDelta
from voice.hearing.spoken_code import Written
from voice.hearing.transcribe import Heard


@dataclass(frozen=True)
class Ready:
    """All models are loaded and the context is warm; `start_s` seconds after the program was started."""

    start_s: float


@dataclass(frozen=True)
class UtteranceHeard:
    """A piece of speech was transcribed. `heard.rejected` says why it goes no further, if so."""

    heard: Heard
    speech_s: float


@dataclass(frozen=True)
class Wrote:
    """A request by the keyboard."""

    text: str


@dataclass(frozen=True)
class Understood:
    """The words after spoken code was written out: what the agent gets."""

    written: Written


@dataclass(frozen=True)
class AgentEvent:
    """One event of the agent's turn."""

    event: Event


@dataclass(frozen=True)
class Saying:
    """A clause that is about to sound."""

    clause: str


@dataclass(frozen=True)
class NotTaken:
    """Words that were heard and not acted on, and why: noise, Utter's own voice, asleep, "mm-hm"."""

    text: str
    why: str


@dataclass(frozen=True)
class CommandDone:
    """A local command was carried out; `name` is that of the command table."""

    name: str


@dataclass(frozen=True)
class Answered:
    """The user's word on an action; `words` are those that were heard, `why` is empty when it is allowed."""

    action: str
    is_allowed: bool
    words: str
    why: str


@dataclass(frozen=True)
class Interrupted:
    """The user cut the reply; `heard` is what had sounded of the sentence that was cut."""

    heard: str


@dataclass(frozen=True)
class Sounded:
    """A short sound, as a word."""

    word: str


@dataclass(frozen=True)
class Told:
    """Something about the session itself, such as a microphone that is gone."""

    text: str


@dataclass(frozen=True)
class Replied:
    """The reply as the model wrote it, code that is not said included; empty for a turn without words."""

    text: str


@dataclass(frozen=True)
class Timings:
    """How long the parts of one turn took; None where a turn had no such part.

    `endpoint_s` and `response_s` count from the true end of speech: to the endpoint, and to the first audio.
    `first_token_s` and `first_audio_s` count from the moment that the agent got the words;
    `transcription_s` is the transcriber's own time.
    """

    speech_s: float
    endpoint_s: float
    transcription_s: float
    cached_tokens: int
    new_tokens: int
    first_token_s: float | None
    first_audio_s: float | None
    response_s: float | None


@dataclass(frozen=True)
class TurnDone:
    """A whole turn: the request, all that the agent did, what was said, and the timings."""

    number: int
    heard: Heard
    written: Written
    events: tuple[Event, ...]
    said: tuple[str, ...]
    timings: Timings


Moment = Union[
    Ready,
    UtteranceHeard,
    Wrote,
    Understood,
    AgentEvent,
    Saying,
    NotTaken,
    CommandDone,
    Answered,
    Interrupted,
    Sounded,
    Told,
    Replied,
    TurnDone,
]


@dataclass(frozen=True)
class Stamped:
    """A moment and its session time in seconds."""

    at_s: float
    moment: Moment


def written_reply(events: Iterable[Event]) -> str:
    """The words of a turn, joined."""
    return "".join(event.text for event in events if isinstance(event, TextDelta)).strip()
