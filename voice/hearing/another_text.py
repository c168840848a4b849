"""Where the likeliest text names nothing of the repository: another one that does, as the audio allows.

Other paths of the decoder may hold one; and where a name may stand, those for which the audio speaks are
looked up among all that there are.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from voice.hearing.guards import Evidence, compression_ratio
from voice.hearing.lexicon import Lexicon
from voice.hearing.names import spoken_words
from voice.hearing.slots import beginnings, names_something_new
from voice.hearing.spoken_code import write_out
from voice.hearing.tokens import tokens_of
from voice.hearing.whisper.biasing import Bias
from voice.hearing.whisper.encoded import Encoded
from voice.hearing.written import OF_A_NAME, Written

# How much less likely than the best text, in nats, one may be that has a name; beyond the first of these it
# must also be so much likelier than all with other names. On 366 requests with a name, 162 of them over
# repositories that nothing else was tuned on, of 28 that named nothing 10 had the right name within these, at
# 10 nats 12; of 183 heard with the names of another repository two were within 10 nats, none within these.
_NEARLY_NATS = 4.0
_AT_MOST_NATS = 8.0
_MARGIN_NATS = 2.0
WORTH_TELLING_NATS = 14.0
"""So much less likely, a text may still be told as another reading."""

_TEXTS, _PLACES = 4, 6  # whose beginnings are looked at, and how many of them
_LEAST_WORDS = 3  # of a request with a name in it: "open parse config"
_MORE_WORDS, _LESS_WORDS = 3, 2  # a name in one word may have been heard as two or three
_SPOKEN = re.compile(r"[\w']+|(?<=\w)[/.](?=\w)")  # a slash and a dot are words too
# What is to be done, and what restrains it: another text neither lacks nor adds any of it.
_RESTRAINING = re.compile(
    r"\b(?:no|not|never|none|nothing|neither|nor|without|except|only|unless|until|instead|cannot|just|first"
    r"|if|when|before|after|ask)\b|n['’]t\b",
    re.IGNORECASE,
)
_HARMFUL = re.compile(
    r"\b(?:clear|delete|drop|erase|move|remove|rename|replace|reset|revert)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class _Text:
    text: str
    logprob: float
    names: frozenset[str]


def texts_with_a_name(encoded: Encoded, texts: Sequence[str], least: float, names: Bias) -> list[str]:
    """Texts that begin as one of `texts` and go on with one of `names`, if likelier than `least` (nats)."""
    places: dict[str, tuple[str, int]] = {}
    for text in texts[:_TEXTS]:
        for start in beginnings(tokens_of(text)):
            end = len(text[:start].rstrip())
            places.setdefault(text[:end].lower(), (text, end))
    found = (encoded.with_a_name(*place, names, least) for place in [*places.values()][:_PLACES])
    return [text for some in found for text in some]


def likeliest_with_a_name(
    encoded: Encoded, best: Evidence, texts: Iterable[str], lexicon: Lexicon
) -> tuple[list[Evidence], list[str]]:
    """Of `texts` those that may be taken for `best`, and all that have a name; both the likeliest first.

    None is, where `best` says how something new is called.
    """
    if names_something_new(tokens_of(best.text)):
        return [], []
    named: list[_Text] = []
    for text in dict.fromkeys(texts):
        names = names_written(text, lexicon)
        if names and has_words(text) and _says_as_much(text, best.text, names):
            named.append(_Text(text, encoded.logprob(text), names))
    named.sort(key=lambda one: -one.logprob)
    as_heard = encoded.logprob(best.text) if named else 0.0
    near = [
        one
        for one in named
        if as_heard - one.logprob <= (_AT_MOST_NATS if _is_ahead(one, named) else _NEARLY_NATS)
    ]
    taken = [
        replace(
            best,
            text=one.text,
            avg_logprob=one.logprob / len(encoded.tokens(one.text)),
            compression_ratio=compression_ratio(one.text),
        )
        for one in near
    ]
    return taken, [one.text for one in named]


def has_words(text: str) -> bool:
    """Whether it is long enough to be believed for a name in it."""
    return len(_SPOKEN.findall(text)) >= _LEAST_WORDS


def names_written(
    text: str, lexicon: Lexicon, evidence: Mapping[tuple[int, int, str], float] | None = None
) -> frozenset[str]:
    """The names of `lexicon` that stand in the text or are written for some of it.

    What is misheard is written only as far as `evidence` speaks for it.
    """
    return _names_in(write_out(text, lexicon, evidence=evidence or {}), lexicon)


def names_nothing(text: str, lexicon: Lexicon, evidence: Mapping[tuple[int, int, str], float]) -> bool:
    """Whether none is written for it, and none is to be asked about."""
    written = write_out(text, lexicon, evidence=evidence)
    return not written.unsure and not _names_in(written, lexicon)


def _names_in(written: Written, lexicon: Lexicon) -> frozenset[str]:
    standing = (
        word
        for word in (word.strip(string.punctuation) for word in written.raw.split())
        if word in lexicon.file_names or (word in lexicon.identifiers and not word.isalpha())
    )
    changed = (change.after for change in written.changes if change.source in OF_A_NAME)
    return frozenset((*standing, *changed))


def _is_ahead(one: _Text, named: Sequence[_Text]) -> bool:
    return all(one.logprob - other.logprob >= _MARGIN_NATS for other in named if not other.names & one.names)


def _says_as_much(text: str, other: str, names: Iterable[str]) -> bool:
    """Whether from `other` to `text` no words are lost, and it says to do the same in the same cases.

    Only how they are spelled is another; what is in one of `names` says nothing.
    """
    more = len(_SPOKEN.findall(text)) - len(_SPOKEN.findall(other))
    if not -_LESS_WORDS <= more <= _MORE_WORDS:
        return False
    of_names = {word for name in names for word in spoken_words(name)}
    for said in (_RESTRAINING, _HARMFUL):
        here, there = (Counter(map(str.lower, said.findall(one))) for one in (text, other))
        if there - here or set(here - there) - of_names:
            return False
    return True
