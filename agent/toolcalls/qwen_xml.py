"""Qwen3-Coder, Qwen 3.5 and Nemotron: `<function=NAME>` with a `<parameter=KEY>` each, inside `<tool_call>`.

Values stand as they are, without escapes, between line ends that are not part of them. The model often leaves
the opening `<tool_call>` out: the name of a declared tool in `<function=` makes it certain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from agent.toolcalls import jsoncalls
from agent.toolcalls.calls import Call, Outlet
from agent.toolcalls.declared import Declared
from agent.toolcalls.reply import Format, Opening
from agent.toolcalls.source import Malformed, Source, Unfinished, Wait

FUNCTION = "<function="
_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_END = "</function>"
_PARAMETER, _PARAMETER_END = "<parameter=", "</parameter>"
_NAME = re.compile(r"[^\s<>/]+")
# A value may hold the closing tag: it ends there only if a call goes on or ends behind it.
_AFTER_VALUE = re.compile(r"\s*(?:<parameter=[\w.\-]+>|</function>|</tool_call>|</parameter>)")
_AFTER_CHARS = 120


def function(source: Source, outlet: Outlet) -> Wait[None]:
    """What stands after `<function=`."""
    yield from source.accept('"', "'")
    name = yield from source.word(_NAME, 128)
    call = outlet.begin(name.strip("\"'"))
    yield from source.space()
    yield from source.accept(">")
    yield from _parameters(source, call)


def _after_name(name: str) -> Opening:
    def read(source: Source, outlet: Outlet) -> Wait[None]:
        yield from _parameters(source, outlet.begin(name))
        yield from source.space()
        yield from source.accept(_CLOSE)

    return Opening(read, (_END, _CLOSE))


def _parameters(source: Source, call: Call) -> Wait[None]:
    has_any = False
    while True:
        yield from source.space()
        if (yield from source.accept(_PARAMETER)):
            yield from _parameter(source, call)
            has_any = True
        elif (yield from source.accept(_END)) or (has_any and (yield from source.follows(_CLOSE))):
            call.finish()
            return
        elif not has_any and (yield from source.follows("{")):
            yield from jsoncalls.arguments(source, call)
            has_any = True
        else:
            char = yield from source.peek()
            if not char:
                raise Unfinished("the call was not finished")
            raise Malformed(f"a parameter or the end of the call was expected, but there is {char!r}")


def _parameter(source: Source, call: Call) -> Wait[None]:
    name = yield from source.word(_NAME, 128)
    call.begin(name.strip("\"'"))
    yield from source.space()
    if not (yield from source.accept(">")):
        raise Malformed("the name of a parameter must end with >")
    yield from source.accept("\r\n", "\n")
    while True:
        marker = yield from source.until((f"\n{_PARAMETER_END}", _PARAMETER_END), call.text)
        if not marker:
            raise Unfinished("the value of a parameter was not finished")
        if (yield from source.lookahead(_AFTER_VALUE, _AFTER_CHARS)):
            break
        call.text(marker)
    call.end_text(is_typed=False)
    yield from source.space()
    while (yield from source.accept(_PARAMETER_END)):
        yield from source.space()


def tagged(source: Source, outlet: Outlet, closing: tuple[str, ...] = (_CLOSE,)) -> Wait[None]:
    """What stands after `<tool_call>`, this format or JSON; the `closing` tag is read when it is there."""
    yield from source.space()
    if (yield from source.accept(FUNCTION)):
        yield from function(source, outlet)
    else:
        yield from jsoncalls.calls(source, outlet)
    yield from source.space()
    yield from source.accept(*closing)


def recovered(tools: Sequence[Declared]) -> Mapping[str, Opening]:
    """Calls of declared tools whose opening tag is missing."""
    return {f"{FUNCTION}{tool.name}>": _after_name(tool.name) for tool in tools}


def _openings(tools: Sequence[Declared]) -> Mapping[str, Opening]:
    return {_OPEN: Opening(tagged, (_CLOSE,)), **recovered(tools)}


QWEN_XML = Format("qwen_xml", f"\n{_CLOSE}", _openings)
