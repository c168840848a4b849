"""Which names a misheard piece of a request may be, by their sound and by where the piece stands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log1p, log10

from rapidfuzz import fuzz, process

from voice.hearing.lexicon import Lexicon, said_extension
from voice.hearing.names import key, spoken_words
from voice.hearing.slots import (
    CLASS_CUES,
    CUES,
    FILLERS,
    FUNCTION_CUES,
    Slot,
    begins_no_name,
    cue,
    is_new,
    is_prose,
    says_something,
    slot,
)
from voice.hearing.sounds import alike, sound
from voice.hearing.tokens import SILENT, Token, forms_of, run_length

# Least likeness of a name by how sure it is that one stands there.
LEAST = {Slot.CERTAIN: 0.66, Slot.FRAMED: 0.74, Slot.LIKELY: 0.84}
MARGIN = 0.05  # by which it must be more like than any other

_WORTH_TELLING = 0.5  # less alike is no reading of it
_AS_WRITTEN = 52.0  # least likeness of the sounds as they are spelt, of 100
_FURTHER = 0.25  # below the likeliest
_SHORT = 5  # sounds; so short a name must be nearly the same
_SHORT_MORE = 0.12
_ONE_WORD_MORE = 0.1
_BY_CHANCE, _FEW_NAMES = 0.05, 1_000  # the more names, the likelier one is alike by chance: for ten times
_EDGE_FILLER = 0.06  # a name seldom begins or ends with "the" or "in"
# With the audio: nats that weigh as much as all likeness, where names are compared with each other and where
# one is compared with the words that were heard; and the least of that. Fitted to 99 places in requests of
# bench/identifiers, tuned part: 38 of names that were said, 61 of others, as what was said was none of them.
_NATS, _LEAST_LIKELY = 30.0, -20.0
_DECIDING_NATS, _LEAST_HEARD = 20.0, 0.5
# What the audio says against a path counts so much less where the word "slash" was heard.
_OF_A_PATH = 3.0
_AS_SPOKEN = 0.97  # likeness of what needs no audio
_LINKS = frozenset(("at", "by", "for", "from", "in", "into", "of", "on", "to", "with"))
_COMMA, _STOP = 0.02, 0.04  # inside a name
_FIRST_CUE = 0.1  # "the class ..." says what follows
_LOOKED_AT = 16
_MOST_OPTIONS = 6
_LONGEST, _LONGEST_PATH = 7, 14  # tokens
_WEIGHT, _TOPIC = 0.004, 0.06  # what frequency and the conversation add to likeness


@dataclass(frozen=True)
class Candidate:
    """`written` for `n` tokens from `at` on; `score` is its likeness and what else speaks for it."""

    at: int
    n: int
    written: str
    score: float
    is_file: bool
    is_sure: bool  # alike enough for its place
    is_verbatim: bool = False  # the very words of the name: of these the audio says nothing

    @property
    def end(self) -> int:
        return self.at + self.n


Evidence = Mapping[tuple[int, int, str], float]
"""By begin and end in the text and the name: how much likelier it is than the words there, in nats.

