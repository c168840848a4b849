"""The tests of Go and of Rust, which their own tools find and run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from agent.tools.reports.cargo import from_cargo
from agent.tools.reports.gotest import from_go
from agent.tools.runner import NO_TESTS, Project, Runner, read, trouble
from agent.tools.testreport import TestReport

# What a build lacks is for the user to fetch.
_OFFLINE = {"GOPROXY": "off", "GOTOOLCHAIN": "local", "CARGO_NET_OFFLINE": "true"}


class GoRunner(Runner):
    async def run(self, project: Project, files: Sequence[str], folder: Path, only: str) -> TestReport:
        """Run `go test` over all packages of the module."""
        output = folder / "report.json"
        module = re.search(r"^module\s+(\S+)", project.text("go.mod"), re.MULTILINE)
        named = [f"-run=^{re.escape(only)}$"] if only else []
        # Without the fixed seed of its cache, a run would be told from an earlier one.
        done = await _offline(project).run_into(output, ["go", "test", "-json", "-count=1", *named, "./..."])
        found = (
            from_go(read(output), done.output, module[1] if module else "") if not done.timed_out else None
        )
        return found or _none("go", done.returncode, trouble(done, project))


class CargoRunner(Runner):
    async def run(self, project: Project, files: Sequence[str], folder: Path, only: str) -> TestReport:
        """Run `cargo test` in the project's crate or workspace."""
        output = folder / "report.txt"
        command = ["cargo", "test", "--no-fail-fast", "--color", "never", *([only] if only else [])]
        done = await _offline(project).run_into(output, command)
        found = from_cargo(read(output), done.output) if not done.timed_out else None
        return found or _none("cargo", done.returncode, trouble(done, project))


def _offline(project: Project) -> Project:
    return replace(project, environment={**project.environment, **_OFFLINE})


def _none(name: str, status: int, why: str) -> TestReport:
    return TestReport(name, (), trouble=NO_TESTS if status == 0 else why)
