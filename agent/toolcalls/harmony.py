"""Harmony, the format of gpt-oss: every message names its channel, and a call its recipient.

`<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>{…}<|call|>`. Calls come on the analysis
channel too, or with the recipient before the channel; text on the analysis channel is only thought.
https://cookbook.openai.com/articles/openai-harmony
"""

from __future__ import annotations

import re
from collections.abc import Callable

from agent.toolcalls import jsoncalls
from agent.toolcalls.calls import Outlet
from agent.toolcalls.reply import Format, Opening, guarded
from agent.toolcalls.source import Source, Wait

_START, _CHANNEL, _MESSAGE = "<|start|>", "<|channel|>", "<|message|>"
_ENDS = ("<|end|>", "<|call|>", "<|return|>")
_AFTER_TEXT = (*_ENDS, _START, _CHANNEL)
_RECIPIENT = re.compile(r"\bto=([\w.\-]+)")
_THOUGHT = re.compile(r"\s*analysis\b")
_MAX_HEADER_CHARS = 400


def _whole(source: Source, outlet: Outlet) -> Wait[None]:
    """The prompt ends with `<|start|>assistant`, so the reply begins inside a header."""
    yield from source.space()
    if not (yield from source.follows(_CHANNEL, _START, _MESSAGE, "to=")):
        yield from source.until(_AFTER_TEXT, outlet.text)  # no header at all
    while (yield from source.peek()):
        header = _Header()
        if (yield from source.until((_MESSAGE, *_ENDS), header.add)) != _MESSAGE:
            continue
        if header.recipient:
            yield from guarded(source, outlet, Opening(_call_of(header.recipient), _ENDS))
        else:
            sink = outlet.reasoning if header.is_thought else outlet.text
            yield from source.until(_AFTER_TEXT, sink)


def _call_of(recipient: str) -> Callable[[Source, Outlet], Wait[None]]:
    def read(source: Source, outlet: Outlet) -> Wait[None]:
        call = outlet.begin(recipient)
        yield from jsoncalls.arguments(source, call)
        call.finish()
        yield from source.space()
        yield from source.accept(*_ENDS)

    return read


class _Header:
    """What stands before a message: `assistant<|channel|>NAME to=RECIPIENT`, or a part of it."""

    def __init__(self) -> None:
        self._text = ""

    def add(self, text: str) -> None:
        """Some more of it; what is too long to be one is forgotten."""
        self._text += text[: _MAX_HEADER_CHARS - len(self._text)]

    @property
    def recipient(self) -> str:
        found = _RECIPIENT.search(self._text)
        return found[1] if found else ""

    @property
    def is_thought(self) -> bool:
        return _THOUGHT.match(self._text.rpartition(_CHANNEL)[2]) is not None


HARMONY = Format("harmony", whole=_whole)
