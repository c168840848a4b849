"""Adds the import that a change forgot, where there is only one thing it can mean. Pure."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Mapping

from agent.code.symbols import parse

_WELL_KNOWN = {
    "Path": "pathlib",
    "dataclass": "dataclasses",
    "field": "dataclasses",
    "defaultdict": "collections",
    "Counter": "collections",
    "OrderedDict": "collections",
    "datetime": "datetime",
    "timedelta": "datetime",
    "Decimal": "decimal",
    "Enum": "enum",
    "Any": "typing",
    "Optional": "typing",
    "Union": "typing",
    "List": "typing",
    "Dict": "typing",
    "Tuple": "typing",
    "Callable": "typing",
    "Iterable": "typing",
    "Iterator": "typing",
    "lru_cache": "functools",
    "wraps": "functools",
    "partial": "functools",
}
_MODULES = sys.stdlib_module_names | {"pytest"}


def add_missing_imports(before: str, after: str, modules: Mapping[str, str], offered: str = "") -> str:
    """`after`, with imports for names that it uses, that `before` did not, and that nothing in it defines.

    `modules` gives the importable module of each name that the repository defines exactly once. Names of
    the standard library are known, and `offered` may be code that imports more of them. Anything else is
    left for the tests to tell.
    """
    tree, old_tree = parse(after), parse(before)
    if tree is None:
        return after
    missing = _unresolved(tree) - (_unresolved(old_tree) if old_tree is not None else set())
    attributes = {
        node.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    lines: list[str] = []
    written = _standard_imports(offered) if missing else {}
    for name in sorted(missing):
        if name in written:
            lines.append(written[name])
        elif name in modules:
            lines.append(f"from {modules[name]} import {name}")
        elif name in attributes and name in _MODULES and name not in _WELL_KNOWN:
            lines.append(f"import {name}")
        elif name in _WELL_KNOWN:
            lines.append(f"from {_WELL_KNOWN[name]} import {name}")
    if not lines:
        return after
    text = after.split("\n")
    place = _import_line(tree) or _head_comments(text)
    if not _is_import_before(tree, place):
        lines = [*([""] if place else []), *lines, *([""] if text[place:][:1] != [""] else [])]
    return "\n".join([*text[:place], *lines, *text[place:]])


def _standard_imports(code: str) -> dict[str, str]:
    """The imports of the standard library that stand at the top of a piece of code, by the name they bind."""
    tree = parse(code)
    found: dict[str, str] = {}
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in _MODULES:
                    shown = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
                    found[(alias.asname or alias.name).partition(".")[0]] = f"import {shown}"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in _MODULES:
            for alias in node.names:
                shown = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
                found[alias.asname or alias.name] = f"from {node.module} import {shown}"
    return found


def _unresolved(tree: ast.Module) -> set[str]:
    """Names that are read and that nothing anywhere in the module binds. Scopes are not told apart."""
    bound: set[str] = set(dir(builtins)) | {"__file__", "__name__", "__doc__", "__path__"}
    read: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if alias.name == "*":
                    return set()
                bound.add((alias.asname or alias.name).partition(".")[0])
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            bound.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            bound.add(node.rest)
    return read - bound


def _import_line(tree: ast.Module) -> int:
    """How many lines stand before the place for a new import: after the last top import or the docstring."""
    place = 0
    for i, node in enumerate(tree.body):
        is_docstring = i == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_docstring and not isinstance(node, (ast.Import, ast.ImportFrom)):
            break
        place = node.end_lineno or node.lineno
    return place


def _head_comments(lines: list[str]) -> int:
    """How many lines of comments a file begins with: a first line for the shell, an encoding, a licence."""
    return next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))


def _is_import_before(tree: ast.Module, place: int) -> bool:
    return any(
        isinstance(node, (ast.Import, ast.ImportFrom)) and node.end_lineno == place for node in tree.body
    )
