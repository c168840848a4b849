"""Calls in free text on both real engines; loops on the one that test_decode_mlx.py does not cover."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from typing import Any

import pytest

from agent.decode.call_grammar import call_grammar
from agent.decode.calls import CallGrammar, Constraint, Opener
from agent.engine.llamacpp import LlamaCppEngine
from agent.engine.protocol import Engine, Finish, Piece
from agent.toolcalls.declared import Declared

COUNT = (
    "<|im_start|>user\nCount from one to twenty in words.<|im_end|>\n<|im_start|>assistant\nOne, two, three,"
)
LOOP = "<|im_start|>user\nSay hello for ever.<|im_end|>\n<|im_start|>assistant\n" + "hello hello hello " * 12


async def written(engine: Engine, prompt: str, constraint: Constraint, max_tokens: int) -> list[Piece]:
    session = await engine.open()
    await session.prefill(engine.encode(prompt, special=True))
    start = session.tokens
    async with aclosing(session.generate(constraint, (), max_tokens)) as pieces:
        got = [piece async for piece in pieces]
    assert session.tokens == start + tuple(token for piece in got for token in piece.tokens)
    return got


def text_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


@pytest.mark.parametrize("opener", [" five", " fi"])
def test_a_call_is_ruled_from_its_opener_to_its_end_and_the_rest_is_free(engine: Any, opener: str) -> None:
    calls = CallGrammar((Opener(opener, "call"),), 'call: "[" ("apples"|"pears") "]"\n')
    text = text_of(asyncio.run(written(engine, COUNT, calls, 16)))
    assert re.match(rf" four,( ?){re.escape(opener.strip())}\[(apples|pears)\](?s:.)", text)


def test_a_call_of_a_declared_tool_is_whole(engine: Any) -> None:
    schema = {
        "type": "object",
        "properties": {"path": {"type": "string"}, "line": {"type": "integer"}},
        "required": ["path", "line"],
    }
    tools = (Declared("read_file", "Read a file", schema),)
    offered = {"read_file": {"path": ("src/cart.py", "src/order.py")}}
    calls = call_grammar("hermes", tools, offered, lambda name: engine.encode(name, special=True))
    assert calls is not None
    prompt = "<|im_start|>user\nRead line 3 of order.py.<|im_end|>\n<|im_start|>assistant\n<tool_call>"
    rule = calls.after(calls.openers[0])
    pieces = asyncio.run(written(engine, prompt, rule, 40))
    arguments = r'\{"path": "src/(cart|order)\.py", "line": -?\d+\}'
    assert re.fullmatch(
        rf'\n\{{"name": "read_file", "arguments": {arguments}\}}\n</tool_call>', text_of(pieces)
    )
    assert pieces[-1].finish is Finish.END_OF_TURN


def test_llama_cpp_stops_at_a_loop_and_names_it(llama_engine: LlamaCppEngine) -> None:
    rule = 'start: (" hello" | " again"){0,400}'
    pieces = asyncio.run(written(llama_engine, LOOP, rule, 200))
    assert pieces[-1].finish is Finish.REPETITION
    assert len(text_of(pieces)) < 1200
