"""The demonstration: its five requests, the copy of the sample project, and how each request is checked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.errors import UtterError
from agent.events import EndReason, ToolResult, TurnEnded
from agent.facts import ChangesShown, Fact, FilesListed, TestsRun
from agent.workspace import GIT, Workspace
from voice.conversation.turns import TurnDone

DEMO_FOLDER = Path(__file__).resolve().parents[1] / "demo"
_LARGEST_COPIED_BYTES = 5_000_000
_GIT = (*GIT, "-c", "user.name=Utter demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false",
        "-c", f"core.hooksPath={os.devnull}")  # fmt: skip
_SUITE_LIMIT_S = 60.0

Check = Callable[[TurnDone, Path], "str | None"]


@dataclass(frozen=True)
class Request:
    """A recorded request, and a check that gives what is wrong, or None."""

    audio: Path
    check: Check | None = None


def shipped_requests() -> list[Request]:
    """The five requests on the sample project. Raises `UtterError` outside a checkout."""
    checks = (files_are_named, parse_config_is_explained, one_test_fails, suite_is_mended, changes_are_told)
    recordings = sorted((DEMO_FOLDER / "requests").glob("*.flac"))
    if len(recordings) != len(checks):
        raise UtterError(
            f"The demonstration's recordings are not in {DEMO_FOLDER / 'requests'}. Run it in a checkout."
        )
    return [Request(audio, check) for audio, check in zip(recordings, checks, strict=True)]


def copy_project(source: Path, target: Path) -> list[str]:
    """Copy the files of `source` that version control would, and commit them; names what was left out.

    Links, unreadable files and those of more than 5 MB are not copied. Raises `UtterError` when `source`
    cannot be read or has nothing to copy.
    """
    left_out: list[str] = []
    copied = 0
    workspace = Workspace(source)
    for name in workspace.files():
        file = source / name
        if file.is_symlink() or not file.is_file() or file.stat().st_size > _LARGEST_COPIED_BYTES:
            left_out.append(name)
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy2(file, target / name)
        except OSError:
            left_out.append(name)
        else:
            copied += 1
    if copied == 0:
        raise UtterError(f"There is nothing to work on in {source}: it has no files that can be copied.")
    if shutil.which("git"):
        commit = ["commit", "-q", "--allow-empty", "-m", "The project as it was"]
        for command in (["init", "-q"], ["add", "-A"], commit):
            subprocess.run([*_GIT, *command], cwd=target, check=True, capture_output=True)
    return left_out


def judged(request: Request, turns: Sequence[TurnDone], project: Path) -> list[str]:
    """A sentence for each thing that is wrong with the turns of one recording."""
    name = request.audio.name
    if not turns:
        return [f"{name}: no request was heard"]
    problems = [problem for turn in turns if (problem := ended_well(turn))]
    if not problems and request.check is not None:
        problem = request.check(turns[-1], project)
        problems = [problem] if problem else []
    return [f"{name}: {problem}" for problem in problems]


def ended_well(turn: TurnDone) -> str | None:
    """What is wrong with a turn that was not brought to an answer, or was not spoken; else None."""
    ended = [event for event in turn.events if isinstance(event, TurnEnded)]
    if not ended or ended[0].reason is not EndReason.ANSWERED:
        return f"the turn ended with {ended[0].reason.value if ended else 'nothing'}"
    return None if turn.said else "nothing was said"


def files_are_named(turn: TurnDone, project: Path) -> str | None:
    """Every file was listed, and one of them at least was named aloud."""
    files = Workspace(project).files()
    listed = next((fact for fact in _facts(turn) if isinstance(fact, FilesListed)), None)
    if listed is None:
        return "the files were not listed"
    if listed.total != len(files):
        return f"{listed.total} files were listed, there are {len(files)}"
    said = " ".join(turn.said).lower()
    named = any(Path(name).stem.lower() in said for name in files)
    return None if named else f"no file was named aloud: {said!r}"


def parse_config_is_explained(turn: TurnDone, project: Path) -> str | None:
    """The answer tells what the function takes and gives, from its code."""
    said = " ".join(turn.said).lower()
    told = [fact for fact in ("dictionary", "default", "key", "value", "setting", "line") if fact in said]
    return None if len(told) >= 2 else f"the answer does not tell what parse_config does: {said!r}"


def one_test_fails(turn: TurnDone, project: Path) -> str | None:
    """The suite was run, and the one failure was found and named aloud."""
    run = next((fact for fact in _facts(turn) if isinstance(fact, TestsRun)), None)
    if run is None:
        return "the tests were not run"
    if (run.failed, run.errors) != (1, 0) or run.passed < 1:
        return f"expected one failure, got {run.passed} passed, {run.failed} failed, {run.errors} errors"
    name = run.failures[0].name.replace("_", " ")
    said = " ".join(turn.said)
    return None if name in said else f"the failing test {name!r} was not named aloud: {said!r}"


def suite_is_mended(turn: TurnDone, project: Path) -> str | None:
    """The suite passes now, and the tests themselves are as they were."""
    command = [sys.executable, "-m", "unittest"]
    try:
        suite = subprocess.run(
            command, cwd=project, capture_output=True, text=True, check=False, timeout=_SUITE_LIMIT_S
        )
    except subprocess.TimeoutExpired:
        return "the tests do not come to an end"
    if suite.returncode != 0:
        return "the tests still fail: " + suite.stderr.strip().splitlines()[-1]
    tests, shipped = project / "tests", DEMO_FOLDER / "project" / "tests"
    for file in sorted(shipped.glob("*.py")):
        if _content(tests / file.name) != _content(file):
            return f"the test file {file.name} was changed, not the code"
    return None


def changes_are_told(turn: TurnDone, project: Path) -> str | None:
    """Just the files that differ were reported, and named aloud."""
    shown = next((fact for fact in _facts(turn) if isinstance(fact, ChangesShown)), None)
    if shown is None:
        return "the changes were not looked up"
    differing = changed_files(project)
    if {file.path for file in shown.files} != differing:
        return f"reported {sorted(file.path for file in shown.files)}, changed are {sorted(differing)}"
    said = " ".join(turn.said)
    unnamed = [path for path in sorted(differing) if Path(path).stem not in said]
    return f"{unnamed[0]} was not named aloud: {said!r}" if unnamed else None


def changed_files(project: Path) -> set[str]:
    """The files that differ from the demonstration's shipped project, read from both folders."""
    shipped = DEMO_FOLDER / "project"
    names = set(Workspace(project).files()) | set(Workspace(shipped).files())
    return {name for name in names if _content(project / name) != _content(shipped / name)}


def unified_diff(project: Path) -> str:
    """What differs from the first commit of the copied project; empty without git."""
    if not shutil.which("git"):
        return ""
    subprocess.run([*_GIT, "add", "--all", "--intent-to-add"], cwd=project, capture_output=True, check=False)
    command = [*_GIT, "diff", "--no-color", "HEAD"]
    difference = subprocess.run(command, cwd=project, capture_output=True, check=False).stdout
    return difference.decode("utf-8", "replace")


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _facts(turn: TurnDone) -> Iterator[Fact]:
    for event in turn.events:
        if isinstance(event, ToolResult):
            yield from event.summary_facts
