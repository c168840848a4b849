"""The guided dialect: grammars, the argument stream, and calls written by a scripted model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llguidance import LLMatcher
from pydantic_core import from_json

from agent.engine.protocol import Finish, Piece
from agent.events import TextDelta, ToolArgumentsDelta, ToolCallReady, ToolCallStarted
from agent.toolcalls import grammar
from agent.toolcalls.guided import CallFailed, Menu, Said, next_step
from agent.toolcalls.jsonstream import ArgumentsWriter
from agent.tools.registry import Outcome, Param, ParamKind, Tool


async def _unused(arguments: object) -> Outcome:
    raise AssertionError


REWRITE = Tool(
    "rewrite_function",
    "",
    (Param("name", ParamKind.SYMBOL), Param("new", ParamKind.CODE)),
    False,
    _unused,
    lambda arguments: None,
)
EDIT = Tool(
    "edit_file",
    "",
    (Param("path", ParamKind.PATH), Param("old", ParamKind.LINES), Param("new", ParamKind.CODE)),
    False,
    _unused,
    lambda arguments: None,
)
SEARCH = Tool("search", "", (Param("pattern", ParamKind.WORDS),), True, _unused, lambda arguments: None)


class Scripted:
    """A reply whose blanks are filled from a list, in pieces of three characters."""

    def __init__(self, *fills: str) -> None:
        self._fills = list(fills)
        self.written = ""

    async def put(self, text: str) -> None:
        self.written += text

    async def fill(
        self, constraint: str, max_tokens: int, temperature: float, seed: int
    ) -> AsyncGenerator[Piece, None]:
        assert LLMatcher.validate_grammar(constraint) == ""
        text = self._fills.pop(0)
        self.written += text
        for i in range(0, len(text), 3):
            yield Piece(text[i : i + 3], (0,))
        yield Piece("", (), Finish.END_OF_TURN)


def menu(*tools: Tool, may_say: bool = True, lines: Sequence[str] = ("a = 1", "b = 2")) -> Menu:
    return Menu(tools, may_say, ("a.py", "b.py"), ("f", "g"), lambda path: lines, lambda name: f"def {name}")


def run(writer: Scripted, offered: Menu) -> list[object]:
    async def collect() -> list[object]:
        return [step async for step in next_step(writer, offered)]

    return asyncio.run(collect())


def test_a_call_streams_its_arguments_as_legal_json() -> None:
    writer = Scripted(" rewrite_function\n", " g\n", '(x):\n    return "a\\n" + x\n\n```')
    steps = run(writer, menu(REWRITE, SEARCH))
    fragments = [step.json_fragment for step in steps if isinstance(step, ToolArgumentsDelta)]
    for end in range(1, len(fragments)):
        from_json("".join(fragments[:end]), allow_partial="trailing-strings")
    ready = steps[-1]
    assert isinstance(ready, ToolCallReady)
    assert json.loads("".join(fragments)) == ready.arguments
    assert ready.arguments == {"name": "g", "new": 'def g(x):\n    return "a\\n" + x'}
    assert writer.written.startswith("tool: rewrite_function\nname: g\nnew:\n```\ndef g(x):\n")


def test_the_name_goes_out_before_the_arguments() -> None:
    steps = run(Scripted(" search\n", " def main\n"), menu(REWRITE, SEARCH))
    assert isinstance(steps[0], ToolCallStarted)
    assert steps[0].name == "search"
    ready = steps[-1]
    assert isinstance(ready, ToolCallReady)
    assert ready.arguments == {"pattern": "def main"}


def test_lines_to_replace_are_kept_whole_with_their_indentation() -> None:
    writer = Scripted(" b.py\n", "    a = 1\n    b = 2\n```", "    a = 3\n```")
    steps = run(writer, menu(EDIT, may_say=False, lines=("    a = 1", "    b = 2")))
    ready = steps[-1]
    assert isinstance(ready, ToolCallReady)
    assert ready.arguments == {"path": "b.py", "old": "    a = 1\n    b = 2", "new": "    a = 3"}


def test_an_answer_streams_as_text_and_is_no_tool_call() -> None:
    steps = run(Scripted(" say\n", " It adds two numbers. Nothing else."), menu(SEARCH))
    assert not any(isinstance(step, ToolCallStarted) for step in steps)
    assert "".join(s.text for s in steps if isinstance(s, TextDelta)) == "It adds two numbers. Nothing else."
    assert steps[-1] == Said("It adds two numbers. Nothing else.")


def test_the_model_is_not_asked_where_there_is_one_choice() -> None:
    writer = Scripted(" It ends.")
    assert run(writer, menu())[-1] == Said("It ends.")
    assert writer.written == "tool: say\ntext: It ends."


def test_a_call_that_is_cut_off_is_an_error() -> None:
    with pytest.raises(CallFailed):
        run(Scripted(" g\n", "(x):\n    return 1\n"), menu(REWRITE, may_say=False))


@given(st.lists(st.tuples(st.text(max_size=8), st.lists(st.text(max_size=8), max_size=4)), max_size=4))
def test_arguments_written_in_any_pieces_are_one_object(values: list[tuple[str, list[str]]]) -> None:
    writer, out = ArgumentsWriter(), ""
    for i, (name, pieces) in enumerate(values):
        out += writer.begin(f"{name}{i}")
        from_json(out, allow_partial=True)
        for piece in pieces:
            out += writer.text(piece)
            from_json(out, allow_partial=True)
    out += writer.end()
    assert json.loads(out) == {f"{name}{i}": "".join(pieces) for i, (name, pieces) in enumerate(values)}


@given(st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc"))), min_size=1, max_size=6))
def test_any_lines_make_a_valid_grammar(lines: list[str]) -> None:
    usable = [line for line in lines if line.strip() and not line.startswith("```")]
    if not usable:
        with pytest.raises(ValueError, match="no lines"):
            grammar.consecutive(lines)
        return
    assert LLMatcher.validate_grammar(grammar.consecutive(lines)) == ""


@pytest.mark.parametrize(
    "source",
    [
        grammar.choice(['we"ird\\name.py', "na\u00efve \U0001f600.py"]),
        grammar.line(60),
        grammar.spoken(3),
        grammar.code(40, grammar.behind("def load")),
        grammar.code(40, grammar.behind("export class Route")),
        grammar.code(40),
    ],
)
def test_every_grammar_is_valid(source: str) -> None:
    assert LLMatcher.validate_grammar(source) == ""
