"""Code read mark by mark, at the levels that screen readers have; and names spelled. Pure."""

from __future__ import annotations

import re
from enum import IntEnum


class Punctuation(IntEnum):
    """How many of the marks are said; the levels are those of NVDA."""

    NONE = 0
    SOME = 1
    MOST = 2
    ALL = 3


_MARKS = {
    Punctuation.SOME: {
        "#": "hash", "%": "percent", "&": "ampersand", "*": "star", "+": "plus", "/": "slash",
        "<": "less than", ">": "greater than", "=": "equals", "@": "at", "$": "dollar",
    },
    Punctuation.MOST: {
        '"': "quote", "'": "tick", "(": "left paren", ")": "right paren", "[": "left bracket",
        "]": "right bracket", "{": "left brace", "}": "right brace", "-": "dash", ":": "colon",
        ";": "semicolon", "\\": "backslash", "^": "caret", "_": "underscore", "|": "bar", "`": "backtick",
        ".": "dot", "~": "tilde",
    },
    Punctuation.ALL: {",": "comma", "!": "bang", "?": "question mark"},
}  # fmt: skip
_TOKEN = re.compile(r"\w+|([^\w\s])\1{3,}|[^\w\s]")
_COUNTED = 4  # so many of the same mark and more are counted instead of said one by one


def exactly(text: str, level: Punctuation = Punctuation.ALL) -> str:
    """`text` word by word with the marks of `level` and below by their names.

    Names are split where their case changes, and capitals are said; long rows of one mark are counted.

    >>> exactly("x_1 = getURL(a)", Punctuation.MOST)
    'x underscore 1 equals get all caps url left paren a right paren'
    """
    said: list[str] = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        if len(token) >= _COUNTED and match[1]:
            name = _mark(token[0], level)
            said += [f"{len(token)} times {name}"] if name else []
            continue
        for part in _parts(token):
            word = _word(part) if part[0].isalnum() else _mark(part, level)
            said += [word] if word else []
    return " ".join(said)


def _parts(token: str) -> list[str]:
    """parse|Config, HTTP|Client, utf|8; each underscore and each mark is a part of its own."""
    parts: list[str] = []
    for at, letter in enumerate(token):
        last = parts[-1] if parts else "_"
        before_small = token[at + 1 : at + 2].islower()
        if (
            not (letter.isalnum() and last[-1].isalnum())
            or letter.isdigit() != last[-1].isdigit()
            or (letter.isupper() and (not last[-1].isupper() or before_small))
        ):
            parts.append(letter)
        else:
            parts[-1] += letter
    return parts


def _mark(mark: str, level: Punctuation) -> str:
    return next((names[mark] for least, names in _MARKS.items() if least <= level and mark in names), "")


def _word(word: str) -> str:
    if len(word) > 1 and word.isupper():
        return f"all caps {word.lower()}"
    return f"cap {word.lower()}" if word[0].isupper() else word


def spelled(name: str, words: dict[str, str] | None = None) -> str:
    """`name` letter by letter; with `words`, such as NATO's, each letter as its word.

    >>> spelled("aB_2")
    'a, cap B, underscore, 2'
    """
    letters: list[str] = []
    for letter in name:
        plain = letter if words is None else words.get(letter.lower(), letter)
        mark = _mark(letter, Punctuation.ALL)
        letters.append(mark or (f"cap {plain}" if letter.isupper() else plain))
    return ", ".join(letters)
