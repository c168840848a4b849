"""From what was asked for on the command line to the changes that are to be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from voice.narration.repository import NarrationError, Repository, Sources, read_diff
from voice.narration.sections import Section


@dataclass(frozen=True)
class Changes:
    """The sections of a diff, whether they are all, where the files are, and what the commits say."""

    sections: tuple[Section, ...]
    is_whole: bool
    sources: Sources
    subjects: tuple[str, ...] = ()
    commits: int = 0


def read_changes(asked: str | None, folder: Path, *, staged: bool) -> Changes:
    """`asked` is a revision, a range or the path of a diff; None means all that is not committed.

    Raises `NarrationError` when there is no repository, no such revision and no such file.
    """
    is_diff = asked is not None and (asked.endswith((".diff", ".patch")) or Path(asked).is_file())
    if asked is not None and is_diff:
        if staged:
            raise NarrationError("A file with a diff cannot be staged. Leave out --staged or the file.")
        sections, is_whole = read_diff(Path(asked))
        return Changes(tuple(sections), is_whole, Sources(None))
    repository = Repository(folder)
    if asked is not None and not repository.knows(asked):
        raise NarrationError(
            f"There is no revision, range or file {asked!r} in {repository.root}. "
            "`git log --oneline` lists the commits."
        )
    sections, is_whole = repository.diff(asked, staged=staged)
    is_range = asked is not None and ".." in asked
    subjects, commits = repository.subjects(asked) if asked is not None and is_range else ([], 0)
    sources = Sources(repository, is_work_tree=not staged and not is_range)
    return Changes(tuple(sections), is_whole, sources, tuple(subjects), commits)
