"""Renaming a name in source: where it is code, not where it is text. Pure."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Sequence

from tree_sitter import Node

from agent.code import trees
from agent.code.languages import Language, language_of
from agent.code.symbols import parse

_FORMATTED = re.compile(r"(?:f|F|[fF][rR]|[rR][fF])['\"]")
_MEMBERS = frozenset({"property_identifier", "private_property_identifier", "field_identifier"})
_BRACE = re.compile(r"\{\{|[{}]")
_WORD = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|![rsa](?=[:}])|(?P<name>\b[^\W\d]\w*)|[{}]")


def names_in(path: str, source: str) -> set[str]:
    """Every name in the code of a file, keywords of Python included; raises ValueError if it is no code."""
    return {text for _, _, text in _names_of(path, source)}


def renamed(path: str, source: str, old: str, new: str) -> str:
    """`source` with every name `old` in its code as `new`; strings and comments stay as they are."""
    places = [(row, column) for row, column, text in _names_of(path, source) if text == old]
    return _replaced(source, places, old, new)


def renamed_member(path: str, source: str, old: str, new: str, owner: str) -> str:
    """The same for a field or method of the class `owner`: a variable that is called so keeps its name."""
    language = language_of(path)
    if language is Language.PYTHON:
        return _renamed_in_python(source, old, new, owner)
    if language is None or language is Language.RUST:
        return renamed(path, source, old, new)
    nodes = [node for node in trees.names_in(trees.root_of(language, source)) if _is_member(node)]
    places = [(row, column) for row, column, text in _placed(nodes, source) if text == old]
    return _replaced(source, places, old, new)


def _replaced(source: str, places: Sequence[tuple[int, int]], old: str, new: str) -> str:
    """`source` with `new` for `old` at these lines, from 1, and columns, which are in order."""
    lines = source.split("\n")
    for row, column in reversed(places):
        line = lines[row - 1]
        lines[row - 1] = line[:column] + new + line[column + len(old) :]
    return "\n".join(lines)


def _is_member(node: Node) -> bool:
    """Whether it names a part of something; also as the key of a literal, which Go's grammar calls a name."""
    if node.type in _MEMBERS:
        return True
    element, pair = node.parent, node.parent.parent if node.parent is not None else None
    return pair is not None and pair.type == "keyed_element" and pair.named_children[0] == element


def _renamed_in_python(source: str, old: str, new: str, owner: str) -> str:
    tree = parse(source)
    if tree is None:
        return source
    declared: set[tuple[int, int]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == owner.rpartition(".")[2]:
            declared |= {place for part in node.body for place in _declared(part)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in (owner, "replace"):
            declared |= {(word.lineno, word.col_offset) for word in node.keywords}
    lines = source.split("\n")
    places: list[tuple[int, int]] = []
    for row, column, text in _names(source):
        before = lines[row - 1][:column]
        if text == old and (before.rstrip().endswith(".") or (row, len(before.encode())) in declared):
            places.append((row, column))
    return _replaced(source, places, old, new)


def _declared(node: ast.stmt) -> list[tuple[int, int]]:
    """Where a statement in a class gives a part of it its name."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        skipped = "async def " if isinstance(node, ast.AsyncFunctionDef) else "def "
        return [(node.lineno, node.col_offset + len(skipped))]
    targets = (
        node.targets
        if isinstance(node, ast.Assign)
        else [node.target]
        if isinstance(node, ast.AnnAssign)
        else []
    )
    return [(target.lineno, target.col_offset) for target in targets]


def _names_of(path: str, source: str) -> list[tuple[int, int, str]]:
    language = language_of(path)
    if language is Language.PYTHON:
        return _names(source)
    if language is None:
        raise ValueError("not a language that is known")
    root = trees.root_of(language, source)
    if root.has_error:
        raise ValueError("not valid code")
    return _placed(trees.names_in(root), source)


def _placed(nodes: Iterable[Node], source: str) -> list[tuple[int, int, str]]:
    """Line from 1, column from 0, in characters, and text of each."""
    lines = [line.encode() for line in source.split("\n")]
    return [
        (point.row + 1, len(lines[point.row][: point.column].decode()), trees.text_of(node))
        for node in nodes
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
