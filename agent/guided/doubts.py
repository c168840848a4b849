"""Words that sound like a wish for a change and may be none: forbidden, doubted, guessed or asked. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.guided.clauses import CHANGE_VERBS

_MUST = r"(?:should|must|(?:has|have|needs?|ought) to)"
_NOT_BE = r"(?:(?:should|must)(?:n't| not)|(?:should|must) never|(?:is|are) not to) be"
_HANDLED = r"(?:changed|deleted|removed|dropped|renamed|touched|edited|modified|moved|rewritten|replaced)"
_ALL_TESTS = r"(?:all |all of )?(?:the |my |our )?(?:unit )?(?:tests?|test suite|suite|code|build)"
_TROUBLE = r"(?:bug|typo|reason|mistake|error|problem|way|misunderstanding)"
_UNNAMED = r"(?:it|that|this|them|all|everything|that one)"
_DOUBTFUL = re.compile(
    r"(?:maybe|perhaps|possibly|imagine|suppose|supposing|assume|assuming|if (?:not|so)\b)"
    r"|(?:i|we|you) (?:(?:should|must|would|will|need)(?:n't| not)|won't)\b"
    r"|(?:i|we|you) (?:don't|do not) (?:want|need|have)\b"
    r"|(?:i|we)(?:'d| would)? (?:like|prefer|rather|want)(?: you)? not\b"
    rf"|(?:there(?:'s| is) )?no need to\b|nothing {_MUST}\b"
    rf"|(?:i|you) {_MUST} (?!(?:\w+ly |also |just )?(?:{CHANGE_VERBS})\b)"
    rf"|we {_MUST} (?:talk|discuss|think|wait|go|leave|stop|speak|decide)\b"
    rf"|(?:that|this) {_MUST}\b"
    rf"|there must be (?:an?|some|another) (?:\w+ )?{_TROUBLE}\b"
    rf"|{_ALL_TESTS} {_MUST} (?:all |now )*(?:pass|work|run|build|compile|be (?:green|fine|ok))\b"
    rf"|.* {_NOT_BE} {_HANDLED}\b|.* {_MUST} (?:stay|remain)\b"
    rf"|.* {_MUST} (?:now )?be (?:fine|ok|okay|enough|good|all right)$"
    r"|let (?:me|us)\b|(?:stop|enough)(?: it| that| now)?$"
    rf"|(?:delete|remove|drop|get rid of|change) {_UNNAMED}$|throw {_UNNAMED} (?:out|away)$"
    r"|(?:undo|revert|roll back)\b"  # what is not simply the last request
    r"|(?:delete|remove|drop|get rid of|rename|set)\b.* (?:later|tomorrow"
    r"|(?:if|unless|when|once) (?:it|that|nobody|no one|nothing|we|i|you|the tests?)\b.*)$",
    re.IGNORECASE,
)
# Of the work itself, not of what code does: "never rename it", but not "never return None".
_FORBIDDEN = re.compile(
    r"(?:no,? |wait,? )?(?:(?:don't|do not|never|not) (?:just |even )?"
    r"(?:rename|touch|edit|modify|commit|undo|refactor|rewrite|fix)"
    r"|stop (?:renaming|touching|editing|deleting|removing|changing|rewriting))\b",
    re.IGNORECASE,
)
_ALL_FORBIDDEN = re.compile(
    r"\b(?:(?:don't|do not) (?:change|fix|touch|edit|modify|write|delete)"
    r"|without (?:chang|fix|touch|edit|modify)ing) (?:anything|any (?:code|files?))\b(?! else)",
    re.IGNORECASE,
)
_OPINION = re.compile(
    r"what do you (?:think|say)\?|what would you (?:do|say|suggest)\?|don't you (?:think|agree)\?"
    r"|(?:is|would) that (?:be )?(?:ok|okay|wise|safe|right|a good idea)\?",
    re.IGNORECASE,
)

# "Delete it. No wait, don't.": the end of a request may take all of it back.
_RETRACTED = re.compile(
    r"(?:^|[,.;!?]|\bno|\bactually|\bwait)\s+(?:(?:no|wait|oh|actually|sorry)\b[\s,.!]*)*"
    r"(?:don't(?: do (?:it|that))?|never ?mind|(?:forget|cancel|scratch|leave) (?:it|that)|no wait)\W*$",
    re.IGNORECASE,
)


def is_retracted(request: str) -> bool:
    """Whether it ends with words that take back what was said before."""
    return bool(_RETRACTED.search(request))


def is_doubtful(clause: str) -> bool:
    """Whether a clause is only perhaps a wish: "maybe it should", "I have to go", "it must stay"."""
    return bool(_DOUBTFUL.match(clause))


def is_forbidden(clause: str) -> bool:
    """Whether it only says what not to do."""
    return bool(_FORBIDDEN.match(clause))


def only_looks(request: str, parts: Sequence[str]) -> bool:
    """Whether nothing at all may be changed for `request`, of these clauses, or it asks for an opinion."""
    return bool(_ALL_FORBIDDEN.search(request)) or any(_OPINION.fullmatch(part) for part in parts)
