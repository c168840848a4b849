"""The writing tools: what they change, what they refuse, and that nothing else in the file moves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.codeindex import CodeIndex
from agent.facts import FileEdited
from agent.tools.edit import EditTools
from agent.tools.matching import NotFound, Replaced, replace_lines
from agent.tools.registry import Outcome
from agent.workspace import Workspace

SHAPES = '''"""Shapes."""


class Square:
    @property
    def area(self):
        return self.side + self.side


def double(x):
    return 2 * x


if __name__ == "__main__":
    print(double(2))
'''


class Bench:
    """A workspace with one module."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "shapes.py").write_text(SHAPES)
        workspace = Workspace(root)
        index = CodeIndex(workspace)
        index.refresh()
        self.tools = EditTools(workspace, index)

    def call(self, tool: str, **arguments: str) -> Outcome:
        return asyncio.run(getattr(self.tools, tool)(arguments))

    def text(self, name: str = "shapes.py") -> str:
        return (self.root / name).read_text()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_method_keeps_its_decorator_and_its_indentation(bench: Bench) -> None:
    outcome = bench.call(
        "rewrite_function", name="area", new="def area(self):\n    return self.side * self.side"
    )
    assert outcome.ok
    assert bench.text() == SHAPES.replace("self.side + self.side", "self.side * self.side")
    fact = outcome.facts[0]
    assert isinstance(fact, FileEdited)
    assert (fact.path, fact.symbol, fact.added, fact.removed) == ("shapes.py", "Square.area", 1, 1)
    assert fact.changes[0].before == "return self.side + self.side"


def test_examples_that_the_model_adds_are_dropped(bench: Bench) -> None:
    assert bench.call(
        "rewrite_function", name="double", new="def double(x):\n    return x + x\n\nprint(double(3))"
    ).ok
    assert bench.text() == SHAPES.replace("return 2 * x", "return x + x")


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("def double(x):\n    return 2 * x", "nothing was changed"),
        ("def double(x):\n    return (2 * x", "syntax error"),
        ("def triple(x):\n    return 3 * x", "does not define double"),
        ("class double:\n    pass", "must stay a function"),
    ],
)
def test_a_rewrite_that_is_none_is_refused(bench: Bench, new: str, why: str) -> None:
    outcome = bench.call("rewrite_function", name="double", new=new)
    assert not outcome.ok
    assert why in outcome.content
    assert bench.text() == SHAPES


def test_new_code_goes_before_the_main_block(bench: Bench) -> None:
    assert bench.call("append", path="shapes.py", new="def triple(x):\n    return 3 * x").ok
    text = bench.text()
    assert text.index("def double") < text.index("def triple") < text.index("if __name__")
    assert text.endswith("    print(double(2))\n")


def test_a_forgotten_import_is_added(bench: Bench) -> None:
    (bench.root / "helpers.py").write_text("def helper(x):\n    return x\n")
    assert bench.call("append", path="shapes.py", new="def half(x):\n    return math.floor(helper(x) / 2)").ok
    assert '"""Shapes."""\n\nfrom helpers import helper\nimport math\n\n' in bench.text()


def test_rename_touches_whole_words_in_all_files(bench: Bench) -> None:
    (bench.root / "README.md").write_text("Call double(2), not redouble.\n")
    outcome = bench.call("rename", old="double", new="twice")
    assert outcome.ok
    assert len(outcome.facts) == 2
    assert bench.text("README.md") == "Call twice(2), not redouble.\n"
    assert bench.text() == SHAPES.replace("double", "twice")


@pytest.mark.parametrize(
    ("old", "new"), [("nothing", "x"), ("double", "Square"), ("double", "a b"), ("double", "double")]
)
def test_a_rename_that_would_lose_something_is_refused(bench: Bench, old: str, new: str) -> None:
    assert not bench.call("rename", old=old, new=new).ok
    assert bench.text() == SHAPES


def test_changes_are_taken_back_to_the_byte(bench: Bench) -> None:
    mark = bench.tools.mark()
    bench.call("rewrite_function", name="double", new="def double(x):\n    return x + x")
    bench.call("create_file", path="docs/new.md", new="hello")
    bench.tools.revert(mark)
    assert bench.text() == SHAPES
    assert not (bench.root / "docs/new.md").exists()


def test_line_ends_encoding_and_mode_survive_an_edit(bench: Bench) -> None:
    path = bench.root / "old.py"
    path.write_bytes("# caf\xe9\r\nx = 1\r\n".encode("latin-1"))
    path.chmod(0o755)
    assert bench.call("edit_file", path="old.py", old="x = 1", new="x = 2").ok
    assert path.read_bytes() == "# caf\xe9\r\nx = 2\r\n".encode("latin-1")
    assert path.stat().st_mode & 0o777 == 0o755


def test_a_byte_order_mark_survives_an_edit(bench: Bench) -> None:
    (bench.root / "bom.py").write_bytes(b"\xef\xbb\xbfx = 1\n")
    assert bench.call("edit_file", path="bom.py", old="x = 1", new="x = 2").ok
    assert (bench.root / "bom.py").read_bytes() == b"\xef\xbb\xbfx = 2\n"


def test_a_file_that_parsed_is_never_left_broken(bench: Bench) -> None:
    (bench.root / "a.json").write_text('{"a": 1}\n')
    (bench.root / "a.toml").write_text("a = 1\n")
    assert not bench.call("edit_file", path="a.json", old='{"a": 1}', new='{"a": 1').ok
    assert not bench.call("edit_file", path="a.toml", old="a = 1", new="a = ").ok
    assert bench.text("a.json") == '{"a": 1}\n'
    assert sorted(path.name for path in bench.root.iterdir()) == ["a.json", "a.toml", "shapes.py"]


@pytest.mark.parametrize(
    ("text", "old", "new", "expected"),
    [
        ("a\nb\nc\n", "b", "B", "a\nB\nc\n"),
        ("if x:\n    y = 1\n    z = 2\n", "y = 1\nz = 2", "y = 3\nz = 4", "if x:\n    y = 3\n    z = 4\n"),
        ("if x:\n    y =  1 \n", "y =  1", "y = 2", "if x:\n    y = 2 \n"),
        ("def f():\n\ta = 1\n", "  a = 1", "  a = 2\n  b = 3", "def f():\n\ta = 2\n\tb = 3\n"),
        ("port = 8000  # web\n", "8000", "9000", "port = 9000  # web\n"),
        ("a\nb\nc\n", "b", "", "a\nc\n"),
    ],
)
def test_lines_are_found_though_written_a_little_wrong(text: str, old: str, new: str, expected: str) -> None:
    assert replace_lines(text, old, new) == Replaced(expected)


def test_lines_that_are_there_twice_are_not_guessed_at() -> None:
    found = replace_lines("a\nb\na\n", "a", "c")
    assert isinstance(found, NotFound)
    assert "lines 1, 3" in found.reason


def test_the_closest_lines_are_shown_when_none_match() -> None:
    found = replace_lines("alpha = 1\nbeta = 2\ngamma = 3\n", "betta = 2", "beta = 4")
    assert isinstance(found, NotFound)
    assert "2: beta = 2" in found.reason
