"""What kind of request it is, by its words. When no rule is sure, no tool is masked. Pure."""

from __future__ import annotations

import re
from enum import Enum

from agent.intents import plain


class Route(str, Enum):
    """What the user wants of a turn."""

    QUESTION = "question"  # an answer: writing tools are masked
    CHANGE = "change"  # an edit: `say` is masked until one has worked
    FIX_TESTS = "fix_tests"  # a change whose measure is the test run
    EXPLAIN_FAILURE = "explain_failure"  # a question about a failing test
    UNCLEAR = "unclear"


_CHANGE_VERBS = (
    "add|append|change|fix|repair|correct|rename|remove|delete|drop|make|set|replace|rewrite|write|create|implement|"
    "refactor|update|put|move|use|convert|turn|increase|decrease|raise|lower|double|halve|extend|insert|simplify|"
    "clean|document|comment|handle|support|improve|introduce|extract|inline|sort|swap|bump|edit|modify|adjust|"
    "reverse|allow|return|validate|wrap|give|default|switch|enable|disable|type"
)
_QUESTION_START = re.compile(
    r"(?:what|which|why|how|where|when|who|whose|is|are|am|was|were|does|do|did|has|have|had|can|should|could|would|"
    r"will|explain|describe|tell|show|summari[sz]e|find|list|read|search|look|count|name|open|print|display|walk|"
    r"give me (?:an|a|the) (?:overview|summary|explanation|idea))\b",
    re.IGNORECASE,
)
# "Print the total" may ask to be told it, or for code that prints it.
_TELL_OR_MAKE = re.compile(r"(?:print|display|show|read|search|find)\b", re.IGNORECASE)
_LOOK_UP = re.compile(
    r"(?:(?:show|tell|read) me|find out|find where)\b|read (?:the )?(?:file )?(?:\S+\.\w+|readme)(?: file)?$",
    re.IGNORECASE,
)
_CHANGE_START = re.compile(rf"(?:{_CHANGE_VERBS})\b", re.IGNORECASE)
_TESTS = r"(?:unit )?(?:tests?|suite|test suite|build)"
_FIX_TESTS = re.compile(
    rf"(?:fix|repair|correct|mend|solve|sort out|debug)\b.*\b(?:fail\w*|broken|red)\b.*\b{_TESTS}\b"
    rf"|(?:fix|repair|correct|mend|solve|sort out|debug) (?:the |that |this |my |all (?:the )?)?{_TESTS}\b"
    rf"|(?:fix|repair|correct|mend|solve|debug)\b.*\b{_TESTS}\b.*\b(?:fail\w*|broken|red)\b"
    rf"|(?:make|get)\b.*\b{_TESTS}\b.*\b(?:pass\w*|green|work\w*)\b"
    r"|fix (?:it|that|this|the (?:bug|failure|problem|error))(?: please)?$",
    re.IGNORECASE,
)
_EXPLAIN_FAILURE = re.compile(
    r"(?:why|how come|what makes|explain|what's wrong|what is wrong|what went wrong)\b.*"
    rf"(?:\b{_TESTS}\b.*\b(?:fail\w*|broken|red|wrong|pass\w*)|\b(?:fail\w*|broken)\b.*\b{_TESTS})\b"
    r"|why (?:does|did|is) it fail\w*$",
    re.IGNORECASE,
)
_TEST_ITSELF = re.compile(
    r"\b(?:fix|change|update|correct|edit|adjust) the "
    r"(?:test itself|test file|expected|expectation|assertion)",
    re.IGNORECASE,
)
_PARTS = re.compile(
    r"(?:,? and then|,? then|,? and also|,? and|;|\. )\s+"
    rf"(?=(?:please )?(?:{_CHANGE_VERBS}|run|commit|re-?run)"
    r" (?:a|an|the|it|its|this|that|all|every|each|my|to|in|\w*_\w*|\w+\.\w+|everything|tests?)\b)",
    re.IGNORECASE,
)


def route(request: str) -> Route:
    """The kind of one request."""
    text = plain(request)
    if _EXPLAIN_FAILURE.search(text):
        return Route.EXPLAIN_FAILURE
    if _FIX_TESTS.match(text):
        return Route.FIX_TESTS
    if _CHANGE_START.match(text):
        return Route.CHANGE
    if _TELL_OR_MAKE.match(text) and not request.rstrip().endswith("?") and not _LOOK_UP.match(text):
        return Route.UNCLEAR
    # "Can you add …" has lost its beginning in `plain`; what still begins like a question is one.
    if _QUESTION_START.match(text):
        return Route.QUESTION
    if re.search(
        rf"\b(?:should|must|needs? to|has to|have to)\b|\bi (?:want|need)\b.*\b(?:{_CHANGE_VERBS})\b",
        text,
        re.I,
    ):
        return Route.UNCLEAR
    return Route.QUESTION if request.rstrip().endswith("?") else Route.UNCLEAR


class NewCode(str, Enum):
    """What a request wants to be added, where its words leave no doubt."""

    TEST = "test"
    METHOD = "method"
    FUNCTION = "function"
    DEFINITION = "definition"
    COMMENT = "comment"


_NEW = re.compile(
    r"(?:add|write|create|make|implement|define|introduce) (?:a|an|another|some|one more|two|me a)\b"
    r"(?: new| small| simple| short| unit| helper| utility| \w+ing){0,2}"
    r" (?P<what>tests?|methods?|functions?|class)\b",
    re.IGNORECASE,
)


_DOCUMENT = re.compile(
    r"(?:add|write|give|put|create|insert|update|improve)\b.*"
    r"\b(?:doc ?strings?|doc comments?|documentation|js ?docs?|comments? (?:to|for|above|on|that))\b"
    r"|document\b",
    re.IGNORECASE,
)


def new_code(request: str) -> NewCode | None:
    """What is to be added; None where nothing is, or the words are not sure."""
    text = plain(request)
    found = _NEW.match(text)
    if found is None:
        return NewCode.COMMENT if _DOCUMENT.match(text) else None
    what = found["what"].lower().rstrip("s")
    kinds = {"test": NewCode.TEST, "method": NewCode.METHOD, "function": NewCode.FUNCTION}
    return kinds.get(what, NewCode.DEFINITION)


def wants_test_edited(request: str) -> bool:
    """Whether the user asks for the test rather than the code to be changed."""
    return bool(_TEST_ITSELF.search(request))


def split(request: str) -> tuple[str, ...]:
    """The requests that one sentence holds: "add X and rename Y to Z" is two. Questions are never cut."""
    first = plain(request)
    if not (_CHANGE_START.match(first) or re.match(r"(?:re-?)?run\b|commit\b", first, re.IGNORECASE)):
        return (request,)
    if re.match(r"commit\b|(?:git )?commit\b", first, re.IGNORECASE):
        return (request,)
    parts = [part.strip(" ,") for part in _PARTS.split(request)]
    # "it" in a later part refers to something that only the whole names; a bare verb is no request.
    if len(parts) < 2 or any(len(part.split()) < 2 for part in parts):
        return (request,)
    return tuple(parts)
