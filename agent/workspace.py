"""The one folder that tools may touch: resolving paths inside it, and listing its files."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from agent.errors import UtterError
from agent.permissions import is_secret
from agent.textfile import TextFile, read_text, write_bytes

MAX_FILES = 20_000

_SKIPPED_FOLDERS = frozenset(
    {
        *(".git", ".hg", ".svn", ".idea", ".vscode"),
        *(".venv", "venv", "env", "node_modules", ".tox", ".nox", ".eggs"),
        *("__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"),
        *("build", "dist", "target"),
    }
)

GIT = ("git", "-c", "core.quotepath=off", "-c", "core.fsmonitor=false", "--no-optional-locks")
"""How git is called everywhere: a repository's own settings must not start programs when it is only read."""


class WorkspaceError(UtterError):
    """The workspace cannot be used, or a path lies outside it."""


class Workspace:
    """A repository's root folder. `root` is absolute and free of symbolic links."""

    def __init__(self, root: Path | str) -> None:
        given = Path(root).expanduser()
        try:
            self.root = given.resolve(strict=True)
            if not self.root.is_dir():
                raise WorkspaceError(f"{given} is not a folder. Name the folder of a project.")
            with os.scandir(self.root) as entries:
                next(entries, None)
        except FileNotFoundError:
            raise WorkspaceError(f"There is no folder {given}. Check the path of the project.") from None
        except OSError as error:
            raise WorkspaceError(f"The folder {given} cannot be read: {error.strerror}.") from error

    def resolve(self, path: str) -> Path:
        """The absolute place of a workspace-relative path; raises `WorkspaceError` when it leads outside."""
        if "\0" in path or not path.strip():
            raise WorkspaceError("That is not a file name.")
        try:
            place = (self.root / path).resolve()
        except (OSError, RuntimeError) as error:
            raise WorkspaceError(f"{path} cannot be followed.") from error
        if place != self.root and self.root not in place.parents:
            raise WorkspaceError(f"{path} is outside the project.")
        return place

    def relative(self, place: Path) -> str:
        """The workspace-relative name of an absolute place, with forward slashes."""
        return place.relative_to(self.root).as_posix()

    def read(self, path: str) -> TextFile:
        """The text of a file inside the workspace; raises `WorkspaceError` or `NotText`."""
        place = self.resolve(path)
        if is_secret(self.relative(place)):
            raise WorkspaceError(f"{path} may hold secrets, so I leave it alone.")
        return read_text(place, path)

    def write(self, path: str, text: str, like: TextFile | None = None) -> None:
        """Write `text` in one step, in the encoding and with the line ends of `like`."""
        write_bytes(self.resolve(path), (like or TextFile("")).encode(text), path)

    def is_git(self) -> bool:
        """Whether the workspace lies in a git work tree that has at least one commit."""
        return _git(self.root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") is not None

    def files(self) -> tuple[str, ...]:
        """Workspace-relative paths of the files that belong to the project, sorted, at most `MAX_FILES`.

        In a git work tree: tracked and new files that are not ignored. Elsewhere: all but well-known
        folders of dependencies and caches. Links that lead outside are left out.
        """
        listed = _git(self.root, "ls-files", "-z", "-co", "--exclude-standard")
        names = _walk(self.root) if listed is None else iter(os.fsdecode(listed).split("\0"))
        found: set[str] = set()
        for name in names:
            if len(found) >= MAX_FILES:
                break
            if name and self._is_inside_file(name):
                found.add(name)
        return tuple(sorted(found, key=lambda name: (name.count("/"), name)))

    def _is_inside_file(self, name: str) -> bool:
        place = self.root / name
        try:
            if not place.is_file():
                return False
            return not place.is_symlink() or self.root in place.resolve().parents
        except OSError:
            return False


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED_FOLDERS)
        prefix = Path(folder).relative_to(root)
        for name in sorted(names):
            if not name.endswith((".pyc", ".pyo")):
                yield (prefix / name).as_posix()


def _git(root: Path, *arguments: str) -> bytes | None:
    try:
        done = subprocess.run(
            [*GIT, *arguments],
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
