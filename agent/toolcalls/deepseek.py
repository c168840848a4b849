"""DeepSeek: V3 and R1 with a fence of JSON, V3.1 with JSON alone, V3.2 with tags of its own (DSML)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from agent.toolcalls import jsoncalls
from agent.toolcalls.calls import Call, Outlet
from agent.toolcalls.declared import Declared
from agent.toolcalls.reply import Format, Opening
from agent.toolcalls.source import Malformed, Source, Unfinished, Wait

_CALLS, _CALLS_END = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"
_CALL, _CALL_END, _SEPARATOR = "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", "<｜tool▁sep｜>"
_BLOCK, _BLOCK_END = "<｜DSML｜function_calls>", "</｜DSML｜function_calls>"
_INVOKE, _INVOKE_END = '<｜DSML｜invoke name="', "</｜DSML｜invoke>"
_PARAMETER, _PARAMETER_END = '<｜DSML｜parameter name="', "</｜DSML｜parameter>"
_NAME = re.compile(r"[\w.\-]+")
_KEY = re.compile(r'[^"<>\n]+')
_AFTER_VALUE = re.compile(rf"\s*(?:{_PARAMETER}|{_INVOKE_END}|{_BLOCK_END})")
_AFTER_CHARS = 80


def _calls(source: Source, outlet: Outlet) -> Wait[None]:
    """Any number of calls after the mark that begins them."""
    while True:
        yield from source.space()
        if not (yield from source.accept(_CALL)):
            break
        yield from _call(source, outlet)
    yield from source.accept(_CALLS_END)


def _one(source: Source, outlet: Outlet) -> Wait[None]:
    yield from _call(source, outlet)
    yield from _calls(source, outlet)


def _call(source: Source, outlet: Outlet) -> Wait[None]:
    yield from source.space()
    name = yield from source.word(_NAME, 128)
    if not (yield from source.accept(_SEPARATOR)):
        if not (yield from source.peek()):
            raise Unfinished("the call was not finished")
        raise Malformed(f"{_SEPARATOR} must follow the name")
    if name == "function":  # the kind of tool comes first, then its name
        yield from source.space()
        name = yield from source.word(_NAME, 128)
    call = outlet.begin(name)
    yield from source.space()
    fence = yield from source.accept("```json", "```")
    yield from jsoncalls.arguments(source, call)
    yield from source.space()
    if fence:
        yield from source.accept("```")
        yield from source.space()
    call.finish()
    yield from source.accept(_CALL_END)


def _block(source: Source, outlet: Outlet) -> Wait[None]:
    while True:
        yield from source.space()
        if not (yield from source.accept(_INVOKE)):
            break
        yield from _invoke(source, outlet)
    yield from source.accept(_BLOCK_END)


def _invoked(source: Source, outlet: Outlet) -> Wait[None]:
    yield from _invoke(source, outlet)
    yield from _block(source, outlet)


def _invoke(source: Source, outlet: Outlet) -> Wait[None]:
    call = outlet.begin((yield from source.word(_KEY, 128)))
    if not (yield from source.accept('">')):
        raise Malformed("the name of a tool must end its tag")
    while True:
        yield from source.space()
        if (yield from source.accept(_PARAMETER)):
            yield from _parameter(source, call)
        elif (yield from source.accept(_INVOKE_END)):
            call.finish()
            return
        elif not (yield from source.peek()):
            raise Unfinished("the call was not finished")
        else:
            raise Malformed("a parameter or the end of the call was expected")


def _parameter(source: Source, call: Call) -> Wait[None]:
    call.begin((yield from source.word(_KEY, 128)))
    yield from source.accept('"')
    yield from source.space()
    is_typed = bool((yield from source.accept('string="true"')))
    if not is_typed:
        yield from source.accept('string="false"')
    yield from source.space()
    if not (yield from source.accept(">")):
        raise Malformed("the tag of a parameter must end with >")
    while True:
        marker = yield from source.until((_PARAMETER_END,), call.text)
        if not marker:
            raise Unfinished("the value of a parameter was not finished")
        if (yield from source.lookahead(_AFTER_VALUE, _AFTER_CHARS)):
            break
        call.text(marker)
    call.end_text(is_typed=is_typed)


def _openings(tools: Sequence[Declared]) -> Mapping[str, Opening]:
    tokens, tags = (_CALL_END, _CALLS_END), (_INVOKE_END, _BLOCK_END)
    return {
        _CALLS: Opening(_calls, tokens),
        _CALL: Opening(_one, tokens),
        _BLOCK: Opening(_block, tags),
        _INVOKE: Opening(_invoked, tags),
    }


DEEPSEEK = Format("deepseek", _CALL_END + _CALLS_END, _openings)
DEEPSEEK_DSML = Format("deepseek_dsml", f"\n{_BLOCK_END}", _openings)
