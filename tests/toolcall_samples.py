"""Calls as models write them: every format's own example, and what each is known to get wrong."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

from agent.events import TextDelta, ToolArgumentsDelta, ToolCallReady, ToolCallStarted
from agent.toolcalls.calls import CallFaulty, Parsed, Reasoning
from agent.toolcalls.declared import Declared
from agent.toolcalls.formats import FORMATS
from agent.toolcalls.reply import ReplyParser

READ = Declared(
    "read_file",
    "show a file",
    {
        "type": "object",
        "properties": {"path": {"type": "string"}, "limit": {"type": "integer"}},
        "required": ["path"],
    },
)
WRITE = Declared(
    "write_file",
    "write a file",
    {
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "content": {"type": "string"},
            "backup": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["path", "content"],
    },
)
TESTS = Declared("run_tests", "run the tests", {"type": "object", "properties": {}})
TOOLS = (READ, WRITE, TESTS)

CODE = 'def f(a, b):\n    return {"a": [a, b], "s": "\\d\\n"}  # ü 😀 </parameter> }'


def _json(**arguments: Any) -> str:
    return json.dumps(arguments, ensure_ascii=False)


# By format: one call of read_file with path a.py and limit 5, and one of write_file with CODE.
READS = {
    "hermes": '<tool_call>\n{"name": "read_file", "arguments": {"path": "a.py", "limit": 5}}\n</tool_call>',
    "qwen_xml": (
        "<tool_call>\n<function=read_file>\n<parameter=path>\na.py\n</parameter>\n"
        "<parameter=limit>\n5\n</parameter>\n</function>\n</tool_call>"
    ),
    "llama": '{"type": "function", "name": "read_file", "parameters": {"path": "a.py", "limit": "5"}}',
    "pythonic": '[read_file(path="a.py", limit=5)]',
    "gemma3": '```tool_code\n[read_file(path="a.py", limit=5)]\n```',
    "gemma4": '<|tool_call>call:read_file{path:<|"|>a.py<|"|>,limit:5}<tool_call|>',
    "function_gemma": (
        "<start_function_call>call:read_file{path:<escape>a.py<escape>,limit:5}<end_function_call>"
    ),
    "mistral": '[TOOL_CALLS]read_file[ARGS]{"path": "a.py", "limit": 5}',
    "mistral_list": '[TOOL_CALLS][{"name": "read_file", "arguments": {"path": "a.py", "limit": 5}}]',
    "glm": (
        "<tool_call>read_file\n<arg_key>path</arg_key>\n<arg_value>a.py</arg_value>\n"
        "<arg_key>limit</arg_key>\n<arg_value>5</arg_value>\n</tool_call>"
    ),
    "deepseek": (
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read_file\n"
        '```json\n{"path": "a.py", "limit": 5}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>'
    ),
    "deepseek_dsml": (
        '<｜DSML｜function_calls>\n<｜DSML｜invoke name="read_file">\n'
        '<｜DSML｜parameter name="path" string="true">a.py</｜DSML｜parameter>\n'
        '<｜DSML｜parameter name="limit" string="false">5</｜DSML｜parameter>\n'
        "</｜DSML｜invoke>\n</｜DSML｜function_calls>"
    ),
    "harmony": (
        "<|channel|>commentary to=functions.read_file <|constrain|>json<|message|>"
        '{"path": "a.py", "limit": 5}<|call|>'
    ),
}
_BODY = _json(path="b.py", content=CODE)
WRITES = {
    "hermes": f'<tool_call>\n{{"name": "write_file", "arguments": {_BODY}}}\n</tool_call>',
    "qwen_xml": (
        "<tool_call>\n<function=write_file>\n<parameter=path>\nb.py\n</parameter>\n"
        f"<parameter=content>\n{CODE}\n</parameter>\n</function>\n</tool_call>"
    ),
    "llama": f'<|python_tag|>{{"name": "write_file", "parameters": {_BODY}}}',
    "pythonic": f'[write_file(path="b.py", content={CODE!r})]',
    "gemma3": f'```tool_call\n{{"name": "write_file", "arguments": {_BODY}}}\n```',
    "gemma4": f'<|tool_call>call:write_file{{path:<|"|>b.py<|"|>,content:<|"|>{CODE}<|"|>}}<tool_call|>',
    "function_gemma": (
        f"<start_function_call>call:write_file{{path:<escape>b.py<escape>,content:<escape>{CODE}<escape>}}"
        "<end_function_call>"
    ),
    "mistral": f"[TOOL_CALLS]write_file[ARGS]{_BODY}",
    "mistral_list": f'[TOOL_CALLS][{{"name": "write_file", "arguments": {_BODY}, "id": "123456789"}}]',
    "glm": (
        "<tool_call>write_file\n<arg_key>path</arg_key>\n<arg_value>b.py</arg_value>\n"
        f"<arg_key>content</arg_key>\n<arg_value>{CODE}</arg_value>\n</tool_call>"
    ),
    "deepseek": (
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>write_file<｜tool▁sep｜>"
        f"{_BODY}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
    ),
    "deepseek_dsml": (
        '<｜DSML｜function_calls>\n<｜DSML｜invoke name="write_file">\n'
        '<｜DSML｜parameter name="path" string="true">b.py</｜DSML｜parameter>\n'
        f'<｜DSML｜parameter name="content" string="true">{CODE}</｜DSML｜parameter>\n'
        "</｜DSML｜invoke>\n</｜DSML｜function_calls>"
    ),
    "harmony": (
        f"<|start|>assistant to=functions.write_file<|channel|>commentary json<|message|>{_BODY}<|call|>"
    ),
}


def parsed(
    format_name: str, pieces: Iterable[str], *, was_cut: bool = False, tools: Sequence[Declared] = TOOLS
) -> list[Parsed]:
    """All that a reply in these pieces gives."""
    count = itertools.count(1)
    parser = ReplyParser(FORMATS[format_name], tools, new_id=lambda: f"c{next(count)}")
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.finish(was_cut=was_cut)


def joined(events: Iterable[Parsed]) -> list[Parsed]:
    """The same events however the text was cut: deltas side by side are one."""
    whole: list[Parsed] = []
    for event in events:
        last = whole[-1] if whole else None
        if isinstance(event, TextDelta) and isinstance(last, TextDelta):
            whole[-1] = TextDelta(last.text + event.text)
        elif isinstance(event, Reasoning) and isinstance(last, Reasoning):
            whole[-1] = Reasoning(last.text + event.text)
        elif isinstance(event, ToolArgumentsDelta) and isinstance(last, ToolArgumentsDelta):
            whole[-1] = ToolArgumentsDelta(last.id, last.json_fragment + event.json_fragment)
        else:
            whole.append(event)
    return whole


def calls(events: Iterable[Parsed]) -> list[tuple[str, dict[str, Any]]]:
    return [(event.name, dict(event.arguments)) for event in events if isinstance(event, ToolCallReady)]


def text(events: Iterable[Parsed]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def faults(events: Iterable[Parsed]) -> list[str]:
    return [event.reason for event in events if isinstance(event, CallFaulty)]


def begun(events: Iterable[Parsed]) -> list[str]:
    return [event.id for event in events if isinstance(event, ToolCallStarted)]
