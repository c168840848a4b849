"""The sentence by which a person agrees that Utter speaks in their voice, and whether it was said. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from rapidfuzz.distance import Levenshtein

HEARD_SHARE = 0.9
"""Of the words of a sentence; fewer is not taken for it."""

# fmt: off
CODE_WORDS = (
    "autumn", "bridge", "butter", "candle", "castle", "cedar", "copper", "cotton",
    "eagle", "forest", "garden", "ginger", "guitar", "hammer", "harbour", "honey", "island", "jacket",
    "kitchen", "ladder", "lemon", "marble", "meadow", "mirror", "mountain", "museum", "needle", "orange",
    "paper", "pepper", "piano", "pocket", "rabbit", "river", "rocket", "saddle", "silver", "spider",
    "summer", "table", "temple", "thunder", "tiger", "tomato", "tunnel", "velvet", "village", "violin",
    "walnut", "weather", "whistle", "window", "winter", "yellow",
)
# fmt: on
"""Two syllables or three, and not like one another, so that none is taken for another."""

_N_CODE_WORDS = 4
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
_WORD = re.compile(r"[\w']+")
# Who says one of these says something else than the sentence, however much of it is said beside.
_AGAINST = frozenset(
    (
        *("not", "no", "never", "nor", "neither", "cannot", "dont", "wont", "without", "unless", "until"),
        *("disagree", "refuse", "forbid", "withdraw", "deny", "nobody", "nothing", "hardly"),
    )
)
_AGREE = "agree"
_MEANT = 0.7  # of a word's letters; Whisper spells names as it likes


def fresh_sentence(name: str, date: datetime.date, words: Sequence[str]) -> str:
    """What is asked for at the microphone: with the day and words drawn at random."""
    said = f"{', '.join(words[:-1])} and {words[-1]}"
    return (
        f"My name is {name}. Today is {date:%B} {date.day}, {date.year}. I agree that this computer may "
        f"speak in my voice. My words are {said}."
    )


def standing_sentence(name: str) -> str:
    """What lies beside a recording that was made before, spoken or written."""
    return f"My name is {name}. I agree that this computer may speak in my voice."


def code_words(choose: Sequence[int]) -> tuple[str, ...]:
    """The words with these numbers, each taken modulo how many there are left."""
    left = list(CODE_WORDS)
    return tuple(left.pop(number % len(left)) for number in choose[:_N_CODE_WORDS])


def is_consent(asked: str, heard: str) -> bool:
    """Whether `heard` says the sentence `asked`: nearly all of it, that one agrees, and no word against."""
    wanted, got = set(_words(asked)), _words(heard)
    against = any(word in _AGAINST or word.endswith("n't") for word in got if word not in wanted)
    agrees = any(_is_meant(_AGREE, word) for word in got)
    return agrees and not against and share_heard(asked, heard) >= HEARD_SHARE


def is_named(name: str, text: str) -> bool:
    """Whether all words of `name` are in a text that was written, not heard."""
    return set(_words(name)) <= set(_words(text))


def share_heard(asked: str, heard: str) -> float:
    """How much of what was asked for was heard, in its order: 0 to 1, by words."""
    wanted, got = _words(asked), _words(heard)
    if not wanted:
        return 0.0
    # Words that were written a little otherwise count as the same, so each is first given its nearest form.
    known = [next((want for want in wanted if _is_meant(want, word)), word) for word in got]
    blocks = SequenceMatcher(None, wanted, known, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(wanted)


def _words(text: str) -> list[str]:
    text = _ORDINAL.sub(r"\1", text.lower().replace("’", "'"))
    # "2 026" and "2,026" for the year, as Whisper now and then writes it
    return _WORD.findall(re.sub(r"(?<=\d)[ ,](?=\d{3}\b)", "", text))


def _is_meant(wanted: str, word: str) -> bool:
    if wanted == word:
        return True
    return (
        len(wanted) > 3 and not wanted.isdigit() and Levenshtein.normalized_similarity(wanted, word) >= _MEANT
    )
