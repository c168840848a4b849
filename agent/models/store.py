"""The models on this machine: where each one is, whether it is whole, and how to take it away again."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Union

import platformdirs

from agent.errors import UtterError
from agent.models.checksums import Stamps
from agent.models.conversions import VERSIONS, ConversionRecord, Converted, read_record, source_sums
from agent.models.manifest import Derived, Entry, Manifest, Model, ModelFile, load_manifest
from agent.models.staging import Staging


class ModelMissing(UtterError):
    """A model, or one of its files, is not on this machine."""


class ModelDamaged(UtterError):
    """A file has not the size or the sum that the manifest gives it."""


class State(str, Enum):
    """What can be told of a model without reading its files."""

    READY = "ready"
    UNCHECKED = "not yet checked"  # there, of the right size, never hashed
    DAMAGED = "damaged"
    INCOMPLETE = "incomplete"
    OUTDATED = "outdated"  # converted from other weights or by an older converter
    MISSING = "missing"


@dataclass(frozen=True)
class ModelRow:
    """One line of the list of models; sizes in bytes, `size_on_disk` is what is there now."""

    name: str
    use: str
    state: State
    size: int
    size_on_disk: int
    licence: str
    origin: str
    path: Path


@dataclass(frozen=True)
class FileCheck:
    """One file and what it was found to be; `got_*` are None where the file is not there."""

    path: Path
    size: int
    sha256: str
    got_size: int | None
    got_sha256: str | None

    @property
    def missing(self) -> bool:
        return self.got_size is None

    @property
    def ok(self) -> bool:
        return self.got_size == self.size and self.got_sha256 == self.sha256

    def sentence(self) -> str:
        """What is wrong, for the user."""
        if self.missing:
            return f"{self.path} is not there."
        if self.got_size != self.size:
            return f"{self.path} is damaged: expected {self.size} bytes, got {self.got_size}."
        return f"{self.path} is damaged: expected SHA-256 {self.sha256}, got {self.got_sha256}."


ExpectedFile = Union[ModelFile, Converted]


class ModelStore:
    """The folder that holds the models, one folder each. Nothing here touches the network."""

    def __init__(self, root: Path, manifest: Manifest | None = None) -> None:
        self.root = root
        self.manifest = manifest or load_manifest()

    @classmethod
    def default(cls) -> ModelStore:
        """The store in the user's cache folder."""
        return cls(Path(platformdirs.user_cache_dir("utter", appauthor=False)) / "models")

    def folder(self, name: str) -> Path:
        """Where the files of a model are, or will be."""
        return self.root / self.manifest.entry(name).name

    def path(self, name: str) -> Path:
        """The model's file, or its folder where it is several files.

        A file that was never hashed, for instance one put there by hand, is hashed first.
        Raises `ModelMissing` or `ModelDamaged`.
        """
        entry = self.manifest.entry(name)
        checks = self.check(name)
        damaged = [check for check in checks if not check.ok and not check.missing]
        if damaged:
            raise ModelDamaged(f"{damaged[0].sentence()} {self.mending(name)}")
        if not checks and self.state(name) is State.OUTDATED:
            raise ModelMissing(
                f"The model {name} ({entry.use}) was made by another Utter or is not whole. "
                f"Make it anew with `utter models fetch {name}`."
            )
        if not checks or any(check.missing for check in checks):
            raise ModelMissing(
                f"The model {name} ({entry.use}) is not on this machine. "
                f"Fetch it with `utter models fetch {name}`."
            )
        return self.folder(name) / entry.main if isinstance(entry, Model) else self.folder(name)

    def check(self, name: str, *, anew: bool = False) -> list[FileCheck]:
        """Compare a model's files with what they should be; empty for a conversion missing or outdated.

        Reads a file only when it has the right size and changed since it was last hashed, or when `anew`.
        """
        folder = self.folder(name)
        stamps = self.stamps(name)
        return [self._check_file(folder, file, stamps, anew) for file in self.expected(name) or ()]

    def expected(self, name: str) -> Sequence[ExpectedFile] | None:
        """The files that make up a model; None for a conversion that is not there or outdated."""
        entry = self.manifest.entry(name)
        if isinstance(entry, Model):
            return entry.files
        record = read_record(self.folder(name))
        return record.files if record and self._is_current(entry, record) else None

    def status(self) -> list[ModelRow]:
        """One row for each model of the manifest, without hashing anything."""
        return [self._row(entry) for entry in self.manifest.entries.values()]

    def state(self, name: str) -> State:
        """What can be told of one model without hashing anything."""
        expected = self.expected(name)
        folder = self.folder(name)
        if expected is None:
            return State.OUTDATED if folder.exists() else State.MISSING
        stamps = self.stamps(name)
        states = {_state_of(folder / file.path, file, stamps) for file in expected}
        if State.DAMAGED in states:
            return State.DAMAGED
        if State.MISSING in states:
            return State.MISSING if states == {State.MISSING} else State.INCOMPLETE
        return State.UNCHECKED if State.UNCHECKED in states else State.READY

    def is_ready(self, name: str) -> bool:
        """Whether the model is whole, as far as can be told without hashing anything."""
        return self.state(name) is State.READY

    def remove(self, name: str) -> int:
        """Delete a model's folder with all that is in it, and its staged wheels; gives the bytes freed."""
        entry = self.manifest.entry(name)
        folder = self.folder(name)
        freed = _size_of(folder)
        if folder.exists():
            shutil.rmtree(folder)
        self._stamps_path(name).unlink(missing_ok=True)
        if isinstance(entry, Model):
            freed += Staging(self.root).discard(wheel for file in entry.files for wheel in file.wheels)
        return freed

    def stamps(self, name: str) -> Stamps:
        """The memory of the sums of a model's files."""
        return Stamps(self._stamps_path(name))

    def mending(self, name: str) -> str:
        """What to do about a damaged model, for the user."""
        return f"Move it away or run `utter models remove {name}`, then `utter models fetch {name}`."

    def _stamps_path(self, name: str) -> Path:
        return self.root / ".verified" / f"{name}.json"

    def _is_current(self, entry: Derived, record: ConversionRecord) -> bool:
        sums = source_sums(self.manifest.source(entry.name))
        return (record.source, record.converter, record.version) == (
            sums,
            entry.converter,
            VERSIONS[entry.converter],
        )

    def _check_file(self, folder: Path, file: ExpectedFile, stamps: Stamps, anew: bool) -> FileCheck:
        path = folder / file.path
        if not path.is_file():
            return FileCheck(path, file.size, file.sha256, None, None)
        size = path.stat().st_size
        if size != file.size:
            return FileCheck(path, file.size, file.sha256, size, None)
        remembered = None if anew else stamps.sum_of(path)
        return FileCheck(path, file.size, file.sha256, size, remembered or stamps.hash(path))

    def _row(self, entry: Entry) -> ModelRow:
        source = self.manifest.source(entry.name)
        origin = source.origin if isinstance(entry, Model) else f"converted from {entry.source}"
        return ModelRow(
            name=entry.name,
            use=entry.use,
            state=self.state(entry.name),
            size=entry.size,
            size_on_disk=_size_of(self.folder(entry.name)),
            licence=source.licence,
            origin=origin,
            path=self.folder(entry.name),
        )


def _state_of(path: Path, file: ExpectedFile, stamps: Stamps) -> State:
    if not path.is_file():
        return State.MISSING
    if path.stat().st_size != file.size:
        return State.DAMAGED
    remembered = stamps.sum_of(path)
    if remembered is None:
        return State.UNCHECKED
    return State.READY if remembered == file.sha256 else State.DAMAGED


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.exists() else 0
