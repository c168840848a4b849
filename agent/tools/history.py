"""The tools that take back what the last request did to the files, and do it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.facts import FilesRestored
from agent.tools.registry import Outcome, refused
from agent.undo import Restored, Timeline, Unable

_NO_TIMELINE = "I keep no snapshots of this project, so nothing can be taken back"


class HistoryTools:
    """Handlers of `undo` and `redo`."""

    def __init__(self, timeline: Timeline | None) -> None:
        self._timeline = timeline

    async def undo(self, arguments: Mapping[str, Any]) -> Outcome:
        """Bring back the files of the last request that changed any."""
        if self._timeline is None:
            return refused("undo", _NO_TIMELINE)
        return _told("undo", await self._timeline.undo())

    async def redo(self, arguments: Mapping[str, Any]) -> Outcome:
        """Do again what was taken back last."""
        if self._timeline is None:
            return refused("redo", _NO_TIMELINE)
        return _told("redo", await self._timeline.redo())


def _told(tool: str, done: Restored | Unable) -> Outcome:
    if isinstance(done, Unable):
        return refused(tool, done.reason)
    again = tool == "redo"
    fact = FilesRestored(
        done.deed, done.request, done.changed, done.removed, done.returned, done.left, again=again
    )
    parts = [
        f"{what} {', '.join(paths)}"
        for what, paths in (
            ("put back", done.changed),
            ("removed", done.removed),
            ("returned", done.returned),
            ("left as they are", done.left),
        )
        if paths
    ]
    what = "did again" if again else "took back"
    return Outcome(True, f"ok: {what} '{done.request}': {'; '.join(parts)}", (fact,))
