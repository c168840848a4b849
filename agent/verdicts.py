"""What is asked of the tests, and what is said of how they went, by the words. Pure.

How the tests go is told from a run: whoever asks gets one, and no word of the model's stands in its place.
"""

from __future__ import annotations

import re
from enum import Enum

_LINK = (
    r"(?:and|then|but|or|until|if|whether|when|while|with|before|after|because|so|that|on|in|of|for|to|from"
    r"|by|as|a|an|are|is|do|does|did|has|have|had|will|new|another|more)"
)
_WORD = rf"(?!{_LINK}\b)[\w./'-]+"
_SUITE = r"(?:tests?|specs?|test ?suites?|suites?|pytest|unittests?|test run|build and tests?)(?: suites?)?"
_TESTS = rf"(?:{_WORD} ){{0,3}}?{_SUITE}"
_GOOD = (
    r"(?:pass(?:es|ing|ed)?|succeed(?:s|ing|ed)?|green|work(?:s|ing|ed)?|ok(?:ay)?|fine|happy"
    r"|(?:run|go|come)(?:es)? through)"
)
_BAD = (
    r"(?:fail(?:s|ing|ed|ures?)?|broken|break(?:s|ing)?|broke|red|complain(?:s|ing|ed)?"
    r"|crash(?:es|ing|ed)?)"
)
_STATE = rf"(?:(?:not |both |now )?(?:{_GOOD}|{_BAD}))"
_IS = r"(?:is|are|do|does|did|has|have|had|will|was|were|don't|doesn't|aren't|isn't)"
_I_WANT = r"(?:(?:i|we)(?:'d| would)? (?:want|like|need|love)(?: you)? to |let (?:us )?|go and )?"
_TO_KNOW = (
    rf"{_I_WANT}(?:check|see|verify|find out|look|know|hear|tell|say|confirm|ask)"
    r"(?: if| whether| that| how| which)"
)
_ASKED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_I_WANT}(?:re-?run|run|try|execute|start|launch|kick off|repeat) {_TESTS}(?: through| over)?",
        rf"give {_TESTS} (?:a|another) (?:run|try|go|spin)",
        rf"{_IS} (?:there )?{_TESTS} (?:been )?{_STATE}",
        rf"{_IS} (?:there|we|i|you)(?: got| have)? (?:{_WORD} )?{_BAD} {_SUITE}",
        rf"{_TO_KNOW} {_TESTS} (?:{_IS} )?{_STATE}",
        # As it was asked at first: "check the tests are green".
        rf"(?:check|see|verify) {_TESTS} (?:{_IS} )?{_STATE}",
        rf"(?:how many|which|what|whether|if) {_TESTS} (?:{_IS} )?{_STATE}",
        r"test (?:it|everything|project|code)",
        rf"(?:are we|is everything|is it|does everything|does it|do they|are they) (?:{_GOOD}|{_BAD})",
        rf"(?:how|what) (?:{_IS} )?{_TESTS} (?:doing|going|looking|look|do|go|say|stand)",
        rf"(?:what|how)(?:'s| is| are| were)? (?:test )?(?:state|status|results?|outcome) {_TESTS}",
        r"what(?:'s| is| are| were)? test (?:state|status|results?|outcome)",
    )
)
# A part of the project: all tests are run, those of that part with them.
_SCOPE = re.compile(
    rf"\b({_SUITE}) (?:of|in|for|from|inside|under|about) (?:(?:the|my|our|this|that) )?"
    rf"(?:{_WORD}(?: |$)){{1,4}}?(?=$|(?:{_IS} |all |still |now )*{_STATE}\b)",
)
FILLER = re.compile(r"\b(?:the|my|our|your|this|that|these|those|all|of|any|me|up|still|just|so far)\b ?")
"""Words that change nothing in what is asked for."""
_WHEN = re.compile(
    r"(?:[\s,]+(?:right|now|currently|at the moment|at present|at this point|today|yet|already|or not|again"
    r"|successfully|there|as well|too|first|once more|at all|as (?:it|they|things) (?:is|are|stands?)))+$"
)

