"""All tools of one workspace, made together because they share its index and its journal."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.code.index import CodeIndex
from agent.facts import Remarked, TestsRun
from agent.permissions import Action, Kind
from agent.permissions.ground import DiskGround
from agent.sandbox import Sandbox
from agent.tools import arguments as given
from agent.tools.edit import EditTools
from agent.tools.files import FileTools
from agent.tools.git import GitTools
from agent.tools.history import HistoryTools
from agent.tools.registry import Outcome, Param, ParamKind, Registry, Tool, refused
from agent.tools.shell import ShellTools
from agent.tools.testreport import TestReport
from agent.tools.tests_runner import TestRunner
from agent.undo import Timeline
from agent.workspace import Workspace, WorkspaceError

_NAME = Param("name", ParamKind.SYMBOL)
_PATH = Param("path", ParamKind.PATH)
_ANY_PATH = Param("path", ParamKind.NEW_PATH)
_TEXT = Param("text", ParamKind.WORDS)
_NEW = Param("new", ParamKind.CODE)
_START = Param("start", ParamKind.LINE_NUMBER)
_END = Param("end", ParamKind.LINE_NUMBER)
_KEPT_REPORTS = 4


class Toolbox:
    """The tools of `workspace`. `environment` is handed to git and to the project's own programs.

    With a sandbox those programs are confined; with a timeline what they do can be taken back. Making one
    reads the repository: do it off the event loop.
    """

    def __init__(
        self,
        workspace: Workspace,
        environment: Mapping[str, str],
        *,
        test_time_s: float = 120.0,
        run_time_s: float = 120.0,
        sandbox: Sandbox | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        self.workspace = workspace
        self.timeline = timeline
        self.ground = DiskGround(workspace, Path(environment.get("HOME", "/")))
        self.index = CodeIndex(workspace)
        self.index.refresh()
        self.edits = EditTools(workspace, self.index)
        self.runner = TestRunner(workspace, environment, time_limit_s=test_time_s, sandbox=sandbox)
        self._mark = 0  # of the edits, when the request under way began
        self._has_run = False  # a command in it, which may have written anything
        self._shell = ShellTools(self.ground, environment, run_time_s, sandbox)
        self._history = HistoryTools(timeline)
        self._files = FileTools(workspace, self.index, environment, self.edits.has_seen)
        self._git = GitTools(workspace, environment, sandbox)
        self._reports: dict[int, tuple[float, TestReport]] = {}
        self.registry = Registry(self._tools())

    def begin(self, request: str) -> str:
        """A request begins, see `Timeline.open`; "" where there is no timeline."""
        self.end()
        self._mark, self._has_run = self.edits.mark(), False
        return self.timeline.open(request) if self.timeline is not None else ""

    def end(self) -> None:
        """The request is over: what it wrote is told from what the user has saved meanwhile."""
        if self.timeline is not None:
            self.timeline.close(None if self._has_run else self.edits.written(self._mark))

    async def before_change(self) -> None:
        """To be awaited before anything that may change files, so that it can be taken back."""
        if self.timeline is not None:
            await self.timeline.before_change()

    async def known_report(self, since_s: float = 0.0) -> TestReport | None:
        """The test run of the files as they are now, if one began after `since_s` of the monotonic clock."""
        begun_s, report = self._reports.get(await asyncio.to_thread(self._state), (-1.0, None))
        return report if begun_s >= since_s else None

    async def test_report(self, since_s: float = 0.0) -> TestReport:
        """The test run of the files as they are now: the one there was since then, or else a new one."""
        return await self.known_report(since_s) or await self._fresh_report()

    def test_facts(self, report: TestReport) -> TestsRun:
        """The facts of a run, with what was expected and what was got."""
        return report.facts(self._source)

    async def _fresh_report(self) -> TestReport:
        files, begun_s = await asyncio.to_thread(self._state), time.monotonic()
        await self.before_change()
        report = await self.runner.run()
        self._reports.pop(files, None)
        self._reports[files] = (begun_s, report)
        if len(self._reports) > _KEPT_REPORTS:
            del self._reports[next(iter(self._reports))]
        return report

    def _state(self) -> int:
        """Equal for two moments at which all files hold the same: by text, or else by time and size."""
        self.index.refresh()
        stamps: list[tuple[str, int, int]] = []
        for path in self.index.files:
            if path not in self.index.sources:
                with contextlib.suppress(OSError, WorkspaceError):
                    status = self.workspace.resolve(path).stat()
                    stamps.append((path, status.st_mtime_ns, status.st_size))
        return hash((self.index.fingerprint(), tuple(stamps)))

    async def _run_tests(self, arguments: Mapping[str, Any]) -> Outcome:
        report = await self._fresh_report()
        if report.trouble:
            return refused("run_tests", report.trouble)
        fact = self.test_facts(report)
        return Outcome(True, told(fact), (fact,))

    async def _run(self, arguments: Mapping[str, Any]) -> Outcome:
        self._has_run = True
        return await self._shell.run(arguments)

    def _source(self, path: str) -> str | None:
        for name, source in self.index.sources.items():
            if path == name or path.endswith("/" + name):
                return source.text
        return None

    def _tools(self) -> tuple[Tool, ...]:
        files, edits, git = self._files, self.edits, self._git
        return (
            Tool("list_files", "list the files", (_optional(_PATH),), True, files.list_files, _nothing),
            Tool(
                "read_file",
                "show a file",
                (_PATH, _optional(_START), _optional(_END)),
                True,
                files.read_file,
                _reads,
            ),
            Tool("outline", "list what a file defines", (_PATH,), True, files.outline, _reads),
            Tool(
                "search",
                "find a word in all files",
                (Param("pattern", ParamKind.WORDS),),
                True,
                files.search,
                _nothing,
            ),
            Tool(
                "rewrite_function",
                "replace a whole function by a new version",
                (_NAME, _NEW),
                False,
                edits.rewrite_function,
                _writes,
            ),
            Tool(
                "document",
                "describe a function in a docstring or comment",
                (_NAME, Param("text", ParamKind.SENTENCE)),
                False,
                edits.document,
                _writes,
            ),
            Tool(
                "edit_file",
                "replace some lines of a file",
                (_PATH, Param("old", ParamKind.LINES), _NEW),
                False,
                edits.edit_file,
                _writes,
            ),
            Tool(
                "replace_lines",
                "replace the lines from start to end of a file",
                (_PATH, _START, _END, _NEW),
                False,
                edits.replace_lines,
                _writes,
            ),
            Tool("append", "add new code at the end of a file", (_PATH, _NEW), False, edits.append, _appends),
            Tool(
                "create_file",
                "make a new file",
                (_ANY_PATH, _NEW),
                False,
                edits.create_file,
                _writes,
            ),
            Tool("write_file", "write a whole file", (_ANY_PATH, _NEW), False, edits.write_file, _writes),
            Tool("run_tests", "run the tests", (), True, self._run_tests, _tests),
            Tool("git_status", "show what is not committed", (), True, git.status, _history),
            Tool("git_diff", "show what changed", (), True, git.diff, _history),
            Tool(
                "git_commit",
                "commit all changes",
                (Param("message", ParamKind.WORDS),),
                False,
                git.commit,
                _commits,
            ),
            Tool(
                "rename",
                "rename something everywhere",
                (Param("old", ParamKind.WORDS), Param("new", ParamKind.WORDS)),
                False,
                edits.rename,
                _writes,
            ),
            Tool("remove", "take out a function", (_NAME,), False, edits.remove, _writes, for_model=False),
            Tool(
                "run",
                "run a shell command",
                (Param("command", ParamKind.WORDS),),
                False,
                self._run,
                _runs,
            ),
            Tool("undo", "take back", (), False, self._history.undo, _takes_back, for_model=False),
            Tool("redo", "do again", (), False, self._history.redo, _takes_back, for_model=False),
            Tool("say", "tell the user something", (_TEXT,), True, _say, _nothing),
        )


def told(fact: TestsRun) -> str:
    """A test run in a few words, for the model."""
    counts = f"{fact.passed} passed, {fact.failed} failed" + (
        f", {fact.errors} errors" if fact.errors else ""
    )
    failures = [
        f"{failure.name}: "
        + (f"expected {failure.expected}, got {failure.got}" if failure.got else failure.message)
        for failure in fact.failures[:3]
    ]
    return "; ".join([counts, *failures])


async def _say(arguments: Mapping[str, Any]) -> Outcome:
    text = " ".join(given.text(arguments, "text").split())
    return Outcome(True, "said", (Remarked(text),)) if text else refused("say", "there is nothing to say")


def _optional(param: Param) -> Param:
    return replace(param, is_required=False)


def _nothing(arguments: Mapping[str, Any]) -> Action | None:
    return None


def _reads(arguments: Mapping[str, Any]) -> Action:
    return Action(Kind.READ, given.text(arguments, "path", "."))


def _writes(arguments: Mapping[str, Any]) -> Action:
    return Action(Kind.WRITE, given.text(arguments, "path", ""))


def _appends(arguments: Mapping[str, Any]) -> Action:
    return Action(Kind.WRITE, given.text(arguments, "path", ".").partition(":")[0])  # `file:Class`


def _tests(arguments: Mapping[str, Any]) -> Action:
    return Action(Kind.RUN_TESTS)


def _history(arguments: Mapping[str, Any]) -> Action:
    return Action(Kind.READ_HISTORY)


def _runs(arguments: Mapping[str, Any]) -> Action:
    return Action(Kind.RUN, command=given.text(arguments, "command"))


def _takes_back(arguments: Mapping[str, Any]) -> Action:
    return Action(Kind.UNDO)


def _commits(arguments: Mapping[str, Any]) -> Action:
    return Action(Kind.COMMIT)
