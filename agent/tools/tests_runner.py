"""Runs the project's tests with the project's Python, through pytest where it has it, else unittest."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from agent.errors import UtterError
from agent.tools import process, testreport
from agent.tools.testreport import Outcome, TestReport
from agent.workspace import Workspace

_UNITTEST_SCRIPT = Path(__file__).with_name("unittest_report.py")
_TEST_FILE = re.compile(r"(test_.*|.*_test|tests?)\.py")
_NO_TESTS = "There are no tests in this project."
_NEED_PYTEST = "These tests need pytest, which is not installed for this project."
_PYTEST_STYLE = re.compile(r"^(?:import pytest|from pytest import|(?:async )?def test_?\w*\()", re.MULTILINE)
_NO_TESTS_COLLECTED = 5  # pytest's exit status


def is_test_file(path: str) -> bool:
    """Whether a file of that name holds tests, by the names that pytest and unittest look for."""
    return bool(_TEST_FILE.fullmatch(PurePosixPath(path).name))


def is_test_code(path: str) -> bool:
    """Whether a file is a test or a helper of tests."""
    folders = PurePosixPath(path).parts[:-1]
    return is_test_file(path) or "tests" in folders or "test" in folders or path.endswith("conftest.py")


@dataclass
class TestRunner:
    """Runs tests in a workspace. `environment` is that of the project's programs."""

    __test__ = False

    workspace: Workspace
    environment: Mapping[str, str]
    time_limit_s: float = 120.0
    python: str | None = None  # found in the workspace when not given
    _has_pytest: dict[str, bool] = field(default_factory=dict)

    def interpreter(self) -> str:
        """The project's Python: its `.venv`, else `python3` on its path, else our own."""
        if self.python is not None:
            return self.python
        for name in (".venv", "venv"):
            candidate = self.workspace.root / name / "bin" / "python"
            if candidate.exists():
                return str(candidate)
        return shutil.which("python3", path=self.environment.get("PATH")) or sys.executable

    async def run(self, only: str = "") -> TestReport:
        """Run every test, or those named `only`; what goes wrong is told in the report, never raised."""
        files = [path for path in await asyncio.to_thread(self.workspace.files) if is_test_file(path)]
        if not files:
            return TestReport("unittest", (), trouble=_NO_TESTS)
        python = self.interpreter()
        try:
            with tempfile.TemporaryDirectory(prefix="utter-tests-") as folder:
                if await self._pytest_is_there(python):
                    return await self._run_pytest(python, Path(folder), only)
                return await self._run_unittest(python, Path(folder), files, only)
        except OSError as error:
            return TestReport("", (), trouble=f"The project's Python cannot be started: {error.strerror}.")

    async def _pytest_is_there(self, python: str) -> bool:
        if python not in self._has_pytest:
            probe = "import importlib.util as u, sys; sys.exit(u.find_spec('pytest') is None)"
            done = await process.run(
                [python, "-I", "-c", probe], self.workspace.root, self.environment, time_limit_s=20
            )
            self._has_pytest[python] = done.returncode == 0
        return self._has_pytest[python]

    async def _run_pytest(self, python: str, folder: Path, only: str) -> TestReport:
        report = folder / "report.xml"
        options = ["-q", "--color=no", f"--junitxml={report}", "-o", f"cache_dir={folder / 'cache'}"]
        done = await self._run(
            [python, "-m", "pytest", *options, "-o", "junit_family=xunit2", *(["-k", only] if only else [])]
        )
        if not done.timed_out and report.exists():
            try:
                read = testreport.from_junit(report.read_text("utf-8"))
            except ValueError:
                read = None
            if read is not None and read.cases:
                return read
        if done.returncode == _NO_TESTS_COLLECTED:
            return TestReport("pytest", (), trouble=_NO_TESTS)
        return TestReport("pytest", (), trouble=self._trouble(done))

    async def _run_unittest(self, python: str, folder: Path, files: list[str], only: str) -> TestReport:
        report = folder / "report.json"
        done = await self._run([python, str(_UNITTEST_SCRIPT), str(report), only, *files])
        if not done.timed_out and report.exists():
            try:
                read = testreport.from_unittest(report.read_text("utf-8"))
            except (ValueError, KeyError):
                read = None
            if read is not None:
                has_run = any(case.outcome is not Outcome.ERROR for case in read.cases)
                if not has_run and await asyncio.to_thread(self._is_for_pytest, files):
                    return TestReport("unittest", (), trouble=_NEED_PYTEST)
                return read if read.cases else TestReport("unittest", (), trouble=_NO_TESTS)
        return TestReport("unittest", (), trouble=self._trouble(done))

    async def _run(self, argv: list[str]) -> process.Finished:
        return await process.run(argv, self.workspace.root, self.environment, self.time_limit_s)

    def _is_for_pytest(self, files: list[str]) -> bool:
        for path in files:
            try:
                if _PYTEST_STYLE.search(self.workspace.read(path).text):
                    return True
            except UtterError:
                continue
        return False

    def _trouble(self, done: process.Finished) -> str:
        if done.timed_out:
            return f"The tests were stopped after {self.time_limit_s:.0f} seconds."
        lines = [line.strip() for line in done.output.splitlines() if line.strip()]
        last = lines[-1][:200] if lines else f"exit status {done.returncode}"
        return f"The tests could not be run: {last}"