# "Test" may be said of much else: a test passes a value, a function passes it on.
_END = (
    r"(?=\s*(?:$|[.,;:!?]|(?:now|right now|currently|again|successfully|at the moment|as well|too|and|but"
    r"|because|since|without|with (?:no|an?|the)|already|there|here|today)\b))"
)
_ADVERBS = (
    r"(?:(?:all|both|now|currently|still|also|already|just|successfully|each|only|have|been|not|no longer) )*"
)
_SOME = r"(?:\S+ ){0,6}?"
_NAMED = rf"(?:{_SUITE}|test_\w+|Test[A-Z]\w*)"
_NONE = r"(?:no|zero|0|none of(?: the| our| your)?)"
_SAID_NONE_BAD = re.compile(
    rf"\b{_NONE} (?:\w+ )?{_SUITE} (?:{_IS} )?{_ADVERBS}(?:fail(?:s|ed|ing)?|broken|red){_END}"
    rf"|\b{_NONE} (?:{_BAD} {_SUITE}|failures)\b|\b{_NONE} failed\b",
    re.IGNORECASE,
)
_SAID_BAD = re.compile(
    rf"\b{_NAMED}\b {_SOME}{_ADVERBS}(?:fail(?:s|ed|ing)?|crash(?:es|ed)?|(?:is|are) (?:\w+ )?(?:broken|red)"
    rf"|(?:do|does|did)(?:n't| not)(?: \w+)? pass|(?:is|are) not (?:\w+ )?(?:passing|green)){_END}"
    rf"|\b(?:not all|not every|none)(?: of)?(?: the| our)? (?:\w+ )?{_SUITE} (?:{_IS} )?(?:pass\w*|green)\b"
    rf"|\b{_BAD} {_SUITE}\b(?= (?:is|are)\b|\s*[.:,]|$)",
    re.IGNORECASE,
)
_SAID_GOOD = re.compile(
    rf"\b{_NAMED}\b {_SOME}{_ADVERBS}(?:pass(?:es|ed|ing)?|succeed(?:s|ed)?|(?:is|are) (?:\w+ )?passing"
    rf"|(?:is|are) (?:\w+ )?(?:green|ok(?:ay)?|fine|successful)){_END}"
    rf"|\b(?:everything|it all|they all) (?:is |are )?(?:pass(?:es|ed|ing)?|green){_END}",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(?:\d+|all|one|two|three|four|five|six|seven|eight|nine|ten) (?:tests? )?(passed|failed)\b",
    re.IGNORECASE,
)
_NOT_NOW = re.compile(
    r"\b(?:if|when|whenever|unless|until|once|would|will|should|could|can|may|might|must|cannot|so that"
    r"|in order|makes? sure|whether|to (?:pass|fail)|(?:don't|not) know|not sure|(?:haven't|not) run)\b",
    re.IGNORECASE,
)
_NAMES_TESTS = re.compile(rf"\b(?:{_SUITE}|build)\b", re.IGNORECASE)
_HOW_THEY_GO = re.compile(rf"\b(?:run|re-?run|execute|{_GOOD}|{_BAD})\b", re.IGNORECASE)


class Verdict(Enum):
    """What is said of the tests."""

    PASS = "pass"
    FAIL = "fail"


def is_run_asked(text: str) -> bool:
    """Whether `text`, a clause without polite words, wants the tests run or only asks how they go."""
    text = _WHEN.sub("", _SCOPE.sub(r"\1 ", text.lower().rstrip(" ?.!,;")).strip())
    bare = " ".join(FILLER.sub("", text).split())
    return any(pattern.fullmatch(bare) for pattern in _ASKED)


def names_tests(request: str) -> bool:
    """Whether a request speaks of tests."""
    return bool(_NAMES_TESTS.search(request))


def is_about_a_run(request: str) -> bool:
    """Whether a request speaks of tests and of how they go, so that a run of them may help."""
    return names_tests(request) and bool(_HOW_THEY_GO.search(request))


def verdict_in(sentence: str) -> Verdict | None:
    """What a sentence states of how the tests go; None where it states nothing, or says when they would."""
    if _NOT_NOW.search(sentence):
        return None
    if _SAID_NONE_BAD.search(sentence):
        return Verdict.PASS
    if _SAID_BAD.search(sentence):
        return Verdict.FAIL
    if _SAID_GOOD.search(sentence):
        return Verdict.PASS
    counted = [found[1].lower() for found in _COUNTED.finditer(sentence)]
    if counted:
        return Verdict.FAIL if "failed" in counted else Verdict.PASS
    return None
