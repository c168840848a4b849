"""Saved sessions on disk: a data file and, written after it, the JSON sidecar that vouches for it."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_FORMAT = 1


@dataclass(frozen=True)
class Saved:
    """What a sidecar says: who wrote the data, for which key and tokens, and what the file must look like."""

    engine: str
    fingerprint: str
    key: str
    tokens: tuple[int, ...]
    size_bytes: int
    sha256: str
    format: int = _FORMAT


class SavedSessions:
    """One engine's saved sessions in `folder`. `engine` names the program and version that wrote the data."""

    def __init__(self, folder: Path, engine: str, fingerprint: str, suffix: str) -> None:
        self.folder = folder
        self._engine = engine
        self._fingerprint = fingerprint
        self._suffix = suffix

    def make_folder(self) -> None:
        """For the user alone: the data holds what was said."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def data_path(self, key: str) -> Path:
        """Where the data for `key` lies; models do not share names, so they do not overwrite each other."""
        name = hashlib.sha256(f"{self._fingerprint}\0{key}".encode()).hexdigest()[:32]
        return self.folder / f"{name}{self._suffix}"

    def sidecar_path(self, key: str) -> Path:
        return self.data_path(key).with_suffix(".json")

    def temporary(self, key: str) -> Path:
        """A new path beside the data, with the same suffix, to write to before `commit`."""
        self.make_folder()
        return self.data_path(key).with_suffix(f".{uuid.uuid4().hex[:8]}{self._suffix}")

    def commit(self, key: str, written: Path, tokens: Sequence[int]) -> None:
        """Put `written` in place. Killed between the two renames, they do not fit: not trusted."""
        size_bytes, digest = written.stat().st_size, _sha256(written)
        entry = Saved(self._engine, self._fingerprint, key, tuple(tokens), size_bytes, digest)
        note = written.with_suffix(".tmp")
        try:
            note.write_text(_written(entry), encoding="utf-8")
            written.replace(self.data_path(key))
            note.replace(self.sidecar_path(key))
        finally:
            note.unlink(missing_ok=True)

    def find(self, key: str) -> Saved | None:
        """The entry for `key` when sidecar and data agree to the last byte, else None. Removes nothing.

        The sum is checked and not only the size: llama.cpp aborts the process on a damaged state file.
        """
        try:
            entry = _parse(self.sidecar_path(key).read_text(encoding="utf-8"))
            if (entry.engine, entry.fingerprint, entry.key) != (self._engine, self._fingerprint, key):
                return None
            data = self.data_path(key)
            if data.stat().st_size != entry.size_bytes or _sha256(data) != entry.sha256:
                return None
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return entry


def _written(entry: Saved) -> str:
    """Two lines: the entry as JSON, and the SHA-256 of that line."""
    line = json.dumps(asdict(entry))
    return f"{line}\n{hashlib.sha256(line.encode()).hexdigest()}\n"


def _parse(note: str) -> Saved:
    line, digest = note.splitlines()
    if hashlib.sha256(line.encode()).hexdigest() != digest:
        raise ValueError("the sidecar is damaged")
    values: dict[str, Any] = json.loads(line)
    if values["format"] != _FORMAT:
        raise ValueError("not a sidecar of this format")
    values["tokens"] = tuple(values["tokens"])
    return Saved(**values)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
