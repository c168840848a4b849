"""What a long benchmark has measured so far, kept in a file, so that it can be run in parts."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


class OutOfTime(Exception):
    """The time of this part is over; what is measured is kept."""


class Kept:
    """Values of JSON by name, one line of a file each; a value is kept as soon as it is known."""

    def __init__(self, path: Path, until: float = float("inf")) -> None:
        """`until` is the `time.monotonic` from which on nothing new is measured."""
        self._path = path
        self._until = until
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        whole, newline, broken_off = text.rpartition("\n")
        if broken_off:  # that one is measured again
            path.write_text(whole + newline, encoding="utf-8")
        self._values: dict[str, Any] = dict(map(json.loads, whole.splitlines()))

    def __len__(self) -> int:
        return len(self._values)

    def value(self, name: str, measure: Callable[[], Any]) -> Any:
        """What was measured under `name`, now or earlier.

        Raises `OutOfTime` when it would have to be measured after the end of this part.
        """
        if name not in self._values:
            if time.monotonic() >= self._until:
                raise OutOfTime
            self._values[name] = measure()
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([name, self._values[name]]) + "\n")
        return self._values[name]


def fingerprint(files: Iterable[Path]) -> str:
    """Sixteen hex digits that change when one of `files` does."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
