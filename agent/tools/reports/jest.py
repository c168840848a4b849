"""Reads the JSON reports of Jest and Vitest, and of Mocha. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

from agent.tools.testreport import Outcome, TestCase, TestReport

_OUTCOMES = {
    "passed": Outcome.PASSED,
    "failed": Outcome.FAILED,
    **dict.fromkeys(("pending", "skipped", "todo", "disabled"), Outcome.SKIPPED),
}
_PLACE = re.compile(r"(?<![\w/])\(?(?:file://)?(/[^\s():]+|[\w./\-]+\.[cm]?[jt]sx?):(\d+):\d+\)?")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SIDES = re.compile(r"Expected(?: value)?:\s*(.+)\n+\s*Received(?: value)?:\s*(.+)")
_NODE = re.compile(r"^\s*(\S.*) !== (\S.*)$", re.MULTILINE)
_VITEST = re.compile(
    r"expected (.+?) to (?:be|equal|deeply equal|strictly equal|loosely equal) (.+?)(?: //.*)?$"
)


def from_jest(text: str) -> TestReport:
    """Read the `--json` report of Jest or of Vitest; raises ValueError when it is not one."""
    document = _document(text)
    cases: list[TestCase] = []
    for suite in document.get("testResults", ()):
        path = str(suite.get("name", ""))
        results = suite.get("assertionResults", ())
        if not results and suite.get("status") == "failed":
            message = _first_line(str(suite.get("message", "")))
            cases.append(TestCase(path, path.rpartition("/")[2], Outcome.ERROR, message))
        for result in results:
            told = _COLOUR.sub("", "\n".join(map(str, result.get("failureMessages") or ())))
            title, whole = str(result.get("title", "")), str(result.get("fullName", ""))
            outcome = _OUTCOMES.get(str(result.get("status")), Outcome.SKIPPED)
            cases.append(_case(f"{path} > {whole}", title, outcome, told))
    start, ends = document.get("startTime", 0), [s.get("endTime", 0) for s in document.get("testResults", ())]
    return TestReport("jest", tuple(cases), max(0.0, (max(ends, default=start) - start) / 1000))


def from_mocha(text: str) -> TestReport:
    """Read the report of Mocha's `json` reporter; raises ValueError when it is not one."""
    document = _document(text)
    cases: list[TestCase] = []
    groups = (("passes", Outcome.PASSED), ("failures", Outcome.FAILED), ("pending", Outcome.SKIPPED))
    for group, outcome in groups:
        for test in document.get(group, ()):
            error = test.get("err") or {}
            told = f"{error.get('message', '')}\n{error.get('stack', '')}"
            case = _case(str(test.get("fullTitle", "")), str(test.get("title", "")), outcome, told)
            if outcome is Outcome.FAILED and "expected" in error and "actual" in error:
                expected, got = str(error["expected"]), str(error["actual"])
                case = TestCase(case.id, case.name, outcome, case.message, case.places, expected, got)
            cases.append(case)
    return TestReport("mocha", tuple(cases), float(document.get("stats", {}).get("duration", 0)) / 1000)


def _case(identity: str, name: str, outcome: Outcome, told: str) -> TestCase:
    if outcome is not Outcome.FAILED:
        return TestCase(identity, name, outcome)
    places = [(path, int(line)) for path, line in _PLACE.findall(told) if "node_modules" not in path]
    expected = got = ""
    if sides := _SIDES.search(told):
        expected, got = sides[1].strip(), sides[2].strip()
    elif words := _VITEST.search(_first_line(told)):
        got, expected = words[1].strip(), words[2].strip()
    elif sides := _NODE.search(told):
        got, expected = sides[1].strip(), sides[2].strip()
    return TestCase(identity, name, outcome, _first_line(told), tuple(reversed(places)), expected, got)


def _first_line(text: str) -> str:
    line = next((line.strip() for line in _COLOUR.sub("", text).splitlines() if line.strip()), "it failed")
    return re.sub(r"^(?:AssertionError|Error)(?: \[\w+\])?: ", "", line)


def _document(text: str) -> dict[str, Any]:
    start = text.find("{")
    read: Any = json.loads(text[start:]) if start >= 0 else None
    if not isinstance(read, dict):
        raise ValueError("not a report of tests")
    return read
