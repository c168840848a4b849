"""Calls written as JSON objects, `{"name": …, "arguments": {…}}`: what several formats have inside."""

from __future__ import annotations

from typing import Any

from agent.toolcalls.calls import Call, Outlet
from agent.toolcalls.coercion import BadValue, loose
from agent.toolcalls.literals import JSON, Notation, key, more, string, value
from agent.toolcalls.source import Malformed, Reader, Source, Unfinished, Wait

_NAMES = ("name", "function", "tool", "tool_name", "function_name")
_ARGUMENTS = ("arguments", "parameters", "args", "input")


def calls(source: Source, outlet: Outlet) -> Wait[None]:
    """One object or several in a row, or a list of them."""
    yield from source.space()
    is_list = bool((yield from source.accept("[")))
    while True:
        yield from source.space()
        if is_list and (yield from source.accept("]")):
            return
        yield from call(source, outlet)
        yield from source.space()
        while (yield from source.accept(",", ";")):
            yield from source.space()
        if is_list and (yield from _is_left_open(source)):
            return
        if not is_list and (yield from source.peek()) != "{":
            # A brace too many is the commonest slip of all.
            while (yield from source.accept("}", "]")):
                yield from source.space()
            return


def call(source: Source, outlet: Outlet, *, in_name: bool = False) -> Wait[None]:
    """One object; `in_name` when it was read up to the first letter of its name."""
    begun: Call | None = None
    held: Any = {}
    if in_name:
        parts: list[str] = []
        yield from string(source, '"', parts.append)
        begun = outlet.begin("".join(parts))
    elif not (yield from source.accept("{")):
        raise _expected((yield from source.peek()), "an object with a name and arguments was expected")
    # The template of Qwen2.5-Coder shows its example in doubled braces, and the model writes what it sees.
    is_doubled = not in_name and bool((yield from source.accept("{")))
    while (yield from more(source, "}")):
        if begun is not None and (yield from _is_left_open(source)):
            break
        name = yield from key(source, JSON)
        if name in _NAMES and begun is None:
            found = yield from value(source, JSON)
            if isinstance(found, dict):  # the whole call, one level down
                held = next((found[each] for each in _ARGUMENTS if each in found), held)
                found = next((found[each] for each in _NAMES if each in found), None)
            if isinstance(found, str):
                begun = outlet.begin(found)
                _give(begun, held)
        elif name in _ARGUMENTS and begun is not None:
            yield from arguments(source, begun)
        else:
            found = yield from value(source, JSON)
            held = found if name in _ARGUMENTS else held
    if begun is None:
        raise Malformed("the call names no tool")
    begun.finish()
    if is_doubled:
        yield from source.accept("}")


def arguments(source: Source, call: Call, notation: Notation = JSON) -> Wait[None]:
    """The object of arguments, or a string that holds it."""
    yield from source.space()
    quote = yield from source.accept('"', "'")
    if quote:
        inner = Reader(lambda text: arguments(text, call))
        yield from string(source, quote, inner.feed)
        inner.close()
    elif (yield from source.accept("{")):
        yield from members(source, call, notation)
    elif not (yield from source.accept("null", "None")):
        raise _expected((yield from source.peek()), "the arguments must be an object")


def members(source: Source, call: Call, notation: Notation, closing: str = "}") -> Wait[None]:
    """What stands in the object of arguments, and its end."""
    has_any = False
    while (yield from more(source, closing)):
        if has_any and (yield from _is_left_open(source)):
            return
        call.begin((yield from key(source, notation)))
        call.value((yield from value(source, notation, call.text)))
        has_any = True


def _is_left_open(source: Source) -> Wait[bool]:
    """Whether the object ended without its brace: the mark that ends the call comes, or the text is over."""
    char = yield from source.peek()
    return char in ("<", "`") if char else not source.was_cut


def _give(call: Call, held: Any) -> None:
    """Arguments that came before the name."""
    if held is None:
        return
    if isinstance(held, str):
        try:
            held = loose(held)
        except BadValue as problem:
            raise Malformed(f"the arguments: {problem}") from problem
    if not isinstance(held, dict):
        raise Malformed("the arguments must be an object")
    for name, item in held.items():
        call.begin(name)
        call.value(item)


def _expected(char: str, what: str) -> Malformed:
    return Malformed(f"{what}, but there is {char!r}") if char else Unfinished("the call was not finished")
