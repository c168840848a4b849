"""Tells changes as one would tell a colleague: what matters most first, by file and by function. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath

from voice.narration.file_told import did, file_told
from voice.narration.kinds import FileKind, kind_of
from voice.narration.places import places_of
from voice.narration.runs import runs_of
from voice.narration.sections import Section, Status
from voice.speaking.names_aloud import capital, count, file_names, identifier, listed, number
from voice.speaking.narrate import changes_in
from voice.speaking.spoken_text import spoken

TextsOf = Callable[[Section], tuple[str | None, str | None]]
"""Gives a file before and after its change; None where that is not known."""

_NAMED = 4
_MOVED_TOGETHER = 3  # files that went from one folder to another are told at once from so many on
_LONG_CHANGE = 200  # lines; beyond it one change is as important as another


class Level(str, Enum):
    BRIEF = "brief"
    NORMAL = "normal"
    FULL = "full"

    @property
    def files(self) -> int:
        """So many are told one by one."""
        return {Level.BRIEF: 3, Level.NORMAL: 10, Level.FULL: 60}[self]

    @property
    def clauses(self) -> int:
        """So many for each file."""
        return {Level.BRIEF: 1, Level.NORMAL: 6, Level.FULL: 40}[self]


@dataclass(frozen=True)
class Chapter:
    """A part of the narration. `title` is for a list of chapters, `clauses` are to be spoken."""

    title: str
    clauses: tuple[str, ...]


def chapters(
    sections: Sequence[Section],
    texts_of: TextsOf,
    level: Level,
    *,
    subjects: tuple[Sequence[str], int] = ((), 0),
    is_whole: bool = True,
) -> Iterator[Chapter]:
    """The chapters, each made when it is taken. `subjects` are what commits say, and how many there are."""
    if not sections:
        yield Chapter("Overview", ("Nothing has changed.",))
        return
    ranked = _in_order(sections)
    skipped = [section for section in ranked if _is_skipped(section)]
    told = [section for section in ranked if not _is_skipped(section)]
    yield Chapter("Overview", (*_headline(sections, told), *_commits(*subjects)))
    moves, told = _moves(told)
    names = dict(zip((one.path for one in told), file_names([one.path for one in told]), strict=True))
    for section in told[: level.files]:
        runs = runs_of(section) if _is_readable(section) else []
        places = places_of(section.path, runs, *texts_of(section)) if runs else ()
        is_test = kind_of(section) is FileKind.TEST
        clauses = file_told(section, names[section.path], places, is_test=is_test, most=level.clauses)
        yield Chapter(section.path, tuple(clauses))
    rest = told[level.files :]
    if rest:
        yield Chapter("More files", tuple(_rest(rest)))
    if moves:
        yield Chapter("Moved files", tuple(moves))
    if skipped:
        yield Chapter("Left out", tuple(_left_out(skipped)))
    if not is_whole:
        yield Chapter("The end", ("The changes go on, but I have read no further.",))


def _in_order(sections: Iterable[Section]) -> list[Section]:
    return sorted(
        sections,
        key=lambda section: (
            not section.conflicts,
            kind_of(section),
            -min(section.lines, _LONG_CHANGE),
            section.path,
        ),
    )


def _is_skipped(section: Section) -> bool:
    return kind_of(section) is FileKind.GENERATED and not section.conflicts


def _is_readable(section: Section) -> bool:
    return not (section.is_binary or section.is_module or section.conflicts or section.is_secret)


def _headline(sections: Sequence[Section], told: Sequence[Section]) -> list[str]:
    added, removed = sum(one.added for one in told), sum(one.removed for one in told)
    head = changes_in(len(sections))
    if not added and not removed:
        return [f"{head}."]
    tests = sum(kind_of(one) is FileKind.TEST for one in told)
    clauses = [f"{head}:", f"{did(added, removed)}."]
    if tests and len(told) > 1:
        which = "All of them are" if tests == len(sections) else f"{capital(number(tests))} of them "
        clauses.append(f"{which} tests." if tests == len(sections) else f"{which}{_are(tests)}.")
    return clauses


def _are(tests: int) -> str:
    return "is a test" if tests == 1 else "are tests"


def _commits(subjects: Sequence[str], total: int) -> list[str]:
    said = [one for subject in subjects if (one := spoken(subject).rstrip(".!? "))]
    if not said:
        return []
    if total == 1:
        return [f"The commit says: {said[0]}."]
    left = f" And {number(total - len(said))} more." if total > len(said) else ""
    return [f"{capital(number(total))} commits say:", *(f"{one}." for one in said[:-1]), f"{said[-1]}.{left}"]


def _moves(sections: list[Section]) -> tuple[list[str], list[Section]]:
    """Files that only went from one folder to another, told together; and all other sections."""
    groups: dict[tuple[str, str], list[Section]] = {}
    for section in sections:
        old, new = PurePosixPath(section.old_path), PurePosixPath(section.path)
        if section.status is Status.RENAMED and not section.lines and old.name == new.name:
            groups.setdefault((str(old.parent), str(new.parent)), []).append(section)
    together = {key: group for key, group in groups.items() if len(group) >= _MOVED_TOGETHER}
    clauses: list[str] = []
    for (old, new), group in together.items():
        named = listed(file_names([one.path for one in group[:_NAMED]]), len(group) - min(len(group), _NAMED))
        clauses += [f"{capital(count(len(group), 'file'))} moved from {_folder(old)} to {_folder(new)}:"]
        clauses += [f"{named}."]
    moved = {one.path for group in together.values() for one in group}
    return clauses, [one for one in sections if one.path not in moved]


def _folder(path: str) -> str:
    return "the top folder" if path == "." else identifier(PurePosixPath(path).name)


def _rest(sections: Sequence[Section]) -> list[str]:
    named = listed(
        file_names([one.path for one in sections[:_NAMED]]), len(sections) - min(len(sections), _NAMED)
    )
    added, removed = sum(one.added for one in sections), sum(one.removed for one in sections)
    clauses = [f"{capital(count(len(sections), 'more file', 'more files'))}:", f"{named}."]
    return [*clauses, f"These {did(added, removed)}."] if added or removed else clauses


def _left_out(sections: Sequence[Section]) -> list[str]:
    named = listed(
        file_names([one.path for one in sections[:_NAMED]]), len(sections) - min(len(sections), _NAMED)
    )
    is_are = "is" if len(sections) == 1 else "are"
    lines = sum(one.lines for one in sections)
    return [
        f"{capital(count(len(sections), 'generated file'))} {is_are} left out:",
        f"{named}, {count(lines, 'line')}." if lines else f"{named}.",
    ]
