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
_TOKEN = re.compile(r"\w+|[^\w\s]|_")
_PARTS = re.compile(r"_|[^\W_]+")


def exactly(text: str, level: Punctuation = Punctuation.ALL) -> str:
    """`text` word by word with the marks of `level` and below by their names; capitals are said.

    >>> exactly("x_1 = Foo(a)", Punctuation.MOST)
    'x underscore 1 equals cap Foo left paren a right paren'
    """
    said: list[str] = []
    for token in _TOKEN.findall(text):
        for part in _PARTS.findall(token) if token[0].isalnum() or token[0] == "_" else [token]:
            word = _mark(part, level) if not part[0].isalnum() else _word(part)
            said += [word] if word else []
    return " ".join(said)


def _mark(mark: str, level: Punctuation) -> str:
    return next((names[mark] for least, names in _MARKS.items() if least <= level and mark in names), "")


def _word(word: str) -> str:
    if len(word) > 1 and word.isupper():
        return f"all caps {word.lower()}"
    return f"cap {word}" if word[0].isupper() else word


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
