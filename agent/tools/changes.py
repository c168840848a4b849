"""From two texts of one file to the facts of what changed. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from agent.code.outline import symbols_of
from agent.code.symbols import enclosing
from agent.facts import FileChange, FileEdited, LineChange

_MAX_PLACES = 5


def edited(path: str, before: str, after: str, *, created: bool = False) -> FileEdited:
    """The facts of one edit."""
    added, removed, places = _places(before, after)
    symbol = _symbol(path, before, after, places)
    return FileEdited(path, added, removed, tuple(change for change, _ in places), symbol, created)


def changed(path: str, before: str | None, after: str | None) -> FileChange:
    """The facts of one file's difference; None stands for a file that is not there, or is not text."""
    status = "added" if before is None else "deleted" if after is None else "modified"
    added, removed, places = _places(before or "", after or "")
    symbol = _symbol(path, before or "", after or "", places)
    return FileChange(path, added, removed, status, tuple(change for change, _ in places), symbol)


def _places(before: str, after: str) -> tuple[int, int, list[tuple[LineChange, int]]]:
    """Lines added, lines removed, and the first few changed places, each with its line in the old text."""
    old, new = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > 4000)
    added = removed = 0
    places: list[tuple[LineChange, int]] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            continue
        removed += i2 - i1
        added += j2 - j1
        for k in range(max(i2 - i1, j2 - j1)):
            was = old[i1 + k].strip() if i1 + k < i2 else ""
            now = new[j1 + k].strip() if j1 + k < j2 else ""
            if (was or now) and len(places) < _MAX_PLACES:
                change = LineChange(min(j1 + k, max(j2 - 1, j1)) + 1, was, now)
                places.append((change, i1 + k + 1))
    return added, removed, places


def _symbol(path: str, before: str, after: str, places: Sequence[tuple[LineChange, int]]) -> str:
    """What all the places lie in; lines that are gone, in what they were in."""
    gone = any(not change.after for change, _ in places)
    old = symbols_of(path, before) if gone else ()
    new = symbols_of(path, after) if places else ()
    names = {
        found.name if (found := enclosing(new, change.line) if change.after else enclosing(old, line)) else ""
        for change, line in places
    }
    return names.pop() if len(names) == 1 else ""
