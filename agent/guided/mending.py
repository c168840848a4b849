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
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from agent.code.breakage import Breakage, breakage_of, unparsable
from agent.code.culprits import culprits_of, test_of
from agent.code.harmless import is_harmless
from agent.code.index import CodeIndex, Located
from agent.code.languages import Language, is_test_code, language_of
from agent.guard import compare
from agent.tools import tree_repairs
from agent.tools.repairs import Repair, repairs
from agent.tools.syntax_repairs import import_repair, name_repairs, syntax_repairs
from agent.tools.testreport import Outcome, TestCase, TestReport
from agent.tools.tests_runner import TestRunner
from agent.tools.toolbox import Toolbox
from agent.workspace import Workspace

_TIME_LIMIT_S = 60.0
# A repair can make a loop endless; a busy machine is slow for all tries alike.
_TRY_LIMIT_S = 5.0
_TRY_LIMIT_TIMES = 2.5
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
    breakage = breakage_of([case], index)
    if test is None and breakage is None:
        return None
    # In a sandbox, code that nobody has thought of can do no harm; elsewhere it has to be harmless itself.
    is_confined = toolbox.runner.sandbox is not None
    if not is_confined and not await asyncio.to_thread(_may_be_tried, index):
        return None
    told = index.source_of(test) if test is not None else ""
    tries = [
        Found(item.path, repair)
        for item in culprits_of(case, test, index)
        for repair in _repairs_of(item, toolbox, told)
    ]
    tries.sort(key=lambda found: found.repair.rank)
    there = _repairs_at(case, breakage, toolbox)
    if not is_confined:  # a name that it puts in may be that of something that does more than compute
        there = [found for found in there if _may_be_tried(index, found)]
    tries = [*there, *tries]
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
    is_error = case.outcome is Outcome.ERROR  # what cannot be run has no name of its own to be run by
    begun_s = time.monotonic()
    if not is_error:
        await replace(runner, time_limit_s=_TIME_LIMIT_S / 4).run(only=name)
    limit_s = max(_TRY_LIMIT_S, _TRY_LIMIT_TIMES * (time.monotonic() - begun_s))
    quick = replace(runner, time_limit_s=limit_s)
    best: Found | None = None
    fewest = 0
    for found in tries:
        file = toolbox.workspace.read(found.path)
        runner.workspace.write(found.path, _mended(file.text, found.repair), file)
        report = None if is_error else await quick.run(only=name)
        if report is None or case.id in report.passed_ids:
            after = await runner.run()
            verdict = compare(before, after)
            if verdict.mended and not verdict.is_harmful:
                # What runs again may run wrongly: the first that leaves nothing new that fails is the one.
                left = {case.id for case in after.broken} - {case.id for case in before.broken}
                if not left:
                    return found
                if best is None or len(left) < fewest:
                    best, fewest = found, len(left)
        runner.workspace.write(found.path, file.text, file)
    return best


def _repairs_at(case: TestCase, breakage: Breakage | None, toolbox: Toolbox) -> list[Found]:
    """Repairs of the very line that a parser, a compiler or a traceback names, and of its file's imports."""
    index = toolbox.index
    known = {
        name
        for path, source in index.sources.items()
        if language_of(path) is not None
        for name in re.findall(r"[A-Za-z_]\w+", source.text)
    }
    found: list[Found] = []
    if breakage is not None:
        source = index.sources[breakage.path].text
        repairs = syntax_repairs(breakage.path, source, breakage.line) if unparsable(index) else []
        repairs += _repairs_of_name(case.message, breakage.path, breakage.line, known, toolbox)
        found += [Found(breakage.path, repair) for repair in repairs]
    for place, line in reversed(case.places):
        path = next((path for path in index.sources if place == path or place.endswith(f"/{path}")), None)
        if path is not None and not is_test_code(path):
            repairs = _repairs_of_name(case.message, path, line, known, toolbox)
            found += [Found(path, repair) for repair in repairs]
    return list(dict.fromkeys(found))


def _repairs_of_name(
    message: str, path: str, line: int, known: Collection[str], toolbox: Toolbox
) -> list[Repair]:
    source = toolbox.index.sources[path].text
    imports = import_repair(message, source, toolbox.edits.with_right_imports(path))
    return [*([imports] if imports is not None else []), *name_repairs(message, source, line, known)]


def _may_be_tried(index: CodeIndex, found: Found | None = None) -> bool:
    """Whether the project, with a repair that was `found`, does nothing but compute."""
    if any(language_of(path) not in (None, Language.PYTHON) for path in index.files):
        return False
    python = {path for path in index.files if path.endswith((".py", ".pyw"))}
    compiled = any(path.endswith((".so", ".pyd", ".pyx", ".pth")) for path in index.files)
    if compiled or not python <= index.sources.keys():
        return False
    sources = {path: index.sources[path].text for path in python}
    if found is not None:
        sources[found.path] = _mended(sources[found.path], found.repair)
    return is_harmless(sources)


def _mended(text: str, repair: Repair) -> str:
    lines = text.split("\n")
    lines[repair.line - 1] = repair.after
    return "\n".join(lines)


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
