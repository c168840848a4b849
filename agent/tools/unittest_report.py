"""Runs a project's unittest suites under the project's own Python and writes a JSON report of every test.

Started as a script by tests_runner: `python unittest_report.py REPORT ONLY FOLDER…`, in the project's root.
ONLY is the bare name of the tests to run, or empty. It must not import anything but the standard library, for
it runs outside our own environment.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Recorder(unittest.TestResult):
    """Keeps one record per test: its id, outcome, message and traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.cases: list[dict[str, str]] = []
        self.broken_subtests: set[str] = set()

    def _add(self, test: unittest.TestCase, outcome: str, error: Any = None) -> None:
        record = {"id": test.id(), "outcome": outcome, "message": "", "trace": ""}
        if error is not None:
            record["message"] = f"{error[0].__name__}: {error[1]}"
            record["trace"] = "".join(traceback.format_exception(*error))
        self.cases.append(record)

    def addSuccess(self, test: unittest.TestCase) -> None:
        if test.id() not in self.broken_subtests:
            self._add(test, "passed")

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        self._add(test, "failed", err)

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        self._add(test, "error" if "_FailedTest" in type(test).__name__ else "failed", err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._add(test, "skipped")

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        self._add(test, "passed")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        self._add(test, "failed")

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        if err is not None and test.id() not in self.broken_subtests:
            self.broken_subtests.add(test.id())
            self._add(test, "failed", err)


def cases_of(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases_of(item)
        else:
            yield item


def main() -> None:
    report, only, *folders = sys.argv[1:]
    root = str(Path.cwd())
    sys.path[0] = root
    source = Path(root) / "src"
    if source.is_dir():
        sys.path.insert(1, str(source))
    suite = unittest.TestSuite()
    for folder in folders:
        loader = unittest.TestLoader()
        is_package = (Path(folder) / "__init__.py").exists()
        suite.addTests(loader.discover(folder, "*test*.py", root if is_package or folder == "." else None))
    if only:
        suite = unittest.TestSuite(case for case in cases_of(suite) if case.id().endswith(f".{only}"))
    recorder = Recorder()
    started = time.perf_counter()
    suite.run(recorder)
    duration = time.perf_counter() - started
    Path(report).write_text(json.dumps({"cases": recorder.cases, "duration_s": duration}), "utf-8")


main()
