"""Keeps text from files and users plain: the names of special tokens in it never become those tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence


def compile_names(names: Sequence[str]) -> re.Pattern[str] | None:
    """A pattern for `cut_names`, longest name first; None when there is nothing to look for."""
    ordered = sorted({name for name in names if len(name) > 1}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None


def cut_names(text: str, names: re.Pattern[str] | None) -> list[str]:
    """Split `text` after the first character of every special name in it.

    Tokenised one by one and joined, the parts give the same text, but no tokeniser can see the name in them.
    Joined as strings they are `text`.
    """
    if names is None:
        return [text] if text else []
    parts: list[str] = []
    start = at = 0
    while match := names.search(text, at):
        # From the next character on, so that a name beginning inside another one is cut too.
        at = match.start() + 1
        parts.append(text[start:at])
        start = at
    return [part for part in (*parts, text[start:]) if part]
