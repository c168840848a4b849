"""What happened in one file, in sentences: the file itself first, then function by function. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from agent.code.symbols import SymbolKind
from agent.facts import LineChange
from voice.narration.places import Happened, Place
from voice.narration.sections import Section, Status
from voice.speaking.code_aloud import change
from voice.speaking.names_aloud import capital, count, file_name, identifier, listed, number
from voice.speaking.narrate import comment_added, line_counts

_SMALL = 2  # lines: a change up to this is said in full
_MOST_WORDS = 20  # of a line and what became of it; nobody follows more by ear
_NAMED = 4
_IMPORT = re.compile(
    r"(?:from\s+(?P<from>[\w.]+)\s+import\b|import\s+(?P<import>[\w.]+)\s*(?:as\s+\w+)?;?$"
    r"|(?:import|export)\b.*\bfrom\s+['\"](?P<script>[^'\"]+)['\"]|(?:pub\s+)?use\s+(?P<use>[\w:]+)"
    r"|#\s*include\s*[<\"](?P<include>[\w./]+))"
)
_ORDER = (Happened.RENAMED, Happened.NEW, Happened.GONE, Happened.CHANGED)
_KINDS = {
    SymbolKind.CLASS: "class",
    SymbolKind.FUNCTION: "function",
    SymbolKind.METHOD: "method",
    SymbolKind.CONSTANT: "constant",
}


def did(added: int, removed: int) -> str:
    """ "added 48 lines, and removed 18 lines".

    Not "48 lines added": a number is misheard that no word leads up to. Without the pause, "and removed" is.
    """
    told = [f"added {count(added, 'line')}"] if added or not removed else []
    return ", and ".join([*told, f"removed {count(removed, 'line')}"] if removed else told)


def file_told(section: Section, name: str, places: Sequence[Place], *, is_test: bool, most: int) -> list[str]:
    """At most `most` sentences about one file. `name` is how the file is said."""
    whole = _whole_file(section, name)
    if whole is None:
        clauses = _changed(section, name, places, is_test=is_test, most=most)
    else:
        told = [place for place in places if place.name] if section.status is not Status.DELETED else []
        clauses = [whole, *_places(told, is_test=is_test)][:most]
    if section.is_damaged:
        clauses.append(f"The diff of {name} is damaged, so that is not all.")
    return clauses


def _whole_file(section: Section, name: str) -> str | None:
    """What happened to the file as such; None when it is what happened in it that counts."""
    if section.conflicts:
        is_one = section.conflicts == 1
        are, first = ("that is", "") if is_one else ("that are", "the first ")
        place = (
            f", {first}in line {number(section.first_conflict_line)}" if section.first_conflict_line else ""
        )
        return f"{capital(name)} has {count(section.conflicts, 'conflict')} {are} not resolved{place}."
    if section.is_module:
        return f"The submodule {name} {_what(section, 'is at another commit')}."
    if section.is_link:
        return f"The link {name} {_what(section, 'leads elsewhere')}."
    if section.is_binary:
        return f"The binary file {name} {_what(section, 'changed')}."
    if section.is_secret:
        return f"{capital(name)}, which may hold secrets, {_what(section, 'changed')}."
    lines = f", {count(section.lines, 'line')}" if section.lines else ", empty" if section.is_whole else ""
    if section.status is Status.ADDED:
        return f"New file: {name}{lines}."
    if section.status is Status.DELETED:
        return f"{capital(name)} was deleted{lines}."
    if section.status is Status.COPIED:
        return f"{capital(name)} is a copy of {file_name(section.old_path)}."
    if section.status is Status.RENAMED:
        return _renamed(section, name)
    if not section.lines:
        return _mode(section, name)
    return None


def _what(section: Section, else_: str) -> str:
    if section.status is Status.RENAMED and section.old_path != section.path:
        return f"was {file_name(section.old_path)} before"
    return {Status.ADDED: "is new", Status.DELETED: "was removed"}.get(section.status, else_)


def _renamed(section: Section, name: str) -> str:
    old, new = PurePosixPath(section.old_path), PurePosixPath(section.path)
    folder = f"the folder {identifier(new.parent.name)}" if new.parent.name else "the top folder"
    told = f"{capital(file_name(section.old_path))}"
    if old.name == new.name:
        told += f" moved to {folder}"
    else:
        told += f" is now called {name}" + (f", in {folder}" if old.parent != new.parent else "")
    return f"{told}, with {line_counts(section.added, section.removed)}." if section.lines else f"{told}."


def _mode(section: Section, name: str) -> str:
    if section.old_mode.endswith("644") and section.new_mode.endswith("755"):
        return f"{capital(name)} can be run as a program now."
    if section.old_mode.endswith("755") and section.new_mode.endswith("644"):
        return f"{capital(name)} can no longer be run as a program."
    return f"{capital(name)} has other permissions." if section.old_mode else f"{capital(name)} changed."


# ----------------------------------------------------------------------------------------------- what changed


def _changed(section: Section, name: str, places: Sequence[Place], *, is_test: bool, most: int) -> list[str]:
    if not places and section.is_whole:
        return [f"In the file, {name}: only white space changed."]
    if len(places) == 1 and places[0].happened is Happened.CHANGED and section.is_whole:
        place = places[0]
        inside = f", in {_called(place)}" if place.name else ""
        if not place.name and (imports := _imports(place)):
            return [f"In the file, {name}: {imports}."]
        told = _small(place)
        if not told:
            return [f"In the file, {name}{inside}: {did(section.added, section.removed)}."]
        (line, first), *others = told
        head = f"In the file, {name}, line {number(line)}{inside}: {first}."
        return [head, *_lines(others), *_respaced(place)][:most]
    counts = f"In the file, {name}: {did(section.added, section.removed)}."
    if most == 1:
        names = _in_short(places)
        return [f"{counts[:-1]}, {names}." if names else counts]
    told = _places(places, is_test=is_test)
    return [counts, *told[: most - 1]]


def _in_short(places: Sequence[Place]) -> str:
    """ "in subtract and two more places": the names alone, for those in a hurry."""
    names = [_name(place) for place in _sorted(places) if place.name]
    if not names:
        return ""
    left = len(names) - min(len(names), 2)
    return f"in {listed(names[:2], left)}"


def _places(places: Sequence[Place], *, is_test: bool) -> list[str]:
    clauses: list[str] = []
    for happened in _ORDER:
        alike = [place for place in _sorted(places) if place.happened is happened]
        if happened is Happened.NEW:
            clauses += _new(alike, is_test=is_test)
        elif happened is Happened.GONE and alike:
            names = [_name(place) for place in alike]
            were = "was" if len(alike) == 1 else "were"
            said = listed(names[:_NAMED], len(names) - min(len(names), _NAMED))
            clauses.append(f"{capital(said)} {were} removed.")
        elif happened is Happened.RENAMED:
            clauses += [_symbol_renamed(place) for place in alike]
        elif happened is Happened.CHANGED:
            clauses += [clause for place in alike for clause in _one(place)]
    return clauses


def _sorted(places: Sequence[Place]) -> list[Place]:
    """The largest changes first, and what lies outside of functions last."""
    return sorted(places, key=lambda one: (not one.name, -(one.added + one.removed), one.line))


def _new(places: Sequence[Place], *, is_test: bool) -> list[str]:
    clauses: list[str] = []
    for kind, word in _KINDS.items():
        alike = [place for place in places if place.kind is kind]
        if is_test and alike and kind in (SymbolKind.FUNCTION, SymbolKind.METHOD):
            word = "test" if all("test" in one.name.lower() or " " in one.name for one in alike) else word
        names = [_name(place).removeprefix("test ") if word == "test" else _name(place) for place in alike]
        if len(alike) > 2:
            said = listed(names[:_NAMED], len(names) - min(len(names), _NAMED))
            plural = "classes" if word == "class" else f"{word}s"
            clauses += [f"{capital(number(len(alike)))} new {plural}: {said}."]
            continue
        for place, name in zip(alike, names, strict=True):
            length = "" if kind is SymbolKind.CONSTANT else f", {count(place.added, 'line')}"
            members = f" with {count(place.members, 'method')}" if place.members else ""
            clauses.append(f"New {word}: {name}{members}{length}.")
    return clauses


def _symbol_renamed(place: Place) -> str:
    kind = _KINDS[place.kind] if place.kind is not None else "function"
    old = identifier(place.old_name.rpartition(".")[2])
    return f"The {kind}, {old}, is now called: {identifier(place.bare_name)}."


def _one(place: Place) -> list[str]:
    if not place.name and (imports := _imports(place)):
        return [f"{capital(imports)}."]
    told = _small(place)
    where = f"In {_called(place)}" if place.name else "Outside of functions"
    if not told:
        return [f"{where}: {did(place.added, place.removed)}."]
    (line, first), *others = told
    head = f"{where}, line {number(line)}: {first}."
    return [head, *_lines(others), *_respaced(place)]


def _lines(told: Sequence[tuple[int, str]]) -> list[str]:
    return [f"Line {number(line)}: {what}." for line, what in told]


def _respaced(place: Place) -> list[str]:
    return (
        [f"{capital(count(place.respaced, 'line'))} changed in white space alone."] if place.respaced else []
    )


def _small(place: Place) -> list[tuple[int, str]]:
    """The lines of a small change in words; none when it is large, or when the ear could not tell."""
    if max(place.added, place.removed) > _SMALL or len(place.changes) > _SMALL:
        return []
    told = [(one.line, comment_added(one) or change(one.before, one.after)) for one in place.changes]
    return told if all(what and len(what.split()) <= _MOST_WORDS for _, what in told) else []


def _imports(place: Place) -> str:
    """ "it now imports json": when that is all that happened outside of functions."""
    pairs = [(_module(one.before), _module(one.after)) for one in place.changes]
    if not pairs or len(place.changes) < max(place.added, place.removed):
        return ""
    if any(_is_other(one, pair) for one, pair in zip(place.changes, pairs, strict=True)):
        return ""
    before, after = {one for one, _ in pairs} - {""}, {one for _, one in pairs} - {""}
    come, gone = sorted(after - before), sorted(before - after)
    told = [f"it now imports {listed([_spoken_module(one) for one in come])}"] if come else []
    told += [f"it no longer imports {listed([_spoken_module(one) for one in gone])}"] if gone else []
    return " and ".join(told) or f"what it imports of {_spoken_module(min(after or before))} changed"


def _is_other(one: LineChange, modules: tuple[str, str]) -> bool:
    return bool((one.before and not modules[0]) or (one.after and not modules[1]))


def _module(line: str) -> str:
    found = _IMPORT.match(line)
    return next((name for name in found.groups() if name), "") if found else ""


def _spoken_module(module: str) -> str:
    if "/" in module:
        return file_name(module)
    parts = [" ".join(identifier(one) for one in part.split(":") if one) for part in module.split(".")]
    return " dot ".join(filter(None, parts))


def _called(place: Place) -> str:
    """ "the function, subtract": without the pause the two words are heard as one."""
    return f"the {_KINDS[place.kind]}, {_name(place)}" if place.kind is not None else _name(place)


def _name(place: Place) -> str:
    """A method is said with its class."""
    owner, _, bare = place.name.rpartition(".")
    name = identifier(bare) if " " not in bare else bare
    if owner and place.kind is SymbolKind.METHOD:
        return f"{name} of {identifier(owner.rpartition('.')[2])}"
    return name
