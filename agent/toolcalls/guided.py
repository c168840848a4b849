"""The guided dialect for small models: a call as lines, whose blanks the model fills under a grammar each.

The client writes every fixed token. What comes out are the same events as from any other dialect.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Union

from agent.engine.protocol import CUT_SHORT, Piece
from agent.errors import UtterError
from agent.events import TextDelta, ToolArgumentsDelta, ToolCallReady, ToolCallStarted
from agent.toolcalls import grammar
from agent.toolcalls.calls import next_call_id
from agent.toolcalls.jsonstream import ArgumentsWriter
from agent.tools.registry import Param, ParamKind, Tool

_ANSWER_TOKENS = 110
_ANSWER_SENTENCES = 3
_WORDS_CHARS = 120
_CODE_LINES = 120


class CallFailed(UtterError):
    """The model did not finish a call; what it began is of no use."""


class Writer(Protocol):
    """The open reply of a conversation: fixed text is put in, blanks are filled by the model."""

    async def put(self, text: str) -> None:
        """Append `text` as the client's own words."""
        ...

    def fill(
        self, constraint: str, max_tokens: int, temperature: float, seed: int
    ) -> AsyncGenerator[Piece, None]:
        """Let the model continue under a grammar."""
        ...


def _no_head(path: str) -> str:
    return ""


@dataclass(frozen=True)
class Menu:
    """What may stand in the blanks of one call.

    `tools` are those not masked; `files` and `symbols` the values offered for paths and names;
    `lines_of` gives the lines of a file that may be replaced; `opening_of` how a symbol's definition begins;
    `head_of` how what is added to a file does, with `is_named` up to the end of its name.
    With `says_problem` the model first writes down, in a line that nobody hears, what is wrong.
    """

    tools: tuple[Tool, ...]
    may_say: bool
    files: tuple[str, ...]
    symbols: tuple[str, ...]
    lines_of: Callable[[str], Sequence[str]]
    opening_of: Callable[[str], str]
    says_problem: bool = False
    head_of: Callable[[str], str] = _no_head
    is_named: bool = False
    max_code_tokens: int = 400


@dataclass(frozen=True)
class Said:
    """The model answered in words instead of calling a tool; `text` is the whole answer."""

    text: str


Step = Union[TextDelta, ToolCallStarted, ToolArgumentsDelta, ToolCallReady, Said]


async def next_step(
    writer: Writer, menu: Menu, temperature: float = 0.0, seed: int = 0
) -> AsyncGenerator[Step, None]:
    """One call or one answer: ends with `ToolCallReady` or `Said`, or raises `CallFailed`."""
    names = [tool.name for tool in menu.tools if _can_be_filled(tool, menu)]
    if menu.may_say:
        names.append("say")
    if not names:
        raise CallFailed("I have no tool left for this.")
    blanks = _Blanks(writer, temperature, seed)
    name = await blanks.pick("tool", names)
    if name == "say":
        async for step in _say(blanks):
            yield step
        return
    tool = next(tool for tool in menu.tools if tool.name == name)
    call_id = next_call_id()
    yield ToolCallStarted(call_id, name)
    json, arguments = ArgumentsWriter(), dict[str, Any]()
    for param in (param for param in tool.params if param.is_required):
        yield ToolArgumentsDelta(call_id, json.begin(param.name))
        value = ""
        async for piece in _value(blanks, tool, param, menu, arguments):
            value += piece
            yield ToolArgumentsDelta(call_id, json.text(piece))
        arguments[param.name] = value
    yield ToolArgumentsDelta(call_id, json.end())
    yield ToolCallReady(call_id, name, arguments)


async def choose(writer: Writer, label: str, values: Sequence[str]) -> str:
    """The one of `values` that the model writes behind a label; raises `CallFailed` if it writes none."""
    return await _Blanks(writer, 0.0, 0).pick(label, values)


class _Blanks:
    """Writes labels and lets the model fill the blanks behind them."""

    def __init__(self, writer: Writer, temperature: float, seed: int) -> None:
        self.writer = writer
        self._temperature = temperature
        self._seed = seed

    async def pick(self, label: str, values: Sequence[str]) -> str:
        """One of `values`; where there is only one, the model is not asked."""
        if len(values) == 1:
            await self.writer.put(f"{label}: {values[0]}\n")
            return values[0]
        await self.writer.put(f"{label}:")
        text, finish = "", None
        async for piece in self.fill(grammar.choice(values), 64):
            text, finish = text + piece.text, piece.finish
        if finish in CUT_SHORT or text.strip() not in values:
            raise CallFailed("I could not decide what to do.")
        return text.strip()

    def fill(self, constraint: str, max_tokens: int) -> AsyncGenerator[Piece, None]:
        return self.writer.fill(constraint, max_tokens, self._temperature, self._seed)


