"""A chat template as a function of messages: Jinja in a sandbox, with the environment that models expect."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from agent.errors import UtterError

_CHOOSE = "Choose another model."


class TemplateError(UtterError):
    """The model's chat template cannot be rendered or cut."""


class Renderer:
    """The compiled template with the environment it expects, see Hugging Face's `apply_chat_template`.

    Models that can reason first are asked not to: a spoken answer should begin at once.
    """

    def __init__(self, source: str, *, bos_token: str = "", eos_token: str = "") -> None:
        """Raises `TemplateError` when `source` is no template."""
        environment: Any = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _refuse
        if "strftime_now" in source and "strftime_now is defined" not in source:
            # A date changes the prompt every day; a template that can do without one is given none.
            environment.globals["strftime_now"] = time.strftime
        self._names: Mapping[str, Any] = {
            "bos_token": bos_token,
            "eos_token": eos_token,
            "enable_thinking": False,
        }
        try:
            self._template = environment.from_string(source)
        except jinja2.TemplateError as error:
            raise TemplateError(f"The model's chat template is faulty: {error}. {_CHOOSE}") from error

    def __call__(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        reply: bool = False,
        tools: Sequence[Mapping[str, Any]] = (),
    ) -> str:
        """The conversation as text; with `reply`, up to where the model goes on. Raises `TemplateError`."""
        shown = {"tools": list(tools)} if tools else {}
        try:
            return self._template.render(
                messages=[dict(message) for message in messages],
                add_generation_prompt=reply,
                **self._names,
                **shown,
            )
        except (jinja2.TemplateError, TypeError, ValueError, LookupError, AttributeError) as error:
            raise TemplateError(
                f"The model's chat template cannot be rendered: {error}. {_CHOOSE}"
            ) from error


def between(text: str, *said: str) -> list[str]:
    """The text around the placeholders `said`, which must all be there, once each and in order."""
    frames: list[str] = []
    for placeholder in said:
        frame, found, text = text.partition(placeholder)
        if not found or placeholder in text:
            raise TemplateError(f"The model's chat template drops or repeats what is said. {_CHOOSE}")
        frames.append(frame)
    return [*frames, text]


def without_prefix(text: str, prefix: str) -> str:
    """`text` behind `prefix`, with which it must begin."""
    if not text.startswith(prefix):
        raise TemplateError(f"The model's chat template rewrites earlier turns. {_CHOOSE}")
    return text[len(prefix) :]


def _to_json(value: Any, indent: int | None = None, **layout: Any) -> str:
    """As Hugging Face does it: Jinja's own `tojson` escapes for HTML."""
    known = {name: layout[name] for name in ("separators", "sort_keys") if name in layout}
    return json.dumps(value, ensure_ascii=False, indent=indent, **known)


def _refuse(message: str) -> str:
    raise jinja2.TemplateError(message)
