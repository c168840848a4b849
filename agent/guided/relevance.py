"""Which code is most like the words of a request that does not name it. Pure over the index."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from agent.code.index import CodeIndex, Located
from agent.code.languages import is_test_code
from agent.code.lexical import words_of
from agent.code.symbols import SymbolKind

WHOLE_SYMBOL_LINES = 60  # longer ones are shown in part
_MOST = 6
_SATURATION, _LENGTH = 1.2, 0.5  # k1 and b
FREQUENT = frozenset({
    "about", "all", "and", "any", "anyth", "are", "as", "at", "be", "but", "by", "can", "do", "does",
    "for", "from", "get", "give", "go", "happen", "has", "have", "how", "if", "in", "is", "it", "just",
    "many", "me", "more", "my", "no", "not", "of", "on", "one", "or", "our", "out", "return", "so",
    "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "to", "use", "us",
    "was", "we", "what", "when", "where", "which", "who", "why", "will", "with", "work", "you", "your",
    "function", "method", "clas", "file", "test",
})  # fmt: skip
"""Of a question, these tell nothing of what it is about. Without their endings."""


def related(request: str, index: CodeIndex, *, tests_too: bool) -> list[Located]:
    """Symbols whose own words are most like the request's; none without a match.

    Rare words count more, and words of long symbols less, as in BM25 (Robertson and Zaragoza, "The
    Probabilistic Relevance Framework: BM25 and Beyond", 2009).
    """
    wanted = set(words_of(request)) - FREQUENT
    bags: list[tuple[Located, Counter[str]]] = []
    spread: Counter[str] = Counter()
    for item in index.located():
        if not tests_too and is_test_code(item.path):
            continue
        if item.symbol.kind is SymbolKind.CLASS and item.symbol.n_lines > WHOLE_SYMBOL_LINES:
            continue
        bag = Counter(words_of(index.source_of(item)))
        for word in words_of(f"{item.symbol.name} {item.path}"):
            bag[word] += 3
        bags.append((item, bag))
        spread.update(set(bag) & wanted)
    usual = sum(bag.total() for _, bag in bags) / max(len(bags), 1)
    scored = [
        (
            sum(
                math.log(1 + len(bags) / spread[word])
                * bag[word]
                / (bag[word] + _SATURATION * (1 - _LENGTH + _LENGTH * bag.total() / usual))
                for word in wanted & set(bag)
            ),
            item,
        )
        for item, bag in bags
    ]
    best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])
    return [item for _, item in best[:_MOST]]


def beside(
    request: str, shown: Sequence[Located], likest: Sequence[Located], index: CodeIndex
) -> list[Located]:
    """Of the `likest` those with words of the request that what is `shown` has not.

    "Which error does the ledger give?" names the ledger; the error stands elsewhere.
    """
    said = set(words_of(request)) - FREQUENT
    covered = {word for item in shown for word in _words_at(item, index)}
    found: list[Located] = []
    for item in likest:
        fresh = said & set(_words_at(item, index)) - covered
        if fresh and not any(overlap(item, other) for other in shown):
            found.append(item)
            covered |= fresh
    return found


def _words_at(item: Located, index: CodeIndex) -> list[str]:
    return words_of(f"{item.symbol.name} {index.source_of(item)}")


def overlap(item: Located, other: Located) -> bool:
    """Whether the one stands among the lines of the other."""
    first = max(item.symbol.first_line, other.symbol.first_line)
    return item.path == other.path and first <= min(item.symbol.last_line, other.symbol.last_line)
