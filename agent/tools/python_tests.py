"""Python's tests: through pytest where the project's Python has it, else through unittest."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import UtterError
from agent.tools import testreport
from agent.tools.runner import NO_TESTS, Project, Runner, trouble
from agent.tools.testreport import Outcome, TestReport

_UNITTEST_SCRIPT = Path(__file__).with_name("unittest_report.py")
_NEED_PYTEST = "These tests need pytest, which is not installed for this project."
_PYTEST_STYLE = re.compile(r"^(?:import pytest|from pytest import|(?:async )?def test_?\w*\()", re.MULTILINE)
_NO_TESTS_COLLECTED = 5  # pytest's exit status


@dataclass
class PythonRunner(Runner):
    """`python` is found when it is not given."""

    python: str | None = None
    has_pytest: dict[str, bool] = field(default_factory=dict[str, bool])

    async def run(self, project: Project, files: Sequence[str], folder: Path, only: str) -> TestReport:
        """Run the tests in `files`; raises OSError when the project's Python cannot be started."""
        python = self.python = self.python or await self._chosen(project, files)
        if await self._pytest_is_there(python, project):
            return await self._run_pytest(python, project, folder, only)
        return await self._run_unittest(python, project, folder, files, only)

    async def _chosen(self, project: Project, files: Sequence[str]) -> str:
        """The project's own Python; else one on its path that has pytest; else, where tests need it, ours."""
        root = project.workspace.root
        for name in (".venv", "venv", "env"):
            for candidate in (root / name / "bin" / "python", root / name / "Scripts" / "python.exe"):
                if candidate.exists():
                    return str(candidate)
        search_path = project.environment.get("PATH")
        there = [found for name in ("python3", "python") if (found := shutil.which(name, path=search_path))]
        for python in there:
            if await self._pytest_is_there(python, project):
                return python
        if not there or (
            is_for_pytest(project, files) and await self._pytest_is_there(sys.executable, project)
        ):
            return sys.executable
        return there[0]

    async def _pytest_is_there(self, python: str, project: Project) -> bool:
        if python not in self.has_pytest:
            probe = "import importlib.util as u, sys; sys.exit(u.find_spec('pytest') is None)"
            try:
                done = await project.run([python, "-I", "-c", probe], time_limit_s=20)
            except OSError:
                return False
            self.has_pytest[python] = done.returncode == 0
        return self.has_pytest[python]

    async def _run_pytest(self, python: str, project: Project, folder: Path, only: str) -> TestReport:
        report = folder / "report.xml"
        options = ["-q", "--color=no", f"--junitxml={report}", "-o", f"cache_dir={folder / 'cache'}"]
        done = await project.run(
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
            return TestReport("pytest", (), trouble=NO_TESTS)
        return TestReport("pytest", (), trouble=trouble(done, project))

    async def _run_unittest(
        self, python: str, project: Project, folder: Path, files: Sequence[str], only: str
    ) -> TestReport:
        report = folder / "report.json"
        done = await project.run([python, str(_UNITTEST_SCRIPT), str(report), only, *files])
        if not done.timed_out and report.exists():
            try:
                read = testreport.from_unittest(report.read_text("utf-8"))
            except (ValueError, KeyError):
                read = None
            if read is not None:
                has_run = any(case.outcome is not Outcome.ERROR for case in read.cases)
                if not has_run and is_for_pytest(project, files):
                    return TestReport("unittest", (), trouble=_NEED_PYTEST)
                return read if read.cases else TestReport("unittest", (), trouble=NO_TESTS)
        return TestReport("unittest", (), trouble=trouble(done, project))


def is_for_pytest(project: Project, files: Sequence[str]) -> bool:
    """Whether some of the tests are written for pytest."""
    for path in files:
        try:
            if _PYTEST_STYLE.search(project.workspace.read(path).text):
                return True
        except UtterError:
            continue
    return False
