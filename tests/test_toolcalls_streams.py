"""Ten thousand mangled replies, cut anywhere: no crash, no hang, never an illegal prefix, always the same."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json
from toolcall_samples import READS, TOOLS, WRITES, begun, calls, joined, parsed

from agent.events import ToolArgumentsDelta, ToolCallReady
from agent.toolcalls.calls import CallFaulty, Parsed
from agent.toolcalls.formats import FORMATS
from agent.toolcalls.reply import ReplyParser

_PER_FORMAT = 770  # 10,010 in all
_PROSE = ("", "Let me look.\n", "<think>So {name} it is.</think>\n\n", '\n{"name": "', "I call [it](x): ")
_DEBRIS = (
    *"{}[]()<>\"'`\\:,=\n\0 5eé😀",
    *(
        "```",
        "</tool_call>",
        "<tool_call>",
        "<think>",
        "</think>",
        "\\ud83d",
        "\\u00",
        "null",
        "1e999",
        '<|"|>',
    ),
    *("<function=read_file>", "</parameter>\n", "<parameter=path>", "[TOOL_CALLS]", "[ARGS]", "<arg_value>"),
    *("<|channel|>", "<|message|>", "call:read_file{", "<｜tool▁sep｜>", '"name"', "-", "read_file("),
)

# Inside an escape, or between the two of one character that is none of the first 65,536.
_CUT_ESCAPE = re.compile(
    r"(?<!\\)(?:\\\\)*\\(?:u[\da-fA-F]{0,3}|u[dD][89abAB][\da-fA-F]{2}(?:\\(?:u[\da-fA-F]{0,3})?)?)?$"
)


def mangled(sample: str, rng: random.Random) -> str:
    """A sample with text before it and up to four faults in it."""
    text = rng.choice(_PROSE) + sample
    for _ in range(rng.randrange(5)):
        at, end = sorted((rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)))
        fault = rng.randrange(5)
        if fault == 0:
            text = text[:at] + text[min(end, at + 6) :]
        elif fault == 1:
            text = text[:at] + rng.choice(_DEBRIS) + text[at:]
        elif fault == 2:
            text = text[:end] + text[at : min(end, at + 40)] + text[end:]
        elif fault == 3:
            text = text[: max(end, 1)]
        else:
            text += rng.choice((sample, rng.choice(_PROSE), rng.choice(_DEBRIS)))
    return text


def cut(text: str, rng: random.Random) -> Iterator[str]:
    """In pieces of any size."""
    longest = rng.choice((1, 3, 12, 60))
    at = 0
    while at < len(text):
        end = at + rng.randint(1, longest)
        yield text[at:end]
        at = end


def check(events: list[Parsed]) -> None:
    """What holds for any reply at all."""
    written: dict[str, str] = {}
    ended: list[str] = []
    for event in events:
        if isinstance(event, ToolArgumentsDelta):
            assert event.id not in ended
            written[event.id] = written.get(event.id, "") + event.json_fragment
            from_json(written[event.id].encode(), allow_partial="trailing-strings")
            assert _CUT_ESCAPE.search(written[event.id]) is None
        elif isinstance(event, ToolCallReady):
            assert json.loads(written[event.id]) == event.arguments
            ended.append(event.id)
        elif isinstance(event, CallFaulty):
            assert event.reason
            ended.append(event.id)
    assert ended == begun(events)


@pytest.mark.parametrize("name", FORMATS)
def test_any_reply_cut_anywhere_gives_the_same(name: str) -> None:
    rng = random.Random(name)
    for number in range(_PER_FORMAT):
        text = mangled(rng.choice((READS, WRITES))[name], rng)
        was_cut = rng.random() < 0.3
        events = parsed(name, cut(text, rng), was_cut=was_cut)
        check(events)
        if number % 2:
            assert joined(events) == joined(parsed(name, [text], was_cut=was_cut)), text


@given(st.sampled_from(list(FORMATS)), st.text(max_size=80), st.lists(st.integers(0, 80), max_size=6))
@settings(max_examples=150, deadline=None)
def test_any_text_at_all_is_read(name: str, text: str, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(text)]
    events = parsed(name, [text[a:b] for a, b in itertools.pairwise(places)])
    check(events)
    assert joined(events) == joined(parsed(name, [text]))


@given(st.text(max_size=60), st.integers(-(10**20), 10**20))
@settings(max_examples=100, deadline=None)
def test_any_string_in_json_comes_through(content: str, limit: int) -> None:
    arguments = {"path": content, "limit": limit}
    call = json.dumps({"name": "read_file", "arguments": arguments})
    shown = (
        content.encode("utf-8", "replace").decode().replace("?", "\ufffd") if _is_broken(content) else content
    )
    assert calls(parsed("hermes", [f"<tool_call>{call}</tool_call>"])) == [
        ("read_file", {"path": shown, "limit": limit})
    ]


def _is_broken(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_held_back_stays_short(name: str) -> None:
    """What was read once is never looked at again, so that time grows with the text alone."""
    for before in ("", *(WRITES[name].partition(word)[0] for word in ("b.py", "def f", "</param"))):
        for text in (
            " ",
            "\n",
            "{",
            "<",
            "</",
            "<tool_call>",
            "</parameter>\n",
            '{"name": "',
            "`",
            "[",
            "\\",
        ):
            parser = ReplyParser(FORMATS[name], TOOLS)
            parser.feed(before)
            flood = text * (600 // len(text))
            for at in range(0, len(flood), 7):
                parser.feed(flood[at : at + 7])
                assert len(parser._reader.source._text) <= 200


def test_a_great_many_escapes_at_once_is_read() -> None:
    content = "\n\t" * 40_000
    call = json.dumps({"name": "write_file", "arguments": {"path": "a", "content": content}})
    assert calls(parsed("hermes", [f"<tool_call>{call}"]))[0][1]["content"] == content
