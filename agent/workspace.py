"""The one folder that tools may touch: resolving paths inside it, and listing its files."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent.errors import UtterError
from agent.permissions import is_git_internal, is_secret
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

_COMPILED = (".pyc", ".pyo")

REPOSITORY_VARIABLES = (
    *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"),
    *("GIT_OBJECT_DIRECTORY", "GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE"),
    *("GIT_INDEX_FILE", "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE", "GIT_PREFIX", "GIT_SHALLOW_FILE"),
    *("GIT_COMMON_DIR", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NAMESPACE"),
)
"""Variables that lead git to another repository than the one of its folder, or change its settings."""

CLEAN = (
    "env",
    *(word for name in REPOSITORY_VARIABLES for word in ("-u", name)),
    *("GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0"),
)
"""How a program is called with nothing in its environment that leads git elsewhere."""

_GIT = ("git", "-c", "core.quotepath=off", "-c", "core.fsmonitor=false", "--no-optional-locks")

GIT = (*CLEAN, *_GIT)
"""How git is called for writing: in the repository of its folder, whatever the environment says."""

_GIT_TIME_LIMIT_S = 20.0


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
        self.reading_git = reading_git(self.root)
        self._granted: list[Path] = []

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
        return read_text(self.permitted(path), path)

    def permitted(self, path: str) -> Path:
        """The place of a file that may be read and written, links followed; raises `WorkspaceError`."""
        place = self.resolve(path)
        name = self.relative(place)
        if is_git_internal(name) or is_git_internal(path):
            raise WorkspaceError(f"{path} belongs to git itself, so I leave it alone.")
        if (is_secret(name) or is_secret(path)) and place not in self._granted:
            raise WorkspaceError(f"{path} may hold secrets, so I leave it alone.")
        return place

    @contextmanager
    def granted(self, path: str) -> Generator[None]:
        """Inside it, a file that may hold secrets may be read and written: the user has agreed to it."""
        place = self.resolve(path)
        self._granted.append(place)
        try:
            yield
        finally:
            self._granted.remove(place)

    def write(self, path: str, text: str, like: TextFile | None = None) -> None:
        """Write `text` in one step, in the encoding and with the line ends of `like`."""
        write_bytes(self.permitted(path), (like or TextFile("")).encode(text), path)

    def is_git(self) -> bool:
        """Whether the project is under git, with at least one commit. One that git ignores is not."""
        has_commit = self._git("rev-parse", "--verify", "--quiet", "HEAD^{commit}") is not None
        return has_commit and (bool(self._listed()) or next(self.walk(), None) is None)

    def head(self) -> str:
        """The commit that the work tree is based on; empty without one."""
        return (self._git("rev-parse", "--verify", "--quiet", "HEAD^{commit}") or b"").decode().strip()

    def files(self) -> tuple[str, ...]:
        """Workspace-relative paths of the files that belong to the project, sorted, at most `MAX_FILES`.

        In a git work tree: tracked and new files that are not ignored. Elsewhere, and in a folder that an
        outer repository ignores: all but well-known folders of dependencies and caches. Links that lead
        outside, or into git's own files, are left out.
        """
        listed = self._listed()
        names = iter(os.fsdecode(listed).split("\0")) if listed else self.walk()
        found: set[str] = set()
        folders: dict[Path, bool] = {}
        for name in names:
            if len(found) >= MAX_FILES:
                break
            if name and self._is_inside_file(name, folders):
                found.add(name)
        return tuple(sorted(found, key=lambda name: (name.count("/"), name)))

    def entries(self) -> tuple[set[str], tuple[str, ...] | None]:
        """All names that belong to the project, links and folders of other repositories (with `/`) included.

        Beside them what is left out: files, or with a `/` whole folders; None when that is more than
        `MAX_FILES`, or cannot be told.
        """
        listed = self._listed()
        if listed:
            ignored = self._git("ls-files", "-z", "-o", "-i", "--exclude-standard", "--directory")
            names = set(os.fsdecode(listed).split("\0")) - {""}
            left_out = None if ignored is None else tuple(os.fsdecode(ignored).split("\0")[:-1])
        else:
            skipped: list[str] = []
            names = set(self.walk(skipped))
            left_out = tuple(skipped)
        return names, left_out if left_out is not None and len(left_out) <= MAX_FILES else None

    def walk(self, skipped: list[str] | None = None) -> Iterator[str]:
        """All files but those of well-known folders of dependencies and caches, which `skipped` collects."""
        for folder, folders, names in os.walk(self.root):
            prefix = Path(folder).relative_to(self.root)
            if skipped is not None:
                skipped += [f"{(prefix / name).as_posix()}/" for name in folders if name in _SKIPPED_FOLDERS]
                skipped += [(prefix / name).as_posix() for name in names if name.endswith(_COMPILED)]
            links = [name for name in folders if (Path(folder) / name).is_symlink()]
            folders[:] = sorted(name for name in folders if name not in _SKIPPED_FOLDERS)
            for name in sorted([*names, *links]):
                if not name.endswith(_COMPILED):
                    yield (prefix / name).as_posix()

    def _listed(self) -> bytes | None:
        return self._git("ls-files", "-z", "-co", "--exclude-standard")

    def _is_inside_file(self, name: str, folders: dict[Path, bool]) -> bool:
        place = self.root / name
        try:
            if place.parent not in folders:
                folders[place.parent] = self._is_ours(place.parent.resolve())
            if not folders[place.parent] or not place.is_file():
                return False
            return not place.is_symlink() or self._is_ours(place.resolve())
        except (OSError, RuntimeError):
            return False

    def _is_ours(self, place: Path) -> bool:
        inside = place == self.root or self.root in place.parents
        return inside and not is_git_internal(self.relative(place))

    def _git(self, *arguments: str) -> bytes | None:
        return _output_of([*self.reading_git, *arguments], self.root)


def reading_git(root: Path) -> tuple[str, ...]:
    """How git is called to read the repository around `root`: none of its own settings starts a program.

    Blanked are the file monitor, fetching of missing objects, and the filters that the repository's own
    settings name; filters of the user's settings are the user's. Hooks are not run by reading commands.
    """
    query = ("config", "--show-scope", "--name-only", "-z", "--get-regexp", r"^filter\.")
    fields = os.fsdecode(_output_of([*GIT, *query], root) or b"").split("\0")
    blanks = {
        name: "false" if name.endswith(".required") else ""
        for scope, name in zip(fields[::2], fields[1::2], strict=False)
        if scope in ("local", "worktree")
    }
    # Handed over in the environment, since a name with a "=" in it cannot be given by `-c`.
    settings = [
        f"{part}={text}"
        for number, (name, value) in enumerate(blanks.items())
        for part, text in ((f"GIT_CONFIG_KEY_{number}", name), (f"GIT_CONFIG_VALUE_{number}", value))
    ]
    return (*CLEAN, f"GIT_CONFIG_COUNT={len(blanks)}", *settings, *_GIT, "-c", "protocol.allow=never")


def _output_of(command: Sequence[str], root: Path) -> bytes | None:
    try:
        done = subprocess.run(
            command,
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_TIME_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
