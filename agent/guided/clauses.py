"""The clauses of a request: "Slugify keeps the marks, make it drop them" is a state and an order. Pure."""

from __future__ import annotations

import re

from agent.intents import OPENING, plain

CHANGE_VERBS = (
    "add|append|change|fix|repair|correct|rename|remove|delete|drop|make|set|replace|rewrite|write|create|implement|"
    "refactor|update|put|move|use|convert|turn|increase|decrease|raise|lower|double|halve|extend|insert|simplify|"
    "clean|document|comment|handle|support|improve|introduce|extract|inline|sort|swap|bump|edit|modify|adjust|"
    "reverse|allow|return|validate|wrap|give|default|switch|enable|disable|type|let|have|get rid of|ensure|"
    "export|ignore|skip|reject|refuse|prevent|stop|avoid|round|throw|annotate|log|cache|limit|reduce|shorten|include|"
    "exclude|accept|require|treat|undo|mark|import|guard|translate|format|strip|trim|merge|split|cover|generate|"
    "define|declare|hide|expose|leave (?:\\w+ ){1,3}out|get \\w+ to"
    "|(?:don't|do not|never) (?:let|allow|use|return|include|accept|raise|throw|print)"
)
_BREAKS = re.compile(
    r"[.?!;:]+\s+|\s+(?:-|\u2013|\u2014)\s+"
    r"|,\s+(?=(?:(?:so|and|but|then|now|just|please|can you|could you|would you)\s+)*"
    rf"(?:{CHANGE_VERBS}|repair|mend|solve|find|explain|tell|show|why|what|how|where|which)\b)"
    r"|\s+(?=(?:and|so|then)\s+(?:please\s+)?(?:fix|repair|mend)\s+(?:it|that|this|them|the)\b)",
    re.IGNORECASE,
)
# "Can you delete it?" is an order; "can we delete it?" asks whether that may be done.
_REMOVAL_ASKED = re.compile(
    rf"\s*{OPENING}*(?:can|could|may|might|should|shall|will|would) (?:we|i)"
    r"(?: (?:just|now|simply|safely|also|maybe))* "
    r"(?:remove|delete|drop|get rid of|throw (?:away|out)|take out|do without)\b(?!.*\bplease\b)",
    re.IGNORECASE,
)
_LEADING = re.compile(r"^(?:(?:so|and|but|then|just|please)\s+)+", re.IGNORECASE)


def clauses(request: str) -> list[str]:
    """The clauses without polite words, in order; a question keeps its mark."""
    found: list[str] = []
    start = 0
    for match in [*_BREAKS.finditer(request), None]:
        end = match.start() if match else len(request)
        text = request[start:end]
        mark = "?" if "?" in (match[0] if match else request[-1:]) else ""
        is_asked = is_removal_asked(text)
        bare = _LEADING.sub("", text.strip(" ?") if is_asked else plain(text))
        if bare:
            found.append(bare + (mark if is_asked or not _is_order_in_disguise(text) else ""))
        start = match.end() if match else end
    return found


def is_removal_asked(text: str) -> bool:
    """Whether it asks if something may be taken away, as "can we delete it?" does: no order yet."""
    return bool(_REMOVAL_ASKED.match(text))


def _is_order_in_disguise(text: str) -> bool:
    """ "Can you add …?" asks for nothing but to be done."""
    return bool(re.match(r"\s*(?:(?:and|so|please)\s+)*(?:can|could|would|will) (?:you|we)\b", text, re.I))
