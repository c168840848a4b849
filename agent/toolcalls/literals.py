"""Reads values as models write them: JSON, Python literals, Gemma's own notation; strings piece by piece."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.toolcalls.source import Malformed, Reader, Source, Unfinished, Wait

_MAX_DEPTH = 32
_MAX_WORD_CHARS = 4_400  # Python reads no longer numbers

_WORDS: dict[str, Any] = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "null": None,
    "NULL": None,
    "None": None,
}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WORD = re.compile(r"[\w.+\-$/]+")
_KEY = re.compile(r"[\w.\-$ ]+")
_HEX = re.compile(r"[0-9a-fA-F]")
_PLAIN = {quote: re.compile(rf"[^{quote}\\]+") for quote in "\"'"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "/": "/", "\\": "\\", '"': '"', "'": "'"}
_PREFIXES = ("r", "b", "f", "u")


@dataclass(frozen=True)
class Notation:
    """`quotes` begin and end strings, longer ones first; `raw_quotes` those without escapes.

    With `is_python`, a prefix such as `r` may stand before a string, and tuples are lists.
    """

    quotes: tuple[str, ...]
    raw_quotes: tuple[str, ...] = ()
    is_python: bool = False


JSON = Notation(quotes=('"', "'"))
PYTHON = Notation(quotes=('"""', "'''", '"', "'"), is_python=True)
GEMMA_4 = Notation(quotes=('<|"|>', '"', "'"), raw_quotes=('<|"|>',))
FUNCTION_GEMMA = Notation(quotes=("<escape>", '"', "'"), raw_quotes=("<escape>",))


class Streamed:
    """Stands for a string whose text was handed on as it came."""


STREAMED = Streamed()


def value(
    source: Source, notation: Notation, on_text: Callable[[str], None] | None = None, depth: int = 0
) -> Wait[Any]:
    """One value. A string goes to `on_text` in pieces, where there is one; then `STREAMED` is given.

    Raises `Malformed`, or `Unfinished` at the end of the text.
    """
    if depth > _MAX_DEPTH:
        raise Malformed("the arguments are nested too deeply")
    yield from source.space()
    is_raw_python = False
    if notation.is_python:
        # Of a word that begins like a prefix, only the prefix of a string is one.
        opener = yield from source.accept(*(f"{p}{q}" for p in _PREFIXES for q in notation.quotes))
        is_raw_python, quote = opener.startswith("r"), opener[1:]
    else:
        quote = ""
    quote = quote or (yield from source.accept(*notation.quotes))
    if quote:
        parts: list[str] = []
        is_raw = is_raw_python or quote in notation.raw_quotes
        yield from string(source, quote, on_text or parts.append, is_raw=is_raw)
        return STREAMED if on_text is not None else "".join(parts)
    char = yield from source.peek()
    if char == "{":
        return (yield from _mapping(source, notation, depth))
    if char == "[" or (char == "(" and notation.is_python):
        return (yield from _sequence(source, notation, depth))
    return (yield from _bare(source))


def parse(text: str) -> Any:
    """The value that `text` is, as JSON or Python. Raises `Malformed`."""
    found: list[Any] = []

    def read(source: Source) -> Wait[None]:
        found.append((yield from value(source, PYTHON)))
        yield from source.space()
        if (yield from source.peek()):
            raise Malformed("something follows it")

    reader = Reader(read)
    reader.feed(text)
    reader.close()
    return found[0]


def string(source: Source, quote: str, on_text: Callable[[str], None], *, is_raw: bool = False) -> Wait[None]:
    """The rest of a string, its closing quote included. Escapes that no notation knows stay as they are."""
    if len(quote) > 1 and is_raw:
        if not (yield from source.until((quote,), on_text)):
            raise Unfinished("a string was not finished")
        return
    plain = _PLAIN[quote[0]]
    surrogate = 0
    while True:
        text = yield from source.run(plain)
        mark = "" if text else (yield from source.accept(quote, "\\"))
        if surrogate and mark != "\\":
            surrogate = 0
            on_text("\ufffd")
        if text:
            on_text(text)
        elif mark == quote:
            return
        elif mark and is_raw:
            on_text("\\" + (yield from source.take()))
        elif mark:
            surrogate = yield from _escape(source, on_text, surrogate)
        else:
            char = yield from source.take()  # a quote that is not yet three of them
            if not char:
                raise Unfinished("a string was not finished")
            on_text(char)


def key(source: Source, notation: Notation) -> Wait[str]:
    """The name before a `:` or `=`, which is read too."""
    quote = yield from source.accept(*notation.quotes)
    if quote:
        parts: list[str] = []
        yield from string(source, quote, parts.append, is_raw=quote in notation.raw_quotes)
        name = "".join(parts)
    else:
        name = (yield from source.word(_KEY, 128)).strip()
    yield from source.space()
    if not name or not (yield from source.accept(":", "=")):
        yield from _stop(source, "a name and a colon were expected")
    return name


def _escape(source: Source, on_text: Callable[[str], None], surrogate: int) -> Wait[int]:
    """What follows a backslash; gives the first half of a surrogate pair when there was one."""
    char = yield from source.take()
    if char != "u":
        if surrogate:
            on_text("\ufffd")
        if not char:
            raise Unfinished("a string was not finished")
        on_text(_ESCAPES.get(char, "\\" + char))
        return 0
    digits = ""
    while len(digits) < 4 and (digit := (yield from source.peek())) and _HEX.match(digit):
        digits += yield from source.take()
    code = int(digits, 16) if len(digits) == 4 else -1
    if surrogate and 0xDC00 <= code <= 0xDFFF:
        on_text(chr(0x10000 + ((surrogate - 0xD800) << 10) + (code - 0xDC00)))
        return 0
    if surrogate:
        on_text("\ufffd")
    if 0xD800 <= code <= 0xDBFF:
        return code
    if code < 0:
        on_text("\\u" + digits)
    else:
        on_text("\ufffd" if 0xDC00 <= code <= 0xDFFF else chr(code))
    return 0


def _mapping(source: Source, notation: Notation, depth: int) -> Wait[dict[str, Any]]:
    yield from source.take()
    found: dict[str, Any] = {}
    while (yield from more(source, "}")):
        name = yield from key(source, notation)
        found.setdefault(name, (yield from value(source, notation, depth=depth + 1)))
    return found


def _sequence(source: Source, notation: Notation, depth: int) -> Wait[list[Any]]:
    closing = "]" if (yield from source.take()) == "[" else ")"
    found: list[Any] = []
    while (yield from more(source, closing)):
        found.append((yield from value(source, notation, depth=depth + 1)))
    return found


def more(source: Source, closing: str) -> Wait[bool]:
    """Reads what stands between the items of a list: False after its `closing` mark."""
    yield from source.space()
    while (yield from source.accept(",")):
        yield from source.space()
    return not (yield from source.accept(closing))


def _bare(source: Source) -> Wait[Any]:
    """A number or a word that means a value."""
    word = yield from source.word(_WORD, _MAX_WORD_CHARS)
    if word in _WORDS:
        return _WORDS[word]
    if _NUMBER.fullmatch(word):
        try:
            return int(word)
        except ValueError:
            return float(word) if len(word) < 400 else word
    if word:
        raise Malformed(f"text must stand in quotes: {word[:40]}")
    return (yield from _stop(source, "a value was expected"))


def _stop(source: Source, wanted: str) -> Wait[Any]:
    char = yield from source.peek()
    if not char:
        raise Unfinished(f"{wanted}, but the call ended")
    raise Malformed(f"{wanted}, but there is {char!r}")
