"""JavaScript's and TypeScript's tests: by what package.json says, else by Node's own test runner."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.tools.reports.jest import from_jest, from_mocha
from agent.tools.reports.tap import from_tap
from agent.tools.runner import NO_TESTS, Project, Runner, read, trouble
from agent.tools.testreport import Outcome, TestCase, TestReport

_NOTHING = re.compile(r"no test specified")
_SHELL = re.compile(r"[;&|<>$`]")


class NodeRunner(Runner):
    async def run(self, project: Project, files: Sequence[str], folder: Path, only: str) -> TestReport:
        """Run the project's test script with a report that can be read; any other by its exit status."""
        script = _test_script(project.text("package.json"))
        words = shlex.split(script) if script and not _SHELL.search(script) else []
        program = Path(words[0]).name if words else ""
        if program == "npx":
            words = [word for word in words[1:] if word not in ("--no-install", "-y", "--yes")]
            program = words[0] if words else ""
        report = folder / "report.json"
        if not script or (program in ("node", "tsx") and "--test" in words):
            return await self._node(project, words or ["node", "--test"], folder, only)
        named = ["-t", re.escape(only)] if only else []
        if program == "jest":
            options = ["--json", f"--outputFile={report}", *named]
            return await self._reported(project, words, options, report, from_jest)
        if program == "vitest":
            options = ["--reporter=json", f"--outputFile={report}", *named]
            words = words if "run" in words else [words[0], "run", *words[1:]]
            return await self._reported(project, words, options, report, from_jest)
        if program == "mocha":
            options = ["--reporter", "json", "--reporter-option", f"output={report}"]
            options += ["--fgrep", only] if only else []
            return await self._reported(project, words, options, report, from_mocha)
        return await self._by_status(project, script)

    async def _node(self, project: Project, words: Sequence[str], folder: Path, only: str) -> TestReport:
        output = folder / "report.tap"
        options = ["--test-reporter=tap", f"--test-reporter-destination={output}"]
        options += [f"--test-name-pattern=^{re.escape(only)}$"] if only else []
        done = await project.run([words[0], *options, *words[1:]])
        found = from_tap(read(output)) if not done.timed_out else None
        if found is None:
            return TestReport("node", (), trouble=trouble(done, project))
        return found if found.cases else TestReport("node", (), trouble=NO_TESTS)

    async def _reported(
        self,
        project: Project,
        words: Sequence[str],
        options: Sequence[str],
        report: Path,
        reader: Callable[[str], TestReport],
    ) -> TestReport:
        program = project.workspace.root / "node_modules" / ".bin" / Path(words[0]).name
        if not program.exists():
            name = Path(words[0]).name
            missing = f"These tests need {name}, which is not installed: run npm install first."
            return TestReport(name, (), trouble=missing)
        done = await project.run([str(program), *words[1:], *options])
        try:
            found = reader(read(report)) if not done.timed_out else _troubled(words[0], done, project)
            return replace(found, runner=Path(words[0]).name)
        except ValueError:
            return _troubled(words[0], done, project)

    async def _by_status(self, project: Project, script: str) -> TestReport:
        npm = shutil.which("npm", path=project.environment.get("PATH")) or "npm"
        done = await project.run([npm, "test", "--silent"])
        if done.timed_out:
            return _troubled("npm", done, project)
        name = f"npm test ({script})"[:80]
        if done.returncode == 0:
            return TestReport("npm", (TestCase(name, name, Outcome.PASSED),))
        told = [line.strip() for line in done.output.splitlines() if line.strip()]
        error = next(
            (line for line in told if re.match(r"\w*(Error|error)\b", line)), told[-1] if told else ""
        )
        return TestReport("npm", (TestCase(name, name, Outcome.FAILED, error[:200]),))


def _test_script(manifest: str) -> str:
    try:
        document: Any = json.loads(manifest or "{}")
        script = str((document.get("scripts") or {}).get("test") or "")
    except (ValueError, AttributeError):
        return ""
    return "" if _NOTHING.search(script) else script.strip()


def _troubled(program: str, done: Any, project: Project) -> TestReport:
    return TestReport(Path(program).name, (), trouble=trouble(done, project))
