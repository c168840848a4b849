"""What a tool is doing while it runs, in words that follow "Still": "running the tests"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice.speaking.names_aloud import file_name, identifier

_DOING = {
    "list_files": "listing the files",
    "search": "searching",
    "run_tests": "running the tests",
    "git_status": "looking at what is not committed",
    "git_diff": "looking at what changed",
    "git_commit": "committing",
    "rename": "renaming",
    "run": "running a command",
    "undo": "taking the change back",
    "redo": "making the change again",
    "say": "",
}
_READING = {"read_file", "outline"}
_ONLY_LOOKS = _READING | {"list_files", "search", "run_tests", "git_status", "git_diff", "say"}


def doing(tool: str, arguments: Mapping[str, Any]) -> str:
    """Empty for what takes no time."""
    if tool in _DOING:
        return _DOING[tool]
    verb = "reading" if tool in _READING else "changing"
    path, name = arguments.get("path"), arguments.get("name")
    if path:
        return f"{verb} {file_name(str(path))}"
    return f"{verb} {identifier(str(name))}" if name else f"{verb} the code"


def has_effect(tool: str) -> bool:
    """Whether a call of the tool may have changed something by the time it is interrupted."""
    return tool not in _ONLY_LOOKS
