"""What kind of request it is, by its words. When no rule is sure, no tool is masked. Pure."""

from __future__ import annotations

import re
from enum import Enum

from agent.guided.clauses import CHANGE_VERBS, clauses, is_removal_asked
from agent.guided.doubts import is_doubtful, is_forbidden, is_retracted, only_looks
from agent.intents import plain
from agent.verdicts import is_run_asked


class Route(str, Enum):
    """What the user wants of a turn."""

    QUESTION = "question"  # an answer: writing tools are masked
    CHANGE = "change"  # an edit: `say` is masked until one has worked
    FIX_TESTS = "fix_tests"  # a change whose measure is the test run
    EXPLAIN_FAILURE = "explain_failure"  # a question about a failing test
    UNCLEAR = "unclear"


_QUESTION_START = re.compile(
    r"(?:what|which|why|how|where|when|who|whose|is|are|am|was|were|does|do(?! not\b)|did|has|have|had|can|"
    r"should|could|would|will|what's|who's|where's|how's|explain|describe|tell|show|summari[sz]e|find|list|read|"
    r"search|look|count|name|open|print|display|walk)\b",
    re.IGNORECASE,
)
# What begins like an order or a wish, but only wants to know.
_TO_KNOW = re.compile(
    r"give (?:me|us) (?:an|a|the|some) (?:\w+ )?(?:overview|summary|explanation|idea|description|list|hint)\b"
    r"|let (?:me|us) (?:know|see|hear|understand)\b|(?:have|take) a look\b|have (?:you|we|i|they|there)\b"
    r"|(?:i|we)(?:'d| would)? (?:want|need|like|wish|have) to "
    r"(?:know|see|hear|understand|find out|learn|ask|talk|discuss|think|wait|go|leave|listen)\b"
    r"|(?:i|we)(?:'d| would)? (?:want|need|like|could use) (?:an?|some|the|your|more) (?:\w+ )?"
    r"(?:explanation|overview|break|minute|moment|second|pause|rest|coffee|hand|advice|opinion|time)\b"
    r"(?! (?:function|method|class|constant|parameter|argument)\b)"
    r"|(?:i|we) (?:want|need|could use) (?:help|advice|time|coffee|sleep)\b"
    r"|(?:i|we) (?:wonder|don't (?:know|understand|see|get))\b|make sure (?:i|we) understand\b",
    re.IGNORECASE,
)
# "Print the total" may ask to be told it, or for code that prints it.
_TELL_OR_MAKE = re.compile(r"(?:print|display|show|read|search|find|list|count|name|open)\b", re.IGNORECASE)
_LOOK_UP = re.compile(
    r"(?:(?:show|tell|read|list|find|count|name|open) (?:me|us)|find out|find where|list (?:all|the|every)"
    r"|show (?:what|where|how|which))\b"
    r"|(?:read|open|show) (?:the )?(?:file )?(?:\S+\.\w+|readme)(?: file)?$",
    re.IGNORECASE,
)
# Verbs that also begin a question, or a name: "Have save_order indent it", "Explain it in a docstring".
_ORDER = re.compile(
    rf"(?:{CHANGE_VERBS})\b"
    r"|(?:explain|describe|summari[sz]e)\b.*\b(?:in|with|by|as) (?:a|the|its) "
    r"(?:doc ?strings?|doc comments?|comments?|js ?docs?)\b",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"(?:i|we) (?:want|need|prefer|could use)\b|(?:i|we)(?:'d| would) (?:like|prefer|love|want)\b"
    r"|there (?:should|must|ought to|has to|needs to) be\b|it would be (?:nice|good|great|better)\b",
    re.IGNORECASE,
)
# "Total should return zero": with a name before it, nothing but the code is meant.
_NORM = re.compile(
    r"\b(?:should(?:n't)?|must(?:n't)?|ought(?:n't)? to|ha(?:s|ve) to"
    r"|needs? (?:to|an?|some|another)|(?:is|are) supposed to)\b",
    re.IGNORECASE,
)
# "Could slugify keep digits only?" is asked and wished for with the same words.
_MAY = re.compile(r"(?:can|could|would|might) (?!you\b|we\b|i\b|it\b|there\b|they\b)\w+ \w+", re.IGNORECASE)
_NAMED_LIKE_VERB = re.compile(
    r"(?:print|display|show|read|search|find|list|count|name|open|look|walk|describe|explain)"
    r" (?:should(?:n't)?|must(?:n't)?|ought to|has to|needs to)\b",
    re.IGNORECASE,
)
_CONTENT = re.compile(
    r"(?:that|this|it) should (?:do(?: it)?|be (?:it|fine|enough|ok(?:ay)?|all|good)|work(?: now)?|suffice)$",
    re.IGNORECASE,
)
_TESTS = r"(?:unit )?(?:tests?|test suite|suite|build|specs?|npm test|pytest|go test|compilation)"
_BROKEN = (
    r"(?:\b(?:fail\w*|broken?|broke|red|complain\w*|crash\w*|error\w*|wrong)\b"
    r"|(?:\bnot|n't|\bno longer) (?:\w+ )?"
    r"(?:pass\w*|run\w*|work\w*|compil\w*|build\w*|start\w*|parse\w*))"
)
_IS_BROKEN = re.compile(
    r"\bnothing (?:works|runs|compiles|builds|starts)\b"
    rf"|\b{_TESTS}\b.*{_BROKEN}|{_BROKEN}.*\b{_TESTS}\b|\bsyntax error|(?:\bnot|n't|\bno longer) (?:\w+ )?"
    r"(?:run|compile|build|start|parse)s?\b",
    re.IGNORECASE,
)
_MEND = r"(?:fix|repair|correct|mend|solve|sort out|debug|resolve)"
_FIX_TESTS = re.compile(
    rf"{_MEND}\b.*\b(?:fail\w*|broken|red)\b.*\b{_TESTS}\b"
    rf"|{_MEND} (?:the |that |this |my |all (?:the )?)?{_TESTS}\b(?! file| itself)"
    rf"|{_MEND}\b.*\b{_TESTS}\b.*\b(?:fail\w*|broken|red)\b"
    rf"|(?:make|get)\b.*\b{_TESTS}\b.*\b(?:pass\w*|green|work\w*|run\w*|compile\w*)\b"
    rf"|{_MEND} (?:the |a |this |that |any |all )*(?:syntax|compil\w+|build|import) errors?\b",
    re.IGNORECASE,
)
_IT = r"(?:it|that|this|them)"
_FIX_IT = re.compile(
    rf"(?:make|get|turn) (?:{_IT}|everything) (?:all )?(?:pass|green|work|run|compile|build)\b|"
    rf"(?:{_MEND}|sort|patch|straighten) (?:{_IT}|everything|what(?:ever)?(?: is|'s) (?:wrong|broken)"
    r"|(?:the |this |that |any )?(?:bug|failure|problem|error|mistake|issue)s?)(?: out| up)?\??$",
    re.IGNORECASE,
)
# These mean mending only where something is said to be broken.
_SEE_TO_IT = re.compile(
    rf"(?:put|set|get|have|make) (?:{_IT}|things) (?:right|straight|going|running|working|fixed|sorted"
    r"|in order|back in order|back to normal|up and running)\b"
    rf"|(?:(?:see|attend) to|take care of|get to the bottom of|(?:deal|help) with|look after) {_IT}\b",
    re.IGNORECASE,
)
_EXPLAIN_FAILURE = re.compile(
    r"(?:why|how come|what(?:'s| is| makes| made| went| causes?| caused)|which|explain|tell me why)\b.*"
    rf"(?:\b(?:{_TESTS}|test\w+|\w+_test)\b.*{_BROKEN}|{_BROKEN}.*\b{_TESTS}\b)"
    r"|why (?:does|did|is) (?:it|that|this) (?:fail|break|broken|red)\w*$",
    re.IGNORECASE,
)
_TEST_ITSELF = re.compile(
    r"\b(?:fix|change|update|correct|edit|adjust) the "
    r"(?:test itself|test file|expected|expectation|assertion)",
    re.IGNORECASE,
)
# Verbs of which each names its own object: "skip the blank ones" may be the rest of what was said before.
_PART_VERBS = (
    "add|append|fix|repair|rename|remove|delete|drop|create|write|implement|refactor|update|change|set|move|document|"
    "comment|replace|run|re-?run|commit|make|put|simplify|extract"
)
_PARTS = re.compile(
    r"(?:[.;!?,]?\s+(?:(?:and|but)\s+)?(?:then|also|after that|afterwards|finally),?|[.;!?,]?\s+and|[.;!?])"
    rf"\s+(?=(?:please )?(?:{_PART_VERBS})"
    r" (?:a|an|the|it|its|this|that|all|every|each|my|to|in|\w*_\w*|\w+\.\w+|[a-z]+[A-Z]\w*|everything"
    r"|tests?)\b)",
    re.IGNORECASE,
)


