"""Renaming a name in source: where it is code, not where it is text. Pure."""

from __future__ import annotations

import io
import re
import tokenize

from agent.code import trees
from agent.code.languages import Language, language_of

_FORMATTED = re.compile(r"(?:f|F|[fF][rR]|[rR][fF])['\"]")
_BRACE = re.compile(r"\{\{|[{}]")
_WORD = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|![rsa](?=[:}])|(?P<name>\b[^\W\d]\w*)|[{}]")


def names_in(path: str, source: str) -> set[str]:
    """Every name in the code of a file, keywords of Python included; raises ValueError if it is no code."""
    return {text for _, _, text in _names_of(path, source)}


def renamed(path: str, source: str, old: str, new: str) -> str:
    """`source` with every name `old` in its code as `new`; strings and comments stay as they are."""
    lines = source.split("\n")
    for row, column, text in reversed(_names_of(path, source)):
        if text == old:
            line = lines[row - 1]
            lines[row - 1] = line[:column] + new + line[column + len(old) :]
    return "\n".join(lines)


def _names_of(path: str, source: str) -> list[tuple[int, int, str]]:
    language = language_of(path)
    if language is Language.PYTHON:
        return _names(source)
    if language is None:
        raise ValueError("not a language that is known")
    root = trees.root_of(language, source)
    if root.has_error:
        raise ValueError("not valid code")
    lines = [line.encode() for line in source.split("\n")]
    return [
        (point.row + 1, len(lines[point.row][: point.column].decode()), trees.text_of(node))
        for node in trees.names_in(root)
        for point in (node.start_point,)
    ]


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
