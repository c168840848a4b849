"""Gemma. Version 3 has no format of its own and is asked for a fence; version 4 and FunctionGemma write
`call:NAME{key:value}`, with strings between marks of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

from agent.toolcalls import jsoncalls, pythonic
from agent.toolcalls.calls import Call, Outlet
from agent.toolcalls.declared import Declared
from agent.toolcalls.literals import FUNCTION_GEMMA, GEMMA_4, Notation, key, more, value
from agent.toolcalls.reply import Format, Opening
from agent.toolcalls.source import Malformed, Source, Unfinished, Wait

_FENCES = ("```tool_code", "```tool_call")
_GEMMA_4_OPEN = ("<|tool_call>", "<|tool_call:", "<tool_call:")
_GEMMA_4_END = "<tool_call|>"
_FUNCTION_OPEN, _FUNCTION_END = "<start_function_call>", "<end_function_call>"
_NAME = re.compile(r"[\w.\-]+")
_WORD = re.compile(r"[-+]?\.?\d|true|false|null|True|False|None|\{|\[")
_AFTER_STRING = re.compile(r"\s*(?:,\s*[\w\-]+\s*:|[})])")
_AFTER_CHARS = 140


def _fenced(source: Source, outlet: Outlet) -> Wait[None]:
    yield from source.accept("s")  # of ```tool_calls
    yield from _prompted(source, outlet)
    yield from source.space()
    yield from source.accept("```")


def _prompted(source: Source, outlet: Outlet) -> Wait[None]:
    yield from source.space()
    if (yield from source.follows("{", "[{")):
        yield from jsoncalls.calls(source, outlet)
    else:
        yield from pythonic.calls(source, outlet)


def _named(notation: Notation, end: str, source: Source, outlet: Outlet) -> Wait[None]:
    yield from source.space()
    yield from source.accept("call:")
    name = yield from source.word(_NAME, 128)
    if not name:
        raise Malformed("a call is written as call:name{key:value}")
    call = outlet.begin(name)
    yield from source.space()
    if (yield from source.accept("{")):
        yield from _members(source, call, notation, "}")
    elif (yield from source.accept("(")):
        yield from _members(source, call, notation, ")")
    elif not (yield from source.peek()):
        raise Unfinished("the call was not finished")
    else:
        raise Malformed("the arguments must stand in braces")
    call.finish()
    yield from source.space()
    yield from source.accept(end)


def _members(source: Source, call: Call, notation: Notation, closing: str) -> Wait[None]:
    while (yield from more(source, closing)):
        call.begin((yield from key(source, notation)))
        yield from source.space()
        if call.wants_text and not (yield from source.follows(*notation.quotes)):
            yield from _unopened(source, call, notation)
        else:
            call.value((yield from value(source, notation, call.text)))
        yield from source.space()
        if not (yield from source.follows(",", closing)):
            char = yield from source.peek()
            if not char:
                raise Unfinished("the call was not finished")
            raise Malformed(f"a comma or {closing} was expected, but there is {char!r}")


def _unopened(source: Source, call: Call, notation: Notation) -> Wait[None]:
    """A string whose opening mark is missing: it must have the closing one, and the call go on behind it."""
    mark = notation.raw_quotes[0]
    if (yield from source.lookahead(_WORD, 6)):
        call.value((yield from value(source, notation, call.text)))
        return
    found = yield from source.until((mark, _GEMMA_4_END, _FUNCTION_END), call.text)
    if not found:
        raise Unfinished("a string was not finished")
    if found != mark or not (yield from source.lookahead(_AFTER_STRING, _AFTER_CHARS)):
        raise Malformed(f"text must stand between {mark} and {mark}")
    call.end_text(is_typed=True)


def _after_name(name: str, notation: Notation, end: str, closing: str) -> Opening:
    def read(source: Source, outlet: Outlet) -> Wait[None]:
        call = outlet.begin(name)
        yield from _members(source, call, notation, closing)
        call.finish()
        yield from source.space()
        yield from source.accept(end)

    return Opening(read, (end,))


def _openings(
    opens: tuple[str, ...], end: str, notation: Notation, tools: Sequence[Declared]
) -> Mapping[str, Opening]:
    named = Opening(partial(_named, notation, end), (end,))
    recovered = {
        f"call:{tool.name}{bracket}": _after_name(tool.name, notation, end, closing)
        for tool in tools
        for bracket, closing in (("{", "}"), ("(", ")"))
    }
    return {**dict.fromkeys(opens, named), **recovered}


def _fences(tools: Sequence[Declared]) -> Mapping[str, Opening]:
    return dict.fromkeys(_FENCES, Opening(_fenced, ("```",)))


GEMMA_3 = Format("gemma3", "\n```", _fences, _prompted, lambda tools: ("{", *pythonic.starts(tools)))
GEMMA_4_FORMAT = Format("gemma4", _GEMMA_4_END, partial(_openings, _GEMMA_4_OPEN, _GEMMA_4_END, GEMMA_4))
FUNCTION_GEMMA_FORMAT = Format(
    "function_gemma", _FUNCTION_END, partial(_openings, (_FUNCTION_OPEN,), _FUNCTION_END, FUNCTION_GEMMA)
)
