"""Constraints that begin where a call begins: free text until an opener is written, then a grammar. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True)
class Opener:
    """Text that begins a call, and the rule for all that follows it in the call.

    With `only_first`, only as the first thing that the model writes. A control token is written by its name.
    """

    text: str
    rule: str
    only_first: bool = False


@dataclass(frozen=True)
class CallGrammar:
    """Free text in which calls may stand; each obeys its rule of `rules`, in llguidance's Lark syntax.

    With `escapes_json`, text from files stands in calls as it does in a JSON string.
    """

    openers: tuple[Opener, ...]
    rules: str
    escapes_json: bool = False

    def after(self, opener: Opener, left: str = "") -> str:
        """The grammar of a call whose opener was written, except for its end, `left`."""
        prefix = f"{json.dumps(left, ensure_ascii=False)} " if left else ""
        return f"start: {prefix}{opener.rule}\n{self.rules}"


Constraint = Union[str, CallGrammar, None]


@dataclass(frozen=True)
class Began:
    """A call has begun, and `grammar` rules what follows. Its first token is dropped unless `keeps_token`."""

    grammar: str
    keeps_token: bool


class CallWatch:
    """Fed the text of each token of free text, says when a call begins."""

    def __init__(self, calls: CallGrammar) -> None:
        self._calls = calls
        self._openers = [(opener.text.encode(), opener) for opener in calls.openers]
        self._tail_bytes = max(len(text) for text, _ in self._openers) - 1
        self._tail = b""
        self._is_first = True

    def push(self, text: bytes) -> Began | None:
        """`text` of one token, a control token's name included, was written."""
        seen = self._tail + text
        begun = [
            (end, -len(name), opener)
            for name, opener in self._openers
            if (end := self._end_of(name, opener, seen)) is not None
        ]
        for end, _, opener in sorted(begun, key=lambda each: each[:2]):
            before = end - len(self._tail)
            if before == len(text):
                return Began(self._calls.after(opener), keeps_token=True)
            try:
                left = text[:before].decode()
            except UnicodeDecodeError:  # it shares its token with half a character: no grammar can say that
                continue
            return Began(self._calls.after(opener, left), keeps_token=False)
        self._is_first = self._is_first and len(seen) <= self._tail_bytes
        self._tail = seen[-self._tail_bytes :] if self._tail_bytes else b""
        return None

    def _end_of(self, name: bytes, opener: Opener, seen: bytes) -> int | None:
        """Where `name` ends for the first time within the new part of `seen`."""
        if opener.only_first:
            at = 0 if self._is_first and seen.startswith(name) else -1
        else:
            at = seen.find(name, max(len(self._tail) - len(name) + 1, 0))
        return at + len(name) if at >= 0 else None


def grammars_of(constraint: Constraint) -> Sequence[str]:
    """Every grammar that `constraint` may put in force."""
    if isinstance(constraint, CallGrammar):
        return [constraint.after(opener) for opener in constraint.openers]
    return [] if constraint is None else [constraint]
