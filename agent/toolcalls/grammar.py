"""Grammars in llguidance's Lark syntax for the blanks of a guided call. Pure text building.

https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

FENCE = "```"

_HOLDS = re.compile(r"\b(?:class|struct|type|interface|enum|trait|const|let|var|impl)\b")

_CODE_LINE = r"/[^`\n\x00-\x08\x0b-\x1f][^\n\x00-\x08\x0b-\x1f]{0,200}\n|\n/"


def literal(text: str) -> str:
    """A Lark string literal of `text`."""
    return json.dumps(text)


def choice(values: Sequence[str]) -> str:
    """One of `values`, after a space and before a line end."""
    return "start: " + " | ".join(literal(f" {value}\n") for value in values) + "\n"


def line(max_chars: int) -> str:
    """Any text on one line, after a space and before a line end."""
    return rf"start: / [^\s`][^\n`\x00-\x1f]{{0,{max_chars}}}\n/" + "\n"


def spoken(max_sentences: int) -> str:
    """A spoken answer: one line of whole sentences without the marks of Markdown."""
    # A full stop inside a word, as in `config.py`, ends no sentence.
    more = max_sentences - 1
    return (
        (f'start: FIRST (" " SENTENCE){{0,{more}}}\n' if more else "start: FIRST\n")
        + r"FIRST: / [^\s.!?`*#|<>\[{(_-]([^.!?\n`*#|<>\x00-\x1f]|[.!?][^\s.!?`*#|<>])+[.!?]/"
        "\n"
        r"SENTENCE: /[^\s.!?`*#|<>-]([^.!?\n`*#|<>\x00-\x1f]|[.!?][^\s.!?`*#|<>])+[.!?]/"
        "\n"
    )


def behind(opening: str) -> str:
    """An expression for what may follow a definition that was begun up to its name: `def load`, `class A`."""
    if not opening:
        return ""
    return r"( |[(:{<=])" if _HOLDS.search(opening) else r"([(<]| = )"


def code(max_lines: int, first: str = "") -> str:
    """Code up to the fence that ends it; it begins with the expression `first`."""
    return (
        f"start: FIRST LINE{{0,{max_lines}}} END\n"
        + rf"FIRST: /{first}[^`\n\x00-\x08\x0b-\x1f]{{0,200}}\n/"
        + "\nLINE: "
        + _CODE_LINE
        + f"\nEND: {literal(FENCE)}\n"
    )


def consecutive(lines: Sequence[str]) -> str:
    """A run of `lines` in their order, each with its line end, then the fence.

    It neither begins nor ends with a blank line, and never holds a line that looks like a fence. Raises
    ValueError when no line can be offered.
    """
    fenced = [text.startswith(FENCE) for text in lines]
    usable = [bool(text.strip()) and not is_fence for text, is_fence in zip(lines, fenced, strict=True)]
    if not any(usable):
        raise ValueError("no lines to choose from")
    last_usable = max(i for i, is_usable in enumerate(usable) if is_usable)
    rules: list[str] = []
    for i, text in enumerate(lines[: last_usable + 1]):
        follow = [literal(FENCE)] if usable[i] else []
        if i < last_usable and not fenced[i + 1]:
            follow.append(f"l{i + 1}")
        if not fenced[i] and follow:
            rules.append(f"l{i}: {literal(text + chr(10))} ({' | '.join(follow)})")
    starts = " | ".join(f"l{i}" for i, is_usable in enumerate(usable) if is_usable)
    return f"start: {starts}\n" + "\n".join(rules) + "\n"
