"""Reads a call's arguments forgivingly: what a model writes beside the mark but can only mean one thing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from agent.errors import UtterError
from agent.workspace import Workspace

_OTHER_NAMES = {
    "path": ("file", "file_path", "filename", "file_name", "filepath"),
    "new": ("content", "contents", "text", "code", "new_string", "new_str", "replacement", "new_text"),
    "old": ("old_string", "old_str", "search", "old_text", "find"),
    "name": ("symbol", "function", "function_name"),
    "pattern": ("query", "text", "regex", "search"),
    "message": ("msg", "text"),
    "start": ("first_line", "start_line", "from", "offset", "line"),
    "end": ("last_line", "end_line", "to"),
    "text": ("message", "answer", "content"),
    "command": ("cmd", "script", "shell_command", "commands"),
}


class BadArgument(UtterError):
    """An argument is missing, or is not what it has to be; the message says what is wanted."""


def text(arguments: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """The argument as text; a list of lines is joined. Raises `BadArgument` where there is none."""
    value = _given(arguments, name)
    if value is None:
        if default is None:
            raise BadArgument(f"`{name}` is missing")
        return default
    if isinstance(value, (list, tuple)):
        return "\n".join(str(line) for line in value)
    return str(value)


def line_number(arguments: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """The argument as a line counted from 1: `12`, `"12"`, `"line 12"`."""
    value = _given(arguments, name)
    if value is None or value == "":
        if default is None:
            raise BadArgument(f"`{name}` is missing")
        return default
    found = re.fullmatch(r"\s*(?:lines?\s*)?L?(\d{1,9})(?:\.0)?\s*", str(value), re.IGNORECASE)
    if found is None:
        raise BadArgument(f"`{name}` has to be a line number")
    return max(1, int(found[1]))


def path(arguments: Mapping[str, Any], workspace: Workspace, known: Sequence[str]) -> str:
    """The workspace-relative name of a file: `./a.py`, a whole path, or the only file of that name.

    A file that is not there is named back as it was given.
    """
    given = text(arguments, "path").strip().strip("`'\"").strip()
    if given.startswith("file://"):
        given = given[len("file://") :]
    place = workspace.resolve(given)
    name = workspace.relative(place)
    if place.exists() or "/" in given.removeprefix("./"):
        return name
    same = [other for other in known if other.rpartition("/")[2] == name]
    return same[0] if len(same) == 1 else name


def nearest(name: str, known: Sequence[str]) -> str:
    """ "; did you mean …", or nothing."""
    by_end = {other.rpartition("/")[2].lower(): other for other in known}
    near = get_close_matches(name.rpartition("/")[2].lower(), list(by_end), n=3, cutoff=0.6)
    return f"; did you mean {', '.join(by_end[one] for one in near)}" if near else ""


def _given(arguments: Mapping[str, Any], name: str) -> Any:
    if name in arguments:
        return arguments[name]
    return next((arguments[other] for other in _OTHER_NAMES.get(name, ()) if other in arguments), None)
