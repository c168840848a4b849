"""The store's data files: written beside, flushed, put in place; checked before use; else set aside."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from pathlib import Path

import psutil

_KEPT_ASIDE = 3  # damaged files that are kept for a look; they are of no other use
_NAME = re.compile(r"[0-9a-f]{32}\.(?:safetensors|llama|kv)")
_TEMPORARY = re.compile(r"tmp-(\d+)-[0-9a-f]{32}\.(?:safetensors|llama|kv)")
_OWN = re.compile(r"(?:index\.sqlite(?:-wal|-shm|-journal)?)|quarantine")


def new_temporary(folder: Path, suffix: str) -> Path:
    """A path in `folder` that nobody else writes to. It names this process: others see when that is gone."""
    return folder / f"tmp-{os.getpid()}-{uuid.uuid4().hex}{suffix}"


def final_path(temporary: Path) -> Path:
    """Where `temporary` goes when it is whole; never used for anything else."""
    return temporary.with_name(temporary.name.split("-", 2)[2])


def flush(path: Path) -> None:
    """Wait until the disk has the content of `path`, a file or a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        if path.is_file():  # some file systems cannot flush a folder
            raise
    finally:
        os.close(handle)


def sha256(path: Path, packed: bytes) -> str:
    """Of the content of `path` and then of `packed`."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        buffer = bytearray(1 << 20)
        while n_bytes := file.readinto(buffer):
            digest.update(memoryview(buffer)[:n_bytes])
    digest.update(packed)
    return digest.hexdigest()


def set_aside(path: Path) -> None:
    """Move a file that cannot be trusted to the folder `quarantine`, of which the newest few are kept."""
    folder = path.parent / "quarantine"
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        path.replace(folder / path.name)
    except FileNotFoundError:
        return
    aside = sorted(folder.iterdir(), key=lambda file: file.lstat().st_mtime)
    for old in aside[:-_KEPT_ASIDE]:
        old.unlink(missing_ok=True)


def is_abandoned(path: Path, before_s: float) -> bool:
    """Whether `path` is a temporary file whose process is gone, or last written before `before_s`."""
    match = _TEMPORARY.fullmatch(path.name)
    if match is None:
        return False
    try:
        return not psutil.pid_exists(int(match[1])) or path.stat().st_mtime < before_s
    except FileNotFoundError:  # its process has put it in place or removed it
        return False


def size_bytes(path: Path) -> int:
    """Of a file; 0 for anything else, and for one that another process has removed."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0


def is_data(name: str) -> bool:
    """Whether `name` is such as this store gives to an entry's file."""
    return _NAME.fullmatch(name) is not None


def is_foreign(name: str) -> bool:
    """Whether `name` is none that this store gives to anything."""
    return not any(pattern.fullmatch(name) for pattern in (_NAME, _TEMPORARY, _OWN))
