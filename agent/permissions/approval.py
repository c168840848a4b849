"""How the user is asked: a question goes out with the call's id, a yes or a no comes back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Union

from agent.events import ApprovalNeeded


@dataclass(frozen=True)
class Approved:
    """The user said yes, to just this action."""


@dataclass(frozen=True)
class Refused:
    """The user said no, or nothing. `reason` is fit to be spoken."""

    reason: str = "That needs your word first."


Answer = Union[Approved, Refused]
Approve = Callable[[ApprovalNeeded], Awaitable[Answer]]
"""Asks the user and gives the answer. Only what the user says or types may ever lead to `Approved`."""


async def refuse(needed: ApprovalNeeded) -> Answer:
    """The answer where there is nobody to ask."""
    return Refused()
