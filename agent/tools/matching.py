"""Finding the lines an edit means, although they were written down a little wrong. Pure."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Union

from agent.code import trees
from agent.code.languages import Language
from agent.code.symbols import parse

_SHOWN_LINES = 8
_NUMBER = re.compile(r" *\d+\u2502")
_TEXT_NODES = frozenset({"template_string", "raw_string_literal", "string_literal"})


@dataclass(frozen=True)
class Replaced:
    """The whole new text."""

    text: str


@dataclass(frozen=True)
class NotFound:
    """Why nothing was replaced, with the closest numbered lines of the file."""

    reason: str


@dataclass(frozen=True)
class NewVersion:
    """Source of a definition at no indentation. `has_head`: its decorators, or the comment above, are there.

    `methods` and `helpers` are what it uses and the file does not have yet.
    """

    text: str
    has_head: bool
    methods: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()


def replace_lines(text: str, old: str, new: str) -> Union[Replaced, NotFound]:
    """Replace `old` in `text`: as it stands, else shifted in indentation, else with line ends trimmed.

    The place must be the only one of its kind.
    """
    old, new = _without_numbers(old), _without_numbers(new)
    old_lines = old.strip("\n").split("\n")
    new_lines = new.strip("\n").split("\n") if new.strip() else []
    lines = text.split("\n")
    if not old.strip():
        return NotFound("`old` is empty")
    if "\n" not in old.strip("\n") and text.count(old.strip("\n")) == 1 and old.strip("\n") not in lines:
        return Replaced(text.replace(old.strip("\n"), "\n".join(new_lines)))
    exact = _places(lines, old_lines)
    if len(exact) == 1:
        return Replaced(_spliced(lines, exact[0], len(old_lines), new_lines))
    if len(exact) > 1:
        numbers = ", ".join(str(place + 1) for place in exact[:5])
        return NotFound(
            f"these lines are there {len(exact)} times, at lines {numbers}: give more lines around them"
        )
    dedented = _dedented(old_lines)
    shifted = [
        place
        for place in range(len(lines) - len(old_lines) + 1)
        if _dedented(lines[place : place + len(old_lines)]) == dedented
    ]
    if len(shifted) == 1:
        indent = _indent(lines[shifted[0] : shifted[0] + len(old_lines)])
        moved = _reindented(new_lines, _indent(old_lines), indent)
        return Replaced(_spliced(lines, shifted[0], len(old_lines), moved))
    trimmed = _places([line.strip() for line in lines], [line.strip() for line in old_lines])
    if len(trimmed) == 1:
        indent = _indent(lines[trimmed[0] : trimmed[0] + len(old_lines)])
        moved = _reindented(new_lines, _indent(new_lines), indent)
        return Replaced(_spliced(lines, trimmed[0], len(old_lines), moved))
    return NotFound("these lines are not in the file; the closest are:\n" + _closest(lines, old_lines))


def _without_numbers(text: str) -> str:
    """Lines as they are in the file, when they were copied with the column of their numbers."""
    lines = text.strip("\n").split("\n")
    if lines and all(_NUMBER.match(line) for line in lines):
        return "\n".join(_NUMBER.sub("", line) for line in lines)
    return text


def reindent(code: str, indent: str, original: str = "", language: Language | None = Language.PYTHON) -> str:
    """`code` moved so that its least indented line has `indent`.

    The inside of a long string stays as it is, unless it is a docstring, or moving brings back what
    `original`, the text that the code replaces, has there.
    """
    lines = code.split("\n")
    moved = _reindented(lines, _indent(lines), indent)
    there = frozenset(original.split("\n"))
    for first, last in _long_strings(code) if language is Language.PYTHON else _long_texts(code, language):
        if "\n".join(moved[first - 1 : last]) not in original:
            moved[first:last] = [
                back if back in there and line not in there else line
                for line, back in zip(lines[first:last], moved[first:last], strict=True)
            ]
    return "\n".join(moved)


def _long_strings(code: str) -> list[tuple[int, int]]:
    """First and last line, counted from 1, of each string over several lines that is not a docstring."""
    tree = parse(code)
    docstrings = {
        node.body[0].lineno
        for node in (ast.walk(tree) if tree is not None else ())
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        and ast.get_docstring(node, clean=False) is not None
    }
    found: list[tuple[int, int]] = []
    opened: list[int] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            kind = tokenize.tok_name[token.type]
            if kind == "FSTRING_START":
                opened.append(token.start[0])
            first = opened.pop() if kind == "FSTRING_END" else token.start[0]
            if kind in ("STRING", "FSTRING_END") and first < token.end[0] and first not in docstrings:
                found.append((first, token.end[0]))
    except (tokenize.TokenError, SyntaxError):
        return []
    return found


def _long_texts(code: str, language: Language | None) -> list[tuple[int, int]]:
    """The same for the other languages."""
    if language is None:
        return []
    nodes = trees.walk(trees.root_of(language, code))
    spans = [(n.start_point.row + 1, n.end_point.row + 1) for n in nodes if n.type in _TEXT_NODES]
    return [(first, last) for first, last in spans if first < last]


def in_style_of(text: str, new: str) -> str:
    """`new` indented by tabs where `text` is, and by spaces where `text` is."""
    there = [line[0] for line in text.split("\n") if line[:1] in ("\t", " ") and line.strip()]
    lines = new.split("\n")
    widths = [len(line) - len(line.lstrip(" ")) for line in lines if line.startswith(" ") and line.strip()]
    wants_tabs = there.count("\t") > len(there) / 2
    if wants_tabs and widths:
        unit = max(2, min(widths))
        return "\n".join(_tabbed(line, unit) for line in lines)
    if there and not wants_tabs and any(line.startswith("\t") for line in lines):
        steps = [len(line) - len(line.lstrip(" ")) for line in text.split("\n") if line.startswith(" ")]
        unit = min((step for step in steps if step > 1), default=4)
        return "\n".join(
            " " * unit * (len(line) - len(line.lstrip("\t"))) + line.lstrip("\t") for line in lines
        )
    return new


def _tabbed(line: str, unit: int) -> str:
    width = len(line) - len(line.lstrip(" "))
    return "\t" * (width // unit) + " " * (width % unit) + line.lstrip(" ")


def _places(lines: list[str], wanted: list[str]) -> list[int]:
    size = len(wanted)
    return [place for place in range(len(lines) - size + 1) if lines[place : place + size] == wanted]


def _spliced(lines: list[str], place: int, size: int, new_lines: list[str]) -> str:
    return "\n".join([*lines[:place], *new_lines, *lines[place + size :]])


def _indent(lines: list[str]) -> str:
    indents = [line[: len(line) - len(line.lstrip())] for line in lines if line.strip()]
    return min(indents, key=len, default="")


def _dedented(lines: list[str]) -> list[str]:
    indent = _indent(lines)
    return [line.removeprefix(indent).rstrip() for line in lines]


def _reindented(lines: list[str], old: str, new: str) -> list[str]:
    return [new + line.removeprefix(old) if line.strip() else line for line in lines]


def _closest(lines: list[str], wanted: list[str]) -> str:
    size = len(wanted)
    target = "\n".join(line.strip() for line in wanted)[:2000]
    best = max(
        range(max(1, len(lines) - size + 1)),
        key=lambda place: SequenceMatcher(
            None,
            "\n".join(line.strip() for line in lines[place : place + size])[:2000],
            target,
            autojunk=False,
        ).quick_ratio(),
    )
    end = min(len(lines), best + max(size, 3), best + _SHOWN_LINES)
    return numbered(lines, best + 1, end)


def numbered(lines: Sequence[str], first: int, last: int) -> str:
    """The lines `first` to `last`, counted from 1, each behind its number; the middle of many is left out."""
    rows = [f"{k}: {lines[k - 1]}" for k in range(first, min(last, len(lines)) + 1)]
    most = 4 * _SHOWN_LINES
    return "\n".join(rows if len(rows) <= most else [*rows[: most // 2], "...", *rows[-most // 2 :]])
