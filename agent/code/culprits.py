"""From a failing test to its source, and to the functions that it reaches."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from agent.code import trees
from agent.code.index import CodeIndex, Located
from agent.code.languages import Language, is_test_code, language_of
from agent.code.lexical import dedented, words_of
from agent.code.symbols import parse
from agent.tools.testreport import TestCase

_CULPRITS = 4
_CALL_DEPTH = 2


def test_of(case: TestCase, index: CodeIndex) -> Located | None:
    """Where the test's own source is."""
    name = (
        case.name
        if case.name in {item.symbol.name for item in _titled(index)}
        else case.name.partition("[")[0]
    )
    found = [*index.find(name), *(item for item in _titled(index) if item.symbol.name == name)]
    # In Rust, tests stand beside the code.
    tests = [item for item in found if is_test_code(item.path)] or [
        item for item in found if language_of(item.path) is Language.RUST
    ]
    parts = re.split(r"[.:]+", case.id)
    return max(
        tests,
        key=lambda item: (
            any(_is_same(path, item.path) for path, _ in case.places),
            sum(part in parts for part in re.split(r"[/.]", f"{item.path}.{item.symbol.name}")),
        ),
        default=None,
    )


def plainest(cases: Sequence[TestCase], index: CodeIndex) -> TestCase:
    """Of failing tests the one that reaches the fewest functions: what it tells is told most closely."""
    return min(cases, key=lambda case: len(culprits_of(case, test_of(case, index), index)) or _CULPRITS)


def _titled(index: CodeIndex) -> list[Located]:
    """The tests that have a title instead of a name."""
    return [Located(path, test) for path, source in index.sources.items() for test in source.tests]


def _is_same(place: str, path: str) -> bool:
    return place == path or place.endswith(f"/{path}")


def culprits_of(case: TestCase, test: Located | None, index: CodeIndex) -> list[Located]:
    """The functions a failing test reaches: those of its traceback, deepest first, then those it calls."""
    found: dict[tuple[str, str], Located] = {}

    def add(item: Located) -> None:
        if not is_test_code(item.path) and item.symbol.is_callable:
            found.setdefault((item.path, item.symbol.name), item)

    for path, line in reversed(case.places):
        source = next((p for p in index.sources if _is_same(path, p)), None)
        for item in index.in_file(source) if source else []:
            if item.symbol.is_callable and item.symbol.first_line <= line <= item.symbol.last_line:
                add(item)
    layer = [test] if test is not None else []
    hint = set(words_of(case.name))
    for _ in range(_CALL_DEPTH):
        reached: list[Located] = []
        for caller in layer:
            for name in _called(caller.path, index.source_of(caller)):
                reached += [item for item in index.find(name) if item.symbol.is_callable][:2]
        # Of several, the one that the test is named after comes first.
        reached.sort(key=lambda item: -len(hint & set(words_of(item.symbol.bare_name))))
        for item in reached:
            add(item)
        layer = reached
    return list(found.values())[:_CULPRITS]


def _called(path: str, source: str) -> list[str]:
    """Names that are called in a piece of source."""
    language = language_of(path)
    if language is not None and language is not Language.PYTHON:
        return list(dict.fromkeys(trees.called_in(trees.root_of(language, source))))
    tree = parse(dedented(source.split("\n")))
    if tree is None:
        return []
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                names.append(node.func.id)
            elif isinstance(node.func, ast.Attribute):
                names.append(node.func.attr)
    return [name for name in dict.fromkeys(names) if not name.startswith("assert")]