def route(request: str) -> Route:
    """The kind of one request, in which names stand as they do in the code."""
    parts = clauses(request)
    kinds = [_kind(part) for part in parts]
    is_told_why = any(_EXPLAIN_FAILURE.search(part) for part in parts)
    if only_looks(request, parts):
        return Route.EXPLAIN_FAILURE if is_told_why else Route.QUESTION
    is_broken = any(_IS_BROKEN.search(part) for part in parts)
    is_fix = any(_FIX_TESTS.match(part) for part in parts)
    is_bare_fix = any(_FIX_IT.match(part) for part in parts)
    others = [k for k, part in zip(kinds, parts, strict=True) if not _FIX_IT.match(part)]
    is_fix = is_fix or (is_broken and any(_SEE_TO_IT.match(part) for part in parts))
    if is_fix or (is_bare_fix and (is_broken or all(kind is Route.UNCLEAR for kind in others))):
        return Route.FIX_TESTS
    if Route.CHANGE in kinds:
        return Route.CHANGE
    if is_told_why:
        return Route.EXPLAIN_FAILURE
    return Route.QUESTION if Route.QUESTION in kinds else Route.UNCLEAR


def _kind(clause: str) -> Route:
    """What one clause is by itself."""
    is_asked = clause.endswith("?")
    if _NAMED_LIKE_VERB.match(clause) and not is_asked:
        return Route.CHANGE
    if _TO_KNOW.match(clause) or is_removal_asked(clause):
        return Route.QUESTION
    if is_forbidden(clause):
        return Route.QUESTION
    if _MAY.match(clause) or (is_doubtful(clause) and not is_asked):
        return Route.UNCLEAR
    if _QUESTION_START.match(clause) and not (_ORDER.match(clause) and not is_asked):
        if _TELL_OR_MAKE.match(clause) and not is_asked and not _LOOK_UP.match(clause):
            return Route.UNCLEAR
        return Route.QUESTION
    if _ORDER.match(clause):
        return Route.UNCLEAR if is_asked else Route.CHANGE
    if _WISH.match(clause) and not is_asked:
        return Route.CHANGE
    if _NORM.search(clause) and not is_asked and not _CONTENT.fullmatch(clause):
        return Route.CHANGE
    return Route.QUESTION if is_asked else Route.UNCLEAR


