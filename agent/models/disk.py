"""Free space: asked for before anything is written, and told in words when it runs out all the same."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Generator
from pathlib import Path

from agent.errors import UtterError

_SLACK = 64 << 20  # bytes left for everything else on the disk
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DiskFull(UtterError):
    """Not enough space for the models."""


def require_space(folder: Path, needed: int) -> None:
    """Raise `DiskFull` when the disk of `folder` has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed + _SLACK:
        raise DiskFull(
            f"The models need {megabytes(needed + _SLACK)} on the disk of {folder}, but only "
            f"{megabytes(free)} are free. Make room, or set models.folder to a folder on another disk."
        )


@contextlib.contextmanager
def full_disk_in_words(folder: Path) -> Generator[None, None, None]:
    """Turn the system's errors for a full disk, a quota or a file size limit into `DiskFull`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise disk_full(folder) from error
        raise


def disk_full(folder: Path) -> DiskFull:
    """The error for a disk that became full while writing into `folder`."""
    return DiskFull(
        f"The disk of {folder} is full or a file size limit was reached. Make room, or set models.folder to "
        "a folder on another disk, and run it again: what is already there is kept."
    )


def megabytes(size: int) -> str:
    """A size in bytes as people read it, in decimal megabytes."""
    return f"{size / 1e6:,.0f} MB"
