"""Looks for a small repair that makes a failing test pass, by trying each in a copy of the repository.

For what a small model overlooks: it tends to copy a wrong operator faithfully. Nothing of the user's is
touched.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from agent.code.culprits import culprits_of, test_of
from agent.code.harmless import is_harmless
from agent.code.index import CodeIndex, Located
from agent.code.languages import Language, language_of
from agent.guard import compare
from agent.tools import tree_repairs
from agent.tools.repairs import Repair, repairs
from agent.tools.testreport import TestCase, TestReport
from agent.tools.tests_runner import TestRunner
from agent.tools.toolbox import Toolbox
from agent.workspace import Workspace

_TIME_LIMIT_S = 40.0
_TRY_LIMIT_S = 5.0  # a repair can make a loop endless
_MAX_TRIES = 60
_MAX_FILES = 3_000
_MAX_BYTES = 50_000_000


@dataclass(frozen=True)
class Found:
    """A repair after which the failing test passes, and no other test fails."""

    path: str
    repair: Repair


async def small_repair(
    case: TestCase, before: TestReport, toolbox: Toolbox, time_limit_s: float = _TIME_LIMIT_S
) -> Found | None:
    """The likeliest small repair of the functions that the failing test reaches.

    None when there is none, when none is found in time, or when there is no sandbox and the project's code
    does more than compute.
    """
    try:
        return await asyncio.wait_for(_search(case, before, toolbox), time_limit_s)
    except asyncio.TimeoutError:
        return None


async def _search(case: TestCase, before: TestReport, toolbox: Toolbox) -> Found | None:
    index = toolbox.index
    test = test_of(case, index)
    if test is None:
        return None
    # In a sandbox, code that nobody has thought of can do no harm; elsewhere it has to be harmless itself.
    is_confined = toolbox.runner.sandbox is not None
    if not is_confined and not await asyncio.to_thread(_may_be_tried, index):
        return None
    told = index.source_of(test)
    tries = [
        Found(item.path, repair)
        for item in culprits_of(case, test, index)
        for repair in _repairs_of(item, toolbox, told)
    ]
    tries.sort(key=lambda found: found.repair.rank)
    with tempfile.TemporaryDirectory(prefix="utter-mending-") as folder:
        copy = Path(folder) / toolbox.workspace.root.name
        if not tries or not await asyncio.to_thread(_copied, toolbox.workspace, copy):
            return None
        runner = replace(toolbox.runner, workspace=Workspace(copy))
        return await _first_good(tries[:_MAX_TRIES], case, before, runner, toolbox)


async def _first_good(
    tries: list[Found], case: TestCase, before: TestReport, runner: TestRunner, toolbox: Toolbox
) -> Found | None:
    name = case.name if " " in case.name else case.name.partition("[")[0]  # a title, or with parameters
    quick = replace(runner, time_limit_s=_TRY_LIMIT_S)
    for found in tries:
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


def _may_be_tried(index: CodeIndex) -> bool:
    if any(language_of(path) not in (None, Language.PYTHON) for path in index.files):
        return False
    python = {path for path in index.files if path.endswith((".py", ".pyw"))}
    compiled = any(path.endswith((".so", ".pyd", ".pyx", ".pth")) for path in index.files)
    return (
        not compiled
        and python <= index.sources.keys()
        and is_harmless({path: index.sources[path].text for path in python})
    )


def _repairs_of(item: Located, toolbox: Toolbox, test: str) -> list[Repair]:
    source = toolbox.index.sources[item.path].text
    if language_of(item.path) is not Language.PYTHON:
        return tree_repairs.repairs(item.path, source, item.symbol.def_line, item.symbol.last_line)
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
