"""Mistral and Devstral: `[TOOL_CALLS]NAME[ARGS]{…}` from version 11 on, before that a list of JSON.

Nothing marks the end of a call but its own last brace.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from agent.toolcalls import jsoncalls
from agent.toolcalls.calls import Outlet
from agent.toolcalls.declared import Declared
from agent.toolcalls.reply import Format, Opening
from agent.toolcalls.source import Malformed, Source, Wait

_OPEN, _CALL_ID, _ARGUMENTS = "[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"
_NAME = re.compile(r"[\w.\-]+")
_END = ("</s>",)


def _read(source: Source, outlet: Outlet) -> Wait[None]:
    yield from source.space()
    if (yield from source.follows("[", "{")):
        yield from jsoncalls.calls(source, outlet)
        return
    while True:
        call = outlet.begin((yield from source.word(_NAME, 128)))
        yield from source.space()
        if (yield from source.accept(_CALL_ID)):
            yield from source.word(_NAME, 128)
            yield from source.space()
        if not (yield from source.accept(_ARGUMENTS)) and not (yield from source.follows("{")):
            raise Malformed(f"{_ARGUMENTS} must follow the name")
        yield from jsoncalls.arguments(source, call)
        call.finish()
        if not (yield from source.follows(*(f"{name}{_ARGUMENTS}" for name in outlet.names), _OPEN)):
            return
        if (yield from source.accept(_OPEN)):
            yield from source.space()


def _after_name(name: str) -> Opening:
    def read(source: Source, outlet: Outlet) -> Wait[None]:
        call = outlet.begin(name)
        yield from jsoncalls.arguments(source, call)
        call.finish()

    return Opening(read, _END)


def _openings(tools: Sequence[Declared]) -> Mapping[str, Opening]:
    recovered = {f"{tool.name}{_ARGUMENTS}": _after_name(tool.name) for tool in tools}
    return {_OPEN: Opening(_read, _END), **recovered}


MISTRAL = Format("mistral", openings=_openings)
MISTRAL_LIST = Format("mistral_list", "]", _openings, jsoncalls.calls, lambda tools: ("[",))
