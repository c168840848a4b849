"""What the tasks of the agent's suite are judged by: the files that it left, and what it said."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.facts import Fact, TestsRun

Check = Callable[["Result"], bool]


@dataclass(frozen=True)
class Task:
    """One spoken request on a copy of a sample project. `setup` are replacements made in it before."""

    name: str
    project: str
    request: str
    check: Check
    setup: tuple[tuple[str, str, str], ...] = ()
    is_change: bool = True


@dataclass(frozen=True)
class Result:
    """What a turn left. `before` holds the files as they were; `answer` all that was said, lower case."""

    root: Path
    before: dict[str, str]
    answer: str
    facts: tuple[Fact, ...]

    def after(self) -> dict[str, str]:
        return files_of(self.root)

    def changed(self) -> set[str]:
        after = self.after()
        return {name for name in {*after, *self.before} if after.get(name) != self.before.get(name)}


def files_of(root: Path) -> dict[str, str]:
    """The text of every file of a project, by its path."""
    return {
        path.relative_to(root).as_posix(): path.read_text("utf-8")
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git" not in path.parts and "__pycache__" not in path.parts
    }


def says(*wanted: str) -> Check:
    """Each of these expressions is in what was said, and no file has changed."""
    return lambda result: all(re.search(one, result.answer) for one in wanted) and not result.changed()


def python(code: str) -> Check:
    """The code runs through in the project's root."""
    return lambda result: _succeeds([sys.executable, "-c", code], result.root)


def node(code: str) -> Check:
    """The same for a module of JavaScript."""
    imports = 'import assert from "node:assert/strict";\n'
    return lambda result: _succeeds(["node", "--input-type=module", "-e", imports + code], result.root)


def go(package: str, body: str, imports: str = "") -> Check:
    """The body of a test passes inside a package; the test is not left there."""

    def check(result: Result) -> bool:
        probe = result.root / package / "zz_probe_test.go"
        lines = "".join(f'\t"{name}"\n' for name in sorted({"testing", *imports.split()}))
        head = f"package {package}\n\nimport (\n{lines})\n\n"
        probe.write_text(f"{head}func TestProbe(t *testing.T) {{\n{body}\n}}\n", "utf-8")
        try:
            return _succeeds(["go", "test", "-run=^TestProbe$", f"./{package}"], result.root)
        finally:
            probe.unlink()

    return check


def has(path: str, expression: str) -> Check:
    """The file matches, over its lines."""
    return lambda result: bool(re.search(expression, result.after().get(path, ""), re.MULTILINE))


def only(*paths: str) -> Check:
    """These files have changed, and no others."""
    return lambda result: result.changed() == set(paths)


def changes_nothing(result: Result) -> bool:
    """No file has changed."""
    return not result.changed()


def passes(*command: str) -> Check:
    """The command succeeds in the project's root."""
    return lambda result: _succeeds(list(command), result.root)


def tests(passed: int) -> Check:
    """The last run of the tests that was told had that many, and no failure."""

    def check(result: Result) -> bool:
        runs = [fact for fact in result.facts if isinstance(fact, TestsRun)]
        return bool(runs) and (runs[-1].passed, runs[-1].failed, runs[-1].errors) == (passed, 0, 0)

    return check


def every(*checks: Check) -> Check:
    """All of them hold."""
    return lambda result: all(check(result) for check in checks)


def either(*checks: Check) -> Check:
    """One of them holds."""
    return lambda result: any(check(result) for check in checks)


def _succeeds(command: list[str], root: Path) -> bool:
    try:
        done = subprocess.run(
            command, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
