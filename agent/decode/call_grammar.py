"""The grammar of tool calls in a model's own format, made from the tools that are declared. Pure.

Literal names, required parameters, choices and types; keys in the order in which they are declared, written
as chat templates write them. https://github.com/guidance-ai/llguidance/blob/main/docs/toolcalls.md
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from agent.decode.calls import CallGrammar, Opener

Choices = Mapping[str, Mapping[str, Sequence[str]]]
Encode = Callable[[str], Sequence[int]]

_JSON_STYLE = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_PLAIN_TYPES = {"integer": r"/-?[0-9]{1,15}/", "number": r"/-?[0-9]{1,15}(\.[0-9]{1,15})?/"}
_BOOLEAN = '"true" | "false" | "True" | "False"'


class CallTool(Protocol):
    """A declared tool; `schema` is the JSON schema of an object."""

    @property
    def name(self) -> str: ...

    @property
    def schema(self) -> Mapping[str, Any]: ...


def call_grammar(
    format_name: str, tools: Sequence[CallTool], offered: Choices, encode: Encode
) -> CallGrammar | None:
    """The constraint for calls of `tools` in the format of that name, or None where it has no grammar.

    `offered` gives, by tool and parameter, the values to choose from where there are more than the schema
    knows, such as the paths of files. `encode` tokenises a marker: one that is a single token is written so.
    """
    make = _FORMATS.get(format_name)
    return make(_Writer(encode, offered), tools) if make is not None and tools else None


class _Writer:
    """What the formats share."""

    def __init__(self, encode: Encode, offered: Choices) -> None:
        self._encode = encode
        self._offered = offered

    def marker(self, text: str) -> str:
        """`text` as the model writes it: a token of its own where it has one for it."""
        tokens = self._encode(text)
        return f"<[{tokens[0]}]>" if len(tokens) == 1 else _literal(text)

    def schema(self, tool: CallTool) -> dict[str, Any]:
        """The tool's schema with what is offered, and no keys beside those it declares."""
        schema = dict(tool.schema)
        properties: Mapping[str, Any] = schema.get("properties") or {}
        choices = self._offered.get(tool.name, {})
        schema["properties"] = {
            name: {"enum": list(choices[name])} if choices.get(name) else value
            for name, value in properties.items()
        }
        return {"type": "object", "additionalProperties": False, **schema}

    def arguments(self, tool: CallTool) -> str:
        """A JSON object."""
        return f"%json {json.dumps({**self.schema(tool), 'x-guidance': _JSON_STYLE})}"

    def plain(self, tool: CallTool, name: str, end: str) -> str:
        """The right side of a rule for a value without quotes, and the `end` behind it."""
        schema: Mapping[str, Any] = self.schema(tool)["properties"][name]
        if choices := schema.get("enum"):
            return f"({' | '.join(_literal(_bare(value)) for value in choices)}) {_literal(end)}"
        kind = schema.get("type")
        if kind == "boolean":
            return f"({_BOOLEAN}) {_literal(end)}"
        if isinstance(kind, str) and kind in _PLAIN_TYPES:
            return f"{_PLAIN_TYPES[kind]} {_literal(end)}"
        if kind in ("object", "array"):
            defs = {key: tool.schema[key] for key in ("$defs", "definitions") if key in tool.schema}
            return f"%json {json.dumps({**schema, **defs, 'x-guidance': _JSON_STYLE})} {_literal(end)}"
        return ""


def _json_calls(
    writer: _Writer, tools: Sequence[CallTool], before: str, between: str, after: Sequence[str]
) -> str:
    """Rules for `before` NAME `between` ARGUMENTS and then `after`, which is Lark."""
    rules = [f"call: {' | '.join(f'call_{n}' for n in range(len(tools)))}"]
    for n, tool in enumerate(tools):
        opening = _literal(f"{before}{tool.name}{between}")
        rules.append(f"call_{n}: {' '.join([opening, f'args_{n}', *after])}")
        rules.append(f"args_{n}: {writer.arguments(tool)}")
    return "\n".join(rules) + "\n"


def _hermes(writer: _Writer, tools: Sequence[CallTool]) -> CallGrammar:
    after = [_literal("}\n"), writer.marker("</tool_call>")]
    rules = _json_calls(writer, tools, '\n{"name": "', '", "arguments": ', after)
    # Qwen2.5 often leaves the marks out: the whole message is then the call.
    rules += f"bare: {' | '.join(f'bare_{n}' for n in range(len(tools)))}\n"
    for n, tool in enumerate(tools):
        opening = _literal(f'{tool.name}", "arguments": ')
        rules += f"bare_{n}: {opening} args_{n} {_literal('}')}\n"
    openers = (Opener("<tool_call>", "call"), Opener('{"name": "', "bare", only_first=True))
    return CallGrammar(openers, rules, escapes_json=True)


