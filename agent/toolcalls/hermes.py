"""Hermes, Qwen 2.5 and Qwen 3: JSON between `<tool_call>` and `</tool_call>`.

Qwen2.5-Coder also writes bare JSON, a fence of it, or other tags around it; a model may leave the opening tag
out and still write the closing one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from agent.toolcalls import jsoncalls
from agent.toolcalls.calls import Outlet
from agent.toolcalls.declared import Declared
from agent.toolcalls.qwen_xml import recovered, tagged
from agent.toolcalls.reply import Format, Opening
from agent.toolcalls.source import Malformed, Source, Wait

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_TAGS = {_OPEN: _CLOSE, "<tools>": "</tools>", "<function_call>": "</function_call>"}
_UNOPENED = ('\n{"name": "', '\n{"name":"')


def _unopened(source: Source, outlet: Outlet) -> Wait[None]:
    """A call that has only a closing tag."""
    yield from jsoncalls.call(source, outlet, in_name=True)
    yield from source.space()
    if not (yield from source.accept(_CLOSE)):
        raise Malformed("this is text")


def _bare(source: Source, outlet: Outlet) -> Wait[None]:
    yield from jsoncalls.calls(source, outlet)
    yield from source.space()
    yield from source.accept(_CLOSE)


def _openings(tools: Sequence[Declared]) -> Mapping[str, Opening]:
    tags = {
        tag: Opening(partial(tagged, closing=tuple(_TAGS.values())), (end,)) for tag, end in _TAGS.items()
    }
    return {**tags, **dict.fromkeys(_UNOPENED, Opening(_unopened, is_sure=False)), **recovered(tools)}


HERMES = Format("hermes", f"\n{_CLOSE}", _openings, _bare)
