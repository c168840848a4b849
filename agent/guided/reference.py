"""What "it" stands for: the function or class that was last changed or spoken of. Pure over the index."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent.code.index import CodeIndex
from agent.code.languages import is_test_code
from agent.code.mentions import mentioned
from agent.facts import Fact, FileEdited

_IT = re.compile(
    r"\b(?P<before>to|of|for|in|from|on|above|below|into|with|does|did|is|are|can|rename|document|comment"
    r"|delete|remove|change|simplify|explain|describe|call|calls|uses?|test|make|let|have|set|move|rewrite|raise|lower"
    r"|increase|decrease|double|show me|inline|extract|about|like|where's|what's) (?:it|that one|this one)\b"
    r"(?! (?:possible|ok|okay|true|so|all|back|out|up|work for me|seems|would|there)\b)",
    re.IGNORECASE,
)
_ITS = re.compile(r"\bits\b(?! own\b)", re.IGNORECASE)
_AT_START = re.compile(
    r"^(?P<before>(?:please |and |so |also |now )*)(?:it|(?:that|this) (?:function|method|class))"
    r" (?=should|must|needs? to|has to|ought to|shouldn't|doesn't|does not|is not|isn't)",
    re.IGNORECASE,
)
_THAT_THING = re.compile(r"\b(?:that|this|the same) (?:function|method|class|constant)\b", re.IGNORECASE)


def resolved(request: str, subject: str, index: CodeIndex) -> str:
    """`request` with the name `subject` in the place of "it", where it names nothing of its own."""
    if not subject or not index.find(subject):
        return request
    named = mentioned(request, index)
    if named.symbols or named.files:
        return request
    for pattern, new in (
        (_AT_START, rf"\g<before>{subject} "),
        (_THAT_THING, subject),
        (_IT, rf"\g<before> {subject}"),
        (_ITS, f"{subject}'s"),
    ):
        text, count = pattern.subn(new, request, count=1)
        if count:
            return text
    return request


def subject_of(request: str, facts: Iterable[Fact], index: CodeIndex, before: str = "") -> str:
    """What is spoken of after `request` was carried out with these facts; `before` where that is open."""
    files = [fact for fact in facts if isinstance(fact, FileEdited)]
    edits = [fact for fact in files if fact.symbol]
    edits.sort(key=lambda fact: is_test_code(fact.path))
    if edits:
        name = edits[0].symbol
    else:
        symbols = mentioned(request, index).symbols
        # After a change of no function, "it" is no function either.
        name = symbols[0].symbol.name if symbols else "" if files else before
    bare = name.rpartition(".")[2]
    return bare if len(index.find(bare)) == 1 else name
