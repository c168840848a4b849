"""Where a project is broken so that nothing can be run: by the parsers, or by what the runners told."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

from agent.code import trees
from agent.code.index import CodeIndex
from agent.code.languages import Language, is_test_code, language_of
from agent.tools.testreport import Outcome, TestCase

_SPAN = 6  # lines shown before and after the one at fault


@dataclass(frozen=True)
class Breakage:
    """A line, counted from 1, that a parser or a compiler stopped at, and why."""

    path: str
    line: int
    message: str


def unparsable(index: CodeIndex) -> list[Breakage]:
    """The files that are not valid, each with the place where its parser gave up."""
    found: list[Breakage] = []
    for path, source in index.sources.items():
        language = language_of(path)
        if language is Language.PYTHON:
            found += _in_python(path, source.text)
        elif language is not None:
            where = trees.error_place(language, source.text)
            if where is not None:
                found.append(Breakage(path, *where))
    return found


def breakage_of(cases: Iterable[TestCase], index: CodeIndex) -> Breakage | None:
    """What keeps tests from being run; None where it lies inside a function, as any other failure does.

    A test that asks for a name which is not there says what the code lacks: it is not what is broken.
    """
    found = unparsable(index)
    told = [case for case in cases if case.outcome is Outcome.ERROR]
    if found:
        # The compiler of a file that cannot be parsed knows better than a parser that goes on.
        for case in told:
            for place, line in reversed(case.places):
                if _is_same(place, found[0].path):
                    return Breakage(found[0].path, line, _reason(case.message))
        return found[0]
    for case in told:
        for place, line in reversed(case.places):
            path = next((path for path in index.sources if _is_same(place, path)), None)
            if path is not None and not is_test_code(path):
                return Breakage(path, line, _reason(case.message))
    return None


def around(breakage: Breakage, index: CodeIndex) -> tuple[int, int]:
    """The first and the last line to be shown of a broken place."""
    count = len(index.sources[breakage.path].lines)
    return max(1, breakage.line - _SPAN), min(count, breakage.line + _SPAN)


def _is_same(place: str, path: str) -> bool:
    return place == path or place.endswith(f"/{path}")


def _in_python(path: str, text: str) -> list[Breakage]:
    try:
        ast.parse(text)
    except SyntaxError as error:
        return [Breakage(path, error.lineno or 1, error.msg)]
    except (ValueError, RecursionError, MemoryError):
        return []
    return []


def _reason(message: str) -> str:
    line = message.strip().partition("\n")[0]
    return re.sub(r"^\S+ line \d+: ", "", line)
