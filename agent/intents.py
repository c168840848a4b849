"""Requests that are carried out without asking the model, known by their words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from agent.verdicts import FILLER, is_run_asked

_CALLED_OUT = (
    r"hey|hi|hello|ok|okay|so|now|then|and|also|please|utter|just|well|right|alright|good|great|thanks"
    r"|thank you"
)
OPENING = rf"(?:(?:{_CALLED_OUT})\b[\s,.!]*)"
"""A pattern for one of the words before a request that say nothing of it."""
_POLITE = re.compile(
    rf"^(?:{OPENING}|(?:(?:can|could|would|will) (?:you|we)|let's|let us|i want you to"
    r"|i(?:'d| would) like you to|go ahead and|go on and)\b[\s,.!]*)+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[\s,]+(?:please|for me|now|again|thanks|thank you|then|once more|will you))+$", re.IGNORECASE
)
# "Run the tests, but don't fix anything" is to run the tests.
_ONLY_LOOKING = re.compile(
    r",?(?: but| and)? (?:please )?(?:don't|do not|without) "
    r"(?:chang(?:e|ing)|(?:fix|touch|edit|modify)(?:ing)?) (?:anything|it|them|any files?)$"
)
_PROJECT = (
    r"(?: ?(?:in |inside |within )?"
    r"(?:project|repo|repository|folder|directory|code ?base|workspace|here|there))"
)
_LAST = r"(?:(?:very )?(?:last|latest|previous) )?(?:it|one|change|changes|edit|edits|step|request|thing)"

_PATTERNS = {
    "git_diff": (
        r"what(?:'s| is| has| have| did)?(?: been)? (?:changed?|different)(?: since .+| today)?",
        r"what (?:did|have|has) (?:you|i|we) (?:change|do|done|changed|edit|edited)",
        r"(?:show|tell|read|give|summari[sz]e|list) (?:what(?:'s| has)? changed|changes|diff|differences)",
        r"(?:git )?diff",
    ),
    "git_status": (
        r"(?:(?:what(?:'s| is)|show|tell|check|get) )?(?:git |repo |repository )?status(?: .+)?",
        r"(?:which|what) branch (?:am i on|is)",
        r"(?:which|what) files (?:are|have been|were) (?:modified|changed|edited)",
    ),
    "undo": (
        rf"undo(?: {_LAST})?",
        r"undo what you (?:just )?(?:did|changed)",
        rf"(?:take|put) (?:{_LAST} )?back(?: {_LAST})?",
        rf"(?:revert|roll back)(?: {_LAST})?",
    ),
    "redo": (rf"redo(?: {_LAST})?", rf"(?:undo (?:undo|undoing)|put {_LAST} back in)"),
    "list_files": (
        rf"(?:what|which)(?: are)? (?:files|modules)(?: are| do (?:i|we|you) have)?{_PROJECT}*",
        rf"(?:what|which) files (?:does|are){_PROJECT} ?(?:have|contain|made)?",
        rf"(?:list|show|tell|give|name) (?:project )?files{_PROJECT}*",
        rf"what(?:'s| is) in{_PROJECT}",
        r"ls",
    ),
}
_TODOS = (
    r"(?:find|list|show|search for|are there|where are|what are) (?:to-?do|todo|fixme)s?"
    rf"(?: comments?| items?| notes?)?(?: are there| left)?{_PROJECT}?"
)

_IS_WRITTEN = re.compile(r"_|[a-z][A-Z]")  # as names are, and words are not
_WITH_HUMPS = re.compile(r"^[a-z]+\w*[A-Z]")
_THING = r"(?:function|method|class|variable|constant|name|identifier)"
_MARK = r"[`'\"]?"


def _name(group: str) -> str:
    """A pattern for a name of up to four spoken words, perhaps with its kind before or after it."""
    words = rf"(?P<{group}>[A-Za-z_]\w*(?: [A-Za-z_]\w*){{0,3}}?)"
    return rf"(?:the )?(?:{_THING} )?(?:called |named )?{_MARK}{words}{_MARK}(?:\(\))?(?: {_THING})?"


_EVERYWHERE = (
    r"(?:,? (?:everywhere|throughout|instead|from now on|in all files|across"
    r"|(?:also|too|even|and(?: also)?) "
    r"(?:everywhere|in (?:all |the |my |our )*(?:tests?|files?|code|callers)))(?: .*)?)?"
)
_HAVE = r"(?:i|we)(?:'d| would)? (?:rather|want|like to|prefer to)(?: (?:have|see))?|have|let"
_MUST = r"(?:should|must|shall|ought to|needs to|has to)(?: rather| really)?"
_RENAMES = (
    re.compile(
        rf"rename {_name('old')} (?:to|as|into|in to) {_name('new')}"
        r"(?: (?:everywhere|throughout|in all files|across) ?.*)?",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:change|switch) the name of {_name('old')} (?:to|into) {_name('new')}{_EVERYWHERE}",
        re.IGNORECASE,
    ),
    # "I'd rather have X called Y", "let X be named Y", "X should be called Y".
    re.compile(
        rf"(?:{_HAVE}) {_name('old')} (?:(?:to )?be )?(?:called|named|renamed(?: to)?) "
        rf"{_name('new')}{_EVERYWHERE}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"{_name('old')} {_MUST} be (?:called|named|renamed(?: to)?) {_name('new')}{_EVERYWHERE}",
        re.IGNORECASE,
    ),
)
_CALL = re.compile(
    rf"(?:call|name) (?:the )?(?:{_THING} )?(?P<both>[A-Za-z_][\w ]*?)(?P<everywhere>{_EVERYWHERE})",
    re.IGNORECASE,
)
# "Should be called with a speed", "have it called twice": that is no name, but what a call is like.
_HOW_CALLED = re.compile(
    r"^(?:from|to|as|like)\b"
    r"|\b(?:by|with|on|in|at|and|before|after|when|whenever|while|if|for|every|each|without|inside|then|until"
    rf"|once|exactly|during|via|per|through|instead|{_THING})\b"
    r"|\b(?:first|last|twice|again|only|often|early|late|always|never|\w+ly)$",
    re.IGNORECASE,
)
# "To something better", "to full or filled", "as soon as you can": the name is yet to be found.
NO_NAME = re.compile(
    r"(?:something|anything|whatever|what|soon|another)\b"
    r"|.* (?:or|if|than|later|tomorrow|you|unless|when|wait|maybe|perhaps)\b",
    re.IGNORECASE,
)
_COMMITTED = (
    r"(?: (?:this|that|it|them|everything|all(?: of (?:it|this|that|them))?"
    r"|(?:(?:all|all of) )?(?:(?:my|your|our|the|these|those) )?(?:changes?|work)))?"
)
_CONNECTOR = (
    r"(?:,? (?:with|using|under|and use)(?: the| a)?(?: commit)? message"
    r"(?! (?:that|which)\b)(?: of)?\b[\s,:]*"
    r"|,? (?:saying|as(?! (?:soon|long|far|well|usual|it|is|you|an?)\b))\b[\s,:]*|\s*:\s*)"
)
# Anything else that begins with "commit" is for the model: "commit nothing yet", "commit only the parser".
_COMMIT = re.compile(
    rf"(?:git )?commit{_COMMITTED}(?:{_CONNECTOR}{_MARK}(?P<message>.*?){_MARK})?", re.IGNORECASE
)
# The words of the user are still only words: whether the command may run is decided like any other's.
_RUN = re.compile(
    rf"(?:run|execute) (?:the )?(?:shell |terminal )?command[\s,:]+{_MARK}(?P<command>.+?){_MARK}",
    re.IGNORECASE,
)
_USED = r"(?:used|called|referenced|imported|needed|mentioned)"
_USERS = r"(?:who|what|which (?:files?|functions?|code|modules?|places?))"
_USES = re.compile(
    rf"(?:where(?: else)? (?:is|are|do (?:we|i|you) (?:use|call)) {_name('a')}(?: being)?(?: {_USED})?"
    rf"|{_USERS} (?:uses?|calls?|imports?|references?|depends? on) {_name('b')}"
    r"|(?:find|show|list)(?: me)?(?: all)?(?: the)? "
    rf"(?:uses?|usages?|references?|calls?|callers?|occurrences?) (?:of|to) {_name('c')})"
    rf"(?: in)?(?: the| this)?{_PROJECT}?",
    re.IGNORECASE,
)
_DEFINED = re.compile(
    rf"where (?:is|are) {_name('a')} (?:defined|declared|implemented|written)"
    rf"|(?:find|locate) (?:the )?(?:definition|declaration) of {_name('b')}"
    rf"|(?:which|what) (?:file|module|package) (?:defines|declares|implements|has|contains) {_name('c')}"
    rf"|(?:which|what) (?:file|module|package) is {_name('d')} (?:defined |declared |implemented )?in"
    rf"|where does {_name('e')} live",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class DirectCall:
    """A tool call that the words themselves give."""

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


def plain(request: str) -> str:
    """The request without polite words around it and without its last mark."""
    text = " ".join(request.split()).rstrip(" ?.!,;")
    text = _POLITE.sub("", text)
    return _TAIL.sub("", text).rstrip(" ?.!,;")


def is_only_asked(request: str) -> bool:
    """Whether an order has a question mark and nothing that makes it a polite one: "delete it?"."""
    polite = r"\b(?:(?:can|could|would|will) (?:you|we)|please)\b"
    return request.rstrip().endswith("?") and not re.search(polite, request, re.IGNORECASE)


def squashed(name: str) -> str:
    """A name as it sounds: `parse_config`, `ParseConfig` and `parse config` are the same."""
    return re.sub(r"[\s_\-.]", "", name).lower()


def direct(request: str, names: Iterable[str]) -> DirectCall | None:
    """The call that `request` stands for, or None when the model is to decide.

    `names` are the repository's identifiers; a rename or a search is direct only for one of them.
    """
    text = plain(request)
    bare = FILLER.sub("", text.lower()).strip()
    looking = FILLER.sub("", _ONLY_LOOKING.sub("", text.lower())).strip()
    if is_run_asked(_ONLY_LOOKING.sub("", text)):
        return DirectCall("run_tests")
    for tool, patterns in _PATTERNS.items():
        words = bare if tool in ("undo", "redo") else looking
        if any(re.fullmatch(pattern, words) for pattern in patterns):
            return DirectCall(tool)
    if re.fullmatch(_TODOS, bare):
        return DirectCall("search", {"pattern": "TODO|FIXME"})
    is_asked = is_only_asked(request)
    match = _COMMIT.fullmatch(text)
    if (
        match
        and not (is_asked and not match["message"])
        and not re.search(r"\b(?:and|,) then\b", match["message"] or "")
    ):
        return DirectCall("git_commit", {"message": _sentence(match["message"] or "") or "Update"})
    if match := _RUN.fullmatch(text):
        return DirectCall("run", {"command": match["command"]})
    if not is_asked and (pair := _renaming(text, names)):
        fits = _fitting(pair[0], names)
        if len(fits) > 1:  # the tool names them
            return DirectCall("rename", {"old": pair[0], "new": pair[1]})
        old = fits[0] if fits else ""
        return DirectCall("rename", {"old": old, "new": in_style(pair[1], old, names)}) if old else None
    if match := _DEFINED.fullmatch(text):
        name = next(iter(_fitting(next(filter(None, match.groups())), names)), "")
        return DirectCall("search", {"pattern": name, "where": "definition"}) if name else None
    if match := _USES.fullmatch(text):
        name = next(iter(_fitting(match["a"] or match["b"] or match["c"], names)), "")
        return DirectCall("search", {"pattern": rf"\b{name}\b"}) if name else None
    return None


def _renaming(text: str, names: Iterable[str]) -> tuple[str, str] | None:
    """The old name and the new one, as they are spoken, where `text` asks for nothing but a new name."""
    for pattern in _RENAMES:
        match = pattern.fullmatch(text)
        if match is None or NO_NAME.match(match["new"]):
            continue
        is_plain = pattern is _RENAMES[0]
        if is_plain or (not _HOW_CALLED.search(match["new"]) and _fitting(match["old"], names)):
            return match["old"], match["new"]
    match = _CALL.fullmatch(text)
    words = match["both"].split() if match else []
    known = (size for size in range(min(4, len(words)), 0, -1) if _fitting(" ".join(words[:size]), names))
    size = next(known, len(words))  # "call run tests" calls run_tests, and renames no run
    old, new = " ".join(words[:size]), " ".join(words[size:])
    if not new or len(words) - size > 4 or NO_NAME.match(new) or _HOW_CALLED.search(new):
        return None
    # "Call save later" may be about calling; what is to hold everywhere, or is written as names are, is not.
    is_sure = match is not None and (match["everywhere"] or any(_IS_WRITTEN.search(word) for word in words))
    return (old, new) if is_sure else None


def _fitting(words: str, names: Iterable[str]) -> list[str]:
    """The one name that is written as `words` are, else all that sound like them, sorted."""
    sound, known = squashed(words), set(names)
    return [words] if words in known else sorted(name for name in known if squashed(name) == sound)


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:]


def in_style(words: str, model: str, names: Iterable[str]) -> str:
    """A new name of one or several words, written the way `model` is, or else the way most `names` are.

    A single word is left as it is, unless it was spoken: "rename the class Item to article" means Article.
    """
    parts = words.split()
    if len(parts) == 1 and (not (words.isalpha() and words.islower()) or words == model.lower()):
        return words
    if model.isupper() and len(model) > 1:
        return "_".join(part.upper() for part in parts)
    capitals = [part[:1].upper() + part[1:] for part in parts]
    if "_" not in model and model[:1].isupper():
        return "".join(capitals)
    known = [model] if _WITH_HUMPS.search(model) or "_" in model else list(names)
    if sum(bool(_WITH_HUMPS.search(name)) for name in known) > sum("_" in name.strip("_") for name in known):
        return parts[0].lower() + "".join(capitals[1:])
    return "_".join(part.lower() for part in parts)
