"""Reads `go test -json`, with what the compiler said beside it. Pure.

https://pkg.go.dev/cmd/test2json
"""

from __future__ import annotations

import json
import re
from typing import Any

from agent.tools.testreport import Outcome, TestCase, TestReport

_OUTCOMES = {"pass": Outcome.PASSED, "fail": Outcome.FAILED, "skip": Outcome.SKIPPED}
_SAID = re.compile(r"^\s+([\w.\-]+_test\.go):(\d+): (.*)$", re.MULTILINE)
_CALLED = re.compile(r"^\t(/\S+\.go):(\d+)", re.MULTILINE)
_PANIC = re.compile(r"^\s*panic: (.*?)(?: \[recovered\])?$", re.MULTILINE)
_COMPILER = re.compile(r"^(?:vet: )?(\S+\.go):(\d+):(?:\d+:)? (.*)$", re.MULTILINE)
_VALUES = (
    re.compile(
        r"^.*?(?:=|got:?|returned|is)\s+(?P<got>.+?)[,;:]?\s+(?:but )?"
        r"(?:want|wanted|expected)(?: to be)?:?\s+(?P<want>.+)$"
    ),
    re.compile(
        r"^.*?(?:want|wanted|expected):?\s+(?P<want>.+?)[,;:]?\s+(?:but )?(?:got|was|is):?\s+(?P<got>.+)$"
    ),
)


def from_go(stdout: str, stderr: str, module: str = "") -> TestReport | None:
    """The report of a run in `module`; None when nothing was run and nothing failed to compile."""
    outputs: dict[tuple[str, str], str] = {}
    outcomes: dict[tuple[str, str], Outcome] = {}
    duration_s = 0.0
    plain: list[str] = []
    for line in stdout.splitlines():
        event = _event(line)
        if event is None:
            plain.append(line)
            continue
        key = str(event.get("Package", "")), str(event.get("Test", ""))
        action = event.get("Action")
        if action in ("output", "build-output"):
            if not key[1] and action == "build-output":
                plain.append(str(event.get("Output", "")).rstrip("\n"))
            outputs[key] = outputs.get(key, "") + str(event.get("Output", ""))
        elif action in _OUTCOMES and key[1]:
            outcomes[key] = _OUTCOMES[str(action)]
        elif action in _OUTCOMES:
            duration_s += float(event.get("Elapsed", 0) or 0)
    parents = {(package, test.rpartition("/")[0]) for package, test in outcomes if "/" in test}
    cases = [
        _case(*key, outcome, outputs.get(key, ""), module)
        for key, outcome in outcomes.items()
        if key not in parents
    ]
    cases += _not_compiled("\n".join([*plain, stderr]))
    return TestReport("go", tuple(cases), duration_s) if cases else None


def _event(line: str) -> dict[str, Any] | None:
    try:
        read: Any = json.loads(line)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None


def _case(package: str, test: str, outcome: Outcome, output: str, module: str) -> TestCase:
    identity, name = f"{package}.{test}", test.partition("/")[0]
    if outcome is not Outcome.FAILED:
        return TestCase(identity, name, outcome)
    folder = package.removeprefix(module).strip("/")
    said = _SAID.findall(output)
    panic = _PANIC.search(output)
    message = said[0][2] if said else panic[1] if panic else "it failed"
    called = [(path, int(line)) for path, line in _CALLED.findall(output) if "/src/" not in path]
    places = [(f"{folder}/{file}".lstrip("/"), int(line)) for file, line, _ in said[:1]] or list(
        reversed(called)
    )
    expected, got = _values(message)
    return TestCase(identity, name, outcome, message, tuple(places), expected=expected, got=got)


def _values(message: str) -> tuple[str, str]:
    for pattern in _VALUES:
        if found := pattern.match(message):
            return found["want"].strip().rstrip("."), found["got"].strip().rstrip(".,;")
    return "", ""


def _not_compiled(text: str) -> list[TestCase]:
    """One error for each package that the compiler refused, told by its first complaint."""
    cases: dict[str, TestCase] = {}
    for block in re.split(r"^# ", text, flags=re.MULTILINE)[1:]:
        package = block.partition("\n")[0].partition(" ")[0]
        found = _COMPILER.search(block)
        if found:
            name = package.rpartition("/")[2]
            message = f"{found[1]} line {found[2]}: {found[3]}"
            place = ((found[1].removeprefix("./"), int(found[2])),)
            cases.setdefault(package, TestCase(package, name, Outcome.ERROR, message, place))
    return list(cases.values())
