"""One call while it is written: its name and arguments become events as soon as they are certain."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Union

from agent.events import TextDelta, ToolArgumentsDelta, ToolCallReady, ToolCallStarted
from agent.toolcalls.coercion import BadValue, coerce, loose
from agent.toolcalls.declared import Declared, known_as, nearest
from agent.toolcalls.jsonstream import ArgumentsWriter
from agent.toolcalls.literals import STREAMED
from agent.toolcalls.source import Malformed

MAX_CALL_CHARS = 2_000_000
MAX_CALLS = 64
UNREADABLE = "unreadable"  # stands for the name of a call that has none
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOTHING = ("", "null", "none")

_ids = itertools.count(1)


def next_call_id() -> str:
    """A name for a call that no other call of this process has."""
    return f"call_{next(_ids)}"


@dataclass(frozen=True)
class Reasoning:
    """What the model wrote for itself: nobody hears it."""

    text: str


@dataclass(frozen=True)
class CallFaulty:
    """A call that cannot be carried out. `reason` is for the model: what was wrong and what is valid."""

    id: str
    name: str
    reason: str


Parsed = Union[TextDelta, Reasoning, ToolCallStarted, ToolArgumentsDelta, ToolCallReady, CallFaulty]


@dataclass
class Outlet:
    """Collects what is read of one reply, against the tools that are declared."""

    tools: Sequence[Declared]
    new_id: Callable[[], str] = next_call_id
    events: list[Parsed] = field(default_factory=list[Parsed])
    only_known: bool = False  # a call of any other tool is `Malformed`: this may be no call at all
    is_sure: bool = False  # when it may be none: it is one as soon as it names a tool
    is_in_call: bool = False  # a call, or what may be one, is being read
    _n_calls: int = 0
    _open: Call | None = None
    _space: list[str] = field(default_factory=list[str])  # white space that text may follow
    _has_text: bool = False

    @property
    def names(self) -> list[str]:
        return [tool.name for tool in self.tools]

    def text(self, text: str) -> None:
        """Some more of what is said. White space around all of it and before calls is left out."""
        said = clean(text).lstrip()
        self._space.append(text[: len(text) - len(said)])
        if said:
            end = len(said.rstrip())
            before = "".join(self._space) if self._has_text else ""
            self._space, self._has_text = [said[end:]], True
            self.events.append(TextDelta(before + said[:end]))

    def reasoning(self, text: str) -> None:
        """Some more of what is only thought."""
        if text:
            self.events.append(Reasoning(clean(text)))

    def begin(self, name: str) -> Call:
        """A call of the tool that `name` means."""
        name = clean(name.strip())
        known = known_as(name, self.names)
        if known is None and self.only_known:
            raise Malformed("there is no such tool")
        self._n_calls += 1
        if self._n_calls > MAX_CALLS:
            raise Malformed(f"there are more than {MAX_CALLS} calls at once")
        self._space.clear()
        tool = next((tool for tool in self.tools if tool.name == known), None)
        call = Call(self, self.new_id(), tool.name if tool else name[:80], tool)
        self._open = call
        self.events.append(ToolCallStarted(call.id, call.name))
        return call

    def give_up(self, reason: str) -> None:
        """What is being written is no call after all; perhaps not even its name could be read."""
        if self._open is not None and not self._open.is_over:
            self._open.fail(reason)
        elif self._n_calls <= MAX_CALLS:
            self._n_calls += 1
            self._space.clear()
            call_id = self.new_id()
            self.events += [ToolCallStarted(call_id, UNREADABLE), CallFaulty(call_id, UNREADABLE, reason)]

    def take_over(self, trial: Outlet) -> None:
        """What was read on trial counts."""
        self.events += trial.drain()
        self._n_calls += trial._n_calls
        self._space.clear()

    def drain(self) -> list[Parsed]:
        """What was read since the last time; pieces of one text are one."""
        events, self.events = self.events, []
        return [_merged(list(run)) for _, run in itertools.groupby(events, _kind_of)]


class Call:
    """Takes arguments in the order in which they are written; ends with `finish` or `fail`, once."""

    def __init__(self, outlet: Outlet, call_id: str, name: str, tool: Declared | None) -> None:
        self.id, self.name = call_id, name
        self._outlet = outlet
        self._tool = tool
        self._json = ArgumentsWriter()
        self._arguments: dict[str, Any] = {}
        self._problems: list[str] = []
        self._dropped: list[str] = []
        self._key: str | None = None  # the declared name of the argument being written; None: it is dropped
        self._parts: list[str] = []
        self._is_streaming = False
        self.is_over = False

    @property
    def wants_text(self) -> bool:
        """Whether the argument that was begun is declared as a string."""
        return self._key is not None and self._streams

    def begin(self, name: str) -> None:
        """The next argument."""
        self._key, self._parts, self._is_streaming = None, [], False
        tool = self._tool
        if tool is None:
            return
        key = known_as(name, list(tool.properties))
        if key is None and tool.keeps_any_key:
            key = clean(name)
        if key is None:
            self._dropped.append(name)
        elif key not in self._arguments:
            self._key = key

    def position(self, index: int) -> None:
        """The next argument, given by its place alone."""
        names = list(self._tool.properties) if self._tool else []
        self.begin(names[index] if index < len(names) else f"argument {index + 1}")

    def text(self, text: str) -> None:
        """Some more of an argument that is written as text."""
        if self._key is None or not text:
            return
        text = clean(text)
        self._parts.append(text)
        if self._streams:
            self._open()
            self._send(self._json.text(text))

    def end_text(self, *, is_typed: bool) -> None:
        """The argument's text is whole; `is_typed` where it stood in quotes, so that it is a string."""
        if self._key is None:
            return
        text = "".join(self._parts)
        if self._streams:
            self._open()
            self._arguments[self._key] = text
        else:
            self._put(text, is_typed=is_typed)

    def value(self, value: Any) -> None:
        """The argument as a value; `STREAMED` when its text was given piece by piece."""
        if value is STREAMED:
            self.end_text(is_typed=True)
        elif self._key is not None:
            self._put(value, is_typed=True)

    def finish(self) -> None:
        """All was read: the call is ready, unless something in it is wrong."""
        if self.is_over:
            return
        tool = self._tool
        if tool is None:
            self.fail(f"there is no tool called {self.name}. {nearest(self.name, self._outlet.names)}")
            return
        missing = [name for name in tool.required if name not in self._arguments]
        bad = {problem.partition(":")[0] for problem in self._problems}
        missing = [name for name in missing if name not in bad]
        if missing:
            self._problems.append(f"{', '.join(missing)} must be given")
        if self._problems:
            unknown = f" It has no {', '.join(dict.fromkeys(self._dropped))}." if self._dropped else ""
            self.fail(f"{'; '.join(self._problems)}.{unknown} {self.name} takes {_takes(tool)}.")
            return
        self.is_over = True
        self._send(self._json.end())
        self._outlet.events.append(ToolCallReady(self.id, self.name, dict(self._arguments)))

    def fail(self, reason: str) -> None:
        """It cannot be carried out."""
        if not self.is_over:
            self.is_over = True
            self._outlet.events.append(CallFaulty(self.id, self.name, reason))

    @property
    def _streams(self) -> bool:
        assert self._tool is not None and self._key is not None
        schema = self._tool.properties.get(self._key, {})
        return schema.get("type") == "string" and "enum" not in schema and "const" not in schema

    def _open(self) -> None:
        if not self._is_streaming:
            assert self._key is not None
            self._is_streaming = True
            self._send(self._json.begin(self._key))

    def _put(self, value: Any, *, is_typed: bool) -> None:
        assert self._tool is not None and self._key is not None
        key, schema = self._key, self._tool.properties.get(self._key, {})
        if isinstance(value, str) and not is_typed:
            value = value if schema.get("type") == "string" else _untyped(value, schema)
        if value is None and "null" not in str(schema) and schema and key not in self._tool.required:
            return  # as good as not given
        try:
            value = _cleaned(coerce(value, schema, self._tool.schema))
        except BadValue as problem:
            self._problems.append(f"{key}: {problem}")
            return
        self._arguments[key] = value
        self._send(self._json.whole(key, value))

    def _send(self, fragment: str) -> None:
        if fragment:
            self._outlet.events.append(ToolArgumentsDelta(self.id, fragment))


