"""A project of a few files, indexed, for tests of what is found in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agent.code.index import CodeIndex
from agent.workspace import Workspace


def indexed(root: Path, files: Mapping[str, str]) -> CodeIndex:
    """Write `files` below `root`, and read all that is there."""
    for path, text in files.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)
    index = CodeIndex(Workspace(root))
    index.refresh()
    return index
