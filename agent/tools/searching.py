"""Finds lines in all files: with ripgrep where it is installed, else in the texts that the index holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from agent.code.index import CodeIndex
from agent.permissions import is_secret
from agent.tools import process
from agent.workspace import Workspace, WorkspaceError

_TIME_LIMIT_S = 15.0
_MAX_LINE_CHARS = 2_000
_MAX_FILE_BYTES = 50_000_000
_MAX_LARGE_BYTES = 100_000_000  # of all the files that are read for one search
_MOST_IN_A_FILE = 500  # lines that fit
_HEAD_BYTES = 8_192  # where a file that is no text shows it
# The few expressions that need no library: whole names, one of several words.
_WORDS = re.compile(r"\\b\w+\\b|\w+(?:\|\w+)*")
_SPECIAL = re.compile(r"[\\^$*+?\[\](){}|.]")


@dataclass(frozen=True)
class Match:
    path: str
    line: int  # counted from 1
    text: str


@dataclass(frozen=True)
class Matches:
    """All that was found; `as_text` when an expression was searched for letter by letter.

    `left_out` are the files that were too large to be searched.
    """

    found: tuple[Match, ...]
    as_text: bool = False
    left_out: tuple[str, ...] = ()


def in_index(pattern: str, index: CodeIndex, workspace: Workspace) -> Matches:
    """Lines with `pattern` in any case. Anything but words is literal text.

    An expression can take for ever on one line here, and hold every thread. Files that are too large for the
    index are read from the disk, up to a limit.
    """
    is_words = _WORDS.fullmatch(pattern) is not None
    expression = re.compile(pattern if is_words else re.escape(pattern), re.IGNORECASE)
    found = tuple(
        Match(path, number, line)
        for path, source in index.sources.items()
        for number, line in enumerate(source.lines, 1)
        if expression.search(line[:_MAX_LINE_CHARS])
    )
    left_bytes, left_out = _MAX_LARGE_BYTES, list[str]()
    for path, size in sorted(index.large.items(), key=lambda item: item[1]):
        if size > min(left_bytes, _MAX_FILE_BYTES):
            left_out.append(path)
            continue
        left_bytes -= size
        found += _on_disk(path, expression, workspace)
    return Matches(
        found, not is_words and bool(_SPECIAL.search(pattern)), _texts(left_out, workspace.resolve)
    )


def _on_disk(path: str, expression: re.Pattern[str], workspace: Workspace) -> tuple[Match, ...]:
    """The lines of a file that is read piece by piece; none of one that is no text or cannot be read."""
    if not _texts([path], workspace.resolve):
        return ()
    try:
        with workspace.resolve(path).open("rb") as stream:
            lines = ((n, line[:_MAX_LINE_CHARS]) for n, line in enumerate(stream, 1))
            texts = ((n, line.decode("utf-8", "replace").rstrip("\r\n")) for n, line in lines)
            found = (Match(path, n, text) for n, text in texts if expression.search(text))
            return tuple(islice(found, _MOST_IN_A_FILE))
    except (OSError, WorkspaceError):
        return ()


def _texts(paths: Iterable[str], place_of: Callable[[str], Path]) -> tuple[str, ...]:
    """Those of the files that begin like text: in a film or a model nobody looks for words."""
    found: list[str] = []
    for path in paths:
        try:
            with place_of(path).open("rb") as stream:
                if b"\0" not in stream.read(_HEAD_BYTES):
                    found.append(path)
        except (OSError, WorkspaceError):
            continue
    return tuple(found)


async def with_ripgrep(
    program: str, pattern: str, root: Path, index: CodeIndex, environment: Mapping[str, str]
) -> Matches | None:
    """The same in files of any size; what is nowhere as text is tried as an expression. None if it fails."""
    is_words = _WORDS.fullmatch(pattern) is not None
    large = [path for path, size in index.large.items() if size > _MAX_FILE_BYTES]
    left_out = _texts(large, root.joinpath)
    found = await _lines(program, pattern, root, index, environment, is_text=not is_words)
    if found or found is None or is_words or not _SPECIAL.search(pattern):
        return None if found is None else Matches(found, left_out=left_out)
    found = await _lines(program, pattern, root, index, environment, is_text=False)
    return Matches(found or (), as_text=found is None, left_out=left_out)


async def _lines(
    program: str, pattern: str, root: Path, index: CodeIndex, environment: Mapping[str, str], *, is_text: bool
) -> tuple[Match, ...] | None:
    options = [
        "-n",
        "--no-heading",
        "--color=never",
        "--null",
        "-i",
        f"--max-count={_MOST_IN_A_FILE}",
        "--no-config",
    ]
    options += [
        f"--max-filesize={_MAX_FILE_BYTES}",
        "--hidden",
        f"--max-columns={_MAX_LINE_CHARS}",
        *(["-F"] if is_text else []),
    ]
    # Finding nothing is status 1.
    command = [program, *options, "-e", pattern, "--", "."]
    script = ["sh", "-c", '"$@" || [ $? = 1 ]', "sh", *command]
    output = await process.output_of(script, root, environment, _TIME_LIMIT_S)
    if output is None:
        return None
    ours = {path for path in index.files if not is_secret(path)}
    found: list[Match] = []
    for line in output.decode("utf-8", "replace").splitlines():
        path, mark, rest = line.partition("\0")
        number, colon, text = rest.partition(":")
        path = path.removeprefix("./")
        if mark and colon and number.isdigit() and path in ours:
            found.append(Match(path, int(number), text))
    return tuple(found)
