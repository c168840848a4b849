"""What the taking of turns asks for and tells: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from voice.conversation.endings import Ending


@dataclass(frozen=True)
class Transcribe:
    """Transcribe the audio of `utterance` so far, pre-roll included.

    It goes from `first_frame` to `end_frame` (exclusive) of the frames given. A newer revision of the same
    utterance makes this one idle, but the last one of each utterance must be answered.
    """

    utterance: int
    revision: int
    first_frame: int
    end_frame: int
    listens_for: tuple[str, ...] = ()  # words whose likelihood is asked for too
    is_answer: bool = False  # a question waits: the words are taken as they were said


@dataclass(frozen=True)
class Glimpse:
    """Look at the words of `utterance` so far while the user speaks on, frames as in `Transcribe`.

    Only if there is time for it, and no longer than that: nobody waits for an answer.
    """

    utterance: int
    first_frame: int
    end_frame: int


@dataclass(frozen=True)
class Judge:
    """Ask the end-of-turn model about the audio of `utterance` so far, frames as in `Transcribe`."""

    utterance: int
    revision: int
    first_frame: int
    end_frame: int


@dataclass(frozen=True)
class Resumed:
    """The user goes on: what was begun on the words so far is void."""


@dataclass(frozen=True)
class Message:
    """All that the user said in one turn. Times in session seconds; `completeness` of its end, if judged.

    `text` is empty when no words were heard. `began_s` and `avg_logprob` are those of the last utterance.
    """

    text: str
    ending: Ending
    began_s: float
    ended_s: float
    speech_s: float
    avg_logprob: float
    completeness: float | None


Event = Union[Transcribe, Glimpse, Judge, Resumed, Message]
