"""Which files, functions and classes a request speaks of. Pure over the index."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from agent.code.index import CodeIndex, Located
from agent.code.symbols import SymbolKind
from agent.intents import squashed

_MAX_SYMBOLS = 3
_MAX_FILES = 2
_MAX_WORDS = 4
_KINDS = frozenset({"function", "method", "class", "constant", "variable", "def"})
_FILE_WORDS = frozenset({"file", "module"})
_ARTICLES = frozenset({"a", "an", "new", "another"})
# English words that are also popular names in code: a name only beside "function", "class" and the like.
_COMMON = frozenset({
    "a", "add", "all", "and", "any", "append", "are", "as", "at", "be", "by", "call", "called",
    "change", "check", "class", "clear", "close", "code", "commit", "copy", "count", "create", "date",
    "day", "delete", "do", "does", "each", "edit", "error", "exit", "file", "files", "find", "first",
    "fix", "for", "format", "from", "function", "get", "give", "has", "have", "help", "how", "i", "if",
    "in", "index", "info", "init", "insert", "is", "it", "item", "items", "key", "keys", "last", "line",
    "lines", "list", "load", "log", "main", "make", "max", "message", "method", "min", "move", "name",
    "names", "new", "next", "not", "of", "on", "open", "or", "out", "parse", "path", "print", "process",
    "project", "put", "read", "remove", "rename", "return", "run", "save", "search", "send", "set",
    "show", "size", "sort", "start", "state", "status", "stop", "sum", "test", "tests", "text", "that",
    "the", "then", "this", "time", "to", "total", "type", "update", "use", "used", "user", "value",
    "values", "what", "when", "where", "which", "who", "why", "with", "work", "works", "write", "you",
})  # fmt: skip


@dataclass(frozen=True)
class Mentions:
    """What a request names, in the order it does."""

    symbols: tuple[Located, ...]
    files: tuple[str, ...]


def mentioned(request: str, index: CodeIndex) -> Mentions:
    """Symbols and files named in `request`, written as in the code or spoken as words."""
    words = [word.strip(".,;:?!'\"`").removesuffix("()") for word in request.split()]
    words = [word for word in words if word]
    by_sound: dict[str, list[Located]] = {}
    for item in index.located():
        by_sound.setdefault(squashed(item.symbol.bare_name), []).append(item)
        by_sound.setdefault(squashed(item.symbol.name), []).append(item)
    files = _files(words, index)
    found: dict[tuple[str, str], Located] = {}
    taken: set[int] = set()
    for size in range(_MAX_WORDS, 0, -1):
        for start in range(len(words) - size + 1):
            span = range(start, start + size)
            if taken.intersection(span):
                continue
            group = words[start : start + size]
            if any(word.lower() in _KINDS for word in group):
                continue
            items = by_sound.get(squashed("".join(group)), [])
            if items and _is_meant(words, start, size, request, items):
                taken.update(span)
                for item in _preferred(items, files)[:2]:
                    found[(item.path, item.symbol.name)] = item
    ordered = sorted(found.values(), key=lambda item: _position(item, request))
    return Mentions(tuple(ordered[:_MAX_SYMBOLS]), files)


def _is_meant(words: list[str], start: int, size: int, request: str, items: list[Located]) -> bool:
    group = words[start : start + size]
    before = words[start - 1].lower() if start else ""
    after = words[start + size].lower() if start + size < len(words) else ""
    if size > 1:
        # "add item" is a verb and its object where nothing of the kind is named.
        return before not in _ARTICLES or after in _KINDS
    word = group[0]
    if re.search(r"[_\d]|[a-z][A-Z]", word) or f"{word}()" in request or f"`{word}`" in request:
        return True
    if before in _KINDS or after in _KINDS:
        return before not in _ARTICLES
    if before in _ARTICLES or word.lower() in _COMMON:
        return False
    return not (start == 0 and word.lower() not in [item.symbol.bare_name for item in items])


def _preferred(items: list[Located], files: tuple[str, ...]) -> list[Located]:
    """Those in a file that is named too, if any; functions and classes before constants."""
    here = [item for item in items if item.path in files] or items
    return sorted(here, key=lambda item: item.symbol.kind is SymbolKind.CONSTANT)


def _position(item: Located, request: str) -> int:
    place = squashed(request).find(squashed(item.symbol.bare_name))
    return place if place >= 0 else len(request)


def _files(words: list[str], index: CodeIndex) -> tuple[str, ...]:
    found: list[str] = []
    lowered = [word.lower() for word in words]
    for path in index.sources:
        pure = PurePosixPath(path)
        name, stem = pure.name.lower(), pure.stem.lower()
        for i, word in enumerate(lowered):
            after = lowered[i + 1] if i + 1 < len(lowered) else ""
            dotted = f"{word}.{lowered[i + 2]}" if after == "dot" and i + 2 < len(lowered) else word
            if (
                path.lower() in (word, dotted)
                or name in (word, dotted)
                or (stem == word and (after in _FILE_WORDS or stem == "readme"))
            ):
                found.append(path)
    found = list(dict.fromkeys(found))
    # A name at the top of the repository is meant before the same name further down.
    return tuple(sorted(found, key=lambda path: path.count("/"))[:_MAX_FILES])