def _can_be_filled(tool: Tool, menu: Menu) -> bool:
    for param in (param for param in tool.params if param.is_required):
        if param.kind is ParamKind.SYMBOL and not menu.symbols:
            return False
        if param.kind is ParamKind.PATH and not _files_for(tool, menu):
            return False
    return True


def _files_for(tool: Tool, menu: Menu) -> tuple[str, ...]:
    if any(param.kind is ParamKind.LINES for param in tool.params):
        return tuple(path for path in menu.files if any(line.strip() for line in menu.lines_of(path)))
    return menu.files


async def _value(
    blanks: _Blanks, tool: Tool, param: Param, menu: Menu, before: dict[str, Any]
) -> AsyncGenerator[str, None]:
    """The pieces of one parameter's value, as the model writes it."""
    kind = param.kind
    if kind is ParamKind.PATH:
        yield await blanks.pick(param.name, _files_for(tool, menu))
    elif kind is ParamKind.SYMBOL:
        yield await blanks.pick(param.name, menu.symbols)
    elif kind is ParamKind.LINES:
        await blanks.writer.put(f"{param.name}:\n{grammar.FENCE}\n")
        constraint = grammar.consecutive(menu.lines_of(before["path"]))
        async for piece in _until_fence(blanks.fill(constraint, menu.max_code_tokens)):
            yield piece
        await blanks.writer.put("\n")
    elif kind is ParamKind.CODE:
        if menu.says_problem:
            await blanks.writer.put("problem:")
            async for _ in blanks.fill(grammar.line(_WORDS_CHARS), 60):
                pass
        opening = menu.opening_of(before["name"]) if "name" in before else ""
        head = opening or (menu.head_of(before["path"]) if tool.name == "append" else "")
        await blanks.writer.put(f"{param.name}:\n{grammar.FENCE}\n{head}")
        if head:
            yield head
        first = grammar.behind(opening or (head if menu.is_named else ""))
        constraint = grammar.code(_CODE_LINES, first)
        async for piece in _until_fence(blanks.fill(constraint, menu.max_code_tokens)):
            yield piece
        await blanks.writer.put("\n")
    else:
        await blanks.writer.put(f"{param.name}:")
        text = ""
        is_sentence = kind is ParamKind.SENTENCE
        constraint = grammar.spoken(1) if is_sentence else grammar.line(_WORDS_CHARS)
        async for piece in blanks.fill(constraint, 60):
            # The line's own space and end are not part of the value.
            shown = piece.text.lstrip() if not text else piece.text
            text += shown
            if shown.rstrip("\n"):
                yield shown.rstrip("\n")
            if piece.finish in CUT_SHORT:
                raise CallFailed("I did not finish what I began to write.")
        if is_sentence:
            await blanks.writer.put("\n")


async def _until_fence(pieces: AsyncGenerator[Piece, None]) -> AsyncGenerator[str, None]:
    """The text before the closing fence, without its last line end; what may be the fence is held back."""
    held = ""
    async for piece in pieces:
        held += piece.text
        if piece.finish in CUT_SHORT:
            raise CallFailed("That piece of code grew too long for me.")
        safe, held = _released(held)
        if safe:
            yield safe
    if not held.endswith(grammar.FENCE):
        raise CallFailed("I did not finish what I began to write.")
    rest = held.removesuffix(grammar.FENCE).rstrip("\n")
    if rest:
        yield rest


def _released(text: str) -> tuple[str, str]:
    """Split into what can go out and what must wait: line ends, and a line that may become the fence."""
    body, newline, last = text.rpartition("\n")
    if newline and last and not last.startswith("`"):
        return text, ""
    if newline:
        kept = body.rstrip("\n")
        return kept, text[len(kept) :]
    return ("", text) if text.startswith("`") else (text, "")


async def _say(blanks: _Blanks) -> AsyncGenerator[Step, None]:
    await blanks.writer.put("text:")
    text = ""
    async for piece in blanks.fill(grammar.spoken(_ANSWER_SENTENCES), _ANSWER_TOKENS):
        shown = piece.text.lstrip() if not text else piece.text
        text += shown
        if shown:
            yield TextDelta(shown)
    if not text.strip():
        raise CallFailed("I have no answer to that.")
    yield Said(text.strip())
