"""Runs the project's tests, in every language that it has tests in, with that language's own runner."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.code.languages import Language, is_test_file, language_of
from agent.sandbox import Sandbox
from agent.tools.compiled_tests import CargoRunner, GoRunner
from agent.tools.node_tests import NodeRunner
from agent.tools.python_tests import PythonRunner
from agent.tools.runner import NO_TESTS, Project, Runner
from agent.tools.testreport import Outcome, TestCase, TestReport
from agent.workspace import Workspace

_PROGRAMS = {"node": "Node", "go": "Go", "cargo": "Rust's cargo"}


@dataclass
class TestRunner:
    """Runs tests in a workspace. `environment` is that of the project's programs."""

    __test__ = False

    workspace: Workspace
    environment: Mapping[str, str]
    time_limit_s: float = 120.0
    sandbox: Sandbox | None = None
    python: PythonRunner = field(default_factory=PythonRunner)

    async def run(self, only: str = "") -> TestReport:
        """Run every test, or those named `only`; what goes wrong is told in the report, never raised."""
        paths = await asyncio.to_thread(self.workspace.files)
        reports: list[TestReport] = []
        for name, runner, files in self._runners(paths):
            program = shutil.which(name, path=self.environment.get("PATH")) if name in _PROGRAMS else name
            if program is None:
                missing = f"The tests need {_PROGRAMS[name]}, which is not installed."
                reports.append(TestReport(name, (), trouble=missing))
                continue
            try:
                with tempfile.TemporaryDirectory(prefix="utter-tests-") as folder:
                    project = Project(
                        self.workspace, self.environment, self.time_limit_s, self.sandbox, Path(folder)
                    )
                    reports.append(await runner.run(project, files, Path(folder), only))
            except OSError as error:
                told = f"The project's {name.capitalize()} cannot be started: {error.strerror}."
                reports.append(TestReport(name, (), trouble=told))
        return _joined([report for report in reports if report.trouble != NO_TESTS])

    def _runners(self, paths: tuple[str, ...]) -> list[tuple[str, Runner, list[str]]]:
        """Each program that there are tests for, its runner and the test files."""
        by_language: dict[Language, list[str]] = {}
        for path in paths:
            language = language_of(path)
            if language is not None and is_test_file(path):
                by_language.setdefault(language, []).append(path)
        scripts = [path for language, found in by_language.items() if language.is_script for path in found]
        python, go = by_language.get(Language.PYTHON, []), by_language.get(Language.GO, [])
        rust = [path for path in paths if language_of(path) is Language.RUST]  # tests stand beside the code
        found: list[tuple[str, Runner, list[str]]] = []
        if python:
            found.append(("python", self.python, python))
        if scripts or ("package.json" in paths and not python):
            found.append(("node", NodeRunner(), scripts))
        if go and "go.mod" in paths:
            found.append(("go", GoRunner(), go))
        if rust and "Cargo.toml" in paths:
            found.append(("cargo", CargoRunner(), rust))
        return found


def _joined(reports: list[TestReport]) -> TestReport:
    """One report of several; one that could not be run counts as an error beside others that could."""
    if not reports:
        return TestReport("unittest", (), trouble=NO_TESTS)
    if len(reports) == 1 or not any(report.cases for report in reports):
        return reports[0]
    cases: list[TestCase] = []
    for report in reports:
        cases += report.cases
        if report.trouble:
            cases.append(TestCase(report.runner, report.runner, Outcome.ERROR, report.trouble))
    return TestReport(
        " and ".join(report.runner for report in reports),
        tuple(cases),
        sum(report.duration_s for report in reports),
    )
