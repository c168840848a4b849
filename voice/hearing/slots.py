"""Where in a request a name may stand, by the words around it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from voice.hearing.tokens import Token


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# After these a single word may be a name, and a name may have been misheard.
FUNCTION_CUES = _words("function functions method methods variable argument parameter called named")
CLASS_CUES = _words("class classes type exception")
FILE_CUES = _words("file files module")
CUES = FUNCTION_CUES | CLASS_CUES | FILE_CUES | _words("constant struct trait interface field test branch")

# A request that begins with one of these is a command, not the name of a function.
COMMANDS = _words(
    "add change check close commit create delete edit explain find fix go list load make move open print read"
    " remove rename replace revert run save search set show sort start stop tell test undo update use"
    " write"
)
DOES = _words("do return take mean raise")  # "what does ... do"
FILLERS = _words(
    "a about all an and any are as at be but by can do does did for from get had has have how i if in is it"
    " its let me my no not of off on or our out so that the their them then there this to up us was we what"
    " when where which who why will with you your"
)
# Fillers that names begin with, as `is_valid` and `to_json`, and what a name with one of them may follow.
_VERB_FIRST = _words("can did do does get had has have is")
_PLAIN_FORMS = _words("do get have")  # nothing single "get": it gets
_HELPING = _words("do does did can could may might must shall should will would let make lets makes")
_LINK_FIRST = _words("by for from in of on to up with")
_TAKING_A_NAME = _words("about call calls cover covers delete explain of remove use uses")
_BEFORE_A_VERB = _words("to for in from with by")
_BEFORE_LINKS = _words("of covers uses")
_COMMANDING_LINKS = _words("call cover explain use")
_OPENING = _words("open show read edit")
_ASKING = _words("what which who where how")
_CLAUSE_STARTS = _words("and or then please now just can could you to not also let me us i")

# Verbs and prepositions that a name may follow as their object.
_BEFORE = _words(
    "open show explain does is has make set rename delete remove find of in for from to by with about call"
    " calls read see me use uses test covers cover inherits move replace what why between into"
)
# What may stand behind a name that is the object or the subject of a request.
_AFTER = _words(
    "do does return returns raise raises take takes mean called defined used handle handles log logs in and"
    " to for is has changed change when if or from with that into inherit fail fails so too not work works"
)

# Nor does a name begin with these, unless it holds them: they say how, whether, or which.
_SAYING = _words(
    "must may might should would could shall cannot never ever always already still only even often again"
    " sometimes soon once twice just also really quite very gets got needs need used without within until"
    " onto upon over under before after while because since another each every both one two three such some"
)
# "the last line", "the same name": after an article two such words are prose.
_ARTICLES = _words("the a an this that these those my our your its each every any")
_DEFINITE = _words("the our my this")
_COMPARING = _words("same old new last first second third next previous other whole most least best")
# What a cue and a common word are together: "the function name", "the test case".
_COMPOUNDS = frozenset(
    (cue, part)
    for cues, parts in (
        ("function functions method methods", "name names call calls body signature definition"),
        ("variable argument parameter field constant", "name names value values"),
        ("class classes", "name names body definition"),
        ("type exception", "name names error errors"),
        ("file files module", "name names line lines path paths size header tree"),
        ("test tests", "name names case cases result results run runs output suite"),
        ("branch", "name names"),
    )
    for cue in cues.split()
    for part in parts.split()
)

# Only a name does these.
_VERBS_AFTER = _words("do return returns called defined used handle handles")


# What is named after these, with "a" or "new" before it, does not exist yet.
MAKING = _words("add create define implement introduce make write")
_NEW = _words("a an another new")
_FARTHEST_ARTICLE = 4  # tokens before the name: "a small helper function called ..."


class Slot(Enum):
    """How sure it is that a name stands in a place."""

    NONE = 0
    LIKELY = 1  # the object of a verb or a preposition, or the subject of a verb
    FRAMED = 2  # that, and what follows suits
    CERTAIN = 3  # a word that says so: "the function ..."


def cue(tokens: Sequence[Token], at: int) -> str:
    """The word before, if it says that a name follows, else nothing."""
    before = tokens[at - 1].form if at and tokens[at].near else ""
    return before if before in CUES else ""


def slot(tokens: Sequence[Token], at: int, n: int) -> Slot:
    """What `n` tokens from `at` on are for, by those around them."""
    if at == 0 or not tokens[at].near:
        return Slot.NONE
    before = tokens[at - 1].form
    behind = tokens[at + n] if at + n < len(tokens) else None
    after = behind.form if behind is not None and behind.near else ""
    if before in CUES or (before == "does" and after in DOES):
        return Slot.CERTAIN
    if before not in _BEFORE:
        return Slot.LIKELY if after in _VERBS_AFTER else Slot.NONE
    return Slot.FRAMED if not after or after in _AFTER else Slot.LIKELY


def beginnings(tokens: Sequence[Token]) -> list[int]:
    """Where in the text a name may begin, by the word before."""
    return [
        token.start
        for at, token in enumerate(tokens)
        if at and token.near and (tokens[at - 1].form in _BEFORE or tokens[at - 1].form in CUES)
    ]


def names_something_new(tokens: Sequence[Token]) -> bool:
    """Does it say how something is called that is yet to be made?"""
    return any(is_new(tokens, at) for at in range(1, len(tokens)))


def is_new(tokens: Sequence[Token], at: int) -> bool:
    """Is what stands at `at` the name of something that is yet to be made: "add a method count"?"""
    if not cue(tokens, at):
        return False
    for back in range(at - 1, max(-1, at - 2 - _FARTHEST_ARTICLE), -1):
        if tokens[back].form in _NEW:
            return any(token.form in MAKING for token in tokens[:back])
        if tokens[back].form in FILLERS or not tokens[back].joined:
            return False
    return False


def says_something(tokens: Sequence[Token], at: int) -> bool:
    """Does the word at `at`, after a cue, say something of what is named: "the function reads the file"?"""
    form = tokens[at].form
    behind = tokens[at + 1].form if at + 1 < len(tokens) and tokens[at + 1].near else ""
    if (tokens[at - 1].form, form) in _COMPOUNDS:
        return True
    if behind in DOES:
        return False  # "what does the function log do"
    is_verb = bool(behind) and form.endswith("s") and behind not in _VERBS_AFTER
    return is_verb or behind in _ARTICLES or begins_no_name(form)


def begins_no_name(form: str) -> bool:
    """Is it a word that says what a named thing does, how or whether, as in "the slug test never fails"?"""
    return form in _AFTER or form in _SAYING or form in _COMPARING


def starts_clause(tokens: Sequence[Token], at: int) -> bool:
    """Does what stands at `at` begin a request, or a part of one?"""
    return at == 0 or not tokens[at].joined or tokens[at - 1].form in _CLAUSE_STARTS


def is_spoken_of(tokens: Sequence[Token], at: int) -> bool:
    """Is what stands at `at` a thing, by the word before: "open ...", "the ..."?"""
    before = tokens[at - 1].form if at and tokens[at].joined else ""
    return (before in _BEFORE and not starts_clause(tokens, at)) or before in _DEFINITE


def is_opened(tokens: Sequence[Token], at: int) -> bool:
    """Is what stands at `at` to be opened or read, as files are: "open the ...", "show me ..."?"""
    while at and tokens[at].joined and tokens[at - 1].form in (*_DEFINITE, "me"):
        at -= 1
    return at > 0 and tokens[at].joined and tokens[at - 1].form in _OPENING


def may_be_identifier(tokens: Sequence[Token], at: int, forms: Sequence[str]) -> bool:
    """Could these words name something, rather than say something?"""
    if cue(tokens, at):
        if forms[0] in FILLERS:
            return len(forms) > 1 and _is_named_with_filler(tokens, at, forms)
        return len(forms) > 1 or not says_something(tokens, at)
    if "_" in forms:
        return not all(form in FILLERS or form == "_" for form in forms)  # "an underscore in it"
    if is_prose(tokens, at, forms):
        return False
    if len(forms) < 2 or all(form in FILLERS for form in forms):
        return False
    if forms[0] in FILLERS or forms[-1] in FILLERS:
        return _is_framed_with_filler(tokens, at, forms)
    return not (forms[0] in COMMANDS and starts_clause(tokens, at))


def _is_named_with_filler(tokens: Sequence[Token], at: int, forms: Sequence[str]) -> bool:
    """Do the words after a cue name a thing, as in "the function get user", or say what it does?"""
    behind = tokens[at + len(forms)].form if at + len(forms) < len(tokens) else ""
    if behind in DOES:
        return forms[0] in _VERB_FIRST
    is_asked = any(token.form in _HELPING for token in tokens[:at])  # "does the function get user input"
    return forms[0] in _PLAIN_FORMS and not is_asked and not tokens[at - 1].form.endswith("s")


def _is_framed_with_filler(tokens: Sequence[Token], at: int, forms: Sequence[str]) -> bool:
    """Do the words around `get user` or `read all` say that this is a name: "where is get user called?"?"""
    if slot(tokens, at, len(forms)) not in (Slot.FRAMED, Slot.CERTAIN):
        return False
    before, first = tokens[at - 1].form, forms[0]
    behind = tokens[at + len(forms)].form if at + len(forms) < len(tokens) else ""
    is_asked = behind in DOES or behind in _VERBS_AFTER
    if first not in FILLERS:  # "how to set up", "let me log in"
        is_object = before in (*_TAKING_A_NAME, *_OPENING) or _is_shown(tokens, at)
        return before not in _BEFORE_A_VERB and (is_asked or (is_object and before != "about"))
    if before in ("does", "is"):
        return first in (*_VERB_FIRST, *_LINK_FIRST) and (is_asked or before == "does")
    if first in _VERB_FIRST:
        is_noun = at > 1 and tokens[at - 2].form in _ARTICLES  # "the call has failed"
        is_tested = before == "for" and at > 1 and tokens[at - 2].form in ("test", "tests")
        return (before in _TAKING_A_NAME and not is_noun) or is_tested or _is_shown(tokens, at)
    return first in _LINK_FIRST and _takes_a_link(tokens, at)


def _is_shown(tokens: Sequence[Token], at: int) -> bool:
    return at > 1 and tokens[at - 1].form == "me" and tokens[at - 2].form in _OPENING


def _takes_a_link(tokens: Sequence[Token], at: int) -> bool:
    """Is what begins with "to" or "on" an object, not what is said of one: "what should we use to parse?"?"""
    before = tokens[at - 1].form
    if before in _BEFORE_LINKS:
        return True
    is_question = any(token.form in _ASKING for token in tokens[:at])
    return before in _COMMANDING_LINKS and starts_clause(tokens, at - 1) and not is_question


def is_prose(tokens: Sequence[Token], at: int, forms: Sequence[str]) -> bool:
    """Are these two words that are English before they are a name: "the whole file", "the test case"?"""
    if len(forms) != 2 or cue(tokens, at):
        return False
    before = tokens[at - 1].form if at and tokens[at].joined else ""
    behind = tokens[at + 2].form if at + 2 < len(tokens) and tokens[at + 2].joined else ""
    # "what does each test take"
    asks = forms[1] in DOES and behind not in DOES and any(token.form == "does" for token in tokens[:at])
    compares = before in _ARTICLES and forms[0] in _COMPARING
    return asks or compares or (forms[0], forms[1]) in _COMPOUNDS
