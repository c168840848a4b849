"""How a new function or method begins: its keyword, and its name where the request gives one. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.code.index import CodeIndex
from agent.code.languages import Language, is_test_code, language_of
from agent.code.symbols import Symbol, SymbolKind
from agent.intents import in_style

_KIND = r"(?:function|method|helper|constructor|property|getter)"
_WORD = (
    r"(?!(?:to|in|into|on|for|that|which|who|taking|takes|with|returning|returns|of|at|and|from|inside|so|where|it"
    r"|once|twice|when|if|by|every|function|method|class)\b)"
)
_WORDS = rf"(?P<name>(?:{_WORD}[A-Za-z_]\w*)(?: {_WORD}[A-Za-z_]\w*){{0,3}})"
_END = (
    r"(?=[.,;:!?]*(?:\s+(?:to|in|into|on|for|that|which|taking|with|returning|of|at|and|from|inside|so|where)\b"
    r"|\s*$))"
)
_NAMED = (
    re.compile(rf"\b(?:called|named) [`'\"]?{_WORDS}[`'\"]?{_END}", re.IGNORECASE),
    re.compile(rf"\b{_KIND} [`'\"]?{_WORDS}[`'\"]?(?:\(\))?{_END}", re.IGNORECASE),
)
_HUMP = re.compile(r"[a-z][A-Z]")
_FUNCTIONS: dict[Language | None, str] = {
    Language.PYTHON: "def",
    Language.GO: "func",
    Language.RUST: "pub fn",
    **dict.fromkeys((Language.JAVASCRIPT, Language.TYPESCRIPT, Language.TSX), "function"),
}


def new_name(request: str) -> str:
    """The words that name what is to be added: "net price"; empty where none are sure."""
    for pattern in _NAMED:
        found = pattern.search(request)
        if found:
            return found["name"]
    return ""


def function_head(path: str, words: str, index: CodeIndex) -> str:
    """How a new function in the file begins, with its name where `words` give one."""
    language = language_of(path)
    functions = [s for s in index.sources[path].symbols if s.kind is SymbolKind.FUNCTION]
    head = _FUNCTIONS.get(language, "")
    if functions and all(symbol.opening.startswith("export ") for symbol in functions):
        head = f"export {head}"
    name = _written(words, language, _names(language, index))
    return f"{head} {name}" if name and head else head


def method_head(path: str, owner: str, words: str, index: CodeIndex) -> str:
    """How a new method of the class `owner` begins, in languages where that is plain."""
    language = language_of(path)
    members = [s for s in index.sources[path].symbols if s.name.startswith(f"{owner}.") and s.is_callable]
    name = _written(words, language, [s.bare_name for s in members] or _names(language, index))
    if language is Language.PYTHON:
        return f"def {name}" if name else "def"
    if language is Language.GO:
        receiver = _receiver(owner, members)
        return f"func {receiver} {name}" if name else f"func {receiver}"
    return name if language is not None and language.is_script else ""


def _receiver(owner: str, members: Sequence[Symbol]) -> str:
    for member in members:
        found = re.match(r"func (\([^)]*\))", member.opening)
        if found:
            return found[1]
    return f"({owner[:1].lower()} *{owner})"


def _names(language: Language | None, index: CodeIndex) -> list[str]:
    return [
        item.symbol.bare_name
        for item in index.located()
        if item.symbol.is_callable and language_of(item.path) is language and not is_test_code(item.path)
    ]


def _written(words: str, language: Language | None, names: Sequence[str]) -> str:
    """The words as a name, the way names of functions are written there."""
    if not words:
        return ""
    is_one_name = " " not in words and re.search(r"_|[a-z][A-Z]", words)
    humped, snake = sum(bool(_HUMP.search(n)) for n in names), sum("_" in n.strip("_") for n in names)
    by_habit = language is not None and language not in (Language.PYTHON, Language.RUST)
    model = "aB" if humped > snake or (by_habit and humped == snake) else "a_b"
    name = words if is_one_name else in_style(words.lower(), model, ())
    if language is Language.GO and not is_one_name:
        public = sum(known[:1].isupper() for known in names) * 2 >= len(names)
        return name[:1].upper() + name[1:] if public or words[:1].isupper() else name
    return name
