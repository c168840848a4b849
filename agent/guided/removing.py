"""Takes a function or a class out without the model, or says who uses it. Pure over the index."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from agent.code.index import CodeIndex, Located
from agent.code.languages import is_test_code
from agent.code.mentions import mentioned
from agent.code.symbols import SymbolKind
from agent.guided.clauses import is_removal_asked
from agent.intents import DirectCall, is_only_asked, plain, squashed

_KIND = r"(?:function|method|class|type|struct)"
_REMOVE = re.compile(
    r"(?:remove|delete|drop|get rid of|throw (?:away|out)|take out) (?P<article>the )?"
    rf"(?:(?:whole|entire|unused|old) )?(?P<kind>{_KIND} )?(?:called |named )?"
    r"[`'\"]?(?P<name>\w[\w.]*(?: \w+){0,3}?)[`'\"]?"
    rf"(?:\(\))?(?P<kind_after> {_KIND})?"
    r"(?: (?:from|in|of) (?:the )?(?:class |file |module )?(?P<place>[\w./-]+)(?: class| file| module)?)?",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"^(?:(?:can|could|may|might|should|shall|will|would) (?:we|i) )?"
    r"(?:(?:just|now|simply|safely|also|maybe) )*",
    re.IGNORECASE,
)
_NAMED_USERS = 3
# What is no name, even where something is called so: "remove the last", "delete all".
_POINTING = frozenset(
    {"all", "any", "everything", "first", "it", "last", "more", "new", "next", "one", "that", "this", "those"}
)


def removal(request: str, index: CodeIndex) -> DirectCall | None:
    """The call that takes out the one thing that `request` names; None where more is to be judged.

    Whether something may be taken out is answered with what uses it.
    """
    match = _REMOVE.fullmatch(_ASKED.sub("", plain(request)))
    if match is None:
        return None
    sound = squashed(match["name"])
    named = [item for item in mentioned(request, index).symbols if _sounds(item, sound)]
    is_told = bool(named or match["kind"] or match["kind_after"])
    if not is_told and (match["article"] or sound in _POINTING):
        return None
    fitting = [
        item
        for item in index.located()
        if _sounds(item, sound) and not is_test_code(item.path) and _is_at(item, match["place"] or "")
    ]
    if len(fitting) != 1:
        return None
    if is_removal_asked(request) or is_only_asked(request):
        return DirectCall("say", {"text": _uses(fitting[0], index)})
    return DirectCall("remove", {"name": f"{fitting[0].path}:{fitting[0].symbol.name}"})


def _uses(item: Located, index: CodeIndex) -> str:
    """What speaks for and against taking it out, and how to have it done."""
    name = item.symbol.bare_name
    users = index.users_of(item)
    more = f" and {len(users) - _NAMED_USERS} more" if len(users) > _NAMED_USERS else ""
    used = f"{name} is used in {', '.join(users[:_NAMED_USERS])}{more}" if users else f"Nothing uses {name}"
    return f"{used}. I changed nothing. To delete it, say: delete {name}."


def _sounds(item: Located, sound: str) -> bool:
    names = (squashed(item.symbol.bare_name), squashed(item.symbol.name))
    return sound in names and item.symbol.kind is not SymbolKind.CONSTANT


def _is_at(item: Located, place: str) -> bool:
    """Whether it stands in the class or the file that `place` names; "" is anywhere."""
    path = PurePosixPath(item.path)
    owner = item.symbol.name.rpartition(".")[0]
    known = (owner, owner.rpartition(".")[2], item.path, path.name, path.stem)
    return not place or squashed(place) in map(squashed, filter(None, known))
