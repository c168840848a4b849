"""GLM 4.5 to 4.7: the name, then `<arg_key>` and `<arg_value>` pairs, inside `<tool_call>`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from agent.toolcalls import jsoncalls
from agent.toolcalls.calls import Call, Outlet
from agent.toolcalls.declared import Declared
from agent.toolcalls.reply import Format, Opening
from agent.toolcalls.source import Malformed, Source, Unfinished, Wait

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_KEY, _KEY_END = "<arg_key>", "</arg_key>"
_VALUE, _VALUE_END = "<arg_value>", "</arg_value>"
_NAME = re.compile(r"[^\s<>{}]+")
_AFTER_VALUE = re.compile(r"\s*(?:<arg_key>|</tool_call>)")
_AFTER_CHARS = 80


def _tagged(source: Source, outlet: Outlet) -> Wait[None]:
    yield from source.space()
    if (yield from source.follows("{", "[")):
        yield from jsoncalls.calls(source, outlet)
        yield from source.space()
        yield from source.accept(_CLOSE)
        return
    call = outlet.begin((yield from source.word(_NAME, 128)))
    yield from source.space()
    if (yield from source.follows("{")):
        yield from jsoncalls.arguments(source, call)
    yield from _pairs(source, call)


def _pairs(source: Source, call: Call, *, in_key: bool = False) -> Wait[None]:
    while True:
        yield from source.space()
        if in_key or (yield from source.accept(_KEY)):
            in_key = False
            yield from _pair(source, call)
        elif (yield from source.accept(_CLOSE)):
            call.finish()
            return
        elif not (yield from source.peek()):
            raise Unfinished("the call was not finished")
        else:
            raise Malformed(f"{_KEY} or {_CLOSE} was expected")


def _pair(source: Source, call: Call) -> Wait[None]:
    name: list[str] = []
    if not (yield from source.until((_KEY_END,), name.append)):
        raise Unfinished("the name of an argument was not finished")
    call.begin("".join(name).strip())
    yield from source.space()
    if not (yield from source.accept(_VALUE)):
        raise Malformed(f"{_VALUE} must follow the name of an argument")
    while True:
        marker = yield from source.until((_VALUE_END,), call.text)
        if not marker:
            raise Unfinished("the value of an argument was not finished")
        if (yield from source.lookahead(_AFTER_VALUE, _AFTER_CHARS)):
            break
        call.text(marker)
    call.end_text(is_typed=False)


def _after_name(name: str) -> Opening:
    def read(source: Source, outlet: Outlet) -> Wait[None]:
        yield from _pairs(source, outlet.begin(name), in_key=True)

    return Opening(read, (_CLOSE,))


def _openings(tools: Sequence[Declared]) -> Mapping[str, Opening]:
    recovered = {
        f"{tool.name}{space}{_KEY}": _after_name(tool.name) for tool in tools for space in ("", "\n")
    }
    return {_OPEN: Opening(_tagged, (_CLOSE,)), **recovered}


GLM = Format("glm", openings=_openings)
