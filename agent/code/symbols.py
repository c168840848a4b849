"""What a symbol of a source is; and those of a Python source, from its syntax tree."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class SymbolKind(str, Enum):
    FUNCTION = "function"
    METHOD = "method"
    CLASS = "class"  # and a struct, an interface, a type
    CONSTANT = "constant"


@dataclass(frozen=True)
class Symbol:
    """A named piece of source. Lines count from 1; `first_line` is that of the first decorator.

    Outside Python `first_line` is that of the comment or attribute right above the definition, if any.
    `name` is qualified by its classes (`Config.load`); `parameters` are a function's argument names;
    `opening` is how the definition begins, up to its name (`def load`, `export function load`).
    """

    name: str
    kind: SymbolKind
    first_line: int
    def_line: int
    last_line: int
    opening: str = ""
    parameters: tuple[str, ...] = ()

    @property
    def bare_name(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def n_lines(self) -> int:
        return self.last_line - self.first_line + 1

    @property
    def is_callable(self) -> bool:
        return self.kind in (SymbolKind.FUNCTION, SymbolKind.METHOD)


def parse(source: str) -> ast.Module | None:
    """The syntax tree, or None where the source is not valid Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def python_symbols(source: str) -> tuple[Symbol, ...]:
    """Module-level and class-level symbols in the order of the source; none when it does not parse."""
    tree = parse(source)
    return () if tree is None else tuple(_symbols(tree.body, ""))


def enclosing(symbols: tuple[Symbol, ...], line: int) -> Symbol | None:
    """The innermost symbol that `line` lies in."""
    inside = [symbol for symbol in symbols if symbol.first_line <= line <= symbol.last_line]
    return min(inside, key=lambda symbol: symbol.n_lines, default=None)


def _symbols(body: list[ast.stmt], prefix: str) -> Iterator[Symbol]:
    for node in body:
        last_line = node.end_lineno or node.lineno
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            yield Symbol(
                prefix + node.name,
                SymbolKind.METHOD if prefix else SymbolKind.FUNCTION,
                _first_line(node),
                node.lineno,
                last_line,
                f"{'async ' if isinstance(node, ast.AsyncFunctionDef) else ''}def {node.name}",
                tuple(argument.arg for argument in arguments),
            )
        elif isinstance(node, ast.ClassDef):
            name, opening = prefix + node.name, f"class {node.name}"
            yield Symbol(name, SymbolKind.CLASS, _first_line(node), node.lineno, last_line, opening)
            yield from _symbols(node.body, name + ".")
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    name = prefix + target.id
                    yield Symbol(
                        name, SymbolKind.CONSTANT, node.lineno, node.lineno, last_line, opening=target.id
                    )
        elif isinstance(node, (ast.If, ast.Try)):
            yield from _symbols(node.body, prefix)


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
