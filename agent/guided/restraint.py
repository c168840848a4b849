"""Obeys without the model where something is to be left as it is. Pure over the index."""

from __future__ import annotations

import re

from agent.code.index import CodeIndex
from agent.code.mentions import mentioned
from agent.guided.doubts import is_retracted
from agent.intents import DirectCall, plain, squashed

_CHANGED = (
    r"(?:change|delete|remove|drop|rename|touch|edit|modify|move|rewrite|replace|refactor|commit|undo|revert|fix|mend"
    r"|repair|set|raise|lower|add|write|create|make|do|get rid of|take out|throw away)"
)
_WE = r"(?:i|we|you)"
_NOT = (
    r"(?:(?:no|wait|cancel|stop|sorry|actually|and|but)\b[\s,.!]*)*"
    r"(?:(?:please )?(?:don't|do not|never|not|rather not|let's not|stop)"
    r"|(?:there(?:'s| is) )?no need to|there is no need to"
    rf"|{_WE} (?:(?:should|must|shall|will|would|need)(?:n't| not)|won't|shan't|may not)(?: want to)?"
    rf"|{_WE} (?:don't|do not) (?:want|need|have|wish)(?: you)? to"
    rf"|{_WE}(?:'d| would)? (?:like|prefer|rather|want)(?: you)? not(?: to)?"
    rf"|{_WE}(?:'d| would)? rather {_WE} (?:didn't|did not))"
)
_LATER = r"(?: (?:yet|for now|now|today|at all|any ?more|after all|either|tonight))?"
_FORBIDS = (
    re.compile(rf"{_NOT} (?:also |just |even )?(?:{_CHANGED})(?: (?P<what>.+?))??{_LATER}", re.IGNORECASE),
    re.compile(
        r"stop (?:changing|deleting|removing|renaming|touching|editing|modifying|moving|rewriting) "
        rf"(?P<what>.+?){_LATER}",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:please )?(?:leave|keep) (?P<what>.+?)(?: (?:alone|be|as (?:it|they) (?:is|are)|unchanged"
        r"|the way (?:it|they) (?:is|are)))",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<what>.+?) (?:should|must|is to|shall|needs to|has to)(?: always)? (?:stay|remain)"
        r"(?: (?:as it is|unchanged|there|where it is|the way it is))?",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<what>.+?) (?:(?:should|must)(?:n't| not)|(?:is|are) not to|may not|(?:should|must) never) be "
        r"(?:changed|deleted|removed|dropped|renamed|touched|edited|modified|moved|rewritten|replaced)"
        rf"{_LATER}",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<what>nothing) (?:should|must|is to) be (?:changed|deleted|removed|renamed|touched|edited)",
        re.IGNORECASE,
    ),
)
_KIND = r"(?:function|method|class|constant|variable|type|struct|file)"
_WHATEVER = re.compile(
    r"(?:it|that|this|them|these|those|so|nothing|anything|everything"
    rf"|(?:the|my|our|any|that|this) (?:{_KIND}|code|tests?|project|one|(?:commit|change|file)s?)"
    rf"|(?:an?|any|another|new|more) (?:\w+ )?(?:{_KIND}|test|commit|comment|doc ?string)s?"
    r"(?: (?:to|for|on|in|of) .+)?)(?: there| here)?",
    re.IGNORECASE,
)
_BESIDE_NAME = re.compile(
    rf"^(?:(?:the|my|our) )?(?:{_KIND} )?(?:(?:called|named) )?|(?: {_KIND})?$",
    re.IGNORECASE,
)
_KEPT = "All right. I leave it as it is."


def restrained(request: str, index: CodeIndex) -> DirectCall | None:
    """The answer to a request that something of the project be left as it is; None for any other.

    "Don't remove blank names" says how code should work; "don't remove parse_config" is to be obeyed at once.
    """
    text = plain(request)
    if is_retracted(request):
        return DirectCall("say", {"text": _KEPT})
    if request.rstrip().endswith("?"):
        return None
    for pattern in _FORBIDS:
        found = pattern.fullmatch(text)
        if found is None:
            continue
        what = found["what"] or "it"
        if _WHATEVER.fullmatch(what) or _is_code(what, request, index):
            return DirectCall("say", {"text": _KEPT})
    return None


def _is_code(words: str, request: str, index: CodeIndex) -> bool:
    """Whether `words` name a function, class, constant or file, and nothing besides."""
    sound = squashed(_BESIDE_NAME.sub("", re.split(r" (?:to|into|from|in|as|for) ", words)[0]))
    named = mentioned(request, index)
    known = {squashed(path) for path in named.files}
    for item in (*(each.symbol for each in named.symbols), *(each.symbol for each in index.constants())):
        known |= {squashed(item.bare_name), squashed(item.name)}
    return sound in known
