"""Small operations on the text of names and code that have no better home. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence


def words_of(text: str) -> list[str]:
    """The words in a name or a text, lower case, without their endings."""
    split = re.sub(r"([a-z])([A-Z])", r"\1 \2", text).replace("_", " ")
    return [_stem(word) for word in re.findall(r"[A-Za-z]{2,}|\d+", split.lower())]


def _stem(word: str) -> str:
    for ending in ("ies", "ing", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def dedented(lines: Sequence[str]) -> str:
    """The lines moved left until the first has no indentation."""
    indent = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[indent:] if not line[:indent].strip() else line for line in lines)
