"""Which files, functions and classes a request speaks of. Pure over the index."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from agent.code.index import CodeIndex, Located
from agent.code.languages import language_of
from agent.code.symbols import SymbolKind
from agent.intents import squashed

_MAX_SYMBOLS = 3
_MAX_FILES = 2
_MAX_WORDS = 4
_KINDS = frozenset({"function", "method", "class", "constant", "variable", "def"})
_PREPOSITIONS = frozenset({"to", "in", "into", "inside", "of"})
_FILE_WORDS = frozenset({"file", "module"})
# "Line should …", "Names must …": what is spoken of as a thing that does something is a name.
_MODALS = frozenset({"should", "shouldn't", "must", "mustn't", "ought", "has", "needs", "shall"})
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
    """What a request names, in the order it does; `places` are files named as places: "to pricing"."""

    symbols: tuple[Located, ...]
    files: tuple[str, ...]
    places: tuple[str, ...] = ()


def mentioned(request: str, index: CodeIndex) -> Mentions:
    """Symbols and files named in `request`, written as in the code or spoken as words."""
    words = [word for word in map(_bare, request.split()) if word]
    files = _files(words, index)
    found: dict[tuple[str, str], Located] = {}
    for _, items in _named(words, request, index):
        for item in _preferred(items, files)[:2]:
            found[(item.path, item.symbol.name)] = item
    ordered = sorted(found.values(), key=lambda item: _position(item, request))
    return Mentions(tuple(ordered[:_MAX_SYMBOLS]), files, _places(words, index))


def spelled(request: str, index: CodeIndex) -> str:
    """`request` with the names that it speaks of as they are written: "is overdrawn" becomes IsOverdrawn."""
    raw = [word for word in request.split() if _bare(word)]
    words = [_bare(word) for word in raw]
    for span, items in sorted(_named(words, request, index), key=lambda pair: pair[0].start, reverse=True):
        names = {item.symbol.bare_name for item in items}
        said = "".join(words[i] for i in span)
        if len(names) == 1 and "." not in said:
            head, tail = raw[span.start], raw[span.stop - 1]
            before = head[: head.find(words[span.start])]
            after = tail[tail.rfind(words[span.stop - 1]) + len(words[span.stop - 1]) :]
            raw[span.start : span.stop] = [f"{before}{names.pop()}{after}"]
    return " ".join(raw)


def _bare(word: str) -> str:
    return word.strip(".,;:?!'\"`").removesuffix("()")


def _named(words: list[str], request: str, index: CodeIndex) -> list[tuple[range, list[Located]]]:
    """The places among `words` where a symbol is named, the longest first, with what they may mean."""
    by_sound: dict[str, list[Located]] = {}
    for item in index.located():
        by_sound.setdefault(squashed(item.symbol.bare_name), []).append(item)
        by_sound.setdefault(squashed(item.symbol.name), []).append(item)
    found: list[tuple[range, list[Located]]] = []
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
                found.append((span, items))
    return found


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
    if before in _ARTICLES:
        return False
    names = [item.symbol.bare_name for item in items]
    is_written = word in names and not word.islower()
    if start == 0 and (after in _MODALS or (is_written and word.lower() not in _COMMON)):
        return after not in _ARTICLES | {"the"}
    if word.lower() in _COMMON:
        return is_written and start > 0
    return not (start == 0 and word.lower() not in names)


def _preferred(items: list[Located], files: tuple[str, ...]) -> list[Located]:
    """Those in a file that is named too, if any; functions and classes before constants."""
    here = [item for item in items if item.path in files] or items
    return sorted(here, key=lambda item: item.symbol.kind is SymbolKind.CONSTANT)


def _position(item: Located, request: str) -> int:
    place = squashed(request).find(squashed(item.symbol.bare_name))
    return place if place >= 0 else len(request)


def _places(words: list[str], index: CodeIndex) -> tuple[str, ...]:
    """Source files named by their bare names after a word like "to" or "in"; none that may mean several."""
    lowered = [word.lower() for word in words]
    stems: dict[str, list[str]] = {}
    for path in index.sources:
        if language_of(path) is not None:
            stems.setdefault(squashed(PurePosixPath(path).stem), []).append(path)
    found: list[str] = []
    for size in (2, 1):
        for start in range(1, len(lowered) - size + 1):
            before = lowered[start - 1]
            if before == "the" and start > 1 and lowered[start + size : start + size + 1] != ["class"]:
                before = lowered[start - 2]
            paths = stems.get("".join(lowered[start : start + size]), [])
            if before in _PREPOSITIONS and len(paths) == 1:
                found += paths
    return tuple(dict.fromkeys(found))


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