It is less than 0 for nearly all, for Whisper chose the words; the less sure it was of them, the more is
added. A mapping without a name leaves the words be, as for what was typed; only where there is no mapping at
all does likeness alone decide.
"""


def candidates(
    tokens: Sequence[Token],
    lexicon: Lexicon,
    topic: Mapping[str, float] | None = None,
    evidence: Evidence | None = None,
) -> list[Candidate]:
    """All that misheard names in `tokens` may be, the likeliest first. `topic` weighs names (0 to 1)."""
    found: list[Candidate] = []
    for at in range(len(tokens)):
        most = run_length(tokens, at, _LONGEST_PATH, near=True)
        for n in range(1, most + 1):
            found += _of_window(tokens, at, n, lexicon, topic or {})
    if evidence is not None:
        found = [_heard(tokens, one, evidence) for one in found]
    return sorted(found, key=lambda one: -one.score)


def _heard(tokens: Sequence[Token], one: Candidate, evidence: Evidence) -> Candidate:
    """The candidate in the light of the audio, which tells names apart better than their spelling does."""
    if one.is_verbatim:
        return one
    likelier = evidence.get((tokens[one.at].start, tokens[one.end - 1].end, one.written))
    if likelier is None:
        # What was compared comes first: of two places for a name the audio was asked about the likelier ones.
        unheard = -_LEAST_LIKELY / _NATS if evidence else 0.0
        return one if one.score >= _AS_SPOKEN else replace(one, is_sure=False, score=one.score - unheard)
    may_be = one.is_sure or one.n > 1
    is_spoken_path = one.is_file and "/" in one.written and _says_slash(tokens[one.at : one.end])
    deciding = likelier / (_DECIDING_NATS * (_OF_A_PATH if is_spoken_path else 1.0))
    is_sure = may_be and one.score + deciding >= _LEAST_HEARD
    return replace(one, score=one.score + max(likelier, _LEAST_LIKELY) / _NATS, is_sure=is_sure)


def _says_slash(tokens: Sequence[Token]) -> bool:
    """Whether the word was heard, not written as a sign."""
    return any(token.form == "/" and token.end - token.start > 1 for token in tokens)


def preferred(names: Sequence[str], before: str) -> str:
    """Of names with the same words, the one of most weight that suits the cue."""
    if before in CLASS_CUES:
        return next((name for name in names if name[:1].isupper() and not name.isupper()), names[0])
    if before in FUNCTION_CUES:
        return next((name for name in names if name[:1].islower()), names[0])
    return names[0]


def _of_window(
    tokens: Sequence[Token], at: int, n: int, lexicon: Lexicon, topic: Mapping[str, float]
) -> list[Candidate]:
    forms = forms_of(tokens[at : at + n])
    is_path = "." in forms or "/" in forms
    place = slot(tokens, at, n)
    if is_path and place is Slot.NONE and forms[-1] not in "./":
        place = Slot.LIKELY
    if place is Slot.NONE or forms[0] in "._-/" or forms[-1] in "._-/" or (not is_path and n > _LONGEST):
        return []
    if all(form in FILLERS for form in forms) or is_new(tokens, at) or is_prose(tokens, at, forms):
        return []
    if n == 1 and (place is not Slot.CERTAIN or says_something(tokens, at)):
        return []
    words = [form for form in forms if form not in SILENT]
    heard, said = _sound_of(forms), key(words)
    if len(heard) < 3:
        return []
    known, first = lexicon.of_about_the_length(len(heard))
    shortlist = process.extract(heard, known, scorer=fuzz.ratio, limit=_LOOKED_AT, score_cutoff=_AS_WRITTEN)
    if not shortlist:
        return []
    digits = _digits(forms)
    by_chance = _BY_CHANCE * log10(max(len(lexicon.soundings) / _FEW_NAMES, 1.0))
    least_there = LEAST[place]
    if cue(tokens, at) and says_something(tokens, at):
        least_there = LEAST[Slot.LIKELY]
    edges = sum(form in FILLERS for form in (forms[0], forms[-1])) if n > 1 else 0
    has_stop = any(token.follows_stop for token in tokens[at + 1 : at + n])
    best: dict[str, Candidate] = {}
    for _, _, number in shortlist:
        entry = lexicon.soundings[first + number]
        if (is_path and not entry.is_file) or not _may_be_numbered(digits, _digits(entry.written)):
            continue
        over = _beside(words, entry.written) if entry.written in said else []
        if over and (entry.n_words == 1 or any(word in FILLERS for word in over)):
            continue  # "a list" says "list" already, and a word more; "price total price" is a false start
        likeness = alike(heard, entry.sound)
        if likeness < _WORTH_TELLING:
            continue
        names = (entry.written,) if entry.is_file else lexicon.by_words.get(entry.written, ())
        if not names:
            continue
        written = preferred(names, cue(tokens, at))
        least = least_there + by_chance
        least += _SHORT_MORE * (len(entry.sound) < _SHORT) + _ONE_WORD_MORE * (entry.n_words == 1)
        if likeness < 0.95:
            likeness -= _EDGE_FILLER * edges
        likeness -= _COMMA * sum(not token.joined for token in tokens[at + 1 : at + n])
        likeness -= _STOP * has_stop
        if forms[0] in CUES and not written.lower().startswith(forms[0]):
            likeness -= _FIRST_CUE
        score = (
            likeness
            + _WEIGHT * log1p(lexicon.identifiers.get(written, 0.0))
            + _TOPIC * topic.get(written, 0.0)
        )
        # Small words that the name lacks say something, unless the audio says that they do not.
        is_said = edges or any(form in _LINKS and form not in entry.written for form in forms)
        is_said = is_said or (begins_no_name(forms[0]) and forms[0] not in spoken_words(written))
        is_sure = likeness >= least and not is_said and (entry.n_words > 1 or place is Slot.CERTAIN)
        # Over a full stop, and of a figure that the name lacks, the audio has to say so.
        is_verbatim = said == entry.written and not has_stop
        is_sure = is_sure and not has_stop and digits == _digits(entry.written)
        one = Candidate(at, n, written, score, entry.is_file, is_sure, is_verbatim)
        if written not in best or best[written].score < score:
            best[written] = one
    return list(best.values())


def _beside(words: Sequence[str], written: str) -> list[str]:
    """The words before and after the last place where the very words of a name are said; none without one."""
    for i in reversed(range(len(words))):
        for j in range(i + 1, len(words) + 1):
            if key(words[i:j]) == written:
                return [*words[:i], *words[j:]]
    return []


def _may_be_numbered(heard: str, written: str) -> bool:
    """A number is never taken for another, but one figure for a word: "him 4 contacts"."""
    return heard == written or (len(heard) == 1 and not written)


def _digits(text: Iterable[str]) -> str:
    return "".join(one for one in "".join(text) if one.isdigit())


def _sound_of(forms: Sequence[str]) -> str:
    said: list[str] = []
    for at, form in enumerate(forms):
        if form in SILENT:
            continue
        if form in "./":
            said.append("dot" if form == "." else "slash")
        elif at and forms[at - 1] == ".":
            said.append(said_extension(form))
        else:
            said.append(form)
    return sound(" ".join(said))


def rivals(others: Sequence[Candidate], top: Candidate) -> bool:
    """Whether one of `others` is as likely as `top`, for about the same words."""
    return any(
        one.is_sure
        and one.score > top.score - MARGIN
        and 0.75 <= one.n / top.n <= 1.34
        and not _are_one_file(one, top)
        for one in others
    )


def _are_one_file(one: Candidate, other: Candidate) -> bool:
    """Is it the same file, with more and with less of its folders?"""
    longer, shorter = sorted((f"/{one.written}", f"/{other.written}"), key=len, reverse=True)
    return one.is_file and other.is_file and longer.endswith(shorter)


def options(found: Sequence[Candidate], top: Candidate) -> tuple[Candidate, ...]:
    """What else the place of `top` may be, each name once, the likeliest first."""
    others: dict[str, Candidate] = {}
    for one in found:
        overlaps = one.at < top.end and top.at < one.end
        if overlaps and one.written != top.written and one.score > top.score - _FURTHER:
            others.setdefault(one.written, one)
    return tuple(others.values())[:_MOST_OPTIONS]
