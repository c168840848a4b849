"""The typed events of one turn: plain values, streamed by the loop, read by whoever shows or says them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Union

from agent.facts import Fact


class EndReason(str, Enum):
    """Why a turn is over."""

    ANSWERED = "answered"
    STEP_LIMIT = "step_limit"
    TIME_LIMIT = "time_limit"
    CONTEXT_FULL = "context_full"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True)
class TextDelta:
    """A piece of the answer, in the order it is to be said."""

    text: str


@dataclass(frozen=True)
class ToolCallStarted:
    """The model has named a tool; its arguments follow."""

    id: str
    name: str


@dataclass(frozen=True)
class ToolArgumentsDelta:
    """Joined over one call, the fragments so far are always a prefix of one legal JSON object."""

    id: str
    json_fragment: str


@dataclass(frozen=True)
class ToolCallReady:
    """The whole call, its arguments already coerced to the declared types."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class ToolResult:
    """What a call gave: `content` for the model, `summary_facts` for speech."""

    id: str
    ok: bool
    content: str
    summary_facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class ApprovalNeeded:
    """A call waits for the user's word; `action` is the exact command or change, `reason` why it waits.

    What is destructive cannot be taken back by `undo`.
    """

    id: str
    action: str
    reason: str = ""
    is_destructive: bool = False


@dataclass(frozen=True)
class Usage:
    """Token counts of one turn as the Anthropic Messages API defines them.

    The three inputs are disjoint and sum to the whole prompt; only what was not computed counts as read.
    """

    input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True)
class Notice:
    """A sentence for the user about the conversation itself, not about the work; to be said."""

    text: str


@dataclass(frozen=True)
class TurnEnded:
    """The last event of every turn. `detail` is a sentence for the user when the turn did not simply end."""

    reason: EndReason
    detail: str = field(default="")


Event = Union[
    TextDelta,
    ToolCallStarted,
    ToolArgumentsDelta,
    ToolCallReady,
    ToolResult,
    ApprovalNeeded,
    Usage,
    Notice,
    TurnEnded,
]
