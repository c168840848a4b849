"""Says what tools did, from facts alone: one function per kind of fact, each giving whole clauses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from agent.facts import (
    ChangesShown,
    CommandRun,
    Committed,
    Fact,
    FileChange,
    FileEdited,
    FileRead,
    FilesListed,
    FilesRestored,
    GitStatus,
    LineChange,
    Outlined,
    Refused,
    Remarked,
    SearchFound,
    TestFailure,
    TestsRun,
)
from voice.speaking.code_aloud import change, code, value
from voice.speaking.names_aloud import capital, count, file_name, file_names, identifier, listed, number
from voice.speaking.spoken_text import spoken

_FILES_NAMED = 7  # lists up to this long are said whole
_FILES_PICKED = 4  # of a longer one, so many are named
_PLACES_NAMED = 3
_FAILURES_NAMED = 3
_CHANGES_NAMED = 2
_MESSAGE_WORDS = 14

_MANIFESTS = {"pyproject.toml", "package.json", "cargo.toml", "go.mod", "makefile", "setup.py", "pom.xml"}
_SOURCES = {".py", ".js", ".ts", ".tsx", ".rs", ".go", ".java", ".c", ".cpp", ".rb"}


def narrate(fact: Fact) -> list[str]:
    """The clauses that say `fact`, in order; the first is short."""
    if isinstance(fact, TestsRun):
        return tests_run(fact)
    if isinstance(fact, FileEdited):
        return file_edited(fact)
    if isinstance(fact, ChangesShown):
        return changes_shown(fact)
    if isinstance(fact, FilesListed):
        return files_listed(fact)
    if isinstance(fact, SearchFound):
        return search_found(fact)
    if isinstance(fact, GitStatus):
        return git_status(fact)
    if isinstance(fact, Committed):
        return committed(fact)
    if isinstance(fact, CommandRun):
        return command_run(fact)
    if isinstance(fact, FilesRestored):
        return files_restored(fact)
    if isinstance(fact, FileRead):
        return [f"I read {file_name(fact.path)}."]
    if isinstance(fact, Outlined):
        return outlined(fact)
    if isinstance(fact, Remarked):
        return [spoken(fact.text)]
    return refused(fact)


def tests_run(fact: TestsRun) -> list[str]:
    """ "Seven tests passed, one failed:", "test subtract, expected one but got five."."""
    skipped = f", {number(fact.skipped)} skipped" if fact.skipped else ""
    if not fact.failed and not fact.errors:
        return [f"{capital(all_passed(fact.passed))}{skipped}."]
    parts = [f"{count(fact.passed, 'test')} passed"] if fact.passed else []
    if fact.failed:
        parts.append(f"{number(fact.failed)} failed")
    if fact.errors:
        parts.append(f"{number(fact.errors)} could not run")
    named = fact.failures[:_FAILURES_NAMED]
    head = capital(", ".join(parts)) + skipped
    if not fact.passed:
        head = f"No test passed, {head[0].lower()}{head[1:]}"
    if not named:
        return [f"{head}."]
    clauses = [f"{head}:", *(_failure(failure) for failure in named)]
    left = len(fact.failures) - len(named)
    return [*clauses, f"And {number(left)} more."] if left > 0 else clauses


def all_passed(n_tests: int) -> str:
    """ "all eight tests passed", of a run in which none failed."""
    if n_tests == 0:
        return "no tests were run"
    # Of three wordings this was understood best: "all tests passed, eight of eight" was heard as "a debate",
    # "none failed" as "and failed", which is the opposite.
    which = {1: "the one test", 2: "both tests"}.get(n_tests, f"all {count(n_tests, 'test')}")
    return f"{which} passed"


def tests_run_briefly(fact: TestsRun) -> list[str]:
    """A failing run that was only a step on the way: "One test failed."."""
    return [f"{capital(count(fact.failed + fact.errors, 'test'))} failed."]


def file_edited(fact: FileEdited) -> list[str]:
    """ "In calc dot py, line seven, in subtract: return a plus b became return a minus b."."""
    if fact.created:
        return [f"New file {file_name(fact.path)}, {count(fact.added, 'line')}."]
    if not fact.added and not fact.removed:
        return [f"{capital(file_name(fact.path))} is as it was."]
    return _change_in(fact.path, fact.added, fact.removed, fact.changes, fact.symbol)


def changes_shown(fact: ChangesShown) -> list[str]:
    """ "Changes in two files:" and then what happened in each."""
    if not fact.files:
        return ["Nothing has changed."]
    shown = fact.files[:_FILES_NAMED]
    clauses = [f"{changes_in(len(fact.files))}:"]
    if len(fact.files) <= _PLACES_NAMED:
        for file in shown:
            clauses += _file_change(file)
        return clauses
    named = listed(file_names([file.path for file in shown]), len(fact.files) - len(shown))
    added, removed = sum(file.added for file in fact.files), sum(file.removed for file in fact.files)
    return [*clauses, f"{named}.", f"{capital(line_counts(added, removed))}."]


def files_listed(fact: FilesListed) -> list[str]:
    """ "Six files: readme dot M D, …"; of many, the count and the few that matter most."""
    where = "" if fact.directory in {"", ".", "./"} else f" in {identifier(fact.directory.rstrip('/'))}"
    if not fact.total:
        return [f"There are no files{where or ' here'}."]
    head = f"{capital(count(fact.total, 'file'))}{where}"
    if fact.total <= _FILES_NAMED and len(fact.paths) == fact.total:
        return [f"{head}:", f"{listed(file_names(fact.paths))}."]
    picked = sorted(fact.paths, key=_importance)[:_FILES_PICKED]
    if not picked:
        return [f"{head}."]
    return [f"{head},", f"among them {listed(file_names(picked))}."]


def search_found(fact: SearchFound) -> list[str]:
    """ "Three matches for parse config:" and the first places, and how many files were not searched."""
    pattern = code(fact.pattern) or "that"
    files = capital(count(fact.left_out, "large file was", "large files were"))
    rest = [f"{files} not searched."] if fact.left_out else []
    if not fact.total:
        return [f"I found no {pattern}.", *rest]
    places = [f"{file_name(path)} line {number(line)}" for path, line in fact.places[:_PLACES_NAMED]]
    if fact.total == 1 and places:
        return [f"I found {pattern} once:", f"{places[0]}.", *rest]
    head = f"{capital(count(fact.total, 'match', 'matches'))} for {pattern}"
    named = [f"{head}:", f"{listed(places, fact.total - len(places))}."] if places else [f"{head}."]
    return [*named, *rest]


def outlined(fact: Outlined) -> list[str]:
    """ "Calc dot py defines:" and the names at its top."""
    names = [identifier(name) for name, _, _ in fact.symbols if "." not in name]
    name = capital(file_name(fact.path))
    if not names:
        return [f"{name} defines nothing that I know of."]
    shown = names[:_FILES_NAMED]
    return [f"{name} defines:", f"{listed(shown, len(names) - len(shown))}."]


def git_status(fact: GitStatus) -> list[str]:
    """ "On branch main:" and which files are changed, added, deleted or new."""
    branch = f"On branch {identifier(fact.branch)}" if fact.branch else "On no branch"
    kinds = (
        (fact.modified, "changed"),
        (fact.added, "added"),
        (fact.deleted, "deleted"),
        (fact.untracked, "not tracked"),
    )
    parts = [f"{count(len(paths), 'file')} {what}, {_few(paths)}" for paths, what in kinds if paths]
    if not parts:
        return [f"{branch}, nothing to commit."]
    return [f"{branch}:", *(f"{capital(part)}." for part in parts)]


def committed(fact: Committed) -> list[str]:
    """ "Committed two files:" and the message."""
    title = spoken(fact.message.strip().partition("\n")[0]).rstrip(".")
    head = f"Committed {count(fact.files, 'file')}"
    return [f"{head}:", f"{title}."] if title else [f"{head}."]


def command_run(fact: CommandRun) -> list[str]:
    """ "make lint is done.", or how it failed and its last line; then what it had left running."""
    name = code(fact.command) or "the command"
    if fact.timed_out:
        clauses = [f"I stopped {name}, it took too long."]
    elif fact.exit_status:
        clauses = [f"{capital(name)} failed, exit status {number(abs(fact.exit_status))}."]
    else:
        clauses = [f"{capital(name)} is done."]
    last = spoken(fact.last_line).split()
    if last and (fact.exit_status or fact.lines == 1):
        clauses.append(f"It says: {' '.join(last[:_MESSAGE_WORDS]).rstrip('.,:;')}.")
    if fact.left_behind:
        clauses.append(
            f"It had left {count(len(fact.left_behind), 'process', 'processes')} running, which I ended."
        )
    return clauses


def files_restored(fact: FilesRestored) -> list[str]:
    """ "Taken back: calc dot py is as it was before." and which files are gone or there again."""
    clauses = ["Done again:" if fact.again else "Taken back:"]
    if fact.changed:
        were = "is" if len(fact.changed) == 1 else "are"
        state = "changed again" if fact.again else "as before"
        clauses.append(f"{capital(_few(fact.changed))} {were} {state}.")
    if fact.removed:
        were = "is" if len(fact.removed) == 1 else "are"
        clauses.append(f"{capital(_few(fact.removed))} {were} gone.")
    if fact.returned:
        were = "is" if len(fact.returned) == 1 else "are"
        clauses.append(f"{capital(_few(fact.returned))} {were} back.")
    if fact.left:
        clauses.append(f"I could not follow {_few(fact.left)}, so that stays as it is.")
    return clauses


def refused(fact: Refused) -> list[str]:
    """The reason, which is fit to be spoken as it is."""
    reason = spoken(fact.reason)
    return [reason if reason[-1:] in {".", "!", "?"} else f"{reason}."] if reason else []


def _failure(failure: TestFailure) -> str:
    name = identifier(failure.name) or "a test"
    if failure.expected or failure.got:
        return f"{name}, expected {value(failure.expected)} but got {value(failure.got)}."
    message = spoken(failure.message.strip().partition("\n")[0]).split()
    if not message:
        return f"{name}."
    return f"{name}, {' '.join(message[:_MESSAGE_WORDS]).rstrip('.,:;')}."


def _file_change(file: FileChange) -> list[str]:
    name = file_name(file.path)
    if file.status == "added":
        return [f"New file {name}, {count(file.added, 'line')}."]
    if file.status == "deleted":
        return [f"{capital(name)} was deleted."]
    if file.status == "renamed" and not file.added and not file.removed:
        return [f"{capital(name)} was renamed."]
    return _change_in(file.path, file.added, file.removed, file.changes, file.symbol)


def _change_in(path: str, added: int, removed: int, changes: Sequence[LineChange], symbol: str) -> list[str]:
    """Each place of a small change in words; a large one by its line counts and where it lies."""
    place = f", in {identifier(symbol)}" if symbol else ""
    said = [(one.line, comment_added(one) or change(one.before, one.after)) for one in changes]
    told = [(line, what) for line, what in said if what]
    is_small = max(added, removed) <= _CHANGES_NAMED and len(told) == len(said) <= _CHANGES_NAMED
    name = file_name(path)
    if not is_small or not told:
        return [f"In {name}{place}: {line_counts(added, removed)}."]
    line, what = told[0]
    clauses = [f"In {name}, line {number(line)}{place}: {what}."]
    return clauses + [f"Line {number(line)}: {what}." for line, what in told[1:]]


def comment_added(one: LineChange) -> str:
    """A new comment or docstring in words, for its marks say nothing to the ear; empty for other lines."""
    marks = ('"""', "'''", "//", "/*", "# ", "*")
    if one.before or not one.after.startswith(marks):
        return ""
    text = spoken(one.after.strip("\"'/*# "))
    return f"a comment was added, {text}".rstrip(". ") if text else "a comment was added"


def changes_in(n_files: int) -> str:
    """ "Changes in two files"; of "two files changed" the first word is misheard."""
    return f"Changes in {count(n_files, 'file')}"


def line_counts(added: int, removed: int) -> str:
    """ "Three lines added and one line removed", in lower case."""
    if added and removed:
        return f"{count(added, 'line')} added and {count(removed, 'line')} removed"
    return f"{count(added, 'line')} added" if added else f"{count(removed, 'line')} removed"


def _few(paths: Sequence[str]) -> str:
    named = file_names(paths)[:_FILES_PICKED]
    return listed(named, len(paths) - len(named))


def _importance(path: str) -> tuple[int, int, str]:
    """Sorts what one asks about first to the front: the readme, the manifest, then sources near the top."""
    pure = PurePosixPath(path)
    name = pure.name.lower()
    is_test = name.startswith("test_") or "tests" in pure.parts
    if name.startswith("readme"):
        rank = 0
    elif name in _MANIFESTS:
        rank = 1
    elif pure.suffix in _SOURCES and not is_test and not name.startswith("_"):
        rank = 2
    else:
        rank = 4 if is_test or name.startswith((".", "_")) else 3
    return rank, len(pure.parts), path
