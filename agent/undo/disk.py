"""Looks at single files of a workspace and brings them to another state, never through a link."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Collection, Sequence
from pathlib import Path, PurePosixPath

from agent.textfile import write_bytes
from agent.undo.states import Difference, FileKind, FileState, Found, Unknown

_MAX_BYTES = 64_000_000


def observe(root: Path, path: str, moving: Collection[str] = ()) -> Found:
    """What is at `path` now, links not followed. `moving` are paths that are about to change themselves."""
    for parent in reversed(PurePosixPath(path).parents[:-1]):
        try:
            mode = (root / parent).lstat().st_mode
        except OSError:
            return None
        if stat.S_ISLNK(mode) and parent.as_posix() not in moving:
            return Unknown()
        if not stat.S_ISDIR(mode):
            return None
    place = root / path
    try:
        status = place.lstat()
        if stat.S_ISLNK(status.st_mode):
            return FileState(FileKind.LINK, 0, object_id(os.fsencode(os.readlink(place))))  # noqa: PTH115
        if stat.S_ISDIR(status.st_mode):
            # What is in it is looked at by itself: a file takes its place only once it is empty.
            return None
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
            return Unknown()
        return FileState(FileKind.FILE, stat.S_IMODE(status.st_mode), object_id(place.read_bytes()))
    except FileNotFoundError:
        return None
    except OSError:
        return Unknown()


def object_id(data: bytes) -> str:
    """The name that git gives to a blob (its SHA-1 object format)."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def carry_out(root: Path, steps: Sequence[Difference], content: Callable[[str], bytes]) -> None:
    """Bring every file from `before` to `after`. If one fails, those done are put back.

    `content` gives the bytes of an object. Raises OSError or `UtterError`.
    """
    done: list[Difference] = []
    # Removing comes first and goes from the inside out: a file may take a folder's place.
    ordered = sorted(steps, key=lambda step: (step.after is not None, -step.path.count("/"), step.path))
    try:
        for step in ordered:
            done.append(step)
            _put(root, step.path, step.after, content)
    except BaseException:
        for step in reversed(done):
            if observe(root, step.path) != step.before:
                _put(root, step.path, step.before, content)
        raise


def _put(root: Path, path: str, state: FileState | None, content: Callable[[str], bytes]) -> None:
    place = root / path
    if state is None:
        place.unlink(missing_ok=True)
        _remove_empty(root, place.parent)
        return
    data = content(state.oid)
    if place.is_dir() and not place.is_symlink():
        place.rmdir()
    place.parent.mkdir(parents=True, exist_ok=True)
    if state.kind is FileKind.LINK:
        temporary = place.with_name(f".{secrets.token_hex(8)}.tmp")
        temporary.symlink_to(os.fsdecode(data))
        temporary.replace(place)
        return
    if place.is_symlink():
        place.unlink()
    write_bytes(place, data, path)
    place.chmod(state.mode)


def _remove_empty(root: Path, folder: Path) -> None:
    """Remove the folders that have become empty, up to the root."""
    while folder != root and root in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
