"""What the test runners of other languages write, and runs of those that are here."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.code import culprits
from agent.code.outline import symbols_of
from agent.facts import TestFailure
from agent.tools.process import project_environment
from agent.tools.python_tests import PythonRunner
from agent.tools.reports.cargo import from_cargo
from agent.tools.reports.gotest import from_go
from agent.tools.reports.jest import from_jest, from_mocha
from agent.tools.reports.tap import from_tap
from agent.tools.testreport import Outcome, TestReport
from agent.tools.tests_runner import TestRunner
from agent.tools.toolbox import Toolbox
from agent.tools.tree_repairs import repairs
from agent.workspace import Workspace

PROJECTS = Path(__file__).parents[1] / "bench" / "projects"
ENVIRONMENT = project_environment(os.environ, Path(sys.prefix))

TAP = """TAP version 13
# Subtest: adds
not ok 1 - adds
  ---
  duration_ms: 2.2
  location: '/p/a.test.js:3:1'
  failureType: 'testCodeFailure'
  error: |-
    Expected values to be strictly equal:

    5 !== 6

  code: 'ERR_ASSERTION'
  name: 'AssertionError'
  expected: 6
  actual: 5
  operator: 'strictEqual'
  stack: |-
    add (file:///p/a.js:2:9)
    TestContext.<anonymous> (file:///p/a.test.js:3:29)
    Test.run (node:internal/test_runner/test:796:25)
  ...
# Subtest: cart
    # Subtest: is empty \\# one
    ok 1 - is empty \\# one
      ---
      duration_ms: 0.6
      ...
    # Subtest: later
    ok 2 - later # SKIP
      ---
      duration_ms: 0.5
      ...
    1..2
ok 2 - cart
  ---
  duration_ms: 3.6
  type: 'suite'
  ...
# Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/p/nope.js'
# Subtest: /p/b.test.js
not ok 3 - /p/b.test.js
  ---
  failureType: 'testCodeFailure'
  exitCode: 1
  error: 'test failed'
  ...
1..3
# duration_ms 497.4
"""


def outcomes(report: TestReport | None) -> dict[str, Outcome]:
    assert report is not None
    return {case.id: case.outcome for case in report.cases}


def failures(report: TestReport | None) -> dict[str, TestFailure]:
    assert report is not None
    return {failure.name: failure for failure in report.facts(lambda path: None).failures}


def test_a_run_of_node_is_read() -> None:
    report = from_tap(TAP)
    assert outcomes(report) == {
        "adds": Outcome.FAILED,
        "cart > is empty # one": Outcome.PASSED,
        "cart > later": Outcome.SKIPPED,
        "/p/b.test.js": Outcome.ERROR,
    }
    told = failures(report)
    assert (told["adds"].expected, told["adds"].got) == ("6", "5")
    assert "Cannot find module" in told["b.test.js"].message
    assert report is not None
    assert report.cases[0].places == (("/p/a.test.js", 3), ("/p/a.js", 2))
    assert report.duration_s == pytest.approx(0.4974)
    assert from_tap("SyntaxError: no\n") is None


def go_events(*events: tuple[str, str, str]) -> str:
    package = "example.org/m/cart"
    rows = [{"Action": a, "Package": package, "Test": t, "Output": o} for a, t, o in events]
    return "\n".join(json.dumps({key: value for key, value in row.items() if value}) for row in rows)


def test_a_run_of_go_is_read() -> None:
    stdout = "FAIL\texample.org/m/bad [build failed]\n" + go_events(
        ("run", "TestAdd", ""),
        ("output", "TestAdd", "    cart_test.go:7: Add(2, 3) = -1, want 5\n"),
        ("fail", "TestAdd", ""),
        ("output", "TestSub/a_b", '    cart_test.go:12: got "x", want "y z"\n'),
        ("fail", "TestSub/a_b", ""),
        ("pass", "TestSub/ok", ""),
        ("fail", "TestSub", ""),
        ("output", "TestBoom", "panic: index out of range [5] [recovered]\n"),
        ("output", "TestBoom", "\t/usr/lib/go/src/testing/testing.go:1396 +0x24e\n"),
        ("output", "TestBoom", "\t/p/cart/cart.go:3\n\t/p/cart/cart_test.go:16 +0x1a\n"),
        ("fail", "TestBoom", ""),
        ("skip", "TestLater", ""),
        ("fail", "", ""),
    )
    stderr = "# example.org/m/bad [example.org/m/bad.test]\nbad/bad.go:2:23: undefined: nope\n"
    report = from_go(stdout, stderr, "example.org/m")
    assert list(outcomes(report).values()) == [
        *(Outcome.FAILED, Outcome.FAILED, Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED, Outcome.ERROR)
    ]
    told = failures(report)
    assert (told["TestAdd"].expected, told["TestAdd"].got) == ("5", "-1")
    assert (told["TestSub"].expected, told["TestSub"].got) == ('"y z"', '"x"')
    assert told["TestBoom"].message == "index out of range [5]"
    assert told["bad"].message == "bad/bad.go line 2: undefined: nope"
    assert report is not None
    places = {case.name: case.places for case in report.cases}
    assert places["TestAdd"] == (("cart/cart_test.go", 7),)
    assert places["TestBoom"] == (("/p/cart/cart_test.go", 16), ("/p/cart/cart.go", 3))
    assert from_go("?   \texample.org/m/ok\t[no test files]\n", "") is None


CARGO = """
running 3 tests
test tests::fine ... ok
test tests::adds ... FAILED
test tests::later ... ignored

failures:

---- tests::adds stdout ----

thread 'tests::adds' (18149) panicked at src/lib.rs:9:17:
assertion `left == right` failed
  left: -1
 right: 3

failures:
    tests::adds

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.11s
"""


def test_a_run_of_cargo_is_read() -> None:
    report = from_cargo(CARGO, "")
    assert list(outcomes(report).values()) == [Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED]
    told = failures(report)["adds"]
    assert (told.expected, told.got) == ("3", "-1")
    broken = from_cargo("", "error[E0425]: cannot find value `c`\n --> src/lib.rs:4:41\n  |\n")
    assert failures(broken)["the crate"].message == "src/lib.rs line 4: cannot find value `c`"


def test_a_run_of_jest_or_vitest_is_read() -> None:
    jest = "Error: \x1b[2mexpect(received)\x1b[22m\n\nExpected: 6\nReceived: 5\n    at f (/p/a.test.js:3:5)"
    vitest = "expected 5 to be 6 // Object.is"
    results = [
        {"title": "adds", "fullName": "cart adds", "status": "failed", "failureMessages": [jest]},
        {
            "title": "v",
            "fullName": "v",
            "status": "failed",
            "failureMessages": [vitest],
        },
        {"title": "fine", "fullName": "fine", "status": "passed"},
        {"title": "later", "fullName": "later", "status": "pending"},
    ]
    suites = [
        {"name": "/p/a.test.js", "status": "failed", "assertionResults": results},
        {"name": "/p/b.test.js", "status": "failed", "assertionResults": [], "message": "SyntaxError: no"},
    ]
    report = from_jest(json.dumps({"startTime": 1000, "testResults": suites}))
    told = failures(report)
    assert [(told[name].expected, told[name].got) for name in ("adds", "v")] == [("6", "5"), ("6", "5")]
    assert (told["b.test.js"].message, report.cases[0].places) == ("SyntaxError: no", (("/p/a.test.js", 3),))
    with pytest.raises(ValueError, match="not a report"):
        from_jest("nothing")


def test_a_run_of_mocha_is_read() -> None:
    error = {"message": "expected 5 to equal 6", "expected": "6", "actual": "5", "stack": ""}
    failed = {"title": "adds", "fullTitle": "cart adds", "err": error}
    passed = {"title": "fine", "fullTitle": "fine", "err": {}}
    report = from_mocha(json.dumps({"stats": {"duration": 5}, "passes": [passed], "failures": [failed]}))
    assert (failures(report)["adds"].expected, failures(report)["adds"].got) == ("6", "5")


@given(st.text(max_size=200), st.integers(0, len(TAP)))
def test_reports_that_are_cut_or_odd_raise_nothing(text: str, cut: int) -> None:
    from_tap(TAP[:cut] + text)
    from_go(text, text)
    from_cargo(text, text)


def copied(name: str, root: Path) -> Workspace:
    shutil.copytree(PROJECTS / name, root / name)
    return Workspace(root / name)


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node here")
def test_a_failing_test_of_node_leads_to_the_function_that_it_reaches(tmp_path: Path) -> None:
    workspace = copied("javascript", tmp_path)
    place = workspace.root / "src/format.js"
    place.write_text(place.read_text().replace("* 60", "* 100"))
    tools = Toolbox(workspace, ENVIRONMENT)
    report = asyncio.run(tools.test_report())
    fact = tools.test_facts(report)
    assert (fact.runner, fact.passed, fact.failed) == ("node", 9, 1)
    assert (fact.failures[0].name, fact.failures[0].expected, fact.failures[0].got) == (
        *("hours and minutes", "'1 h 30 min'", "'1 h 50 min'"),
    )
    test = culprits.test_of(report.broken[0], tools.index)
    assert test is not None
    assert (test.path, test.symbol.first_line) == ("test/format.test.js", 5)
    assert [item.symbol.name for item in culprits.culprits_of(report.broken[0], test, tools.index)] == [
        "formatHours"
    ]


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node here")
@pytest.mark.parametrize(
    ("script", "cases"),
    [
        ("node --test src", {"a.test.js"}),
        ("node src/check.js && node --version", {"npm test (node src/check.js && node --version)"}),
        ('echo "Error: no test specified" && exit 1', {"a.test.js"}),
    ],
)
def test_package_json_says_how_tests_are_run(tmp_path: Path, script: str, cases: set[str]) -> None:
    (tmp_path / "package.json").write_text(json.dumps({"scripts": {"test": script}}))
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.test.js").write_text("")
    (tmp_path / "src/check.js").write_text("throw new TypeError('bad');\n")
    report = asyncio.run(TestRunner(Workspace(tmp_path), ENVIRONMENT).run())
    assert {case.name for case in report.cases} == cases


@pytest.mark.parametrize("script", ["jest", "vitest", "npx mocha"])
def test_a_test_program_that_is_not_installed_is_named(tmp_path: Path, script: str) -> None:
    (tmp_path / "package.json").write_text(json.dumps({"scripts": {"test": script}}))
    environment = {**ENVIRONMENT, "PATH": str(tmp_path)}
    (tmp_path / "node").symlink_to(sys.executable)
    report = asyncio.run(TestRunner(Workspace(tmp_path), environment).run())
    assert "which is not installed: run npm install first" in report.trouble


@pytest.mark.parametrize(
    ("manifest", "test", "tool"), [("go.mod", "a_test.go", "Go"), ("Cargo.toml", "a.rs", "Rust's")]
)
def test_a_language_that_is_not_installed_is_named(
    tmp_path: Path, manifest: str, test: str, tool: str
) -> None:
    (tmp_path / manifest).write_text("")
    (tmp_path / test).write_text("")
    report = asyncio.run(TestRunner(Workspace(tmp_path), {"PATH": ""}).run())
    assert report.trouble.startswith(f"The tests need {tool}")


@pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go here")
def test_the_tests_of_a_go_module_are_run(tmp_path: Path) -> None:
    report = asyncio.run(TestRunner(copied("go", tmp_path), ENVIRONMENT).run())
    assert (report.runner, len(report.passed_ids), report.broken) == ("go", 7, ())


def test_tests_of_two_languages_are_one_report(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module m\n")
    (tmp_path / "a_test.go").write_text("")
    (tmp_path / "test_a.py").write_text("def test_a():\n    pass\n")
    runner = TestRunner(Workspace(tmp_path), {"PATH": ""}, python=PythonRunner(sys.executable))
    report = asyncio.run(runner.run())
    assert [(case.name, case.outcome) for case in report.cases] == [
        ("test_a", Outcome.PASSED),
        ("go", Outcome.ERROR),
    ]


UNITTEST = "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): pass\n"
PYTEST = "def test_a():\n    pass\n"


def python_in(folder: Path, has_pytest: bool) -> None:
    """A `python3` that is ours, but only lets pytest be found where it is to have it."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / ("python" if folder.name == "bin" else "python3")
    hidden = "" if has_pytest else 'case "$*" in *find_spec*) exit 1;; esac\n'
    place.write_text(f'#!/bin/sh\n{hidden}exec "{sys.executable}" "$@"\n')
    place.chmod(0o755)


@pytest.mark.parametrize(
    ("pythons", "test", "runner"),
    [
        ({"path": False}, PYTEST, "pytest"),  # ours has pytest
        (
            {"path": False},
            UNITTEST,
            "unittest",
        ),
        (
            {"path": True},
            UNITTEST,
            "pytest",
        ),
        ({".venv/bin": False, "path": True}, PYTEST, ""),  # the project's own, as it is
    ],
)
def test_the_right_python_runs_the_tests(
    tmp_path: Path, pythons: dict[str, bool], test: str, runner: str
) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (root / "test_a.py").write_text(test)
    for name, has_pytest in pythons.items():
        python_in((root if name.startswith(".") else tmp_path) / name, has_pytest)
    environment = {**ENVIRONMENT, "PATH": f"{tmp_path / 'path'}:/usr/bin:/bin"}
    report = asyncio.run(TestRunner(Workspace(root), environment).run())
    assert (report.runner, bool(report.passed_ids)) == ((runner, True) if runner else ("unittest", False))


@pytest.mark.parametrize(
    ("path", "line", "after"),
    [
        ("a.js", "  return a - b;", "  return a + b;"),
        ("a.js", "  if (a < b) {", "  if (a <= b) {"),
        ("a.js", "  return Math.min(a, b);", "  return Math.max(a, b);"),
        ("a.js", "  return a && !b;", "  return a && b;"),
        ("a.js", "  return list[a];", "  return list[b];"),
        ("a.js", "  return a * 100;", "  return a * 60;"),
        ("a.js", "  return f(a, b);", "  return f(b, a);"),
        ("a.js", "  if (a) {\n  }", "  if (!(a)) {"),
        ("a.go", "\tif a > b {\n\t}\n\treturn a", "\tif !(a > b) {"),
        ("a.go", "\treturn a * 3", "\treturn a * 2"),
        ("a.go", "\tsum -= a", "\tsum += a"),
        ("a.go", "\treturn strings.HasPrefix(a, b)", "\treturn strings.HasSuffix(a, b)"),
        ("a.js", "  for (;;) {\n    continue;\n  }", "    break;"),
        ("a.go", "\tfor {\n\t\tbreak\n\t}\n\treturn a", "\t\tcontinue"),
        ("a.rs", "    a == b || true", "    a == b || false"),
    ],
)
def test_a_small_repair_is_among_those_that_are_tried(path: str, line: str, after: str) -> None:
    source = {
        "a.js": "export function f(a, b) {{\n{}\n}}\n",
        "a.go": "package a\n\nfunc f(a, b int) int {{\n{}\n}}\n",
        "a.rs": "fn f(a: bool, b: bool) -> bool {{\n{}\n}}\n",
    }[path].format(line)
    (symbol,) = symbols_of(path, source)
    found = repairs(path, source, symbol.def_line, symbol.last_line)
    assert after in [repair.after for repair in found]
    assert all(repair.before == source.split("\n")[repair.line - 1] for repair in found)
