"""Reads what Node's test runner writes: TAP 13 with a YAML block per test. Pure.

https://testanything.org/tap-version-13-specification.html, https://nodejs.org/api/test.html#test-reporters
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from agent.tools.testreport import Outcome, TestCase, TestReport

_POINT = re.compile(r"( *)(not )?ok \d+(?: - (.*?))?(?: # (SKIP|TODO)\b.*)?$")
_SUBTEST = re.compile(r"( *)# Subtest: (.*)$")
_SCRIPT = re.compile(r"\S.*\.[cm]?[jt]sx?$")
_STOPPED = re.compile(r"# (?:file://)?(/\S+):(\d+)$")  # where a file could not be loaded
_PLACE = re.compile(r"(?<![\w.])(?:file://)?(/[^\s():]+):(\d+):\d+")


def from_tap(text: str) -> TestReport | None:
    """The run's report; None when `text` is not TAP. A suite is told by its tests, not as a test."""
    if "TAP version" not in text:
        return None
    lines = text.split("\n")
    cases: list[TestCase] = []
    outer: list[str] = []
    seen: dict[int, int] = {}  # tests told at a depth since its suite was opened
    duration_s, words = 0.0, ""
    place: tuple[tuple[str, int], ...] = ()
    i = 0
    while i < len(lines):
        line = lines[i]
        i += 1
        if opened := _SUBTEST.match(line):
            depth = len(opened[1]) // 4
            outer[depth:] = [_plain(opened[2])]
            seen.setdefault(depth, 0)
            continue
        if found := re.match(r"# duration_ms ([\d.]+)", line):
            duration_s = float(found[1]) / 1000
        elif line.startswith("# "):
            said = re.match(r"# (\w*Error\b.*)", line)
            words = words or (said[1] if said else "")
            if found := _STOPPED.match(line):
                place = ((found[1], int(found[2])),)
        point = _POINT.match(line)
        if point is None:
            continue
        depth, details = len(point[1]) // 4, {}
        if i < len(lines) and lines[i].strip() == "---":
            end = next((k for k in range(i, len(lines)) if lines[k].strip() == "..."), len(lines))
            details = _details(lines[i + 1 : end], len(point[1]) + 2)
            i = end + 1
        has_inner = seen.pop(depth + 1, 0) > 0
        seen[depth] = seen.get(depth, 0) + 1
        name = _plain(point[3] or "")
        is_file = depth == 0 and bool(_SCRIPT.fullmatch(name)) and "/" in name
        if details.get("type") == "suite" or (has_inner and details.get("failureType") != "testCodeFailure"):
            continue
        outcome = Outcome.SKIPPED if point[4] else Outcome.FAILED if point[2] else Outcome.PASSED
        if is_file:  # one without tests in it, or that could not be loaded
            told, outcome = (words or _message(details), Outcome.ERROR) if point[2] else ("", outcome)
            cases.append(TestCase(name, name.rpartition("/")[2], outcome, told, place if point[2] else ()))
            words, place = "", ()
            continue
        path = outer[:depth]
        cases.append(_case([*path, name], outcome, details))
    return TestReport("node", tuple(cases), duration_s)


def _case(path: list[str], outcome: Outcome, details: dict[str, Any]) -> TestCase:
    stack = str(details.get("stack") or "")
    location = str(details.get("location") or "")
    places = tuple((file, int(row)) for file, row in _PLACE.findall(stack))
    if not places:
        places = tuple((file, int(row)) for file, row in _PLACE.findall(location))
    has_values = details.get("code") == "ERR_ASSERTION" and "expected" in details and "actual" in details
    return TestCase(
        " > ".join(path),
        path[-1],
        outcome,
        _message(details),
        tuple(reversed(places)),  # the deepest call last, as in Python's tracebacks
        expected=_value(details["expected"]) if has_values else "",
        got=_value(details["actual"]) if has_values else "",
    )


def _message(details: dict[str, Any]) -> str:
    text = str(details.get("error") or "").strip()
    kind = str(details.get("name") or "")
    head = text.partition("\n")[0]
    return f"{kind}: {head}" if kind and kind not in ("AssertionError", "Error") else head


def _details(lines: list[str], indent: int) -> dict[str, Any]:
    try:
        read: Any = yaml.safe_load("\n".join(line[indent:] for line in lines))
    except yaml.YAMLError:
        return {}
    return read if isinstance(read, dict) else {}


def _value(value: object) -> str:
    """A value as JavaScript writes it, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, str):
        return repr(value)
    if isinstance(value, dict):
        entries = {str(key): inner for key, inner in value.items()}
        if entries and list(entries) == [str(i) for i in range(len(entries))]:
            return f"[{', '.join(_value(inner) for inner in entries.values())}]"
        return f"{{{', '.join(f'{key}: {_value(inner)}' for key, inner in entries.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(_value(inner) for inner in value)}]"
    return str(value)


def _plain(name: str) -> str:
    """A name without TAP's escapes."""
    return re.sub(r"\\([#\\])", r"\1", name)
