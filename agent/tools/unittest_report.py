"""Runs a project's unittest suites under the project's own Python and writes a JSON report of every test.

Started as a script by tests_runner: `python unittest_report.py REPORT ONLY FILE…`, in the project's root.
ONLY is the bare name of the tests to run, or empty; nothing but the named test files is loaded. It must not
import anything but the standard library, for it runs outside our own environment.
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


class FileLoader(unittest.TestLoader):
    """Loads the named files and no others, each once. Paths are relative to `root`."""

    def __init__(self, root: Path, files: list[str]) -> None:
        super().__init__()
        self._root = root
        self._waiting = set(files)

    def _match_path(self, path: str, full_path: str, pattern: str) -> bool:
        name = Path(full_path).relative_to(self._root).as_posix()
        if name not in self._waiting:
            return False
        self._waiting.discard(name)
        return True

    def load(self) -> unittest.TestSuite:
        suite = unittest.TestSuite()
        for folder in sorted({(self._root / name).parent for name in self._waiting}):
            top = folder
            while top != self._root and (top / "__init__.py").exists():
                top = top.parent
            self._forget_namesakes(folder)
            suite.addTests(self.discover(str(folder), "*", str(top)))
            self._top_level_dir = None
        return suite

    def _forget_namesakes(self, folder: Path) -> None:
        """Two folders that are no packages may have test files of one name."""
        for name in self._waiting:
            place = self._root / name
            loaded = sys.modules.get(place.stem)
            if place.parent == folder and loaded and getattr(loaded, "__file__", "") != str(place):
                del sys.modules[place.stem]


def main() -> None:
    report, only, *files = sys.argv[1:]
    root = Path.cwd()
    sys.path[0] = str(root)
    source = root / "src"
    if source.is_dir():
        sys.path.insert(1, str(source))
    suite = FileLoader(root, files).load()
    if only:
        suite = unittest.TestSuite(case for case in cases_of(suite) if case.id().endswith(f".{only}"))
    recorder = Recorder()
    started = time.perf_counter()
    suite.run(recorder)
    duration = time.perf_counter() - started
    Path(report).write_text(json.dumps({"cases": recorder.cases, "duration_s": duration}), "utf-8")


main()
