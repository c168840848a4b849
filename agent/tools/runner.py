"""What the runners of all languages share: the project they run in, and how trouble is told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.sandbox import Rights, Sandbox
from agent.tools import process
from agent.tools.testreport import TestReport
from agent.workspace import Workspace

NO_TESTS = "There are no tests in this project."


@dataclass(frozen=True)
class Project:
    """Where tests are run; `environment` is that of the project's programs.

    In a sandbox they may write into the workspace and into `folder`.
    """

    workspace: Workspace
    environment: Mapping[str, str]
    time_limit_s: float
    sandbox: Sandbox | None = None
    folder: Path | None = None

    async def run(self, argv: Sequence[str], *, time_limit_s: float | None = None) -> process.Finished:
        """Run a program in the project's root; raises OSError when it cannot be started."""
        limit = self.time_limit_s if time_limit_s is None else time_limit_s
        root = self.workspace.root
        sandbox = self.sandbox and replace(self.sandbox, root=root)
        rights = Rights(writable=(self.folder,) if self.folder else ())
        return await process.run(argv, root, self.environment, limit, sandbox, rights)

    async def run_into(self, output: Path, argv: Sequence[str]) -> process.Finished:
        """The same with all of its standard output in a file; what is left is what went wrong."""
        return await self.run(["sh", "-c", 'out=$1; shift; exec "$@" > "$out"', "sh", str(output), *argv])

    def text(self, path: str) -> str:
        """The text of a file of the project, or nothing."""
        place = self.workspace.root / path
        return place.read_text("utf-8", "replace") if place.is_file() else ""


class Runner(ABC):
    """Runs the tests of one language."""

    @abstractmethod
    async def run(self, project: Project, files: Sequence[str], folder: Path, only: str) -> TestReport:
        """Run the tests in `files`, or those named `only`; `folder` is for the runner's own files.

        Raises OSError when a program cannot be started.
        """


def trouble(done: process.Finished, project: Project) -> str:
    """Why a run gave no report, in a sentence."""
    if done.timed_out:
        return f"The tests were stopped after {project.time_limit_s:.0f} seconds."
    lines = [line.strip() for line in done.output.splitlines() if line.strip()]
    last = lines[-1][:200] if lines else f"exit status {done.returncode}"
    return f"The tests could not be run: {last}"


def read(path: Path) -> str:
    """What a runner wrote, or nothing."""
    return path.read_text("utf-8", "replace") if path.exists() else ""
