"""Renaming a name in Python source: where it is code, not where it is text. Pure."""

from __future__ import annotations

import io
import re
import tokenize

_FORMATTED = re.compile(r"(?:f|F|[fF][rR]|[rR][fF])['\"]")
_BRACE = re.compile(r"\{\{|[{}]")
_WORD = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|![rsa](?=[:}])|(?P<name>\b[^\W\d]\w*)|[{}]")


def names_in(source: str) -> set[str]:
    """Every name in the code of `source`, keywords included; raises ValueError where it is not Python."""
    return {text for _, _, text in _names(source)}


def renamed(source: str, old: str, new: str) -> str:
    """`source` with every name `old` in its code as `new`; strings and comments stay as they are."""
    lines = source.split("\n")
    for row, column, text in reversed(_names(source)):
        if text == old:
            line = lines[row - 1]
            lines[row - 1] = line[:column] + new + line[column + len(old) :]
    return "\n".join(lines)


def _names(source: str) -> list[tuple[int, int, str]]:
    """Line from 1, column from 0, and text of each name, in the order of the source."""
    found: list[tuple[int, int, str]] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source, newline="\n").readline):
            if token.type == tokenize.NAME:
                found.append((*token.start, token.string))
            elif token.type == tokenize.STRING and _FORMATTED.match(token.string):
                found += _names_in_fields(token.string, *token.start)  # one token before Python 3.12
    except (tokenize.TokenError, SyntaxError) as error:
        raise ValueError("not valid Python") from error
    return found


def _names_in_fields(text: str, row: int, column: int) -> list[tuple[int, int, str]]:
    """The names between the braces of a formatted string that begins at `row` and `column`."""
    found: list[tuple[int, int, str]] = []
    depth, place = 0, 0
    while match := (_WORD if depth else _BRACE).search(text, place):
        place = match.end()
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            depth = max(0, depth - 1)
        elif depth and match["name"]:
            before = text[: match.start()]
            start = len(before) - before.rfind("\n") - 1 if "\n" in before else column + len(before)
            found.append((row + before.count("\n"), start, match[0]))
    return found
