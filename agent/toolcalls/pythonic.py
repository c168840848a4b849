"""Calls written as Python: `[read_file(path="a.py", limit=5), run_tests()]`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.toolcalls.calls import Call, Outlet
from agent.toolcalls.declared import Declared
from agent.toolcalls.literals import PYTHON, more, value
from agent.toolcalls.source import Malformed, Source, Unfinished, Wait

_NAME = re.compile(r"[\w.\-]+")
_KEYWORD = re.compile(r"\s*[A-Za-z_]\w*\s*=[^=]")
_KEY = re.compile(r"\w+")
_KEY_CHARS = 140


def calls(source: Source, outlet: Outlet) -> Wait[None]:
    """A list of calls, one call, or one inside `print()`."""
    yield from source.space()
    if (yield from source.accept("[")):
        while (yield from more(source, "]")):
            yield from call(source, outlet)
        return
    is_printed = bool((yield from source.accept("print(")))
    yield from call(source, outlet)
    yield from source.space()
    if is_printed:
        yield from source.accept(")")


def call(source: Source, outlet: Outlet) -> Wait[None]:
    """One call."""
    name = yield from source.word(_NAME, 128)
    yield from source.space()
    if not name or not (yield from source.accept("(")):
        if not (yield from source.peek()):
            raise Unfinished("the call was not finished")
        raise Malformed("a call is written as name(argument=value)")
    begun = outlet.begin(name)
    yield from members(source, begun)
    begun.finish()


def members(source: Source, call: Call) -> Wait[None]:
    """The arguments and the bracket after them. Those without a name are taken in the declared order."""
    index, is_first = 0, True
    while True:
        yield from source.space()
        if not is_first and not (yield from source.follows(",", ")")):
            yield from _refuse(source)
        if not (yield from more(source, ")")):
            return
        if (yield from source.lookahead(_KEYWORD, _KEY_CHARS)):
            call.begin((yield from source.word(_KEY, 128)))
            yield from source.space()
            yield from source.accept("=")
        else:
            call.position(index)
            index += 1
        call.value((yield from value(source, PYTHON, call.text)))
        is_first = False


def starts(tools: Sequence[Declared]) -> tuple[str, ...]:
    """How a message that is nothing but calls begins."""
    return ("[", *(f"{tool.name}(" for tool in tools))


def _refuse(source: Source) -> Wait[None]:
    char = yield from source.peek()
    if not char:
        raise Unfinished("the call was not finished")
    raise Malformed(f"a comma or a bracket was expected, but there is {char!r}")