def _mistral(writer: _Writer, tools: Sequence[CallTool]) -> CallGrammar:
    arguments = writer.marker("[ARGS]")
    rules = [f"call: {' | '.join(f'call_{n}' for n in range(len(tools)))}"]
    for n, tool in enumerate(tools):
        rules.append(f"call_{n}: {_literal(tool.name)} {arguments} args_{n}")
        rules.append(f"args_{n}: {writer.arguments(tool)}")
    opener = Opener("[TOOL_CALLS]", "call")
    return CallGrammar((opener,), "\n".join(rules) + "\n", escapes_json=True)


def _llama(writer: _Writer, tools: Sequence[CallTool]) -> CallGrammar:
    rules = _json_calls(writer, tools, "", '", "parameters": ', [_literal("}")])
    rules += 'tagged: "{\\"name\\": \\"" call\n'
    openers = (Opener('{"name": "', "call", only_first=True), Opener("<|python_tag|>", "tagged"))
    return CallGrammar(openers, rules, escapes_json=True)


def _harmony(writer: _Writer, tools: Sequence[CallTool]) -> CallGrammar:
    rules = [f"call: {' | '.join(f'call_{n}' for n in range(len(tools)))}"]
    constrain, message = writer.marker("<|constrain|>"), writer.marker("<|message|>")
    for n, tool in enumerate(tools):
        rules.append(f'call_{n}: {_literal(tool.name)} " "? ({constrain} "json")? {message} args_{n}')
        rules.append(f"args_{n}: {writer.arguments(tool)}")
    return CallGrammar((Opener(" to=functions.", "call"),), "\n".join(rules) + "\n", escapes_json=True)


def _qwen_xml(writer: _Writer, tools: Sequence[CallTool]) -> CallGrammar:
    close = writer.marker("</tool_call>")
    rules = [
        f'tagged: "\\n<function=" named "\\n" {close}',
        f'untagged: named "\\n" {close}',
        f"named: {' | '.join(f'call_{n}' for n in range(len(tools)))}",
        _text_rule("text", "\n</parameter>\n"),
    ]
    for n, tool in enumerate(tools):
        schema = writer.schema(tool)
        parts: list[str] = []
        for k, name in enumerate(schema["properties"]):
            value = writer.plain(tool, name, "\n</parameter>\n") or "text"
            rules.append(f"p_{n}_{k}: {_literal(f'<parameter={name}>' + chr(10))} {value}")
            parts.append(f"p_{n}_{k}" + ("" if name in schema.get("required", ()) else "?"))
        rules.append(f'call_{n}: {" ".join([_literal(tool.name + ">" + chr(10)), *parts])} "</function>"')
    openers = (Opener("<tool_call>", "tagged"), Opener("<function=", "untagged"))
    return CallGrammar(openers, "\n".join(rules) + "\n")


def _glm(writer: _Writer, tools: Sequence[CallTool]) -> CallGrammar:
    key, key_end = writer.marker("<arg_key>"), writer.marker("</arg_key>")
    value, value_end = writer.marker("<arg_value>"), writer.marker("</arg_value>")
    # A tag that is plain text would be swallowed by the text before it, were it not its suffix.
    is_text = value_end.startswith('"')
    rules = [
        f"call: ({' | '.join(f'call_{n}' for n in range(len(tools)))}) {writer.marker('</tool_call>')}",
        _text_rule("text", "</arg_value>") if is_text else f"text: /(?s:.*)/ {value_end}",
    ]
    for n, tool in enumerate(tools):
        schema = writer.schema(tool)
        parts: list[str] = []
        for k, name in enumerate(schema["properties"]):
            plain = writer.plain(tool, name, "")
            written = f"{plain} {value_end}" if plain else "text"
            rules.append(f'p_{n}_{k}: {key} {_literal(name)} {key_end} "\\n" {value} {written} "\\n"')
            parts.append(f"p_{n}_{k}" + ("" if name in schema.get("required", ()) else "?"))
        rules.append(f"call_{n}: {' '.join([_literal(tool.name + chr(10)), *parts])}")
    return CallGrammar((Opener("<tool_call>", "call"),), "\n".join(rules) + "\n")


def _text_rule(name: str, end: str) -> str:
    """A rule for any text up to the first `end`, which belongs to it."""
    return f"{name}[suffix={_literal(end)}]: /(?s:.*)/"


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _bare(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


_FORMATS: dict[str, Callable[[_Writer, Sequence[CallTool]], CallGrammar]] = {
    "hermes": _hermes,
    "qwen_xml": _qwen_xml,
    "mistral": _mistral,
    "llama": _llama,
    "glm": _glm,
    "harmony": _harmony,
}
