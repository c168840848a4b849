"""The model's own chat template, cut into pieces that can be appended one by one and never need re-rendering.

It is rendered with placeholders for what is said, and cut there: the text between is the frame of each turn.
Frames may hold special tokens; what people, files and tools say may not: the two stay apart to the end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from agent.engine.protocol import Engine
from agent.errors import UtterError

_SYSTEM, _USER, _REPLY, _NEXT = "utterSystem0", "utterUser1", "utterReply2", "utterNext3"
_FOLD = "\n\n"  # between the system text and the first request, for templates that know no system role


class TemplateError(UtterError):
    """The model's chat template cannot be rendered or cut."""


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


class ChatTemplate:
    """Renders turns, each by itself. `bos_token` and `eos_token` are the names the template may write out."""

    def __init__(self, source: str, *, bos_token: str = "", eos_token: str = "") -> None:
        """Raises `TemplateError` when `source` is no template of alternating turns."""
        self.fingerprint = hashlib.sha256(f"{source}\0{bos_token}\0{eos_token}".encode()).hexdigest()[:32]
        self.frames = _cut(_renderer(source, bos_token, eos_token))

    @classmethod
    def of(cls, engine: Engine) -> ChatTemplate:
        """The template of the model that `engine` runs."""
        return cls(engine.chat_template, bos_token=engine.bos_token, eos_token=engine.eos_token)

    def opening(self, system: str | None) -> tuple[Part, ...]:
        """The beginning of the conversation, up to where the first user's text goes."""
        if system is None:
            return _parts(_frame(self.frames.bare_opening))
        return _parts(_frame(self.frames.system_open), Part(system, False), _frame(self.frames.system_close))

    def user(self, text: str, *, first: bool) -> tuple[Part, ...]:
        """A whole user turn; the `first` one follows the opening, which has opened it already."""
        opened = () if first else (_frame(self.frames.user_open),)
        return _parts(*opened, Part(text, False), _frame(self.frames.user_close))

    def reply_open(self) -> tuple[Part, ...]:
        """What makes the model reply."""
        return _parts(_frame(self.frames.reply_open))

    def reply_close(self) -> tuple[Part, ...]:
        """What ends a reply in the history, the end-of-turn token included."""
        return _parts(_frame(self.frames.reply_close))


class _Renderer:
    """The compiled template with the environment it expects, see Hugging Face's `apply_chat_template`."""

    def __init__(self, template: jinja2.Template, names: Mapping[str, str]) -> None:
        self._template = template
        self._names = names

    def __call__(self, *turns: tuple[str, str], reply: bool = False) -> str:
        messages = [{"role": role, "content": content} for role, content in turns]
        return self._template.render(messages=messages, add_generation_prompt=reply, **self._names)


def _renderer(source: str, bos_token: str, eos_token: str) -> _Renderer:
    environment: Any = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    try:
        return _Renderer(environment.from_string(source), {"bos_token": bos_token, "eos_token": eos_token})
    except jinja2.TemplateError as error:
        raise TemplateError(f"The model's chat template is faulty: {error}. Choose another model.") from error


def _cut(render: _Renderer) -> Frames:
    asked = (("user", _USER),)
    answered = (*asked, ("assistant", _REPLY))
    bare_opening, user_close = _between(_rendered(render, *asked), _USER)
    _, asking = _between(_rendered(render, *asked, reply=True), _USER)
    _, _, reply_close = _between(_rendered(render, *answered), _USER, _REPLY)
    _, _, turn, _ = _between(_rendered(render, *answered, ("user", _NEXT)), _USER, _REPLY, _NEXT)
    user_open = _without_prefix(turn, reply_close)
    try:
        system_open, joint, _ = _between(render(("system", _SYSTEM), *asked), _SYSTEM, _USER)
    except (jinja2.TemplateError, TemplateError):
        system_open, joint = bare_opening, _FOLD
    return Frames(
        system_open=system_open,
        system_close=joint,
        bare_opening=bare_opening,
        user_open=user_open,
        user_close=user_close,
        reply_open=_without_prefix(asking, user_close),
        reply_close=reply_close,
    )


def _rendered(render: _Renderer, *turns: tuple[str, str], reply: bool = False) -> str:
    try:
        return render(*turns, reply=reply)
    except (jinja2.TemplateError, TypeError) as error:
        raise TemplateError(
            f"The model's chat template cannot be rendered: {error}. Choose another model."
        ) from error


def _between(text: str, *said: str) -> list[str]:
    """The text around the placeholders `said`, which must all be there, once each and in order."""
    frames: list[str] = []
    for placeholder in said:
        frame, found, text = text.partition(placeholder)
        if not found or placeholder in text:
            raise TemplateError(
                "The model's chat template drops or repeats what is said. Choose another model."
            )
        frames.append(frame)
    return [*frames, text]


def _without_prefix(text: str, prefix: str) -> str:
    if not text.startswith(prefix):
        raise TemplateError("The model's chat template rewrites earlier turns. Choose another model.")
    return text[len(prefix) :]


def _frame(text: str) -> Part:
    return Part(text, True)


def _parts(*parts: Part) -> tuple[Part, ...]:
    return tuple(part for part in parts if part.text)


def _to_json(value: Any, indent: int | None = None) -> str:
    """As Hugging Face does it: Jinja's own `tojson` escapes for HTML."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(message: str) -> str:
    raise jinja2.TemplateError(message)
