"""What a test run gave, read from pytest's JUnit XML or from our unittest report. Pure."""

from __future__ import annotations

import ast
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from agent.facts import TestFailure, TestsRun

_MAX_VALUE_CHARS = 120


class Outcome(str, Enum):
    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class TestCase:
    """One test. `id` tells it from all others; `places` are (file, line) of its traceback in order.

    `expected` and `got` are as the runner tells them; empty where it does not, or only in `message`.
    """

    __test__ = False

    id: str
    name: str
    outcome: Outcome
    message: str = ""
    places: tuple[tuple[str, int], ...] = ()
    expected: str = ""
    got: str = ""


@dataclass(frozen=True)
class TestReport:
    """A whole run. `trouble` says in a sentence why no tests could be run, and is empty when they were."""

    __test__ = False

    runner: str
    cases: tuple[TestCase, ...]
    duration_s: float = 0.0
    trouble: str = ""

    @property
    def passed_ids(self) -> frozenset[str]:
        return frozenset(case.id for case in self.cases if case.outcome is Outcome.PASSED)

    @property
    def broken(self) -> tuple[TestCase, ...]:
        return tuple(case for case in self.cases if case.outcome in (Outcome.FAILED, Outcome.ERROR))

    def facts(self, read_source: Callable[[str], str | None]) -> TestsRun:
        """The facts of the run; `read_source` gives a test file's text, to tell expected from got."""
        counts = {outcome: sum(case.outcome is outcome for case in self.cases) for outcome in Outcome}
        return TestsRun(
            runner=self.runner,
            passed=counts[Outcome.PASSED],
            failed=counts[Outcome.FAILED],
            errors=counts[Outcome.ERROR],
            skipped=counts[Outcome.SKIPPED],
            failures=tuple(_failure(case, read_source) for case in self.broken),
            duration_s=self.duration_s,
        )


def from_junit(text: str) -> TestReport:
    """Read pytest's `--junitxml` file; raises ValueError when it is not one."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError("not a JUnit report") from error
    cases: list[TestCase] = []
    for element in root.iter("testcase"):
        name = element.get("name", "")
        outcome, message, trace = Outcome.PASSED, "", ""
        for child in element:
            if child.tag == "failure":
                outcome = Outcome.FAILED
            elif child.tag == "error" and outcome is Outcome.PASSED:
                outcome = Outcome.ERROR
            elif child.tag == "skipped":
                outcome = Outcome.SKIPPED
            else:
                continue
            message, trace = child.get("message", ""), child.text or ""
        places = tuple(
            (path, int(line))
            for path, line in re.findall(r"^([^\s:][^:\n]*\.py):(\d+): ", trace, re.MULTILINE)
        )
        identity = f"{element.get('classname', '')}::{name}"
        if outcome is Outcome.ERROR:
            message = _import_error(message, trace)
        cases.append(TestCase(identity, name, outcome, message, places))
    duration = sum(float(suite.get("time", 0)) for suite in root.iter("testsuite"))
    return TestReport("pytest", tuple(cases), duration)


def from_unittest(text: str) -> TestReport:
    """Read the report of `unittest_report.py`; raises ValueError when it is not one."""
    document = json.loads(text)
    cases = tuple(
        TestCase(
            record["id"],
            record["id"].rpartition(".")[2],
            Outcome(record["outcome"]),
            _import_error(record["message"], "") if record["outcome"] == "error" else record["message"],
            tuple(
                (path, int(line)) for path, line in re.findall(r'File "([^"]+)", line (\d+)', record["trace"])
            ),
        )
        for record in document["cases"]
    )
    return TestReport("unittest", cases, document["duration_s"])


def _import_error(message: str, trace: str) -> str:
    """Why a test file could not be imported: the last line that says so, for both runners bury it."""
    lines = [line.removeprefix("E ").strip() for line in f"{message}\n{trace}".splitlines()]
    return next(
        (line for line in reversed(lines) if re.match(r"\w+(Error|Exception|Warning)\b", line)), message
    )


def _failure(case: TestCase, read_source: Callable[[str], str | None]) -> TestFailure:
    first_line = case.message.strip().partition("\n")[0]
    message = _shortened(re.sub(r"^AssertionError: ", "", first_line))
    if case.expected or case.got:
        return TestFailure(case.name, _shortened(case.expected), _shortened(case.got), message)
    values = _compared(first_line)
    if values is None:
        return TestFailure(case.name, message=message)
    left, right = values
    if _expected_is_left(case, read_source):
        left, right = right, left
    return TestFailure(case.name, expected=_shortened(right), got=_shortened(left), message=message)


def _compared(message: str) -> tuple[str, str] | None:
    """The two sides of a failed equality: unittest's `a != b` or pytest's `assert a == b`."""
    text = re.sub(r"^AssertionError: ", "", message)
    text = re.sub(r"^[A-Z]\w+ (are not equal|differ): ?", "", text)
    for pattern, sign in ((r"assert (.+)", " == "), (r"(.+)", " != ")):
        match = re.fullmatch(pattern, text)
        if match is None:
            continue
        body = match[1]
        # The sign may also stand inside a string: take the split whose two sides are both values.
        cuts = [i for i in range(len(body)) if body.startswith(sign, i)]
        for cut in cuts:
            left, right = body[:cut], body[cut + len(sign) :].split(" : ")[0]
            if len(cuts) == 1 or (_is_expression(left) and _is_expression(right)):
                return left.strip(), right.strip()
    return None


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _expected_is_left(case: TestCase, read_source: Callable[[str], str | None]) -> bool:
    """Whether the test's own line names the expected value first: a literal there, and none second."""
    for path, line in reversed(case.places):
        source = read_source(path)
        if source is None:
            continue
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if getattr(node, "lineno", 0) > line or (getattr(node, "end_lineno", 0) or 0) < line:
                continue
            sides: tuple[ast.expr, ast.expr] | None = None
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr.startswith("assert") and len(node.args) >= 2:
                    sides = node.args[0], node.args[1]
            elif isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare):
                sides = node.test.left, node.test.comparators[0]
            if sides is not None:
                return _is_literal(sides[0]) and not _is_literal(sides[1])
    return False


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _shortened(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _MAX_VALUE_CHARS else text[: _MAX_VALUE_CHARS - 1] + "…"
