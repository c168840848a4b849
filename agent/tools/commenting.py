"""Puts what a function does in words beside it: in a docstring, or in a comment above it. Pure."""

from __future__ import annotations

import ast
import re

from agent.code.languages import Language, language_of
from agent.code.symbols import Symbol, parse
from agent.tools.matching import NotFound

_MAX_CHARS = 100
# "Return the sum" becomes "Total returns the sum".
_ORDER = re.compile(
    r"^(\S+ )(return|compute|calculate|get|set|add|remove|create|find|count|check|convert|format|print|parse"
    r"|read|write|give|take|keep|tell|make|sum|sort|limit)\b"
)


def documented(path: str, text: str, symbol: Symbol, words: str) -> str | NotFound:
    """`text` with `words` as the description of `symbol`, in the place of the one that it has."""
    language = language_of(path)
    words = " ".join(words.split()).strip("\"'`/*# ")
    if not words:
        return NotFound("there is nothing to say")
    words = words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")
    if language is Language.PYTHON:
        return _docstring(text, symbol, words)
    lines = text.split("\n")
    margin = lines[symbol.def_line - 1]
    margin = margin[: len(margin) - len(margin.lstrip())]
    first = symbol.first_line - 1
    # Attributes and decorators between the comment and the definition stay.
    while first < symbol.def_line - 1 and lines[first].lstrip().startswith(("#", "@")):
        first += 1
    last = first
    while last < symbol.def_line - 1 and not lines[last].lstrip().startswith(("#[", "@")):
        last += 1
    comment = [margin + line for line in _comment(language, symbol, words)]
    return "\n".join([*lines[:first], *comment, *lines[last:]])


def _comment(language: Language | None, symbol: Symbol, words: str) -> list[str]:
    words = words.replace("*/", "* /")
    if language is Language.GO:
        # https://go.dev/doc/comment: it begins with the name.
        name = symbol.bare_name
        said = words if words.startswith(f"{name} ") else f"{name} {words[:1].lower()}{words[1:]}"
        said = _ORDER.sub(r"\1\2s", said, count=1) if said != words else said
        return [f"// {line}" for line in _folded(said)]
    if language is Language.RUST:
        return [f"/// {line}" for line in _folded(words)]
    rows = _folded(words)
    return [f"/** {rows[0]} */"] if len(rows) == 1 else ["/**", *(f" * {row}" for row in rows), " */"]


def _folded(words: str) -> list[str]:
    rows = [""]
    for word in words.split():
        if rows[-1] and len(rows[-1]) + len(word) >= _MAX_CHARS:
            rows.append("")
        rows[-1] = f"{rows[-1]} {word}".strip()
    return rows


def _docstring(text: str, symbol: Symbol, words: str) -> str | NotFound:
    tree = parse(text)
    nodes = (
        node
        for node in (ast.walk(tree) if tree is not None else ())
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    )
    node = next((node for node in nodes if node.lineno == symbol.def_line), None)
    if node is None or node.body[0].lineno == node.lineno:
        return NotFound(f"{symbol.bare_name} is written on one line, which has no place for a docstring")
    lines = text.split("\n")
    first = node.body[0]
    start, end = first.lineno - 1, first.lineno - 1
    if ast.get_docstring(node, clean=False) is not None:
        end = first.end_lineno or first.lineno
    elif isinstance(first, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and first.decorator_list:
        start = end = first.decorator_list[0].lineno - 1
    margin = " " * first.col_offset if "\t" not in lines[start][: first.col_offset] else "\t"
    quoted = words.replace("\\", "\\\\").replace('"""', "'''")
    return "\n".join([*lines[:start], f'{margin}"""{quoted}"""', *lines[end:]])
