"""Whether a file would still be what its name says after a change. Pure."""

from __future__ import annotations

import json
import sys
from pathlib import PurePosixPath

from agent.code import trees
from agent.code.languages import Language, language_of
from agent.code.symbols import parse
from agent.tools.definition import syntax_error

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]


def broken(path: str, before: str, after: str) -> str:
    """Why `after` must not be written: it would not parse, although `before` did (or was empty)."""
    language, suffix = language_of(path), PurePosixPath(path).suffix
    if language is Language.PYTHON:
        return syntax_error(after) if parse(before) is not None else ""
    if language is not None:
        return trees.syntax_error(language, after) if not trees.syntax_error(language, before) else ""
    try:
        if suffix == ".json":
            json.loads(after)
        elif suffix == ".toml":
            tomllib.loads(after)
    except ValueError as error:
        return f"{path} would not be valid any more: {error}"
    return ""
