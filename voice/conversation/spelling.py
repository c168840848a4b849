"""Letters as they are spoken: names of letters, the NATO alphabet and Talon's. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import fuzz

from voice.conversation.words import number, word_list, words_of

_NATO = word_list(
    "alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec"
    " romeo sierra tango uniform victor whiskey xray yankee zulu"
)
# https://github.com/talonhub/community, and alternates that its users adopt.
_TALON = word_list(
    "air bat cap drum each fine gust harp sit jury crunch look made near odd pit quench red sun trap urge"
    " vest whale plex yank zip"
    " arch batch birch faint ham ivy ice jail met oink orange pink queen wet zone zoo"
)
# How speech recognition writes the names of letters, a row for each letter; and other spellings of NATO's.
_ROWS = """a ay alpha
b bee be
c see sea
d dee
e ee
f ef eff
g gee
h aitch
i eye
j jay juliet
k kay
l el ell
m em
n en
o oh oskar
p pee
q queue cue
r are
s ess
t tee tea
u you
v vee
w whisky
x ex
y why
z zee zed"""
_HEARD = {word: row[0] for row in map(word_list, _ROWS.splitlines()) for word in row[1:]}
_MARKS = {"underscore": "_", "dash": "-", "hyphen": "-", "dot": ".", "slash": "/"}

_LETTERS = (
    {word: word[0] for word in (*_NATO, *_TALON)} | {"sit": "i", "crunch": "k", "plex": "x"} | _HEARD | _MARKS
)
_LEAST_ALIKE = 55  # per cent, of letters in order
_MOST_WORDS = 4  # that one name is misheard as
_DOUBLED = {"double": 2, "triple": 3}

NATO = {word[0]: ("x-ray" if word == "xray" else word) for word in _NATO}
"""The NATO word of each letter, for spelling aloud."""


def letters(words: Sequence[str]) -> str | None:
    """What `words` spell, or None when one of them is no letter, digit or mark.

    "cap" before a letter makes it a capital; alone or last it is Talon's c. "x ray" and "double u" are known.

    >>> letters(["cap", "see", "delta", "underscore", "double", "t", "4"])
    'Cd_tt4'
    """
    spelt: list[str] = []
    at = 0
    times, is_capital = 1, False
    while at < len(words):
        word, after = words[at], words[at + 1] if at + 1 < len(words) else ""
        if word in ("cap", "capital") and _letter(after) and (word == "capital" or not is_capital):
            is_capital = True
            at += 1
            continue
        if (word, after) == ("double", "you") or (word, after) == ("double", "u"):
            letter, at = "w", at + 2
        elif word in _DOUBLED and _letter(after):
            times = _DOUBLED[word]
            at += 1
            continue
        elif (word, after) == ("x", "ray"):
            letter, at = "x", at + 2
        else:
            letter, at = _letter(word), at + 1
        if not letter:
            return None
        spelt.append((letter.upper() if is_capital else letter) * times)
        times, is_capital = 1, False
    return "".join(spelt) or None


def respelled(text: str, spelt: str) -> str | None:
    """`text` with `spelt` in place of the one to four words that it most resembles; None if none does.

    >>> respelled("open the teas tree file", "teatree")
    'open the teatree file'
    """
    words = words_of(text)
    wanted = _squeezed(spelt)
    best, place = float(_LEAST_ALIKE), (0, 0)
    for start in range(len(words)):
        for end in range(start + 1, min(len(words), start + _MOST_WORDS) + 1):
            begin, stop = words[start].start, words[end - 1].end
            alike = fuzz.ratio(_squeezed(text[begin:stop]), wanted)
            if alike > best:
                best, place = alike, (begin, stop)
    return None if place == (0, 0) else text[: place[0]] + spelt + text[place[1] :]


def _squeezed(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


def _letter(word: str) -> str:
    if len(word) == 1 and word.isascii() and word.isalnum():
        return word
    digit = number([word])
    return _LETTERS.get(word, "" if digit is None else str(digit))
