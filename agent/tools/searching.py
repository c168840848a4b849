"""Finds lines in all files: with ripgrep where it is installed, else in the texts that the index holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.code.index import CodeIndex
from agent.permissions import is_secret
from agent.tools import process

_TIME_LIMIT_S = 15.0
_MAX_LINE_CHARS = 2_000
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
    """All that was found; `as_text` when an expression was searched for letter by letter."""

    found: tuple[Match, ...]
    as_text: bool = False


def in_index(pattern: str, index: CodeIndex) -> Matches:
    """Lines with `pattern` in any case. Anything but words is literal text.

    An expression can take for ever on one line here, and hold every thread.
    """
    is_words = _WORDS.fullmatch(pattern) is not None
    expression = re.compile(pattern if is_words else re.escape(pattern), re.IGNORECASE)
    found = tuple(
        Match(path, number, line)
        for path, source in index.sources.items()
        for number, line in enumerate(source.lines, 1)
        if expression.search(line[:_MAX_LINE_CHARS])
    )
    return Matches(found, as_text=not is_words and bool(_SPECIAL.search(pattern)))


async def with_ripgrep(
    program: str, pattern: str, root: Path, index: CodeIndex, environment: Mapping[str, str]
) -> Matches | None:
    """The same in files of any size; what is nowhere as text is tried as an expression. None if it fails."""
    is_words = _WORDS.fullmatch(pattern) is not None
    found = await _lines(program, pattern, root, index, environment, is_text=not is_words)
    if found or found is None or is_words or not _SPECIAL.search(pattern):
        return None if found is None else Matches(found)
    found = await _lines(program, pattern, root, index, environment, is_text=False)
    return Matches((), as_text=True) if found is None else Matches(found)


async def _lines(
    program: str, pattern: str, root: Path, index: CodeIndex, environment: Mapping[str, str], *, is_text: bool
) -> tuple[Match, ...] | None:
    options = ["-n", "--no-heading", "--color=never", "--null", "-i", "--max-count=500", "--no-config"]
    options += [
        "--max-filesize=50M",
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
