"""The words and symbols of what was heard, with their places in it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from voice.hearing.names import without_accents

# Words, also those that Whisper ran together: "OpenCalc.py".
_TOKEN = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])|\d+|[._/\\-]")
_BETWEEN = re.compile(r"(?:['’]s)?[ \t'\"“”‘’`]*")
_SYMBOLS = {"dot": ".", "point": ".", "slash": "/", "underscore": "_", "dash": "-", "hyphen": "-"}

SILENT = "_-"  # in names, but not spoken


@dataclass(frozen=True)
class Token:
    """A word or symbol as spoken (`form`: lower case, "dot" as ".") and its place in the raw text."""

    form: str
    start: int
    end: int
    joined: bool  # nothing but blanks and quotes between it and the token before
    near: bool  # that, a comma or a hyphen: Whisper puts them into names that it does not know
    follows_stop: bool = False  # it puts a full stop into them, too
    word: str = ""  # what was said for "." or "/", which may be of a name: `entry_point`, `dot_product`


def tokens_of(text: str) -> list[Token]:
    """All tokens of `text`; punctuation that ends a sentence is none."""
    tokens: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(text):
        raw = without_accents(match.group().lower())
        if raw in "._-/\\" and not _inside_name(text, match.start()):
            continue
        if raw == "s" and text[match.start() - 1 : match.start()] in ("'", "’"):
            continue  # a possessive
        between = text[end : match.start()].strip()
        joined = bool(tokens) and _BETWEEN.fullmatch(text, end, match.start()) is not None
        if not joined and tokens and len(raw) == len(tokens[-1].form) == 1:
            joined = between in (",", ".")  # "A, P. I"
        near = joined or (bool(tokens) and between in (",", "-"))
        form = "/" if raw == "\\" else _SYMBOLS.get(raw, raw)
        follows_stop = bool(tokens) and not joined and between == "."
        word = raw if raw in _SYMBOLS and form not in SILENT else ""
        tokens.append(Token(form, match.start(), match.end(), joined, near, follows_stop, word))
        end = match.end()
    return tokens


def run_length(tokens: Sequence[Token], at: int, most: int, *, near: bool = False) -> int:
    """How many tokens from `at` on follow one another without punctuation between, at most `most`.

    With `near`, commas, hyphens and one full stop are let through.
    """
    n, n_stops = 1, 0
    while at + n < len(tokens) and n < most:
        token = tokens[at + n]
        n_stops += near and token.follows_stop
        if not (token.joined or (near and (token.near or (token.follows_stop and n_stops == 1)))):
            break
        n += 1
    return n


def forms_of(tokens: Sequence[Token]) -> list[str]:
    """The forms alone."""
    return [token.form for token in tokens]


def words_of(tokens: Sequence[Token]) -> list[str]:
    """The forms, but for "." and "/" the words, where they were said."""
    return [token.word or token.form for token in tokens]


def _inside_name(text: str, at: int) -> bool:
    """Does the symbol at `at` belong to a name, and not end a sentence?"""
    after = text[at + 1 : at + 2]
    return after.isalnum() or after == "_"
