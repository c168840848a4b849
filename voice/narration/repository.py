"""Gets a diff, and the files that it is about, from git or from a file; git runs no programs of others."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from agent.errors import UtterError
from agent.permissions import is_secret
from agent.workspace import GIT, reading_git
from voice.narration.sections import Section, Status, bounded_lines, read_sections

_TIME_LIMIT_S = 30.0
_MOST_SOURCE_BYTES = 1_000_000
_MOST_NEW_FILES = 2_000  # that git does not know yet
_MOST_NEW_BYTES = 20_000_000  # of all of them; of the rest only the names are told
_SUBJECTS = 5
_DIFF = (
    *("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative", "--full-index", "--patch"),
    *("--find-renames", "-l1000", "--ignore-submodules=dirty", "--submodule=short", "--src-prefix=a/"),
    *("--dst-prefix=b/", "--unified=3", "--inter-hunk-context=0", "--ws-error-highlight=none", "-O/dev/null"),
)


class NarrationError(UtterError):
    """There is nothing that could be told: no repository, no such revision, no diff."""


class Sources:
    """The texts of files before and after, for those that a diff names. Close it when done."""

    def __init__(self, repository: Repository | None, *, is_work_tree: bool = False) -> None:
        self._repository = repository
        self._is_work_tree = is_work_tree
        self._process: subprocess.Popen[bytes] | None = None

    def texts_of(self, section: Section) -> tuple[str | None, str | None]:
        """Before and after; None where there is none, or it is too large or not text."""
        if self._repository is None or section.is_binary or section.is_module or section.is_secret:
            return None, None
        before = "" if section.status is Status.ADDED else self._blob(section.old_blob)
        if section.status is Status.DELETED:
            return before, ""
        after = self._blob(section.new_blob)
        if after is None and self._is_work_tree:
            after = self._repository.text(section.path)
        return before, after

    def close(self) -> None:
        """Let git go."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def _blob(self, name: str) -> str | None:
        if len(name) < 40 or not name.strip("0"):
            return None
        if self._process is None and self._repository is not None:
            self._process = self._repository.start("cat-file", "--batch", feeds=True)
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return None
        try:
            process.stdin.write(f"{name}\n".encode())
            process.stdin.flush()
            words = process.stdout.readline().split()
            if len(words) != 3:
                return None
            size = int(words[2])
            data = process.stdout.read(min(size, _MOST_SOURCE_BYTES))
            left = size + 1 - len(data)
            while left > 0 and (dropped := process.stdout.read(min(left, 65_536))):
                left -= len(dropped)
        except (OSError, ValueError):
            return None
        return _text(data) if size <= _MOST_SOURCE_BYTES else None


