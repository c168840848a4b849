"""Small repairs of a file that cannot be run: one bracket, quote or colon more or less; a name or an import.

Pure. The parser tells which of them make the file valid, the tests which of those is right.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise

from agent.code import trees
from agent.code.languages import Language, language_of
from agent.code.symbols import parse
from agent.tools.repairs import Repair

_LINES_BACK = 12
_KEPT = 8
_SHORTER = 60  # more often something is missing than too much
_AT_END = {
    Language.PYTHON: (":", ")", "):", "]", "}", '"', "'", '")', "')", ","),
}
_BRACED_AT_END = (")", " {", ") {", "]", "}", ");", '"', "'", "`", '")', '");', "');", ",", "})", "});")
_TAIL = re.compile(r"(\s*(?:[;:,{]|//.*|#.*)*\s*)$")
_UNKNOWN = (
    re.compile(r"name '(\w+)' is not defined"),
    re.compile(r"No module named '(?:\w+\.)*(\w+)'"),
    re.compile(r"cannot import name '(\w+)'"),
    re.compile(r"(\w+) is not defined"),
    re.compile(r"undefined: (?:\w+\.)*(\w+)"),
    re.compile(r"(?:\w+\.)(\w+) undefined"),
    re.compile(r"unknown field '?(\w+)'?"),
    re.compile(r"has no attribute '(\w+)'"),
    re.compile(r"\b(\w+) is not a function"),
)
_UNUSED = re.compile(r"imported and not used")


def syntax_repairs(path: str, source: str, line: int) -> list[Repair]:
    """Changes of one line, at `line` or shortly before it, after which the file is valid; likeliest first."""
    lines = source.split("\n")
    found = [repair for repair in _unclosed(path, lines) if _is_valid(path, _repaired(lines, repair))]
    for distance, number in _near(line, len(lines)):
        for rank, after in enumerate(_versions(path, lines, number)):
            is_shorter = len(after.strip()) < len(lines[number - 1].strip())
            far = distance * 10 + (_SHORTER if is_shorter else 0)
            repair = Repair(number, lines[number - 1], after, far + rank)
            if _is_valid(path, _repaired(lines, repair)):
                found.append(repair)
    unlike = {
        (repair.line, repair.after): repair for repair in sorted(found, key=lambda repair: -repair.rank)
    }
    return sorted(unlike.values(), key=lambda repair: repair.rank)[:_KEPT]


def import_repair(message: str, before: str, after: str) -> Repair | None:
    """`after`, which is `before` with other imports, as one changed line, where `message` calls for it."""
    if not any(pattern.search(message) for pattern in (*_UNKNOWN, _UNUSED)):
        return None
    old, new = before.split("\n"), after.split("\n")
    if before == after:
        return None
    head = next(i for i, (a, b) in enumerate(zip([*old, None], [*new, None], strict=False)) if a != b)
    most = min(len(old), len(new)) - head
    tail = next((i for i in range(most) if old[-1 - i] != new[-1 - i]), most)
    gone, added = old[head : len(old) - tail], new[head : len(new) - tail]
    if not gone:
        head, added = (head - 1, [old[head - 1], *added]) if head else (0, [*added, old[0]])
    elif len(gone) > 1:
        return None
    return Repair(head + 1, old[head], "\n".join(added), 0)


def name_repairs(message: str, source: str, line: int, known: Iterable[str]) -> list[Repair]:
    """Where `message` says that a name is not known: the line with the names most like it in its place."""
    lines = source.split("\n")
    if not 1 <= line <= len(lines):
        return []
    declared = _declared(message, line, lines[line - 1])
    first = [declared] if declared is not None else []
    unknown = next((found[1] for pattern in _UNKNOWN if (found := pattern.search(message))), "")
    text = lines[line - 1]
    word = re.compile(rf"\b{re.escape(unknown)}\b")
    if not unknown or not word.search(text):
        return first
    pool = set(known) - {unknown}
    if "module" in message:
        pool |= sys.stdlib_module_names
    near = difflib.get_close_matches(unknown, sorted(pool), n=4, cutoff=0.6)
    return first + [
        Repair(line, text, word.sub(name, text), rank) for rank, name in enumerate(near, len(first))
    ]


def _declared(message: str, line: int, text: str) -> Repair | None:
    """The line with its variable declared, or no longer declared, where that is what is missing."""
    message, after = message.strip().partition("\n")[0], text
    if found := re.search(r"undefined: (\w+)$", message):
        after = re.sub(rf"^(\s*{found[1]}) = ", r"\1 := ", text)
    elif found := re.search(r"(?:^|: )(\w+) is not defined$", message):
        after = re.sub(rf"^(\s*)({found[1]} = )", r"\1let \2", text)
    elif "no new variables on left side of :=" in message:
        after = text.replace(":=", "=", 1)
    return Repair(line, text, after, 0) if after != text else None


def _repaired(lines: list[str], repair: Repair) -> str:
    return "\n".join([*lines[: repair.line - 1], repair.after, *lines[repair.line :]])


def _unclosed(path: str, lines: list[str]) -> Iterator[Repair]:
    """A closing brace wherever the indentation goes back and none stands, in languages that have them."""
    if language_of(path) in (None, Language.PYTHON):
        return
    rows = [(number, text, _margin(text)) for number, text in enumerate(lines, 1) if text.strip()]
    steps = [len(b[2]) - len(a[2]) for a, b in pairwise(rows)]
    unit = min((step for step in steps if step > 0), default=1)
    for (number, text, margin), (_, after, outer) in pairwise(rows):
        is_closed = after.lstrip()[0] in "})]"
        if len(margin) - len(outer) >= unit * (2 if is_closed else 1):
            inner = after[: len(outer)] + margin[len(outer) : len(outer) + unit] if is_closed else outer
            yield Repair(number, text, f"{text}\n{inner}}}", -1)


def _margin(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def _near(line: int, count: int) -> Iterator[tuple[int, int]]:
    """Line numbers by their distance: parsers stop at what is wrong, or after it."""
    for distance in range(_LINES_BACK + 1):
        if 1 <= line - distance <= count:
            yield distance, line - distance
    if line < count:
        yield _LINES_BACK + 1, line + 1


def _versions(path: str, lines: list[str], number: int) -> Iterator[str]:
    line = lines[number - 1]
    if not line.strip():
        return
    language = language_of(path)
    tail = _TAIL.search(line)
    if language is not Language.PYTHON:
        after = next((text for text in lines[number:] if text.strip()), "")
        outer = _margin(after)
        if len(outer) < len(_margin(line)):
            yield f"{line}\n{outer}}}"
    body, end = (line[: tail.start()], tail[0]) if tail is not None else (line, "")
    for added in _AT_END.get(language, _BRACED_AT_END) if language is not None else ():
        yield f"{line.rstrip()}{added}"
        if end.strip():
            yield f"{body}{added}{end}"
    for place in [i for i, character in enumerate(line) if character in "()[]{}:;,\"'`"][::-1]:
        yield line[:place] + line[place + 1 :]
    if language is Language.PYTHON and line[:1] in " \t":  # indented by too much or too little
        for outer in _margins(lines, number):
            yield outer + line.lstrip()


def _margins(lines: list[str], number: int) -> list[str]:
    """The indentations of the lines before, the nearest first."""
    before = [text for text in lines[max(0, number - 1 - _LINES_BACK) : number] if text.strip()]
    found = dict.fromkeys(text[: len(text) - len(text.lstrip())] for text in reversed(before))
    return sorted(found, key=len, reverse=True)


def _is_valid(path: str, text: str) -> bool:
    language = language_of(path)
    if language is Language.PYTHON:
        return parse(text) is not None
    return language is not None and not trees.syntax_error(language, text)
