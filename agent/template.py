"""The model's own chat template, cut into pieces that can be appended one by one and never need re-rendering.

It is rendered with placeholders for what is said, and cut there: the text between is the frame of each turn.
Frames may hold special tokens; what people, files and tools say may not: the two stay apart to the end.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from agent.engine.protocol import Engine
from agent.rendering import Renderer, TemplateError, between, without_prefix

__all__ = ["Answered", "ChatTemplate", "Frames", "Part", "Results", "TemplateError"]

_SYSTEM, _USER, _REPLY, _NEXT = "utterSystem0", "utterUser1", "utterReply2", "utterNext3"
_CALL, _RESULT, _TOOL = "utterCall4", "utterResult5n", "utterTool6"
_FOLD = "\n\n"  # between the system text and the first request, for templates that know no system role

# What ends a model's turn, or stands first behind a call that it ended itself.
_TURN_ENDS = (
    *("<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|call|>", "<|end|>", "</s>", "<end_of_turn>", "<turn|>"),
    *("<|tool_response>", "<start_function_response>", "<|observation|>", "<|user|>", "<|endoftext|>"),
    *("<｜end▁of▁sentence｜>", "<｜tool▁outputs▁begin｜>", "<|end_of_text|>"),
)
_BEGINS_THOUGHT = re.compile(r"(?:<think>|\[THINK\]|<\|channel>thought)\s*$")


@dataclass(frozen=True)
class Part:
    """A run of text to tokenise; only in a frame (`special`) do the names of special tokens count."""

    text: str
    special: bool


@dataclass(frozen=True)
class Frames:
    """What stands between the things said. The opening ends where the first user's text begins."""

    system_open: str
    system_close: str
    bare_opening: str  # when there is no system text; some templates put one of their own here
    user_open: str
    user_close: str
    reply_open: str
    reply_close: str


@dataclass(frozen=True)
class Answered:
    """A call of the last reply, and what it gave."""

    name: str
    content: str


@dataclass(frozen=True)
class Results:
    """What follows a reply that made calls. `reply_open` is empty where the model goes on in its turn."""

    parts: tuple[Part, ...]
    reply_open: tuple[Part, ...]


