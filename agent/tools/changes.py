"""From two texts of one file to the facts of what changed. Pure."""

from __future__ import annotations

import difflib

from agent.code.outline import symbols_of
from agent.code.symbols import enclosing
from agent.facts import FileChange, FileEdited, LineChange

_MAX_PLACES = 5


def line_changes(before: str, after: str) -> tuple[int, int, tuple[LineChange, ...]]:
    """Lines added, lines removed, and the first few changed places in the order of the new text."""
    old, new = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > 4000)
    added = removed = 0
    places: list[LineChange] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            continue
        removed += i2 - i1
        added += j2 - j1
        for k in range(max(i2 - i1, j2 - j1)):
            was = old[i1 + k].strip() if i1 + k < i2 else ""
            now = new[j1 + k].strip() if j1 + k < j2 else ""
            if (was or now) and len(places) < _MAX_PLACES:
                places.append(LineChange(min(j1 + k, max(j2 - 1, j1)) + 1, was, now))
    return added, removed, tuple(places)


def edited(path: str, before: str, after: str, *, created: bool = False) -> FileEdited:
    """The facts of one edit."""
    added, removed, places = line_changes(before, after)
    return FileEdited(path, added, removed, places, _symbol(path, after, places), created)


def changed(path: str, before: str | None, after: str | None) -> FileChange:
    """The facts of one file's difference; None stands for a file that is not there, or is not text."""
    status = "added" if before is None else "deleted" if after is None else "modified"
    added, removed, places = line_changes(before or "", after or "")
    return FileChange(path, added, removed, status, places, _symbol(path, after or "", places))


def _symbol(path: str, after: str, places: tuple[LineChange, ...]) -> str:
    symbols = symbols_of(path, after) if places else ()
    names = {found.name if (found := enclosing(symbols, place.line)) else "" for place in places}
    return names.pop() if len(names) == 1 else ""
