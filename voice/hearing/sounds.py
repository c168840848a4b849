"""How alike two pieces of text sound: a rough spelling by sound, and a distance between such. Pure.

The spelling is of English as it is commonly read; the distance forgives what recognisers and accents mix up:
voice, vowels, r and l, endings. Both are deterministic and know no dictionary.
"""

from __future__ import annotations

import re
from functools import lru_cache

# In this order; capitals are sounds that are written with two letters: C church, S ship, T thin, J judge.
_RULES = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"^(?:kn|gn)", "n"),
        (r"^wr", "r"),
        (r"^ps", "s"),
        (r"^wh", "w"),
        (r"^x", "s"),
        (r"mb$", "m"),
        (r"queue", "kio"),
        (r"tch", "C"),
        (r"[ts]ion|cian", "Sn"),
        (r"ture", "Cr"),
        (r"sch", "sk"),
        (r"ch", "C"),
        (r"sh", "S"),
        (r"th", "T"),
        (r"ph", "f"),
        (r"dge|j", "J"),
        (r"(?<=[aeiou])gh", ""),
        (r"gh", "g"),
        (r"ck", "k"),
        (r"qu", "kw"),
        (r"q", "k"),
        (r"x", "ks"),
        (r"c(?=[eiy])", "s"),
        (r"c", "k"),
        (r"g(?=[eiy])", "J"),
        (r"z", "s"),
        (r"(?<=[^aeiou])e$", ""),
        (r"(?<=[^aeiou])e(?=s$|d$)", ""),
        (r"(?<=.)y", "i"),
        (r"(?:oo|ou|ow|au|aw|oa|o|u)+", "o"),
        (r"(?:ai|ay|ei|ey|a)+", "a"),
        (r"(?:ee|ea|ie|i|e)+", "i"),
        (r"(.)\1+", r"\1"),
    )
)
_DIGITS = ("siro", "won", "to", "Tri", "for", "fiv", "siks", "sivn", "at", "nin")

_IRREGULAR = {
    "cache": "kaS",
    "caches": "kaSis",
    "cue": "kio",
    "eight": "at",
    "four": "for",
    "one": "won",
    "queue": "kio",
    "queues": "kios",
    "route": "rot",
    "suite": "swit",
    "the": "Ti",
    "two": "to",
}
_LETTERS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        "a bi si di i if Ji aC ai Ja ka il im in o pi kio ar is ti yo vi doblyo iks wai si".split(),  # noqa: SIM905
        strict=True,
    )
)
_SAYABLE = re.compile("[aeiouy]")

_VOWELS = frozenset("aio")
_CLOSE = 0.45
_PAIRS = (
    "bp dt gk vf sS CS JC JS rl mn bv sT fT dT tT tC wv kC gJ fh nN wr nl sJ".split()  # noqa: SIM905
)
_NEAR = {frozenset(pair): _CLOSE for pair in _PAIRS}
_LEAVE = {"a": 0.4, "i": 0.4, "o": 0.4, "h": 0.5, "w": 0.6, "y": 0.6, "r": 0.6, "s": 0.7, "t": 0.7, "d": 0.7}


@lru_cache(maxsize=65_536)
def sound(text: str) -> str:
    """The words of `text` by their sound, run together.

    >>> sound("rate limit"), sound("raid limit"), sound("cash knight")
    ('ratlimit', 'radlimit', 'kaSnit')
    """
    return "".join(
        _LETTERS.get(word) or _word_sound(word) for word in re.findall(r"[^\W\d_]+|\d", text.lower())
    )


@lru_cache(maxsize=16_384)
def alike(one: str, other: str) -> float:
    """How alike two results of `sound` are: 1 for the same, 0 for nothing in common."""
    if one == other:
        return 1.0
    most = max(_weight(one), _weight(other))
    return max(0.0, 1.0 - _distance(one, other) / most) if most else 0.0


@lru_cache(maxsize=65_536)
def _word_sound(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 4 and word.isascii() and word.isalpha() and not _SAYABLE.search(word):
        return "".join(_LETTERS[letter] for letter in word)  # "NQ"
    if word.isdigit():
        return _DIGITS[int(word)] if word.isascii() else word
    for pattern, written in _RULES:
        word = pattern.sub(written, word)
    return word


def _weight(sounds: str) -> float:
    return sum(_LEAVE.get(one, 1.0) for one in sounds)


def _distance(one: str, other: str) -> float:
    """Levenshtein's, with a cost for each sound."""
    row = [0.0]
    for b in other:
        row.append(row[-1] + _LEAVE.get(b, 1.0))
    for a in one:
        leave = _LEAVE.get(a, 1.0)
        before, row = row, [row[0] + leave]
        for at, b in enumerate(other):
            if a == b:
                swap = 0.0
            elif a in _VOWELS and b in _VOWELS:
                swap = 0.3
            else:
                swap = _NEAR.get(frozenset((a, b)), 1.0)
            row.append(min(before[at] + swap, before[at + 1] + leave, row[at] + _LEAVE.get(b, 1.0)))
    return row[-1]
