"""A source without one of its definitions. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from agent.code.languages import Language, language_of
from agent.code.outline import symbols_of
from agent.code.symbols import Symbol
from agent.tools.checking import broken
from agent.tools.matching import NotFound

_LEGAL = re.compile(r"copyright|licen[cs]e|spdx", re.IGNORECASE)


def without(path: str, source: str, symbol: Symbol, known: Sequence[Symbol]) -> str | NotFound:
    """`source` without the lines of `symbol`, one of `known`; not where something else stands in them too."""
    lines = source.split("\n")
    first, alone = symbol.first_line, f"more than {symbol.bare_name} stands in its lines, so I left them"
    if not lines[symbol.def_line - 1].lstrip().startswith(symbol.opening.partition("\n")[0]):
        return NotFound(alone)
    if language_of(path) is Language.PYTHON:
        first = _comment_above(lines, first)
    if _LEGAL.search("\n".join(lines[first - 1 : symbol.def_line - 1])):  # it is about the whole file
        first = symbol.def_line
    head, tail = lines[: first - 1], lines[symbol.last_line :]
    while head and not head[-1].strip() and (not tail or not tail[0].strip()):
        head.pop()
    while not head and tail and not tail[0].strip():
        tail.pop(0)
    after = "\n".join([*head, *tail])
    if broken(path, source, after):  # whoever writes it says why not
        return after
    gone = Counter(each.name for each in known) - Counter(each.name for each in symbols_of(path, after))
    others = (gone - Counter([symbol.name])).keys()
    return after if all(name.startswith(f"{symbol.name}.") for name in others) else NotFound(alone)


def _comment_above(lines: Sequence[str], first: int) -> int:
    """The line where the comment begins that stands right above line `first`, below a gap; else `first`."""
    line = lines[first - 1]
    mark = f"{line[: len(line) - len(line.lstrip())]}#"
    start = first
    while start > 1 and lines[start - 2].startswith(mark):
        start -= 1
    return start if start > 1 and not lines[start - 2].strip() else first
