"""The new version of a function, method or class out of what was written for it. Pure."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence
from typing import Union

from agent.code.languages import Language, language_of
from agent.code.symbols import Symbol, SymbolKind, parse
from agent.tools import tree_definition
from agent.tools.matching import NewVersion, NotFound, reindent

_Definition = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef]


def new_version(path: str, new: str, symbol: Symbol, known: Sequence[Symbol]) -> NewVersion | NotFound:
    """The part of `new` that defines `symbol`, in a file that has `known`; usage examples are dropped."""
    if language_of(path) is not Language.PYTHON:
        return tree_definition.new_version(path, new, symbol, known)
    code = dedented(new)
    tree = parse(code)
    if tree is None:
        return NotFound(syntax_error(code) or "this is not valid Python")
    wanted = symbol.bare_name
    nodes = {node.name: node for node in reversed(_definitions(tree))}
    target = nodes.get(wanted)
    if target is None:
        return NotFound(f"the new code does not define {wanted}")
    if isinstance(target, ast.ClassDef) != (symbol.kind is SymbolKind.CLASS):
        return NotFound(f"{wanted} must stay a {symbol.kind.value}")
    lines = code.split("\n")
    owner = symbol.name.rpartition(".")[0]
    there = {item.name for item in known}
    methods: dict[str, _Definition] = {}
    helpers: dict[str, _Definition] = {}
    waiting: list[_Definition] = [target]
    while waiting:
        names, own = _uses(waiting.pop())
        for name, node in nodes.items():
            if node is target or name in methods or name in helpers:
                continue
            if owner and name in own and f"{owner}.{name}" not in there:
                methods[name] = node
            elif name in names and name not in there:
                helpers[name] = node
            else:
                continue
            waiting.append(node)
    in_order = sorted(nodes.values(), key=lambda node: node.lineno)
    return NewVersion(
        _text(lines, target),
        bool(target.decorator_list),
        tuple(_text(lines, node) for node in in_order if node.name in methods),
        tuple(_text(lines, node) for node in in_order if node.name in helpers),
    )


def replaced(path: str, text: str, version: NewVersion, symbol: Symbol, known: Sequence[Symbol]) -> str:
    """`text` with `symbol` in its new version, methods after it, helpers before the outermost symbol."""
    lines = text.split("\n")
    start = (symbol.first_line if version.has_head else symbol.def_line) - 1
    indent = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
    original = "\n".join(lines[start : symbol.last_line])
    body = [reindent(version.text, indent, original, language_of(path)).rstrip()]
    for method in version.methods:
        body += ["", reindent(method, indent, language=language_of(path))]
    after = [*lines[:start], *body, *lines[symbol.last_line :]]
    outer = [item for item in known if item.first_line <= symbol.first_line <= item.last_line]
    place = min([symbol.first_line, *(item.first_line for item in outer)]) - 1
    margin = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
    language = language_of(path) or Language.PYTHON
    while place > 0 and lines[place - 1].startswith(f"{margin}{language.comment}"):
        place -= 1
    gap = ["", ""] if language is Language.PYTHON else [""]
    for helper in reversed(version.helpers):
        after[place:place] = [*reindent(helper, margin, language=language).split("\n"), *gap]
    return "\n".join(after)


def told_apart(new: str, symbols: Sequence[Symbol], lines: Sequence[str]) -> list[Symbol]:
    """Those of several symbols of one name, as a property's, that `new` fits: by decorators or parameters."""
    tree = parse(dedented(new))
    nodes = _definitions(tree) if tree is not None else []
    node = next((node for node in nodes if node.name == symbols[0].bare_name), None)
    if node is None or isinstance(node, ast.ClassDef):
        return list(symbols)
    if node.decorator_list:
        wanted = [f"@{ast.unparse(decorator)}" for decorator in node.decorator_list]
        return [
            symbol
            for symbol in symbols
            if [line.strip() for line in lines[symbol.first_line - 1 : symbol.def_line - 1]] == wanted
        ]
    arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
    return [
        symbol for symbol in symbols if symbol.parameters == tuple(argument.arg for argument in arguments)
    ]


def dedented(new: str) -> str:
    """Code at no indentation, although a string in it may have lines that begin further left."""
    code = textwrap.dedent(new).strip("\n")
    if parse(code) is not None:
        return code
    lines = new.strip("\n").split("\n")
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    moved = "\n".join(line.removeprefix(indent) for line in lines)
    return moved if parse(moved) is not None else code


def syntax_error(code: str) -> str:
    """What is wrong with `code`, or nothing."""
    try:
        ast.parse(code)
    except SyntaxError as error:
        return f"syntax error in line {error.lineno}: {error.msg}"
    except ValueError as error:
        return f"syntax error: {error}"
    return ""


def _definitions(tree: ast.Module) -> list[_Definition]:
    return [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]


def _uses(node: ast.AST) -> tuple[set[str], set[str]]:
    """The names that a definition reads, and those it reads from `self` or `cls`."""
    parts = list(ast.walk(node))
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    own = {
        part.attr
        for part in parts
        if isinstance(part, ast.Attribute)
        and isinstance(part.value, ast.Name)
        and part.value.id in ("self", "cls")
    }
    return names, own


def _text(lines: list[str], node: _Definition) -> str:
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return "\n".join(lines[first - 1 : node.end_lineno])