class Repository:
    """A git repository, found from any folder in it."""

    def __init__(self, folder: Path) -> None:
        """Raises `NarrationError` when there is none."""
        top = _output([*GIT, "rev-parse", "--show-toplevel"], folder)
        if top is None:
            raise NarrationError(
                f"{folder.resolve()} is in no git repository. Go to the folder of a project, "
                "or name a file with a diff."
            )
        self.root = Path(os.fsdecode(top.removesuffix(b"\n")))
        self._git = reading_git(self.root)
        self.has_commit = self._out("rev-parse", "--verify", "--quiet", "HEAD^{commit}") is not None

    def knows(self, revisions: str) -> bool:
        """Whether git understands `revisions`, such as `main`, `HEAD~3` or `main..topic`."""
        if revisions.startswith("-"):
            return False
        found = self._out("rev-parse", "--quiet", "--revs-only", "--end-of-options", revisions)
        return bool(found and found.strip())

    def diff(self, revisions: str | None, *, staged: bool) -> tuple[list[Section], bool]:
        """The changes from a revision to the work tree, within a range, or staged; and whether all was read.

        Without revisions: all that is not committed, with the files that git does not know yet.
        """
        arguments = [revisions] if revisions else ["HEAD"] if self.has_commit else []
        if staged or not self.has_commit:
            arguments = ["--cached", *([revisions] if revisions else [])]
        with self._stream(*_DIFF, *arguments, "--") as stream:
            sections, is_whole = read_sections(bounded_lines(stream))
        if not staged and not revisions:
            sections += self._new_files()
        return sections, is_whole

    def subjects(self, revisions: str) -> tuple[list[str], int]:
        """What the commits of a range say of themselves, newest first, and how many there are."""
        counted = self._out("rev-list", "--count", "--no-merges", "--end-of-options", revisions, "--")
        listed = self._out(
            "log", "--no-merges", "--format=%s", f"-{_SUBJECTS}", "--no-show-signature", "--end-of-options",
            revisions, "--",
        )  # fmt: skip
        number = counted.strip() if counted else b""
        subjects = (listed or b"").decode("utf-8", "replace").splitlines()
        return subjects, int(number) if number.isdigit() else len(subjects)

    def text(self, path: str) -> str | None:
        """A file of the work tree, if it is a text of moderate size inside the repository."""
        place = self.root / path
        try:
            if self.root not in place.resolve().parents or not place.is_file() or place.is_symlink():
                return None
            if place.stat().st_size > _MOST_SOURCE_BYTES:
                return None
            return _text(place.read_bytes())
        except OSError:
            return None

    def start(self, *arguments: str, feeds: bool = False) -> subprocess.Popen[bytes]:
        """Run a reading command of git. Raises `NarrationError` when there is no git."""
        return _start([*self._git, *arguments], self.root, subprocess.DEVNULL, feeds=feeds)

    def _out(self, *arguments: str) -> bytes | None:
        return _output([*self._git, *arguments], self.root)

    @contextmanager
    def _stream(self, *arguments: str) -> Generator[IO[bytes]]:
        """What git writes, as it comes. Raises `NarrationError` when it fails or takes too long."""
        with tempfile.TemporaryFile() as trouble:
            process = _start([*self._git, *arguments], self.root, trouble)
            assert process.stdout is not None
            guard = threading.Timer(_TIME_LIMIT_S, process.kill)
            guard.start()
            try:
                yield process.stdout
                is_read = not process.stdout.read(1)
            finally:
                is_late = not guard.is_alive()
                guard.cancel()
                process.stdout.close()
                if process.poll() is None:
                    process.terminate()
                status = process.wait()
            if is_late:
                raise NarrationError(f"git took longer than {_TIME_LIMIT_S:.0f} s. Name fewer changes.")
            if status != 0 and is_read:
                trouble.seek(0)
                said = trouble.read(2_000).decode("utf-8", "replace").strip().splitlines()
                raise NarrationError(
                    f"git cannot tell the changes: {said[0] if said else f'status {status}'}."
                )

    def _new_files(self) -> list[Section]:
        """Files that git does not know, as if they had been added; other repositories are left out."""
        listed = self._out("ls-files", "-z", "-o", "--exclude-standard") or b""
        names = [name for name in os.fsdecode(listed).split("\0") if name and not name.endswith("/")]
        found: list[Section] = []
        left_bytes = _MOST_NEW_BYTES
        for name in names[:_MOST_NEW_FILES]:
            try:
                data = b"" if is_secret(name) else self._head(name, min(left_bytes, _MOST_SOURCE_BYTES) + 1)
            except OSError:
                continue  # gone again, or a link that leads nowhere
            left_bytes -= len(data)
            name = os.fsencode(name).decode("utf-8", "replace")
            if is_secret(name) or len(data) > _MOST_SOURCE_BYTES or left_bytes < 0:
                found.append(Section(name, name, Status.ADDED, is_whole=False))
            elif (text := _text(data)) is None:
                found.append(Section(name, name, Status.ADDED, is_binary=True))
            else:
                found.append(_added(name, text))
        return found

    def _head(self, name: str, most_bytes: int) -> bytes:
        place = self.root / name
        if place.is_symlink() or not place.is_file():
            return b""
        with place.open("rb") as file:
            return file.read(max(0, most_bytes))


def _added(name: str, text: str) -> Section:
    lines = [f"{line}\n" for line in text.removesuffix("\n").split("\n")] if text else []
    if not lines:
        return Section(name, name, Status.ADDED)
    header = ("--- /dev/null\n", "+++ b/it\n", f"@@ -0,0 +1,{len(lines)} @@\n")
    sections, _ = read_sections((*header, *(f"+{line}" for line in lines)))
    return replace(sections[0], path=name, old_path=name)


def read_diff(path: Path) -> tuple[list[Section], bool]:
    """The sections of a diff in a file, and whether all was read. Raises `NarrationError`."""
    try:
        with path.open("rb") as stream:
            sections, is_whole = read_sections(bounded_lines(stream))
    except OSError as error:
        raise NarrationError(f"{path} cannot be read: {error.strerror}.") from error
    if not sections and path.stat().st_size:
        raise NarrationError(f"{path} is no diff. Make one with `git diff > FILE.diff`.")
    return sections, is_whole


def _text(data: bytes) -> str | None:
    return None if b"\0" in data[:8192] else data.decode("utf-8", "replace")


def _start(
    command: Sequence[str], folder: Path, trouble: IO[bytes] | int, *, feeds: bool = False
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE if feeds else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=trouble,
        )
    except OSError as error:
        raise NarrationError(f"git cannot be started in {folder}: {error.strerror}.") from error


def _output(command: Sequence[str], folder: Path) -> bytes | None:
    process = _start(command, folder, subprocess.DEVNULL)
    try:
        output, _ = process.communicate(timeout=_TIME_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    return output if process.returncode == 0 else None
