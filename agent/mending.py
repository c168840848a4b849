"""Looks for a small repair that makes a failing test pass, by trying each in a copy of the repository.

For what a small model overlooks: it tends to copy a wrong operator faithfully. Nothing of the user's is
touched.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from agent.codeindex import Located
from agent.context import culprits_of, test_of
from agent.guard import compare
from agent.tools.repairs import Repair, repairs
from agent.tools.testreport import TestCase, TestReport
from agent.tools.tests_runner import TestRunner, is_test_code
from agent.tools.toolbox import Toolbox
from agent.workspace import Workspace

_TIME_LIMIT_S = 40.0
_TRY_LIMIT_S = 5.0  # a repair can make a loop endless
_MAX_TRIES = 60
_MAX_FILES = 3_000
_MAX_BYTES = 50_000_000
# Code that reaches out of the process is never run in a version that nobody has thought of: a function that
# does so itself is not changed, and in a project that anywhere removes files, starts programs or speaks to
# the network nothing is tried, since a wrong value can travel.
_HARMS = re.compile(
    r"\b(shutil|subprocess|socket|requests|httpx|aiohttp|urllib|smtplib|ftplib|paramiko|boto3|ctypes|unlink|"
    r"rmtree|rmdir|removedirs|kill|killpg|Popen|system)\b|\bos\.(remove|rename|replace|truncate)\b|"
    r"""\bopen\([^)]*["'][rb]*[wax+]"""
)
_REACHES_OUT = re.compile(
    r"\b(os|shutil|subprocess|socket|requests|httpx|urllib|smtplib|unlink|rmtree|rmdir|remove|kill|exec|eval|"
    r"system|Popen|connect|execute|write_text|write_bytes)\b|\bopen\("
)


@dataclass(frozen=True)
class Found:
    """A repair after which the failing test passes, and no other test fails."""

    path: str
    repair: Repair


async def small_repair(case: TestCase, before: TestReport, toolbox: Toolbox) -> Found | None:
    """The likeliest small repair of the functions that the failing test reaches; None when there is none."""
    index = toolbox.index
    test = test_of(case, index)
    code = [source.text for path, source in index.sources.items() if not is_test_code(path)]
    if test is None or any(_HARMS.search(text) for text in code):
        return None
    told = index.source_of(test)
    tries = [
        Found(item.path, repair)
        for item in culprits_of(case, test, index)
        if not _REACHES_OUT.search(index.source_of(item))
        for repair in _repairs_of(item, toolbox, told)
    ]
    tries.sort(key=lambda found: found.repair.rank)
    with tempfile.TemporaryDirectory(prefix="utter-mending-") as folder:
        copy = Path(folder) / toolbox.workspace.root.name
        if not tries or not await asyncio.to_thread(_copied, toolbox.workspace, copy):
            return None
        runner = replace(toolbox.runner, workspace=Workspace(copy), python=toolbox.runner.interpreter())
        return await _first_good(tries[:_MAX_TRIES], case, before, runner, toolbox)


async def _first_good(
    tries: list[Found], case: TestCase, before: TestReport, runner: TestRunner, toolbox: Toolbox
) -> Found | None:
    deadline = time.monotonic() + _TIME_LIMIT_S
    name = case.name.partition("[")[0]
    quick = replace(runner, time_limit_s=_TRY_LIMIT_S)
    for found in tries:
        if time.monotonic() > deadline:
            return None
        file = toolbox.workspace.read(found.path)
        lines = file.text.split("\n")
        lines[found.repair.line - 1] = found.repair.after
        runner.workspace.write(found.path, "\n".join(lines), file)
        report = await quick.run(only=name)
        if case.id in report.passed_ids:
            verdict = compare(before, await runner.run())
            if verdict.mended and not verdict.is_harmful:
                return found
        runner.workspace.write(found.path, file.text, file)
    return None


def _repairs_of(item: Located, toolbox: Toolbox, test: str) -> list[Repair]:
    source = toolbox.index.sources[item.path].text
    return repairs(source, item.symbol.def_line, item.symbol.last_line, test)


def _copied(workspace: Workspace, copy: Path) -> bool:
    """Copy the project's files, unless they are too many to be copied for this."""
    files = workspace.files()
    places = {name: workspace.resolve(name) for name in files}
    if len(files) > _MAX_FILES or sum(place.stat().st_size for place in places.values()) > _MAX_BYTES:
        return False
    for name, place in places.items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(place, copy / name)
    return True
