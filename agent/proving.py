"""The model's words on their way out: none states how the tests went, unless a run says the same."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import TypeVar, cast

from agent.events import TextDelta
from agent.tools.toolbox import Toolbox
from agent.verdicts import Verdict, names_tests, verdict_in

T = TypeVar("T")  # an event, of which words are one kind

_CLAUSE = re.compile(r".*[.!?;:,](?=\s)", re.DOTALL)
_SENTENCE = re.compile(r".*[.!?](?=\s)", re.DOTALL)
# What a verdict may begin with, and the words that it cannot do without.
_LEADS = (
    "all", "no", "none", "not", "every", "each", "the", "both", "any", "some", "most", "of", "my", "our",
    "your", "these", "those", "one", "two", "three", "yes", "unit",
)  # fmt: skip
_WATCHED = (
    "tests", "specs", "suites", "pytest", "unittests", "everything", "passed", "failed", "failing", "broken",
    "passing",
)  # fmt: skip

# "The change made all tests pass."
_SUBJECTS = ("change", "fix", "edit", "patch", "modification", "update", "made", "makes")


def _begun(words: tuple[str, ...]) -> str:
    """A pattern for the beginnings of these words."""
    found = {word[:size] for word in words for size in range(1, len(word) + 1)}
    return "|".join(sorted(found, key=len, reverse=True))


_MAY_BE_VERDICT = re.compile(
    rf"(?:\b(?:{'|'.join(_LEADS)}|\d+)\b[\s,]*)*"
    rf"(?:\b(?:{'|'.join(word.rstrip('s') for word in (*_WATCHED, *_SUBJECTS))}).*"
    rf"|\b(?:{_begun((*_LEADS, *_WATCHED, *_SUBJECTS))}|\d+)$|$)",
    re.IGNORECASE | re.DOTALL,
)


class Unproven(Exception):
    """The model states how the tests went, and no run of the files as they are says so."""


async def proven(steps: AsyncGenerator[T, None], request: str, toolbox: Toolbox) -> AsyncGenerator[T, None]:
    """Pass `steps` on; raises `Unproven` before a verdict on the tests that no run bears out.

    Words that may become one wait for the end of their clause; where the request speaks of tests, all wait
    for the end of their sentence: "yes" may be half a verdict.
    """
    is_about_tests = names_tests(request)
    text, out = "", 0  # of what was written, so much has gone out
    async for step in steps:
        if isinstance(step, TextDelta):
            text += step.text
            end = out if is_about_tests else _safe(text, out)
            whole = (_SENTENCE if is_about_tests else _CLAUSE).match(text)
            if whole is not None and whole.end() > end:
                end = await _checked(text, out, whole.end(), toolbox)
        else:
            end = await _checked(text, out, len(text), toolbox)
        if end > out:
            yield cast(T, TextDelta(text[out:end]))
            out = end
        if not isinstance(step, TextDelta):
            yield step
    if await _checked(text, out, len(text), toolbox) > out:
        yield cast(T, TextDelta(text[out:]))


def _safe(text: str, out: int) -> int:
    """How far `text`, of which `out` characters have gone out, can be no part of a verdict."""
    found = _MAY_BE_VERDICT.search(text, out)
    return found.start() if found is not None else len(text)


async def _checked(text: str, out: int, end: int, toolbox: Toolbox) -> int:
    """`end`, unless a sentence that reaches behind `out` states what no run says."""
    start = whole.end() if (whole := _SENTENCE.match(text[:out])) is not None else 0
    if end > out and not await is_borne_out(text[start:end], toolbox):
        raise Unproven
    return end


async def is_borne_out(words: str, toolbox: Toolbox) -> bool:
    """Whether `words` state nothing of how the tests went, or what the last run of these files showed."""
    verdicts = {verdict for part in re.split(r"(?<=[.!?])\s+", words) if (verdict := verdict_in(part))}
    if not verdicts:
        return True
    report = await toolbox.known_report()
    if report is None or report.trouble:
        return False
    return verdicts == {Verdict.FAIL if report.broken else Verdict.PASS}
