"""What was said as plain words, for matching: lower case, no punctuation, contractions written out. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_ENDINGS = {"'m": "am", "'s": "is", "'re": "are", "'ll": "will", "'ve": "have", "'d": "would"}
_WHOLE = {
    "won't": ("will", "not"),
    "can't": ("can", "not"),
    "cannot": ("can", "not"),
    "let's": ("let", "us"),
    "goodbye": ("good", "bye"),
    "nevermind": ("never", "mind"),
    "gonna": ("going", "to"),
    "wanna": ("want", "to"),
    "ok": ("okay",),
    "mic": ("microphone",),
    "spelt": ("spelled",),
    "quieter": ("softer",),
}
_WITHOUT_APOSTROPHE = {
    "dont": "don't",
    "doesnt": "doesn't",
    "didnt": "didn't",
    "isnt": "isn't",
    "wont": "won't",
    "cant": "can't",
    "shouldnt": "shouldn't",
    "whats": "what's",
    "thats": "that's",
    "im": "i'm",
}


def word_list(text: str) -> tuple[str, ...]:
    """The words of a constant that is written as one string."""
    return tuple(text.split())


_UNITS = word_list(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
)
_TENS = {
    name: 10 * n
    for n, name in enumerate(word_list("twenty thirty forty fifty sixty seventy eighty ninety"), 2)
}
_SMALL = {name: n for n, name in enumerate(_UNITS)}
_ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "last": -1,
}
_SOUND_ALIKE = {"won": 1, "to": 2, "too": 2, "for": 4, "ate": 8}
_LARGEST = 999_999


@dataclass(frozen=True)
class Word:
    """One word in its plain form, and the piece of what was said that it comes from."""

    plain: str
    start: int
    end: int


def words_of(text: str) -> tuple[Word, ...]:
    """The words of `text`. "Don't" gives two of one place; "mm-hm" and "40-52" give two of two.

    >>> [word.plain for word in words_of("Don't read-only, Zoë's 1,200!")]
    ['do', 'not', 'read', 'only', 'zoe', 'is', '1200']
    """
    text = text.replace("’", "'").replace("‘", "'")
    found: list[Word] = []
    for match in _WORD.finditer(text):
        start, end = match.span()
        word = _folded(match.group())
        is_thousands = word.isdigit() and len(word) == 3 and found and found[-1].plain.isdigit()
        if is_thousands and text[found[-1].end : start] == ",":
            found[-1] = Word(found[-1].plain + word, found[-1].start, end)
        else:
            found += [Word(plain, start, end) for plain in _written_out(word)]
    return tuple(found)


def plain_words(text: str) -> tuple[str, ...]:
    """The plain forms alone."""
    return tuple(word.plain for word in words_of(text))


def number(words: Sequence[str]) -> int | None:
    """The number that all of `words` say together, digits or words, or None.

    >>> number(["one", "hundred", "and", "twenty"]), number(["forty", "two"]), number(["1", "2"])
    (120, 42, None)
    """
    if len(words) < 2:
        return _single(words[0]) if words else None
    total, group, smallest_so_far = 0, 0, 1000
    for at, word in enumerate(words):
        if word == "and" and 0 < at < len(words) - 1 and words[at - 1] in ("hundred", "thousand"):
            continue
        if word == "hundred" and 0 < group < 10:
            group, smallest_so_far = group * 100, 100
        elif word == "thousand" and 0 < group < 1000 and not total:
            total, group, smallest_so_far = group * 1000, 0, 1000
        elif word in _TENS and smallest_so_far >= 100:
            group, smallest_so_far = group + _TENS[word], 10
        elif (
            word in _SMALL
            and 0 < _SMALL[word] < smallest_so_far
            and (smallest_so_far > 10 or _SMALL[word] < 10)
        ):
            group, smallest_so_far = group + _SMALL[word], 1
        else:
            return None
    return total + group


def spoken_number(words: Sequence[str]) -> int | None:
    """As `number`, and one word that sounds like a number: "option too"."""
    if len(words) == 1 and words[0] in _SOUND_ALIKE:
        return _SOUND_ALIKE[words[0]]
    return number(words)


def ordinal(word: str) -> int | None:
    """1 for "first" and so on; -1 for "last"."""
    return _ORDINALS.get(word)


def _single(word: str) -> int | None:
    if word.isascii() and word.isdigit() and int(word) <= _LARGEST:
        return int(word)
    return _SMALL.get(word, _TENS.get(word))


def _folded(word: str) -> str:
    """Lower case without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c))


def _written_out(word: str) -> tuple[str, ...]:
    word = _WITHOUT_APOSTROPHE.get(word, word)
    if word in _WHOLE:
        return _WHOLE[word]
    if word.endswith("n't"):
        return (word[:-3], "not")
    for ending, plain in _ENDINGS.items():
        if word.endswith(ending) and len(word) > len(ending):
            return (word[: -len(ending)], plain)
    return (word.replace("'", ""),)
