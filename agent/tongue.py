"""How a model that knows tools is told of them and calls them: the native dialect of one model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from agent.decode.call_grammar import call_grammar
from agent.decode.calls import CallGrammar
from agent.template import ChatTemplate
from agent.toolcalls.declared import Declared, declared
from agent.toolcalls.formats import detect, format_named
from agent.toolcalls.native_prompt import native_prompt
from agent.toolcalls.reply import Format
from agent.tools.registry import Registry


class Encode(Protocol):
    """See `Engine.encode`."""

    def __call__(self, text: str, *, special: bool) -> list[int]: ...


@dataclass(frozen=True)
class Tongue:
    """What a model is told of tools and how it calls them; with `encode`, under a grammar if there is one.

    `template` tells of the tools, or else `prompt` does.
    """

    format: Format
    tools: tuple[Declared, ...]
    template: ChatTemplate
    prompt: str
    encode: Encode | None = None

    @staticmethod
    def of(
        template: ChatTemplate, registry: Registry, encode: Encode | None = None, format_name: str = ""
    ) -> Tongue:
        """That of a model with this template; its format is found in it when it is not named.

        Raises `UnknownFormat`.
        """
        format = format_named(format_name) if format_name else detect(template.source)
        tools = declared(registry)
        prompt = native_prompt(tools, format, shows_tools=template.shows_tools)
        if template.shows_tools:
            template = template.with_tools([tool.as_function() for tool in tools])
        return Tongue(format, tools, template, prompt, encode)

    def constraint(self, offered: Mapping[str, Mapping[str, Sequence[str]]]) -> CallGrammar | None:
        """The grammar of its calls; `offered` are values to choose from, by tool and parameter."""
        if self.encode is None:
            return None
        encode = partial(self.encode, special=True)
        return call_grammar(self.format.name, self.tools, offered, encode)
