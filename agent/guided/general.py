"""Questions about programming in general, which no code of the project would help to answer. Pure."""

from __future__ import annotations

import re

from agent.code.index import CodeIndex
from agent.code.languages import is_test_code, is_test_file, language_of
from agent.code.lexical import words_of
from agent.code.mentions import mentioned
from agent.code.symbols import SymbolKind
from agent.guided.relevance import FREQUENT

_LANGUAGE = r"in (?:python|javascript|typescript|java|go|golang|rust|c|c\+\+)"
# How one asks for knowledge; what follows is a thing of its kind, and none that was spoken of before.
_ASKS = re.compile(
    r"(?:(?:so|and|but|okay|ok|well|please|hey),? )*"
    r"(?:(?:can|could|would|will) you (?:please )?(?:tell|explain|describe|say)(?: to)?(?: me| us)? "
    r"|(?:please )?(?:tell|explain to|remind) (?:me|us) |do you know |(?:please )?(?:explain|describe) )?"
    r"(?:what does it mean (?:that|when|if|to|for)\b"
    r"|(?:(?:what is|what's|what are|explain) )?the differences? between\b"
    r"|(?:what is |what's |what are )?the "
    r"(?:purpose|point|use|meaning|idea|advantages?|benefits?|drawbacks?|role) (?:of|behind|with)\b"
    r"|what(?:'s| is| are| an?)\b|explain\b|describe\b"
    r"|what (?:does|do)\b(?=.* (?:do|mean)\W*$)"
    rf"|how (?:does|do)\b(?=.* work(?: {_LANGUAGE})?\W*$)"
    rf"|how (?:do|can|could|would|should) (?:i|you|one)\b(?=.* {_LANGUAGE}\W*$)"
    r"|(?:when|why) (?:do|does|would|should) (?:i|you|one|people|programmers) (?:use|need|prefer|choose)\b)",
    re.IGNORECASE,
)
# Of this project, or of what was just spoken of; or more than the one question.
_POINTS = re.compile(
    r"(?i:\b(?:the|this|that|these|those|here|there|where|it|its|they|them|their|our|ours|i|my|mine|your|yours"
    r"|we|us|he|she|you|one|ones|some|something|anything|now|just|again|still|yet|wrong|missing|last|else|more"
    r"|other|same|both|all|every|each|any)\b)"
    r"|[\w-]+\.[a-z]\w*\b|\w_\w|[a-z][A-Z]|[()/`]|\d|[.?!;:]\s+\S"
)
_OF_ITS_KIND = re.compile(rf"\b(?:an?|differences? between|{_LANGUAGE})\b", re.IGNORECASE)
# What programmers call things everywhere, so that finding it in a project tells nothing.
_TERMS = frozenset(
    words_of(
        "algorithm argument array assertion assignment async attribute await bit boolean branch break "
        "bug byte cache callback case class closure code comment commit compiler comprehension "
        "condition constant constructor continue coroutine data database debugger decorator default "
        "dependency deque dict dictionary difference directory docstring else enum environment error "
        "event exception expression false file filter fixture float folder function generator getter "
        "go golang hash heap import index inheritance instance instructions integer interface "
        "iterator java javascript json keyword lambda library linter list local lock loop macro map "
        "memory merge method mock module namespace null number object operator optional package "
        "parameter parser pattern pointer process program programming promise property protocol "
        "python queue raise range recursion reference regex return rust runtime scope script sequence "
        "server set setter shell signature slice socket stack statement stream string struct subclass "
        "switch syntax table template ternary test thread token trait tree true tuple type typescript "
        "union value variable vector while yield"
    )
)


def is_general(request: str, index: CodeIndex) -> bool:
    """Whether a question asks for what holds everywhere: "What is a generator for?"

    Any doubt makes it one about the project: a word for what is here or was said, or one of its own.
    """
    request = request.strip()
    asks = _ASKS.match(request)
    if asks is None or _POINTS.search(request, asks.end()) or not _OF_ITS_KIND.search(request):
        return False
    words = set(words_of(request[asks.end() :]))
    things, strange = words & _TERMS, words - _TERMS - FREQUENT - {"good"}
    if not things or any(map(language_of, index.large)):
        return False
    own = _things(index)
    if any(_alike(word, name) for word in things - FREQUENT for name in own):
        return False
    texts = (f"{path} {source.text}".lower() for path, source in index.sources.items())
    if any(word.rstrip("ey") in text for text in texts for word in strange):
        return False
    named = mentioned(request, index)
    return not named.symbols and not named.files


def may_be_general(begun: str, index: CodeIndex) -> bool:
    """Whether a question that has `begun` so is a general one if it ends as those do."""
    return any(is_general(f"{begun} {end}".strip(), index) for end in ("", "do", "work"))


def _things(index: CodeIndex) -> set[str]:
    """The words of its classes, and the names in one word of all else; tests aside."""
    names = {part for path in index.sources if not is_test_file(path) for part in path.split("/")}
    names = {name.partition(".")[0] for name in names}
    for item in index.located():
        if is_test_code(item.path):
            continue
        if item.symbol.kind is SymbolKind.CLASS:
            names.update(words_of(item.symbol.name))
        else:
            names.add(item.symbol.bare_name)
    return {words[0] for name in names if len(words := words_of(name)) == 1}


def _alike(word: str, name: str) -> bool:
    """Whether they are one word, but for an ending: "cache" and what is left of "caches"."""
    short, long = sorted((word, name), key=len)
    return long.startswith(short.rstrip("ey")) and len(long) - len(short) < 2
