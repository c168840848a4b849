"""SHA-256 of large files, and the memory of sums, so that starting up does not hash a gigabyte again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in lower-case hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` at `path`: a reader, even after a crash, sees the old content or the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class Stamps:
    """The sums of one model's files when last hashed, each with the file's size and time then."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            rows = json.loads(path.read_text(encoding="utf-8"))
            self._rows = {name: row for name, row in rows.items() if {"stat", "sha256"} == set(row)}

    def sum_of(self, file: Path) -> str | None:
        """The sum `file` had when it was hashed, or None when it has changed since or never was."""
        row = self._rows.get(file.name)
        return row["sha256"] if row and row["stat"] == _stat(file) else None

    def hash(self, file: Path) -> str:
        """Hash `file` now and remember the sum."""
        before = _stat(file)
        total = sha256_of(file)
        self.remember(file, total, before)
        return total

    def remember(self, file: Path, sha256: str, stat: list[int] | None = None) -> None:
        """Note that `file` has this sum. A folder that cannot be written only costs the memory."""
        self._rows[file.name] = {"stat": stat or _stat(file), "sha256": sha256}
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, json.dumps(self._rows, indent=1).encode())


def _stat(file: Path) -> list[int]:
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]
