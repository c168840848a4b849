"""The writing tools: what they change, what they refuse, and that nothing else in the file moves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.code.index import CodeIndex
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


def test_rename_touches_code_and_neither_strings_nor_other_files(bench: Bench) -> None:
    (bench.root / "README.md").write_text("Call double(2), not redouble.\n")
    (bench.root / "use.py").write_text(
        "from shapes import double\n\nprint('double', f'double {double(2)!r} {{double}}')  # double\n"
    )
    outcome = bench.call("rename", old="double", new="twice")
    assert outcome.ok
    assert len(outcome.facts) == 2
    assert bench.text("README.md") == "Call double(2), not redouble.\n"
    assert bench.text() == SHAPES.replace("double", "twice")
    assert bench.text("use.py") == (
        "from shapes import twice\n\nprint('double', f'double {twice(2)!r} {{double}}')  # double\n"
    )


def test_a_name_that_may_mean_several_is_not_guessed_at(bench: Bench) -> None:
    source = "class Loan:\n    pass\n\n\nloan = Loan()\n"
    (bench.root / "loans.py").write_text(source)
    assert "Loan, loan" in bench.call("rename", old="LOAN", new="Debt").content
    assert bench.text("loans.py") == source
    assert bench.call("rename", old="loan", new="debt").ok
    assert bench.text("loans.py") == source.replace("loan =", "debt =")


def test_a_helper_beside_the_new_version_is_kept(bench: Bench) -> None:
    new = (
        "def scale(x, by):\n    return x * by\n\n"
        "def double(x):\n    return scale(x, 2)\n\ndef unused():\n    pass"
    )
    assert bench.call("rewrite_function", name="double", new=new).ok
    helper = "def scale(x, by):\n    return x * by\n\n\n"
    wanted = SHAPES.replace("def double", helper + "def double").replace("return 2 * x", "return scale(x, 2)")
    assert bench.text() == wanted


def test_a_helper_of_a_method_goes_where_it_is_called(bench: Bench) -> None:
    new = (
        "def area(self):\n    return square(self.length())\n\n"
        "def length(self):\n    return self.side\n\ndef square(x):\n    return x * x"
    )
    assert bench.call("rewrite_function", name="area", new=new).ok
    text = bench.text()
    assert text.index("def square(x)") < text.index("class Square")
    assert "    def length(self):\n        return self.side\n" in text


def test_the_inside_of_a_long_string_is_not_moved(bench: Bench) -> None:
    new = 'def area(self):\n    """One.\n\n    Two.\n    """\n    return """a\n  b\nc"""'
    assert bench.call("rewrite_function", name="area", new=new).ok
    assert '        """One.\n\n        Two.\n        """\n        return """a\n  b\nc"""\n' in bench.text()


def test_a_long_string_that_was_shown_dedented_is_moved_back(bench: Bench) -> None:
    text = '        text = """\n        one\n        two\n        """\n'
    source = f"class A:\n    def f(self):\n{text}        return text\n"
    (bench.root / "a.py").write_text(source)
    shown = 'def f(self):\n    text = """\n    one\n    two\n    """\n    return text + "!"'
    assert bench.call("rewrite_function", name="f", new=shown).ok
    assert bench.text("a.py") == source.replace("return text", 'return text + "!"')


PROPERTY = """class A:
    @property
    def size(self):
        return self._size

    @size.setter
    def size(self, value):
        self._size = value
"""


@pytest.mark.parametrize(
    ("new", "before", "after"),
    [
        ("def size(self):\n    return self._size + 1", "return self._size", "return self._size + 1"),
        ("def size(self, value):\n    self._size = int(value)", "= value", "= int(value)"),
        ("@size.setter\ndef size(self, other):\n    self._size = other", "value", "other"),
    ],
)
def test_a_property_and_its_setter_are_told_apart(bench: Bench, new: str, before: str, after: str) -> None:
    (bench.root / "a.py").write_text(PROPERTY)
    assert bench.call("rewrite_function", name="size", new=new).ok
    assert bench.text("a.py") == PROPERTY.replace(before, after)


def test_a_property_that_no_version_fits_is_named_with_its_lines(bench: Bench) -> None:
    (bench.root / "a.py").write_text(PROPERTY)
    outcome = bench.call("rewrite_function", name="size", new="def size(self, a, b):\n    pass")
    assert "line 3" in outcome.content
    assert "line 7" in outcome.content


def test_a_file_with_lone_carriage_returns_is_left_alone(bench: Bench) -> None:
    (bench.root / "mac.py").write_bytes(b"x = 1\ry = 2\r")
    assert not bench.call("edit_file", path="mac.py", old="x = 1", new="x = 3").ok
    assert (bench.root / "mac.py").read_bytes() == b"x = 1\ry = 2\r"


def test_an_import_goes_below_the_comments_that_a_file_begins_with(bench: Bench) -> None:
    head = "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n# Licence.\n"
    (bench.root / "run.py").write_text(f"{head}x = 1\n")
    assert bench.call("append", path="run.py", new="def f():\n    return json.dumps(x)").ok
    assert bench.text("run.py").startswith(f"{head}\nimport json\n\nx = 1\n")


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


def test_what_the_user_saved_meanwhile_is_not_taken_back(bench: Bench) -> None:
    mark = bench.tools.mark()
    bench.call("rewrite_function", name="double", new="def double(x):\n    return x + x")
    bench.call("append", path="shapes.py", new="def triple(x):\n    return 3 * x")
    for name in ("mine.md", "theirs.md", "gone.md"):
        bench.call("create_file", path=name, new="hello")
    (bench.root / "shapes.py").write_text("precious\n")
    (bench.root / "mine.md").write_text("precious\n")
    (bench.root / "gone.md").unlink()
    assert set(bench.tools.revert(mark)) == {"shapes.py", "mine.md"}
    assert bench.text() == bench.text("mine.md") == "precious\n"
    assert sorted(path.name for path in bench.root.iterdir()) == ["mine.md", "shapes.py"]


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
    (bench.root / "bad.txt").write_bytes(b"\xef\xbb\xbfcaf\xe9\nx = 1\n")
    assert bench.call("edit_file", path="bad.txt", old="x = 1", new="x = 2").ok
    assert (bench.root / "bad.txt").read_bytes() == b"\xef\xbb\xbfcaf\xe9\nx = 2\n"


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


def test_it_is_known_whether_anybody_saved_a_file_between_two_edits(bench: Bench) -> None:
    mark = bench.tools.mark()
    assert bench.call("rename", old="double", new="twice").ok
    assert bench.call("rename", old="twice", new="double").ok
    written = bench.tools.written(mark)["shapes.py"]
    assert (written.found, written.is_alone, written.has_changed) == (SHAPES.encode(), True, False)
    (bench.root / "shapes.py").write_text(f"# mine\n{SHAPES}")
    assert bench.call("rename", old="double", new="twice").ok
    assert not bench.tools.written(mark)["shapes.py"].is_alone


def test_what_was_taken_out_is_told_and_not_what_stands_in_its_place_now(bench: Bench) -> None:
    (bench.root / "two.py").write_text("def one():\n    return 1\n\n\ndef two():\n    return [2]\n")
    outcome = bench.call("remove", name="one")
    assert outcome.content == "ok: changed two.py (one)"
    fact = outcome.facts[0]
    assert isinstance(fact, FileEdited)
    assert (fact.symbol, fact.added, fact.removed) == ("one", 0, 4)
    assert bench.text("two.py") == "def two():\n    return [2]\n"