def _kind_of(event: Parsed) -> object:
    """Equal for pieces that belong together; anything else differs from all."""
    if isinstance(event, (TextDelta, Reasoning)):
        return type(event)
    return event.id if isinstance(event, ToolArgumentsDelta) else object()


def _merged(run: list[Parsed]) -> Parsed:
    first = run[0]
    if isinstance(first, ToolArgumentsDelta):
        fragments = [event.json_fragment for event in run if isinstance(event, ToolArgumentsDelta)]
        return ToolArgumentsDelta(first.id, "".join(fragments))
    if isinstance(first, (TextDelta, Reasoning)):
        return type(first)("".join(event.text for event in run if isinstance(event, (TextDelta, Reasoning))))
    return first


def clean(text: str) -> str:
    """`text` without halves of surrogate pairs, which no UTF-8 can hold."""
    return _SURROGATE.sub("\ufffd", text)


def _untyped(text: str, schema: Any) -> Any:
    """A value out of a notation that writes all values alike."""
    text = text.strip()
    if text.lower() in _NOTHING and "string" not in str(schema.get("type", "")):
        return None
    if not schema:  # of no declared type: only what is plainly an object or a list is one
        try:
            return loose(text) if text[:1] in ("{", "[") else text
        except BadValue:
            return text
    return text


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): _cleaned(item) for key, item in value.items()}
    return value


def _takes(tool: Declared) -> str:
    """The parameters in a few words: `path (string), limit (integer, optional)`."""
    parts = [
        f"{name} ({schema.get('type', 'any')}{'' if name in tool.required else ', optional'})"
        for name, schema in tool.properties.items()
    ]
    return ", ".join(parts) or "no arguments"
