"""A definition is taken out whole, with what is said of it, and nothing that merely stands beside it."""

from __future__ import annotations

import pytest

from agent.code.outline import symbols_of
from agent.tools.matching import NotFound
from agent.tools.removal import without


def removed(path: str, source: str, name: str) -> str | None:
    """The source without the first definition of that name; None where it is refused."""
    known = symbols_of(path, source)
    symbol = next(symbol for symbol in known if symbol.bare_name == name)
    after = without(path, source, symbol, known)
    return None if isinstance(after, NotFound) else after


@pytest.mark.parametrize(
    ("path", "source", "name", "after"),
    [
        (
            "a.py",
            "x = 1\n\n\n# About a.\n@dec\ndef a():\n    return 1\n\n\ny = 2\n",
            "a",
            "x = 1\n\n\ny = 2\n",
        ),
        ("a.py", "# Who wrote this.\ndef a():\n    return 1\n", "a", "# Who wrote this.\n"),
        ("a.js", "// Adds.\nfunction a() {\n  return 1;\n}\n\nlet b = 2;\n", "a", "let b = 2;\n"),
        ("a.js", "// Copyright me\nfunction a() {\n  return 1;\n}\n", "a", "// Copyright me\n"),
        ("a.py", "class A:\n    def b(self):\n        return 1\n\n\nC = 1\n", "A", "C = 1\n"),
    ],
)
def test_what_is_said_of_a_definition_goes_with_it(path: str, source: str, name: str, after: str) -> None:
    assert removed(path, source, name) == after


@pytest.mark.parametrize(
    ("path", "source", "name"),
    [
        ("a.js", "export const a = () => 1, b = () => 2;\n", "a"),
        ("a.js", "const a = () => 1,\n  b = () => 2;\n", "b"),
        ("a.js", "class X { a() { return 1; } b() { return 2; } }\n", "a"),
        ("a.js", "start(); function a() { return 1; }\n", "a"),
        ("a.go", "package a\n\nfunc A() int { return 1 }; func B() int { return 2 }\n", "A"),
        ("a.rs", "fn a() -> i32 { 1 } fn b() -> i32 { 2 }\n", "b"),
    ],
)
def test_a_definition_that_shares_its_lines_is_left(path: str, source: str, name: str) -> None:
    assert removed(path, source, name) is None
