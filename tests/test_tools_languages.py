"""Code in JavaScript, TypeScript, Go and Rust: what it defines, and edits that leave it whole."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.code.index import CodeIndex
from agent.code.languages import Language, is_test_code, is_test_file
from agent.code.outline import blocks_of, symbols_of
from agent.code.symbols import SymbolKind
from agent.code.trees import syntax_error
from agent.facts import Outlined
from agent.tools.edit import EditTools
from agent.tools.files import FileTools
from agent.tools.registry import Outcome
from agent.workspace import Workspace

SCRIPT = """import { readFileSync } from "node:fs";
export const RATE = 0.2;

/**
 * The total.
 */
export function total(items, rate = RATE) {
  return items.length;
}

// Twice.
export const double = (x) => x * 2;

export class Cart {
  #items = [];

  // Adds one.
  add(item) {
    this.#items.push(item);
  }
}
"""
GO = """package cart

import "errors"

// A Cart holds things.
type Cart struct {
\titems []int
}

const (
\tA = 1
\tB = 2
)

// Total is the sum.
func (c *Cart) Total() (int, error) {
\treturn 0, errors.New("empty")
}
"""


def shown(path: str, source: str) -> list[tuple[str, SymbolKind, int, int]]:
    return [(s.name, s.kind, s.first_line, s.def_line) for s in symbols_of(path, source)]


def test_what_a_script_defines() -> None:
    assert shown("a.js", SCRIPT) == [
        ("RATE", SymbolKind.CONSTANT, 2, 2),
        ("total", SymbolKind.FUNCTION, 4, 7),
        ("double", SymbolKind.FUNCTION, 11, 12),
        ("Cart", SymbolKind.CLASS, 14, 14),
        ("Cart.#items", SymbolKind.CONSTANT, 15, 15),
        ("Cart.add", SymbolKind.METHOD, 17, 18),
    ]
    openings = {symbol.name: symbol.opening for symbol in symbols_of("a.js", SCRIPT)}
    assert openings["total"] == "export function total"
    assert openings["Cart.add"] == "add"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("exports.f = function (a) {};\nfunction g() {}", ["f", "g"]),
        ("const a = require('a');\nconst { b } = require('b');\nlet c = 1, d = () => 2;", ["c", "d"]),
        ("const api = { get() {}, put: (x) => x, n: 1 };", ["api", "api.get", "api.put"]),
        ("Cart.prototype.add = function (x) {};", ["Cart.add"]),
        ("export default async function main() {}", ["main"]),
    ],
)
def test_the_other_ways_of_a_script(source: str, names: list[str]) -> None:
    assert [symbol.name for symbol in symbols_of("a.js", source)] == names


def test_types_count_as_classes() -> None:
    source = "export interface Stop { name: string }\ntype Id = string;\nenum Mode { Fast }\n"
    assert [(s.name, s.kind) for s in symbols_of("a.ts", source)] == [
        (name, SymbolKind.CLASS) for name in ("Stop", "Id", "Mode")
    ]


def test_what_a_go_file_defines() -> None:
    assert shown("a.go", GO) == [
        ("Cart", SymbolKind.CLASS, 5, 6),
        ("A", SymbolKind.CONSTANT, 11, 11),
        ("B", SymbolKind.CONSTANT, 12, 12),
        ("Cart.Total", SymbolKind.METHOD, 15, 16),
    ]


def test_what_a_rust_file_defines() -> None:
    source = (
        "/// Adds.\n#[inline]\npub fn add(a: i32) -> i32 { a }\n"
        "struct P;\nimpl P { fn len(&self) -> i32 { 1 } }\n"
        "#[cfg(test)]\nmod tests { #[test]\n fn adds() {} }\n"
    )
    names = [(s.name, s.first_line, s.def_line) for s in symbols_of("a.rs", source)]
    assert names == [("add", 1, 3), ("P", 4, 4), ("P.len", 5, 5), ("adds", 8, 8)]


def test_tests_with_titles_are_found() -> None:
    source = 'describe("cart", () => {\n  it("is empty", () => {\n  });\n});\ntest.only(`b c`, f);\n'
    found = [(s.name, s.first_line, s.last_line) for s in blocks_of("a.test.js", source)]
    assert found == [("is empty", 2, 3), ("b c", 5, 5)]


@given(st.sampled_from(["a.js", "a.ts", "a.tsx", "a.go", "a.rs"]), st.text(max_size=60))
def test_no_source_is_too_odd(path: str, source: str) -> None:
    lines = source.count("\n") + 1
    for symbol in (*symbols_of(path, source), *blocks_of(path, source)):
        assert 1 <= symbol.first_line <= symbol.def_line <= symbol.last_line <= lines


@pytest.mark.parametrize(
    ("language", "source", "place"),
    [
        (Language.JAVASCRIPT, "function f() {\n  return 1\n", "line 2"),
        (Language.GO, "package a\nfunc f( {\n", "line 2"),
        (Language.JAVASCRIPT, SCRIPT, ""),
        (Language.GO, GO, ""),
    ],
)
def test_broken_code_is_told_with_its_line(language: Language, source: str, place: str) -> None:
    error = syntax_error(language, source)
    assert (place in error) if place else not error


def test_test_files_are_known_by_the_names_that_runners_look_for() -> None:
    tests = (
        "a.test.js",
        "b.spec.ts",
        "test/a.js",
        "__tests__/a.jsx",
        "cart_test.go",
        "tests/a.rs",
        "test_a.py",
    )
    assert all(is_test_file(path) for path in tests)
    assert not any(
        is_test_file(path) for path in ("a.js", "contest.js", "latest.go", "src/lib.rs", "tests.md")
    )
    assert is_test_code("tests/helper.py")


class Desk:
    """A folder with files, and the tools over it."""

    def __init__(self, root: Path, **files: str) -> None:
        self.root = root
        for name, text in files.items():
            path = root / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        workspace = Workspace(root)
        self.index = CodeIndex(workspace)
        self.index.refresh()
        self.edits = EditTools(workspace, self.index)
        self.files = FileTools(workspace, self.index, on_read=self.edits.has_seen)

    def edit(self, tool: str, **arguments: object) -> Outcome:
        return asyncio.run(getattr(self.edits, tool)(arguments))

    def text(self, name: str) -> str:
        return (self.root / name).read_text()


def test_a_function_is_rewritten_and_the_rest_stays(tmp_path: Path) -> None:
    desk = Desk(tmp_path, a_dot_js=SCRIPT)
    new = "function total(items) {\n  return items.length + 1;\n}\n\nconsole.log(total([]));"
    assert desk.edit("rewrite_function", name="total", new=new).ok
    expected = SCRIPT.replace("total(items, rate = RATE)", "total(items)").replace(".length;", ".length + 1;")
    assert desk.text("a.js") == expected


def test_a_comment_above_a_new_version_replaces_the_one_there(tmp_path: Path) -> None:
    desk = Desk(tmp_path, a_dot_js=SCRIPT)
    new = "// Counts the items.\nexport function total(items) {\n  return items.length;\n}"
    assert desk.edit("rewrite_function", name="total", new=new).ok
    assert "// Counts the items.\nexport function total(items)" in desk.text("a.js")
    assert "The total." not in desk.text("a.js")


def test_a_method_is_rewritten_without_its_class(tmp_path: Path) -> None:
    desk = Desk(tmp_path, a_dot_js=SCRIPT)
    new = "add(item) {\n  if (!item) return;\n  this.#items.push(item);\n}"
    assert desk.edit("rewrite_function", name="Cart.add", new=new).ok
    assert "  add(item) {\n    if (!item) return;\n    this.#items.push(item);\n  }\n}\n" in desk.text("a.js")


def test_spaces_become_tabs_in_a_file_of_tabs(tmp_path: Path) -> None:
    desk = Desk(tmp_path, a_dot_go=GO)
    body = "    if c == nil {\n        return 0, nil\n    }\n    return 1, nil\n"
    new = f"func (c *Cart) Total() (int, error) {{\n{body}}}"
    assert desk.edit("rewrite_function", name="Total", new=new).ok
    assert "\tif c == nil {\n\t\treturn 0, nil\n\t}\n\treturn 1, nil\n}" in desk.text("a.go")


def test_an_import_of_go_that_is_not_used_any_more_goes(tmp_path: Path) -> None:
    desk = Desk(tmp_path, a_dot_go=GO)
    new = 'func (c *Cart) Total() (int, error) {\n\treturn 0, fmt.Errorf("%d", len(c.items))\n}'
    assert desk.edit("rewrite_function", name="Total", new=new).ok
    text = desk.text("a.go")
    assert 'import "fmt"' in text
    assert "errors" not in text


def test_imports_of_go_are_kept_in_order(tmp_path: Path) -> None:
    source = 'package a\n\nimport (\n\t"fmt"\n\t"time"\n)\n\nfunc F() { fmt.Println(time.Now()) }\n'
    desk = Desk(
        tmp_path, go_dot_mod="module example.org/m\n", a__a_dot_go=source, cart__c_dot_go="package cart\n"
    )
    new = "func G() string {\n\tcart.Use()\n\treturn strings.ToUpper(sort.X)\n}"
    assert desk.edit("append", path="a/a.go", new=f"package a\n\n{new}").ok
    block = 'import (\n\t"example.org/m/cart"\n\t"fmt"\n\t"sort"\n\t"strings"\n\t"time"\n)\n'
    assert block in desk.text("a/a.go")
    assert desk.text("a/a.go").count("package a") == 1


@pytest.mark.parametrize(
    ("before", "added"),
    [
        ('import { a } from "./m.js";\na();\n', 'import { a, total } from "./m.js";\n'),
        ('import { x } from "./x.js";\nx();\n', 'import { total } from "./m.js";\n'),
        ("const { x } = require('./x');\nx();\n", "const { total } = require('./m');\n"),
        ("const x = 1;\n", 'import { total } from "./m.js";\n'),
    ],
)
def test_what_the_project_exports_is_imported(tmp_path: Path, before: str, added: str) -> None:
    module = "export function total() {}\nexport function a() {}\n"
    desk = Desk(tmp_path, m_dot_js=module, b_dot_js=before, package_dot_json='{"type": "module"}')
    assert desk.edit("append", path="b.js", new="function twice() {\n  return 2 * total();\n}").ok
    assert added in desk.text("b.js")
    assert syntax_error(Language.JAVASCRIPT, desk.text("b.js")) == ""


def test_new_functions_are_exported_as_the_others_are(tmp_path: Path) -> None:
    new = "function three() {\n  return 3;\n}"
    listed = "function one() {}\nfunction two() {}\n\nmodule.exports = { one, two };\n"
    desk = Desk(
        tmp_path, a_dot_js=listed, b_dot_js="export function one() {}\n", c_dot_js="function one() {}\n"
    )
    for name in ("a", "b", "c"):
        assert desk.edit("append", path=f"{name}.js", new=new).ok
    assert desk.text("a.js").endswith("return 3;\n}\n\nmodule.exports = { one, two, three };\n")
    assert "export function three()" in desk.text("b.js")
    assert "export" not in desk.text("c.js")


def test_a_new_function_is_named_as_the_others_are(tmp_path: Path) -> None:
    desk = Desk(tmp_path, a_dot_js=SCRIPT, b_dot_js="function a_b() {}\n")
    new = "function average_speed(a_b) {\n  return average_speed(a_b);\n}"
    assert desk.edit("append", path="a.js", new=new).ok
    assert "function averageSpeed(a_b) {\n  return averageSpeed(a_b);\n}" in desk.text("a.js")
    assert desk.edit("append", path="b.js", new=new).ok
    assert "function average_speed(a_b)" in desk.text("b.js")


def test_a_method_is_added_to_a_class(tmp_path: Path) -> None:
    desk = Desk(tmp_path, a_dot_js=SCRIPT, a_dot_go=GO)
    assert desk.edit("append", path="a.js:Cart", new="count() {\n  return this.#items.length;\n}").ok
    assert "  }\n\n  count() {\n    return this.#items.length;\n  }\n}\n" in desk.text("a.js")
    assert not desk.edit("append", path="a.js:Cart", new="count() {}").ok
    assert desk.edit(
        "append", path="a.go:Cart", new="func (c *Cart) Len() int {\n    return len(c.items)\n}"
    ).ok
    assert desk.text("a.go").endswith("\n}\n\nfunc (c *Cart) Len() int {\n\treturn len(c.items)\n}\n")


def test_a_rename_touches_code_alone(tmp_path: Path) -> None:
    use = 'import { total } from "./a.js";\n// total\nconst s = "total" + total(`${total}`) + o.total;\n'
    desk = Desk(tmp_path, a_dot_js=SCRIPT, b_dot_js=use)
    assert desk.edit("rename", old="total", new="sum").ok
    renamed = 'import { sum } from "./a.js";\n// total\nconst s = "total" + sum(`${sum}`) + o.sum;\n'
    assert desk.text("b.js") == renamed
    assert "export function sum(items" in desk.text("a.js")


def test_what_would_not_parse_is_not_written(tmp_path: Path) -> None:
    desk = Desk(tmp_path, a_dot_js=SCRIPT, a_dot_go=GO)
    for arguments in (
        {"path": "a.js", "old": "items.length;", "new": "(items;"},
        {"path": "a.go", "old": "A = 1", "new": "A = ("},
    ):
        outcome = desk.edit("edit_file", **arguments)
        assert not outcome.ok
        assert "syntax error" in outcome.content
    assert (desk.text("a.js"), desk.text("a.go")) == (SCRIPT, GO)


def test_lines_are_replaced_only_when_they_are_known(tmp_path: Path) -> None:
    desk = Desk(tmp_path, a_dot_txt="one\ntwo\nthree\n")
    arguments = {"path": "a.txt", "start": "2", "end": "line 2", "new": "2"}
    first = desk.edit("replace_lines", **arguments)
    assert not first.ok
    assert "was not read yet" in first.content
    assert "2: two" in first.content
    assert desk.edit("replace_lines", **arguments).ok
    assert desk.text("a.txt") == "one\n2\nthree\n"
    asyncio.run(desk.files.read_file({"path": "a.txt"}))
    (tmp_path / "a.txt").write_text("zero\none\n2\n")
    again = desk.edit("replace_lines", **arguments)
    assert "has changed since you read it" in again.content
    assert "2: one" in again.content
    assert desk.text("a.txt") == "zero\none\n2\n"


def test_lines_copied_with_their_numbers_are_found(tmp_path: Path) -> None:
    desk = Desk(tmp_path, a_dot_js=SCRIPT)
    window = asyncio.run(desk.files.read_file({"file": "./a.js", "start": "7", "end": 9})).content
    body = window.split("```")[1].strip("\n")
    assert body.splitlines()[0].endswith("\u2502export function total(items, rate = RATE) {")
    assert desk.edit("edit_file", path="a.js", old=body, new="export function total() {\n  return 0;\n}").ok
    assert "export function total() {\n  return 0;\n}\n" in desk.text("a.js")


def test_a_whole_file_keeps_its_line_ends_and_its_mode(tmp_path: Path) -> None:
    place = tmp_path / "a.sh"
    place.write_bytes(b"echo a\r\necho b\r\n")
    place.chmod(0o755)
    desk = Desk(tmp_path)
    assert desk.edit("write_file", path="a.sh", content="echo c\necho d").ok
    assert place.read_bytes() == b"echo c\r\necho d\r\n"
    assert place.stat().st_mode & 0o777 == 0o755
    assert desk.edit("write_file", path="new/b.txt", new="b").ok
    assert desk.text("new/b.txt") == "b\n"


def test_an_outline_names_what_is_defined_with_lines(tmp_path: Path) -> None:
    desk = Desk(tmp_path, src__a_dot_js=SCRIPT)
    outcome = asyncio.run(desk.files.outline({"path": "a.js"}))
    assert "7: function total\n" in outcome.content
    assert "18:   method add" in outcome.content
    fact = outcome.facts[0]
    assert isinstance(fact, Outlined)
    assert (fact.path, fact.total) == ("src/a.js", 6)


def test_a_name_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    desk = Desk(tmp_path, src__a_dot_js=SCRIPT)
    assert "did you mean total?" in desk.edit("rewrite_function", name="totle", new="x").content + "?"
    with pytest.raises(Exception, match=r"did you mean src/a.js"):
        desk.edit("edit_file", path="src/aa.js", old="x", new="y")


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("f", "a.py", '@cache\ndef f(\n    a,\n):\n    """Tell it."""\n    return a\n'),
        ("C", "a.py", 'class C:\n    """Tell it."""\n\n    @property\n'),
        ("C.g", "a.py", '    @property\n    def g(self):\n        """Tell it."""\n'),
        ("Cart", "a.go", "// Cart tells it.\ntype Cart struct {"),
        ("New", "a.go", "\n// New tells it.\nfunc New() {}\n"),
        ("total", "a.js", "/** Tell it. */\nexport function total("),
        ("Cart.add", "a.js", "  /** Tell it. */\n  add(item) {"),
        ("add", "a.rs", "/// Tell it.\n#[inline]\npub fn add() {}\n"),
    ],
)
def test_a_description_goes_where_its_language_has_it(
    tmp_path: Path, name: str, path: str, expected: str
) -> None:
    python = (
        "@cache\ndef f(\n    a,\n):\n    return a\n\n\n"
        'class C:\n    """Old,\n    long."""\n\n    @property\n    def g(self):\n        return 1\n'
    )
    source = {
        "a.py": python,
        "a.go": GO + "\nfunc New() {}\n",
        "a.js": SCRIPT,
        "a.rs": "/// Old.\n/// Words.\n#[inline]\npub fn add() {}\n",
    }[path]
    desk = Desk(tmp_path, **{path.replace(".", "_dot_"): source})
    assert desk.edit("document", name=name, text='"""tell it"""').ok
    assert expected in desk.text(path)
    old = {"C": "Old", "Cart": "holds", "total": "The total", "Cart.add": "Adds", "add": "Old"}.get(name)
    assert old is None or old not in desk.text(path)
