"""The changed places of one file, from the hunks of its diff. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from unidiff.patch import Hunk, Line, PatchSet

from agent.facts import LineChange
from voice.narration.sections import Section


@dataclass(frozen=True)
class Run:
    """Lines that were removed and those in their place, beginning at these lines, counted from 1.

    `context` holds the unchanged lines before it, back to the run before or the hunk's beginning; `heading`
    is what the hunk says that it lies in, at its first run alone.
    """

    old_line: int
    new_line: int
    removed: tuple[str, ...]
    added: tuple[str, ...]
    context: tuple[str, ...] = ()
    heading: str = ""

    @property
    def respaced(self) -> int:
        """How many lines differ in the white space at their ends alone: an indentation may have a meaning."""
        pairs = zip(self.removed, self.added, strict=False)
        return sum(before != after and before.strip() == after.strip() != "" for before, after in pairs)

    def changes(self) -> Iterator[LineChange]:
        """Line by line; what is only white space is left out."""
        for at in range(max(len(self.removed), len(self.added))):
            before = self.removed[at].strip() if at < len(self.removed) else ""
            after = self.added[at].strip() if at < len(self.added) else ""
            if before != after:
                yield LineChange(self.new_line + min(at, max(0, len(self.added) - 1)), before, after)


def runs_of(section: Section) -> list[Run]:
    """All of what was kept of a section, in order."""
    if not section.patch:
        return []
    return [run for hunk in PatchSet(f"--- a/it\n+++ b/it\n{section.patch}")[0] for run in _runs(hunk)]


def _runs(hunk: Hunk) -> Iterator[Run]:
    old, new, heading = hunk.source_start, hunk.target_start, hunk.section_header.strip("\r\n")
    context: list[str] = []
    lines = [line for line in hunk if line.is_context or line.is_added or line.is_removed]
    for is_context, group in groupby(lines, key=_is_context):
        block = list(group)
        removed = tuple(_text(line) for line in block if line.is_removed)
        added = tuple(_text(line) for line in block if line.is_added)
        if is_context:
            context = [_text(line) for line in block]
            old, new = old + len(block), new + len(block)
            continue
        yield Run(old, new, removed, added, tuple(context), heading)
        old, new, heading, context = old + len(removed), new + len(added), "", []


def _is_context(line: Line) -> bool:
    return line.is_context


def _text(line: Line) -> str:
    return line.value.rstrip("\r\n")
