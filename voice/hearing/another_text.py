"""Where the likeliest text names nothing of the repository: another one that does, as the audio allows.

Other paths of the decoder may hold one; and where a name may stand, those for which the audio speaks are
looked up among all that there are.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from voice.hearing.guards import Evidence, compression_ratio
from voice.hearing.lexicon import Lexicon
from voice.hearing.slots import beginnings
from voice.hearing.spoken_code import write_out
from voice.hearing.tokens import tokens_of
from voice.hearing.whisper.biasing import Bias
from voice.hearing.whisper.encoded import Encoded
from voice.hearing.written import OF_A_NAME

# How much less likely than the best text, in nats, one may be that has a name; beyond the first of these it
# must also be so much likelier than all with other names.
_NEARLY_NATS = 4.0
_AT_MOST_NATS = 8.0
_MARGIN_NATS = 2.0
WORTH_TELLING_NATS = 14.0
"""So much less likely, a text may still be told as another reading."""

_TEXTS, _PLACES = 4, 6  # whose beginnings are looked at, and how many of them
_LEAST_WORDS = 3  # of a request with a name in it: "open parse config"
_MORE_OR_LESS_WORDS = 3  # a name in one word may have been heard as two or three
_SPOKEN = re.compile(r"[\w']+|(?<=\w)[/.](?=\w)")  # a slash and a dot are words too
_NEGATIONS = re.compile(
    r"\b(?:no|not|never|none|nothing|neither|nor|without|except|only|unless|instead|cannot)\b|n['’]t\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Text:
    text: str
    logprob: float
    names: frozenset[str]


def texts_with_a_name(
    encoded: Encoded, texts: Sequence[str], least: float, lexicon: Lexicon, names: Bias | None
) -> list[str]:
    """Texts that begin as one of `texts` and go on with one of `names`, if likelier than `least` (nats)."""
    if names is None:
        return []
    places: dict[str, tuple[str, int]] = {}
    for text in texts[:_TEXTS]:
        for start in beginnings(tokens_of(text)):
            end = len(text[:start].rstrip())
            places.setdefault(text[:end].lower(), (text, end))
    found = (encoded.with_a_name(*place, names, least) for place in [*places.values()][:_PLACES])
    return [text for some in found for text in some if has_name(text, lexicon)]


def likeliest_with_a_name(
    encoded: Encoded,
    best: Evidence,
    texts: Iterable[str],
    lexicon: Lexicon,
    is_taken: Callable[[Evidence], bool],
) -> tuple[Evidence | None, list[str]]:
    """Of `texts` the one to be taken for `best`, or None; and all that have a name, the likeliest first."""
    named = [
        _Text(text, encoded.logprob(text), names_written(text, lexicon))
        for text in dict.fromkeys(texts)
        if has_name(text, lexicon)
    ]
    named.sort(key=lambda one: -one.logprob)
    as_heard = encoded.logprob(best.text) if named else 0.0
    for one in named:
        less = as_heard - one.logprob
        is_near = less <= _NEARLY_NATS or (less <= _AT_MOST_NATS and _is_ahead(one, named))
        if is_near and _says_as_much(one.text, best.text):
            avg_logprob = one.logprob / len(encoded.tokens(one.text))
            ratio = compression_ratio(one.text)
            evidence = replace(best, text=one.text, avg_logprob=avg_logprob, compression_ratio=ratio)
            if is_taken(evidence):
                return evidence, [other.text for other in named]
    return None, [other.text for other in named]


def has_name(
    text: str, lexicon: Lexicon, evidence: Mapping[tuple[int, int, str], float] | None = None
) -> bool:
    """Whether a name of `lexicon` stands among several words, or is written for some of them."""
    return _n_spoken(text) >= _LEAST_WORDS and bool(names_written(text, lexicon, evidence))


def names_written(
    text: str, lexicon: Lexicon, evidence: Mapping[tuple[int, int, str], float] | None = None
) -> frozenset[str]:
    """The names of `lexicon` that stand in the text or are written for some of it.

    What is misheard is written only as far as `evidence` speaks for it.
    """
    words = [word.strip(string.punctuation) for word in text.split()]
    there = (
        word
        for word in words
        if word in lexicon.file_names or (word in lexicon.identifiers and not word.isalpha())
    )
    changes = write_out(text, lexicon, evidence=evidence or {}).changes
    return frozenset((*there, *(change.after for change in changes if change.source in OF_A_NAME)))


def _is_ahead(one: _Text, named: Sequence[_Text]) -> bool:
    return all(one.logprob - other.logprob >= _MARGIN_NATS for other in named if not other.names & one.names)


def _says_as_much(text: str, other: str) -> bool:
    """Whether no words are lost from one to the other, nor a no: only how they are spelled is another."""
    is_as_long = abs(_n_spoken(text) - _n_spoken(other)) <= _MORE_OR_LESS_WORDS
    return is_as_long and len(_NEGATIONS.findall(text)) == len(_NEGATIONS.findall(other))


def _n_spoken(text: str) -> int:
    return len(_SPOKEN.findall(text))
