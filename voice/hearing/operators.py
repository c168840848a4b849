"""Spoken operators and brackets as symbols, between code only: "max_retries equals five". Pure.

In prose the words stay: a symbol is written where both of its sides are code that was written out, a number,
or another symbol, so that nothing is altered where no code is spoken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from voice.conversation.words import number, word_list
from voice.hearing.tokens import Token
from voice.hearing.written import Change, Source

_ROWS = """== double equals|equals equals|equal equal|is equal to
=== triple equals
!= not equals|not equal|bang equals
<= less than or equal to|less or equal
>= greater than or equal to|greater or equal
< less than
> greater than
+= plus equals
-= minus equals
*= times equals
= equals
+ plus
- minus
* times|star
** star star|to the power of
/ divided by
// divided by integer
% percent|modulo|mod
&& and and|amper amper
|| pipe pipe|or or
| pipe
& amper|ampersand
-> arrow|thin arrow
=> fat arrow|dub arrow
( open paren|left paren|open parenthesis
) close paren|right paren|close parenthesis
[ open bracket|left bracket|open square bracket|left square bracket
] close bracket|right bracket|close square bracket|right square bracket
{ open brace|left brace|open curly
} close brace|right brace|close curly
, comma
: colon
:: double colon|colon colon
; semicolon
. dot
@ at sign
# hash
! bang
~ tilde
^ caret
$ dollar sign"""


def _spoken() -> Mapping[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for row in _ROWS.splitlines():
        symbol, _, ways = row.partition(" ")
        for way in ways.split("|"):
            found[tuple("." if word == "dot" else word for word in way.split())] = symbol
    return found


SPOKEN = _spoken()
_LONGEST = max(map(len, SPOKEN))
_BINARY = frozenset(word_list("== === != <= >= < > += -= *= = + * ** / // % && || | & -> =>"))
_OPENING, _CLOSING = "([{", ")]}"
_TIGHT_AFTER, _TIGHT_BEFORE = "([{.@!~$#", ")]},:;."
_MOST_NUMBER = 6  # words


def operators(text: str, tokens: Sequence[Token], written: Sequence[Change]) -> list[Change]:
    """The symbols and numbers that are said between what is written already; `written` does not change."""
    pieces = _pieces(tokens, written)
    found: list[Change] = []
    start = 0
    while start < len(pieces):
        end = start
        while end < len(pieces) and pieces[end].is_code and (end == start or pieces[end].joined):
            end += 1
        run = pieces[start:end]
        is_code = any(piece.symbol for piece in run) and any(piece.is_name for piece in run)
        if is_code and not _has_neighbours(run):
            found += _written_run(text, _trimmed(run))
        start = max(end, start + 1)
    return found


class _Piece:
    """A stretch of the request: a name that was written out, a symbol, a number, or a word of prose."""

    def __init__(
        self, start: int, end: int, *, joined: bool, symbol: str = "", digits: str = "", name: bool = False
    ):
        self.start, self.end, self.joined = start, end, joined
        self.symbol, self.digits, self.is_name = symbol, digits, name

    @property
    def is_code(self) -> bool:
        return bool(self.symbol or self.digits or self.is_name)


def _pieces(tokens: Sequence[Token], written: Sequence[Change]) -> list[_Piece]:
    by_start = {change.start: change for change in written}
    pieces: list[_Piece] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        change = by_start.get(token.start)
        if change is not None:
            pieces.append(_Piece(change.start, change.end, joined=token.joined, name=True))
            while at < len(tokens) and tokens[at].start < change.end:
                at += 1
            continue
        n, piece = _symbol_or_number(tokens, at)
        pieces.append(piece)
        at += n
    return pieces


def _symbol_or_number(tokens: Sequence[Token], at: int) -> tuple[int, _Piece]:
    token = tokens[at]
    for n in range(min(_MOST_NUMBER, len(tokens) - at), 0, -1):
        group = tokens[at : at + n]
        if not all(one.joined for one in group[1:]):
            continue
        forms = tuple(one.form for one in group)
        if forms in SPOKEN and n <= _LONGEST:
            return n, _Piece(token.start, group[-1].end, joined=token.joined, symbol=SPOKEN[forms])
        said = number(forms)
        if said is not None:
            return n, _Piece(token.start, group[-1].end, joined=token.joined, digits=str(said))
    return 1, _Piece(token.start, token.end, joined=token.joined)


def _has_neighbours(run: Sequence[_Piece]) -> bool:
    """Names, numbers or operators side by side: no code, as in "parse_config two times plus once"."""
    return any(
        (not one.symbol and not other.symbol) or (one.symbol in _BINARY and other.symbol in _BINARY)
        for one, other in pairwise(run)
    )


def _trimmed(run: list[_Piece]) -> list[_Piece]:
    """Without symbols at the edges that need something beside them."""
    while run and run[-1].symbol and run[-1].symbol not in _CLOSING:
        run = run[:-1]
    while run and run[0].symbol and run[0].symbol not in _OPENING + "!~@$":
        run = run[1:]
    return run if any(piece.symbol for piece in run) and any(piece.is_name for piece in run) else []


def _written_run(text: str, run: list[_Piece]) -> list[Change]:
    changes: list[Change] = []
    for at, piece in enumerate(run):
        if piece.digits:
            changes.append(_change(text, piece.start, piece.end, piece.digits, Source.NUMBER))
        if not piece.symbol:
            continue
        before, after = run[at - 1] if at else None, run[at + 1] if at + 1 < len(run) else None
        start, end = piece.start, piece.end
        is_call = piece.symbol in "([" and before is not None and before.is_name
        if before is not None and (piece.symbol[0] in _TIGHT_BEFORE or is_call or piece.symbol == "::"):
            start = before.end
        if (
            after is not None
            and (piece.symbol[-1] in _TIGHT_AFTER or piece.symbol == "::")
            and not after.symbol
        ):
            end = after.start
        changes.append(_change(text, start, end, piece.symbol, Source.OPERATOR))
    return [change for change in changes if change.before != change.after]


def _change(text: str, start: int, end: int, after: str, source: Source) -> Change:
    return Change(start, end, text[start:end], after, source)
