"""Questions about programming in general, which no code of the project would help to answer. Pure."""

from __future__ import annotations

import re

from agent.code.index import CodeIndex
from agent.code.lexical import words_of
from agent.code.mentions import mentioned
from agent.guided.relevance import FREQUENT

# How one asks for knowledge; what follows is a thing of its kind, and none that was spoken of before.
_ASKS = re.compile(
    r"(?:(?:so|and|but|okay|ok|well|please|hey),? )*"
    r"(?:(?:can|could|would|will) you (?:please )?(?:tell|explain|describe|say)(?: to)?(?: me| us)? "
    r"|(?:please )?(?:tell|explain to|remind) (?:me|us) |do you know |(?:please )?(?:explain|describe) )?"
    r"(?:what does it mean (?:that|when|if|to|for)"
    r"|(?:(?:what is|what's|what are|explain) )?the (?:difference|differences) between"
    r"|(?:what is |what's |what are )?the "
    r"(?:purpose|point|use|meaning|idea|advantages?|benefits?|drawbacks?|role) (?:of|behind|with)"
    r"|how (?:do|does|can|could|would|should) (?:i|you|we|one)"
    r"|(?:when|why) (?:do|does|would|should) (?:i|you|we|one|people|programmers)"
    r"|what(?:'s| is| are| does| do| would| an?)|(?:how|when|why) (?:do|does|is|are)|explain|describe)\b",
    re.IGNORECASE,
)
# Of this project, or of what was just spoken of.
_POINTS = re.compile(
    r"\b(?:the|this|that|these|those|here|there|it|its|they|them|their|our|ours|my|mine|your|yours|we|us|he"
    r"|she|you|now|just|again|still|yet|wrong|missing|last|else|more|other|same|both|all|every|each|any)\b"
    r"|[\w-]+\.[a-z]\w*\b|\w_\w|[a-z][A-Z]|[()/`]|\d"
)
_OF_ITS_KIND = re.compile(
    r"\b(?:an?|differences? between|in (?:python|javascript|typescript|java|go|golang|rust|c|c\+\+))\b"
)
# What programmers call things everywhere, so that finding it in a project tells nothing.
_TERMS = frozenset(
    words_of(
        "algorithm argument array assertion assignment async attribute await bit boolean branch break "
        "bug byte cache callback case class closure code comment commit compiler comprehension "
        "condition constant constructor continue coroutine data database debugger decorator default "
        "dependency deque dict dictionary difference directory docstring else enum environment error "
        "event exception expression false file filter fixture float folder function generator getter "
        "go golang good hash heap import index inheritance instance instructions integer interface "
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
    """Whether a question asks for what holds everywhere: "What is a generator good for?"

    Any doubt makes it one about the project: a word for what is here or was said, or one of its own.
    """
    asks = _ASKS.match(request.strip())
    named = mentioned(request, index)
    if asks is None or named.symbols or named.files:
        return False
    rest = request.strip()[asks.end() :]
    if _POINTS.search(rest) or not _OF_ITS_KIND.search(f"{asks[0]}{rest}".lower()):
        return False
    own = set(words_of(rest)) - _TERMS - FREQUENT
    return not any(
        word in f"{path} {source.text}".lower() for path, source in index.sources.items() for word in own
    )
