"""What the user said how to write: formatters ("snake case total price"), "dunder init", letters. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voice.conversation.spelling import letters
from voice.conversation.words import word_list
from voice.hearing.formatters import ALWAYS, FORMATTERS, SPOKEN
from voice.hearing.lexicon import Lexicon
from voice.hearing.names import MISHEARD_EXTENSIONS, key
from voice.hearing.slots import CUES
from voice.hearing.tokens import Token, forms_of, run_length
from voice.hearing.written import Source

_LONGEST = 7  # words in one name
_LONGEST_SPELT = 24  # letters
# After these a formatter is meant, and not a snake or a path.
_NAMING = CUES | frozenset(("as", "call", "name", "to", "it", "into", "new"))
# With these the name is over.
_OVER = frozenset(
    word_list(
        "and then to in from with which that when for please is as instead over into on at because so but"
        " returns returning taking everywhere throughout equals plus minus"
    )
)
# "use camel case variable names", "to snake case all of them": a style, and no name is said.
_STYLE_BEFORE = frozenset(
    word_list("use uses using used prefer follow in with of not no are is be want like")
)
_STYLE_AFTER = frozenset(
    word_list(
        "all any each every the this that these those them my our your names name naming convention"
        " conventions style identifiers variables functions methods classes everywhere throughout"
    )
)
_FIRST = frozenset(("is", "on", "to", "from", "with"))  # names begin with these: is_ready, on_click
_SPELL = frozenset(("spell", "spelled", "spelt"))
_JOINTS = {".": "dot", "/": "slash", "-": "dash", "_": "underscore"}


@dataclass(frozen=True)
class Dictated:
    """`written` for the tokens `at` to `end` (exclusive)."""

    at: int
    end: int
    written: str
    source: Source


def dictated(tokens: Sequence[Token], lexicon: Lexicon) -> list[Dictated]:
    """All that `tokens` say how to write, from left to right."""
    found: list[Dictated] = []
    at = 0
    while at < len(tokens):
        one = _formatted(tokens, at, lexicon) or _spelt(tokens, at)
        if one is not None:
            found.append(one)
        at = one.end if one is not None else at + 1
    return found


def _formatted(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> Dictated | None:
    for n in (3, 2, 1):
        forms = tuple(forms_of(tokens[at : at + n]))
        name = SPOKEN.get(forms)
        if name is None or run_length(tokens, at, n + 1) <= n:
            continue
        start = at + n
        words = _words(tokens, start, lexicon)[: 1 if name in ALWAYS and forms[0] != "double" else None]
        if not words or not (name in ALWAYS or _is_meant(tokens, at, n, words, lexicon)):
            return None
        end = start + len(words)
        if name in ALWAYS and forms[0] == "double":
            if forms_of(tokens[end : end + 2]) not in (["double", "_"], ["double", "underscore"]):
                return None
            end += 2
        written = FORMATTERS[name](words)
        if [written] == words:
            return None  # it would only lose what was said of the style
        if name in ALWAYS and forms_of(tokens[end : end + 1]) == ["."] and run_length(tokens, end, 2) == 2:
            written += f".{_extension(tokens[end + 1].form)}"  # "dunder init dot pie"
            end += 2
        return Dictated(at, end, written, Source.FORMATTER)
    return None


def _is_meant(tokens: Sequence[Token], at: int, n: int, words: Sequence[str], lexicon: Lexicon) -> bool:
    """Is a name said in `words`, after the `n` words of a formatter, and no style, snake or path?"""
    before = tokens[at - 1].form if at and tokens[at].joined else ""
    is_named = before in _NAMING
    if len(words) == 1:
        return n > 1 and is_named and words[0] not in _STYLE_AFTER
    if n == 1:
        return is_named and words[0] not in _FIRST
    is_known = key(words) in lexicon.by_words
    return is_known or (before not in _STYLE_BEFORE and words[0] not in _STYLE_AFTER)


def _words(tokens: Sequence[Token], start: int, lexicon: Lexicon) -> list[str]:
    """The words of the name: as many as make one that is known, else until another clause begins."""
    run = forms_of(tokens[start : start + run_length(tokens, start, _LONGEST)])
    words: list[str] = []
    for form, after in zip(run, [*run[1:], ""], strict=True):
        is_over = form in _OVER or (form, after) == ("set", "to")
        if (is_over and (words or form not in _FIRST)) or form in "._-/" or form == "double":
            break
        words.append(form)
    known = [n for n in range(2, len(run) + 1) if key(run[:n]) in lexicon.by_words]
    return run[: known[-1]] if known else words


def _extension(heard: str) -> str:
    return next((real for real, ways in MISHEARD_EXTENSIONS.items() if heard in ways), heard)


def _spelt(tokens: Sequence[Token], at: int) -> Dictated | None:
    if tokens[at].form not in _SPELL or run_length(tokens, at, 2) < 2:
        return None
    start = at + 1
    forms = [_JOINTS.get(form, form) for form in forms_of(tokens[start : start + _LONGEST_SPELT])]
    for n in range(min(len(forms), run_length(tokens, start, _LONGEST_SPELT)), 1, -1):
        # Alone, "air" and "bat" are English.
        spelt = letters(forms[:n])
        if spelt is not None:
            keep = at if tokens[at].form == "spell" else start
            return Dictated(keep, start + n, spelt, Source.LETTERS)
    return None
