"""Renames what is named with the class, the type or the file that it belongs to. Pure over the index.

"Rename the field Amount of Entry to Cents", "rename Entry's amount to cents": a field is no symbol of the
index, so its class is what finds it.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from agent.code.index import CodeIndex, Located
from agent.code.languages import is_test_code
from agent.code.symbols import SymbolKind
from agent.intents import NO_NAME, DirectCall, in_style, is_only_asked, plain, squashed

_MEMBER = r"(?:field|property|attribute|member|key|column|method|function|getter|variable|constant)"
_OWNER = r"(?:class|struct|type|interface|record|file|module|package)"
_WORDS = r"[A-Za-z_]\w*(?: [A-Za-z_]\w*){0,3}?"
_THE = r"(?:(?:the|its|their|our|my) )?"
_MARK = r"[`'\"]?"
# Without the kind of thing before it, "of" has to tell that a part of something is meant.
_PARTS = (
    re.compile(
        rf"{_THE}(?:{_MEMBER} )?(?:called |named )?{_MARK}(?P<old>{_WORDS}){_MARK}(?: {_MEMBER})?"
        rf" (?:of|in|on|from|inside) {_THE}(?:{_OWNER} )?{_MARK}(?P<owner>{_WORDS}){_MARK}(?: {_OWNER})?",
        re.IGNORECASE,
    ),
    re.compile(
        rf"{_THE}(?:{_OWNER} )?(?P<owner>{_WORDS})(?:'s|s') (?:{_MEMBER} )?(?:called |named )?"
        rf"(?P<old>{_WORDS})(?: {_MEMBER})?",
        re.IGNORECASE,
    ),
    re.compile(rf"{_THE}(?:{_MEMBER} )?(?P<owner>\w+)\.(?P<old>\w+)(?: {_MEMBER})?", re.IGNORECASE),
    re.compile(
        rf"{_THE}(?:field|property|attribute|member|key|column) (?:called |named )?(?P<old>{_WORDS})"
        rf"|{_THE}(?P<old_before>{_WORDS}) (?:field|property|attribute|member|column)",
        re.IGNORECASE,
    ),
)
_NEW = rf"{_MARK}(?P<new>{_WORDS}){_MARK}"
_EVERYWHERE = (
    r"(?:,? (?:everywhere|throughout|instead|too|as well|from now on|in all files|and in the tests))*"
)
_MUST = r"(?:should|must|shall|ought to|needs to|has to)(?: rather)?"
_RENAMES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"rename (?P<what>.+?) (?:to|as|into) {_NEW}{_EVERYWHERE}",
        rf"(?:change|switch) the name of (?P<what>.+?) (?:to|into) {_NEW}{_EVERYWHERE}",
        rf"(?P<what>.+?) {_MUST} be (?:called|named|renamed(?: to)?) {_NEW}{_EVERYWHERE}",
        rf"(?:i|we)(?:'d| would)? (?:rather|like to|prefer to|want to) have (?P<what>.+?) (?:called|named) "
        rf"{_NEW}{_EVERYWHERE}",
    )
)
_WITHIN = re.compile(
    rf"in(?:side)? {_THE}(?:{_OWNER} )?(?P<owner>{_WORDS})(?: {_OWNER})?,? (?P<rest>rename .+)", re.IGNORECASE
)


def renaming(request: str, index: CodeIndex) -> DirectCall | None:
    """The call that renames a part of something; None where it is not the only one that may be meant."""
    text = plain(request)
    within = _WITHIN.fullmatch(text)
    owner = within["owner"] if within else ""
    match = next((m for p in _RENAMES if (m := p.fullmatch(within["rest"] if within else text))), None)
    if match is None or is_only_asked(request) or NO_NAME.match(match["new"]):
        return None
    if owner:
        return _call(match["what"], owner, match["new"], index)
    for pattern in _PARTS:
        part = pattern.fullmatch(match["what"])
        if part is None:
            continue
        groups = part.groupdict()
        old = groups["old"] or groups["old_before"]
        call = _call(old, groups.get("owner") or "", match["new"], index)
        if call is not None:
            return call
    return None


def _call(old: str, owner: str, new: str, index: CodeIndex) -> DirectCall | None:
    """The call for the one thing like `old` in what `owner` names; "" for any class.

    None where another class has such a part too: a rename cannot tell of which one a part is named.
    """
    classes = [
        item
        for item in index.located()
        if item.symbol.kind is SymbolKind.CLASS and not is_test_code(item.path)
    ]
    having = [(item, names) for item in classes if (names := _parts_of(item, old, index))]
    if len(having) == 1 and (not owner or _is_called(having[0][0], owner)):
        home, names = having[0]
        name = min(names)
        new = in_style(new, name, _names(index))
        return DirectCall("rename", {"old": name, "new": new, "owner": home.symbol.name})
    if not owner or having:
        return None
    alike = [
        item
        for item in index.located()
        if squashed(item.symbol.bare_name) == squashed(old) and not is_test_code(item.path)
    ]
    if len(alike) != 1 or not _is_file(alike[0].path, owner):
        return None
    name = alike[0].symbol.bare_name
    return DirectCall("rename", {"old": name, "new": in_style(new, name, _names(index))})


def _names(index: CodeIndex) -> list[str]:
    return [item.symbol.bare_name for item in index.located()]


def _is_called(item: Located, words: str) -> bool:
    return squashed(words) in (squashed(item.symbol.name), squashed(item.symbol.bare_name))


def _is_file(path: str, words: str) -> bool:
    pure = PurePosixPath(path)
    return squashed(words) in {squashed(name) for name in (path, pure.name, pure.stem, pure.parent.name)}


def _parts_of(owner: Located, words: str, index: CodeIndex) -> set[str]:
    """The names like `words` that a class declares: its methods, its constants, its fields."""
    sound = squashed(words)
    prefix = f"{owner.symbol.name}."
    found = {
        symbol.bare_name
        for source in (index.sources[owner.path],)
        for symbol in source.symbols
        if symbol.name.startswith(prefix) and squashed(symbol.bare_name) == sound
    }
    for line in index.source_of(owner).split("\n"):
        declared = _DECLARED.match(line)
        names = re.findall(r"\w+", declared["names"]) if declared else []
        found |= {name for name in names if squashed(name) == sound}
    return found


# In Go "Amount int" or "a, b string `json:"a"`"; elsewhere "count: int = 0", "self.full = 1", "stops;".
_DECLARED = re.compile(
    r"\s*(?:(?:self|this)\.|(?:static|readonly|public|private|pub|declare) |#)*(?P<names>\w+(?:, \w+)*)"
    r"(?:\??\s*[:=](?!=)|\s+[\w\[\]*.{}]+\s*(?:`.*)?$|;)"
)