def is_run_asked_in(request: str) -> bool:
    """Whether a clause of a request wants the tests run, or asks how they go."""
    return any(_wants_run(part) for part in clauses(request))


def asks_more_than_a_run(request: str) -> bool:
    """Whether there is a question in it that a run of the tests does not answer."""
    return any(_kind(part) is Route.QUESTION and not _wants_run(part) for part in clauses(request))


def _wants_run(clause: str) -> bool:
    return is_run_asked(clause) or is_run_asked(plain(clause.rpartition(",")[2]))


class NewCode(str, Enum):
    """What a request wants to be added, where its words leave no doubt."""

    TEST = "test"
    METHOD = "method"
    FUNCTION = "function"
    DEFINITION = "definition"
    COMMENT = "comment"


_NEW = re.compile(
    r"(?:add|write|create|make|implement|define|introduce|put|have|give (?:me|us|(?:the )?(?:class )?\w+)"
    r"|(?:add|give) to \w+|(?:i|we)(?:'d| would)? (?:need|want|like|love|could use)(?: to have)?"
    r"|there (?:should|must|ought to|has to|needs to) be) (?:a|an|another|some|one more|two|me a)\b"
    r"(?: new| small| simple| short| unit| helper| utility| \w+ing){0,2}"
    r" (?P<what>tests?|methods?|functions?|class)\b",
    re.IGNORECASE,
)


