"""Llama 3 and 4: bare JSON with `parameters`, at times behind `<|python_tag|>`; small ones write Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.toolcalls import jsoncalls, pythonic
from agent.toolcalls.calls import Outlet
from agent.toolcalls.declared import Declared
from agent.toolcalls.qwen_xml import recovered
from agent.toolcalls.reply import Format, Opening
from agent.toolcalls.source import Source, Wait

_PYTHON_TAG, _PYTHON_START, _PYTHON_END = "<|python_tag|>", "<|python_start|>", "<|python_end|>"
_ENDS = (_PYTHON_END,)


def _any(source: Source, outlet: Outlet) -> Wait[None]:
    """JSON or Python, whichever it is."""
    yield from source.space()
    if (yield from source.follows("{", "[{")):
        yield from jsoncalls.calls(source, outlet)
    else:
        yield from pythonic.calls(source, outlet)
    yield from source.space()
    yield from source.accept(_PYTHON_END)


def _openings(tools: Sequence[Declared]) -> Mapping[str, Opening]:
    opening = Opening(_any, _ENDS)
    return {_PYTHON_TAG: opening, _PYTHON_START: opening, **recovered(tools)}


LLAMA = Format("llama", "", _openings, _any, lambda tools: ("{", *pythonic.starts(tools)))
PYTHONIC = Format("pythonic", "", _openings, _any, pythonic.starts)