class ChatTemplate:
    """Renders turns, each by itself. `bos_token` and `eos_token` are the names the template may write out."""

    def __init__(self, source: str, *, bos_token: str = "", eos_token: str = "") -> None:
        """Raises `TemplateError` when `source` is no template of alternating turns."""
        self.source = source
        self.fingerprint = _fingerprint(source, bos_token, eos_token)
        self._render = Renderer(source, bos_token=bos_token, eos_token=eos_token)
        self._turn_ends = (*_TURN_ENDS, *((eos_token,) if eos_token else ()))
        self.frames = _cut(self._render)

    @classmethod
    def of(cls, engine: Engine) -> ChatTemplate:
        """The template of the model that `engine` runs."""
        return cls(engine.chat_template, bos_token=engine.bos_token, eos_token=engine.eos_token)

    @property
    def begins_in_thought(self) -> bool:
        """Whether a reply begins inside the model's reasoning, because the frame opened it."""
        return _BEGINS_THOUGHT.search(self.frames.reply_open) is not None

    @cached_property
    def shows_tools(self) -> bool:
        """Whether the template itself tells the model of its tools."""
        schema = {"type": "object", "properties": {}}
        function = {"name": _TOOL, "description": "", "parameters": schema}
        tools = [{"type": "function", "function": function}]
        opened, closed = _system(self._render, tools)
        return _TOOL in opened + closed

    def with_tools(self, tools: Sequence[Mapping[str, Any]]) -> ChatTemplate:
        """The same template, whose opening tells the model of `tools`.

        They are functions in the layout of OpenAI's chat completions. What they say counts as the template's
        own text, so nothing that a stranger wrote may be in them.
        """
        told = copy(self)
        opened, closed = _system(self._render, tools)
        bare = _bare_opening(self._render, tools)
        told.frames = replace(self.frames, system_open=opened, system_close=closed, bare_opening=bare)
        told.fingerprint = _fingerprint(self.fingerprint, json.dumps(list(tools)))
        return told

    def opening(self, system: str | None) -> tuple[Part, ...]:
        """The beginning of the conversation, up to where the first user's text goes."""
        if system is None:
            return _parts(_frame(self.frames.bare_opening))
        return _parts(_frame(self.frames.system_open), Part(system, False), _frame(self.frames.system_close))

    def user(self, text: str, *, first: bool, closes: bool = True) -> tuple[Part, ...]:
        """A user turn, its end included if it `closes`.

        The `first` one follows the opening, which has opened it already.
        """
        opened = () if first else (_frame(self.frames.user_open),)
        closed = (_frame(self.frames.user_close),) if closes else ()
        return _parts(*opened, Part(text, False), *closed)

    def reply_open(self) -> tuple[Part, ...]:
        """What makes the model reply."""
        return _parts(_frame(self.frames.reply_open))

    def reply_close(self) -> tuple[Part, ...]:
        """What ends a reply in the history, the end-of-turn token included."""
        return _parts(_frame(self.frames.reply_close))

    def results(self, answered: Sequence[Answered]) -> Results:
        """The end of a reply that made the calls, and what they gave, in order.

        A template that knows no results gets them as a user's turn.
        """
        try:
            return self._results(answered)
        except TemplateError:
            told = "\n\n".join(f"Result of {each.name}:\n{each.content}" for each in answered)
            return Results((*self.reply_close(), *self.user(told, first=False)), self.reply_open())

    def _results(self, answered: Sequence[Answered]) -> Results:
        named = [f"{_RESULT}{number}n" for number in range(len(answered))]
        text = self._rendered_results(answered, named)
        _, found, after = text.rpartition(_CALL)
        first, *frames = between(after, *named)
        ends = [at for mark in self._turn_ends if (at := first.find(mark)) >= 0]
        if not found or not ends:
            raise TemplateError("The model's chat template has no place for what tools give.")
        *middle, last = frames
        reply_open = self.frames.reply_open if last.endswith(self.frames.reply_open) else ""
        last = last[: len(last) - len(reply_open)]
        parts = [_frame(first[min(ends) :])]
        for each, frame in zip(answered, (*middle, last), strict=True):
            content = json.dumps(each.content, ensure_ascii=False)[1:-1] if self._quotes else each.content
            parts += [Part(content, False), _frame(frame)]
        return Results(_parts(*parts), _parts(_frame(reply_open)))

    @cached_property
    def _quotes(self) -> bool:
        """Whether results stand in the template's text as JSON strings."""
        text = self._rendered_results([Answered(_TOOL, "")], [f'{_RESULT}"'])
        return f'{_RESULT}\\"' in text

    def _rendered_results(self, answered: Sequence[Answered], contents: Sequence[str]) -> str:
        calls = [
            {
                "id": _call_id(number),
                "type": "function",
                "function": {"name": each.name, "arguments": {"value": _CALL}},
            }
            for number, each in enumerate(answered)
        ]
        told = [
            {
                "role": "tool",
                "tool_call_id": _call_id(number),
                "name": each.name,
                "content": content,
            }
            for number, (each, content) in enumerate(zip(answered, contents, strict=True))
        ]
        asked = {"role": "assistant", "content": "", "tool_calls": calls}
        return self._render([_message("user", _USER), asked, *told], reply=True)


def _cut(render: Renderer) -> Frames:
    asked = [_message("user", _USER)]
    answered = [*asked, _message("assistant", _REPLY)]
    bare_opening, user_close = between(render(asked), _USER)
    _, asking = between(render(asked, reply=True), _USER)
    _, _, reply_close = between(render(answered), _USER, _REPLY)
    _, _, turn, _ = between(render([*answered, _message("user", _NEXT)]), _USER, _REPLY, _NEXT)
    user_open = without_prefix(turn, reply_close)
    system_open, system_close = _system(render, ())
    return Frames(
        system_open=system_open,
        system_close=system_close,
        bare_opening=bare_opening,
        user_open=user_open,
        user_close=user_close,
        reply_open=without_prefix(asking, user_close),
        reply_close=reply_close,
    )


def _system(render: Renderer, tools: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """What stands before the system text, and between it and the first user's."""
    messages = [_message("system", _SYSTEM), _message("user", _USER)]
    try:
        opened, closed, _ = between(render(messages, tools=tools), _SYSTEM, _USER)
    except TemplateError:
        return _bare_opening(render, tools), _FOLD
    return opened, closed


def _bare_opening(render: Renderer, tools: Sequence[Mapping[str, Any]]) -> str:
    return between(render([_message("user", _USER)], tools=tools), _USER)[0]


def _message(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "content": content}


def _fingerprint(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:32]


def _call_id(number: int) -> str:
    """Nine letters and digits, as Mistral's templates demand."""
    return f"call{number:05d}"


def _frame(text: str) -> Part:
    return Part(text, True)


def _parts(*parts: Part) -> tuple[Part, ...]:
    return tuple(part for part in parts if part.text)