_DOCUMENT = re.compile(
    r"(?:add|write|give|put|create|insert|update|improve)\b.*"
    r"\b(?:doc ?strings?|doc comments?|documentation|js ?docs?|comments? (?:to|for|above|on|that))\b"
    r"|document\b|comment (?:on )?(?:the )?(?:function |method |class )?\w+(?: function| method| class)?$"
    r"|(?:explain|describe|summari[sz]e)\b.*\b(?:in|with|by|as) (?:a|the|its) "
    r"(?:doc ?strings?|doc comments?|comments?|js ?docs?)\b"
    r"|.*\b(?:needs?|should have|must have|has no|lacks|is missing|could use|wants?) "
    r"(?:a |an |some |its )?(?:\w+ )?(?:doc ?strings?|doc comments?|documentation|js ?docs?|comments?)\b",
    re.IGNORECASE,
)


# A comment on a part of a function is no description of it.
_INNER = re.compile(
    r"\b(?:above|in|inside|before|on|to|at) the \w* ?(?:loop|if|line|return|condition|branch)\b", re.I
)


def new_code(request: str) -> NewCode | None:
    """What is to be added; None where nothing is, or the words are not sure."""
    texts = clauses(request)
    found = next((found for text in texts if (found := _NEW.match(text))), None)
    if found is None:
        is_doc = any(_DOCUMENT.match(text) and not _INNER.search(text) for text in texts)
        return NewCode.COMMENT if is_doc else None
    what = found["what"].lower().rstrip("s")
    kinds = {"test": NewCode.TEST, "method": NewCode.METHOD, "function": NewCode.FUNCTION}
    return kinds.get(what, NewCode.DEFINITION)


def wants_test_edited(request: str) -> bool:
    """Whether the user asks for the test rather than the code to be changed."""
    return bool(_TEST_ITSELF.search(request))


def split(request: str) -> tuple[str, ...]:
    """The requests in one: "add X and rename Y to Z" is two, and so is "what is X? Add Y"."""
    first = plain(request)
    is_order = bool(_ORDER.match(first) or re.match(r"(?:re-?)?run\b", first, re.IGNORECASE))
    is_question = bool(_QUESTION_START.match(first))
    if is_retracted(request) or (
        not is_order and not (is_question and route(request) is not Route.FIX_TESTS)
    ):
        return (request,)
    parts: list[str] = []
    start = 0
    for match in _PARTS.finditer(request):
        mark = match[0].strip()[:1]
        if not is_order and mark != "?":  # a question goes on to its mark
            continue
        is_order = True
        parts.append(request[start : match.start()] + (mark if mark in ".!?" else ""))
        start = match.end()
    parts = [part.strip(" ,") for part in [*parts, request[start:]]]
    # A bare verb is no request.
    return tuple(parts) if all(len(part.split()) >= 2 for part in parts) else (request,)
