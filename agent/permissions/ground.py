"""The disk as the permissions see it: where a path leads, and what a pattern stands for."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from agent.permissions import is_secret
from agent.workspace import Workspace

_MAX_MATCHES = 2_000


class DiskGround:
    """The ground of one workspace. `home` is the user's home folder."""

    def __init__(self, workspace: Workspace, home: Path) -> None:
        self._workspace = workspace
        self.home = str(home)
        self.root = str(workspace.root)

    def real(self, path: str, folder: str) -> str:
        """Absolute and without links; a path that no file can have leads to the top of the disk."""
        try:
            return os.path.realpath(os.path.join(folder, path))  # noqa: PTH118
        except (OSError, ValueError):
            return "/"

    def matches(self, pattern: str, folder: str) -> tuple[str, ...]:
        """The matching paths; or the pattern itself, which the shell then takes as a name, or of too many."""
        found: list[str] = []
        for name in glob.iglob(pattern, root_dir=folder):  # noqa: PTH207
            found.append(name)
            if len(found) > _MAX_MATCHES:
                return ("/",)
        return tuple(found) or (pattern,)

    def holds_secrets(self, *, ignored_too: bool) -> bool:
        """Whether a file of the workspace may hold secrets, those of dependencies left out."""
        names = self._workspace.walk() if ignored_too else self._workspace.files()
        return any(is_secret(name) for name in names)
