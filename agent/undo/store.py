"""A git repository of our own, outside the workspace, that holds snapshots of its files.

The user's repository and index are only read. None of the user's or the project's git settings apply here:
no filter, no line-end conversion, no hook.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.errors import UtterError
from agent.permissions import is_git_internal, is_secret
from agent.undo.states import PLAIN, PROGRAM, Difference, FileKind, FileState, Snapshot
from agent.workspace import CLEAN, Workspace

_TIME_LIMIT_S = 120.0
_LINK_MODE = "120000"
_PROGRAM_MODE = "100755"
_CACHES = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
_ATTRIBUTES = "* -text -filter -ident -working-tree-encoding -eol -diff -merge\n"
_SETTINGS = {
    "core.bare": "false",
    "core.fileMode": "true",
    "core.symlinks": "true",
    "core.autocrlf": "false",
    "core.fsmonitor": "false",
    "core.fsync": "none",  # a snapshot that a power cut spoils is found out when it is read
    "core.compression": "1",
    "core.logAllRefUpdates": "false",
    "core.hooksPath": "/dev/null",
    "gc.auto": "4000",
    "gc.autoDetach": "false",
    "gc.pruneExpire": "now",
}


class UndoTrouble(UtterError):
    """A snapshot could not be taken or read, so that nothing can be taken back."""


@dataclass(frozen=True)
class Limits:
    """Bounds of what is kept: bytes of one file, of one snapshot and of the whole store, files, requests."""

    file_bytes: int = 5_000_000
    snapshot_bytes: int = 500_000_000
    store_bytes: int = 1_000_000_000
    files: int = 50_000
    requests: int = 50


class ShadowStore:
    """The snapshots of one workspace, in `folder`. Not for two callers at once."""

    def __init__(self, folder: Path, workspace: Workspace, limits: Limits) -> None:
        self._folder = folder
        self._workspace = workspace
        self._limits = limits
        self._is_ready = False

    def take(self) -> Snapshot:
        """A snapshot of the files as they are. Raises `UndoTrouble`."""
        self._prepare()
        names, ignored = self._workspace.entries()
        tracked = set(self._lines("ls-files", "-z"))
        # What was once in a snapshot stays in, also when git is told to ignore it later.
        kept, modes, left_out = self._sorted_out(sorted(names | tracked))
        dropped = [name for name in tracked if name not in kept]
        if dropped:
            self._run("update-index", "-z", "--force-remove", "--stdin", given=_joined(dropped))
        self._run("update-index", "-z", "--add", "--remove", "--replace", "--stdin", given=_joined(kept))
        tree = self._run("write-tree").decode().strip()
        is_whole = len(left_out) < self._limits.files
        return Snapshot(tree, modes, left_out, ignored if is_whole else None, self._workspace.head())

    def differences(self, before: Snapshot, after: Snapshot) -> tuple[Difference, ...]:
        """The files that differ between two snapshots, by path."""
        if (before.tree, before.modes) == (after.tree, after.modes):
            return ()
        old, new = self._states(before), self._states(after)
        return tuple(
            Difference(path, old.get(path), new.get(path))
            for path in sorted(old.keys() | new.keys())
            if old.get(path) != new.get(path)
        )

    def content(self, oid: str) -> bytes:
        """The bytes of an object. Raises `UndoTrouble`."""
        return self._run("cat-file", "blob", oid)

    def keep(self, names: Mapping[str, Snapshot]) -> None:
        """Keep just these snapshots, and drop what no other needs when there is much of it."""
        there = set(self._run("for-each-ref", "--format=%(refname)", "refs/undo").decode().split())
        wanted = {f"refs/undo/{name}": snapshot.tree for name, snapshot in names.items()}
        orders = [f"update {ref} {tree}\n" for ref, tree in wanted.items() if ref not in there]
        orders += [f"delete {ref}\n" for ref in there - wanted.keys()]
        if orders:
            self._run("update-ref", "--stdin", given="".join(orders).encode())

    def tidy(self) -> int:
        """Pack what has gathered and drop what is not kept; gives the bytes that the store then takes."""
        self._prepare()
        self._run("gc", "--auto", "--quiet")
        return self._bytes()

    def shrink(self) -> int:
        """Drop everything that is not kept, at once; gives the bytes that are left."""
        self._run("gc", "--prune=now", "--quiet")
        return self._bytes()

    def _bytes(self) -> int:
        counted = self._run("count-objects", "-v").decode().splitlines()
        sizes = dict(line.split(": ") for line in counted)
        return 1024 * (int(sizes["size"]) + int(sizes["size-pack"]))

    def _prepare(self) -> None:
        if self._is_ready:
            return
        git = self._folder / "git"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (git / "ready").exists():
                self._run("init", "--quiet", "--object-format=sha1", "--template=")
                (git / "info").mkdir(exist_ok=True)
                (git / "info/attributes").write_text(_ATTRIBUTES)
                with (git / "config").open("a", encoding="utf-8") as stream:
                    for name, value in _SETTINGS.items():
                        section, _, key = name.partition(".")
                        stream.write(f"[{section}]\n\t{key} = {value}\n")
                (git / "ready").touch()
            (git / "index.lock").unlink(missing_ok=True)  # left by one that was killed: the caller has ours
        except OSError as error:
            raise UndoTrouble(f"The folder {self._folder} cannot be written: {error.strerror}.") from error
        self._is_ready = True

    def _sorted_out(self, names: Iterable[str]) -> tuple[dict[str, None], dict[str, int], dict[str, str]]:
        """The names that a snapshot holds, their odd permissions, and what it leaves out, with stamps."""
        found: dict[str, os.stat_result] = {}
        left_out: dict[str, str] = {}
        folders = {"": True}
        total = 0
        for name in names:
            if is_git_internal(name) or not _CACHES.isdisjoint(name.split("/")):
                continue
            if not self._is_reached(name.rpartition("/")[0], folders):
                continue
            try:
                status = os.lstat(
                    f"{self._workspace.root}/{name}"
                )  # a Path for each would take thrice as long
            except OSError:
                continue
            is_file = stat.S_ISREG(status.st_mode)
            if stat.S_ISDIR(status.st_mode):
                if os.path.lexists(f"{self._workspace.root}/{name}/.git"):
                    left_out[name] = ""  # a repository inside this one
            elif is_file or stat.S_ISLNK(status.st_mode):
                total += status.st_size
                is_too_large = status.st_size > self._limits.file_bytes or total > self._limits.snapshot_bytes
                is_unreadable = is_file and not os.access(f"{self._workspace.root}/{name}", os.R_OK)
                if is_too_large or is_unreadable or len(found) >= self._limits.files or is_secret(name):
                    total -= status.st_size
                    left_out[name] = f"{status.st_size} {status.st_mtime_ns}"
                else:
                    found[name] = status
        permissions = {
            name: stat.S_IMODE(status.st_mode)
            for name, status in found.items()
            if stat.S_ISREG(status.st_mode)
        }
        usual = _usual(permissions.values())
        odd = {name: mode for name, mode in permissions.items() if mode != usual[bool(mode & 0o100)]}
        return dict.fromkeys(found), {PLAIN: usual[False], PROGRAM: usual[True], **odd}, left_out

    def _is_reached(self, folder: str, known: dict[str, bool]) -> bool:
        """Whether no part of a folder's path is a link, which could lead out of the workspace."""
        if folder not in known:
            try:
                mode = os.lstat(f"{self._workspace.root}/{folder}").st_mode
            except OSError:
                mode = 0
            known[folder] = stat.S_ISDIR(mode) and self._is_reached(folder.rpartition("/")[0], known)
        return known[folder]

    def _states(self, snapshot: Snapshot) -> dict[str, FileState]:
        states: dict[str, FileState] = {}
        for line in self._lines("ls-tree", "-r", "-z", snapshot.tree):
            about, _, path = line.partition("\t")
            mode, _, oid = about.split(" ")
            states[path] = _state(path, mode, oid, snapshot)
        return states

    def _lines(self, *arguments: str) -> list[str]:
        return os.fsdecode(self._run(*arguments)).split("\0")[:-1]

    def _run(self, *arguments: str, given: bytes = b"") -> bytes:
        git = self._folder / "git"
        surroundings = (
            *(f"GIT_DIR={git}", f"GIT_WORK_TREE={self._workspace.root}", f"GIT_INDEX_FILE={git / 'index'}"),
            *("GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_LITERAL_PATHSPECS=1", "LC_ALL=C"),
        )
        command: Sequence[str] = (*CLEAN, *surroundings, "git", *arguments)
        try:
            done = subprocess.run(
                command,
                cwd=self._workspace.root,
                input=given,
                capture_output=True,
                timeout=_TIME_LIMIT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UndoTrouble(f"git could not be used to keep a snapshot: {error}") from error
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise UndoTrouble(f"git could not keep a snapshot: {said}")
        return done.stdout


def _joined(names: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\0" for name in names)


def _usual(modes: Iterable[int]) -> tuple[int, int]:
    """The commonest permissions of files that are not programs, and of those that are."""
    counted = Counter(modes)
    plain = [mode for mode, _ in counted.most_common() if not mode & 0o100]
    programs = [mode for mode, _ in counted.most_common() if mode & 0o100]
    return next(iter(plain), 0o644), next(iter(programs), 0o755)


def _state(path: str, mode: str, oid: str, snapshot: Snapshot) -> FileState:
    if mode == _LINK_MODE:
        return FileState(FileKind.LINK, 0, oid)
    usual = snapshot.modes[PROGRAM if mode == _PROGRAM_MODE else PLAIN]
    return FileState(FileKind.FILE, snapshot.modes.get(path, usual), oid)
