"""Makes one converted model from its source: in the staging folder, then moved into place in one step."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from agent.models.assemble import sync_folder
from agent.models.checksums import sha256_of
from agent.models.conversions import (
    RECORD,
    VERSIONS,
    ConversionRecord,
    Converted,
    convert,
    source_sums,
)
from agent.models.manifest import Derived
from agent.models.staging import Staging
from agent.models.store import ModelStore


def derive(store: ModelStore, entry: Derived, staging: Staging, progress: Callable[[int, int], None]) -> None:
    """Convert the source of `entry`, which must be in the store, and replace the entry's folder."""
    work = staging.work_folder()
    try:
        result = work / "result"
        result.mkdir()
        convert(entry.converter, store.path(entry.source), result, progress)
        files = tuple(
            Converted(path.name, path.stat().st_size, sha256_of(path)) for path in sorted(result.iterdir())
        )
        sums = source_sums(store.manifest.source(entry.name))
        record = ConversionRecord(sums, entry.converter, VERSIONS[entry.converter], files)
        (result / RECORD).write_text(record.to_json(), encoding="utf-8")
        _sync_files(result)
        target = store.folder(entry.name)
        if target.exists():
            target.replace(work / "outdated")
        result.replace(target)
        sync_folder(target.parent)
        stamps = store.stamps(entry.name)
        for file in files:
            stamps.remember(target / file.path, file.sha256)
    finally:
        staging.sweep(work)


def _sync_files(folder: Path) -> None:
    for path in folder.iterdir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    sync_folder(folder)
