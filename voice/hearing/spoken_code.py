"""Writes spoken names as the repository does: "parse config" as parse_config, "calc dot pie" as calc.py.

Pure and deterministic. First what is said in so many words: formatters, letters, operators; then names that
are spoken exactly; then those that were misheard, where a name must stand. What is not certain stays as it
was heard: the agent is given both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from voice.hearing.candidates import Candidate, Evidence, candidates, options, preferred, rivals
from voice.hearing.dictated import Dictated, dictated
from voice.hearing.lexicon import Lexicon
from voice.hearing.names import MISHEARD_EXTENSIONS, NUMBERS, key, sound_key, spoken_words
from voice.hearing.operators import operators
from voice.hearing.slots import FILE_CUES, MAKING, Slot, cue, is_opened, is_spoken_of, may_be_identifier, slot
from voice.hearing.sounds import alike, sound
from voice.hearing.tokens import SILENT, Token, forms_of, run_length, tokens_of, words_of
from voice.hearing.written import Change, Source, Unsure, Written, applied

__all__ = ["Change", "Source", "Unsure", "Written", "write_out"]

_LONGEST = 14  # tokens in one name
_LITTLE = 1e-3
_MOST_GUESSES = 4
_FILES = (Source.FILE, Source.SIMILAR_FILE)
_FOLDER_ALIKE = 0.6
_MADE = MAKING | {"copy", "move", "new", "rename"}


@dataclass(frozen=True)
class _Found:
    """What is written for the tokens `at` to `end` (exclusive), and how much speaks for it."""

    at: int
    end: int
    written: str
    source: Source
    strength: float
    others: tuple[str, ...] = ()
    is_tie: bool = False  # one of `others` is as likely


def write_out(
    text: str,
    lexicon: Lexicon,
    topic: Mapping[str, float] | None = None,
    evidence: Evidence | None = None,
) -> Written:
    """Write the names of `lexicon` into `text`.

    `topic` weighs names by how much the conversation is about them, 0 to 1; `evidence` is what the audio
    says.
    """
    tokens = tokens_of(text)
    said = dictated(tokens, lexicon)
    free = [True] * len(tokens)
    for one in said:
        free[one.at : one.end] = [False] * (one.end - one.at)
    exact = _exact(tokens, lexicon)
    heard = candidates(tokens, lexicon, topic, evidence)
    proposals = [*exact, *(_before_its_end(one, exact) for one in _misheard(heard, tokens))]
    chosen = [_in_its_folder(one, tokens, free, lexicon) for one in _without_overlap(proposals, free)]
    found = [*map(_of_dictated, said), *(one for one in chosen if not one.is_tie)]
    changes = [_change(text, tokens, one) for one in found]
    changes = [one for one in changes if one.before != one.after and one.before not in lexicon.identifiers]
    changes += operators(text, tokens, changes)
    changes.sort(key=lambda one: one.start)
    ties = sorted((one for one in chosen if one.is_tie), key=lambda one: one.at)
    unsure = tuple(_unsure(text, tokens, one) for one in ties)
    left = [one for one in heard if not one.is_sure and all(free[one.at : one.end])][:_MOST_GUESSES]
    guesses = tuple(_guess(text, tokens, one) for one in left)
    return Written(text, applied(text, changes), tuple(changes), unsure, guesses)


def _guess(text: str, tokens: Sequence[Token], one: Candidate) -> Unsure:
    start, end = tokens[one.at].start, tokens[one.end - 1].end
    return Unsure(start, end, text[start:end], (one.written,))


def _of_dictated(one: Dictated) -> _Found:
    return _Found(one.at, one.end, one.written, one.source, 0.0)


def _change(text: str, tokens: Sequence[Token], found: _Found) -> Change:
    start, end = tokens[found.at].start, tokens[found.end - 1].end
    return Change(start, end, text[start:end], found.written, found.source, found.others)


def _unsure(text: str, tokens: Sequence[Token], found: _Found) -> Unsure:
    start, end = tokens[found.at].start, tokens[found.end - 1].end
    return Unsure(start, end, text[start:end], (found.written, *found.others))


def _without_overlap(proposals: list[_Found], free: list[bool]) -> list[_Found]:
    """Those for which most speaks, each token in one of them."""
    chosen: list[_Found] = []
    for one in sorted(proposals, key=lambda one: -one.strength):
        if all(free[one.at : one.end]):
            free[one.at : one.end] = [False] * (one.end - one.at)
            chosen.append(one)
    return chosen


def _before_its_end(one: _Found, exact: Sequence[_Found]) -> _Found:
    """A misheard name goes before its last part alone.

    "Billings-tax rules.py" is billing/tax_rules.py, and "parts match arm" is parse_match_arm, not MatchArm.
    """
    for end in exact:
        if one.at < end.at and one.end == end.end and _ends_with(one.written, end.written):
            return replace(one, strength=max(one.strength, end.strength + _LITTLE))
    return one


def _ends_with(written: str, end: str) -> bool:
    words, last = spoken_words(written), spoken_words(end)
    return written.endswith(f"/{end}") or ("." not in written and words[-len(last) :] == last)


def _in_its_folder(one: _Found, tokens: Sequence[Token], free: list[bool], lexicon: Lexicon) -> _Found:
    """A file behind "slash" goes with its folder, if there is but one and something like it was said.

    "Window slash shadow dot ts" is render/shadows.ts where there is no other shadows.ts, and no folder that
    is called window. What is to be made may well be in another.
    """
    at, name = one.at - 2, one.written
    if one.source not in _FILES or at < 0 or tokens[one.at - 1].form != "/" or not all(free[at : one.at]):
        return one
    whole = _only([path for path in lexicon.files if path == name or path.endswith(f"/{name}")])
    if whole is None or whole == name or not (tokens[one.at].joined and tokens[one.at - 1].joined):
        return one
    folder, said = whole.removesuffix(f"/{name}").split("/")[-1], tokens[at].form
    if any(token.form in _MADE for token in tokens[:at]) or said in lexicon.folders:
        return one
    if alike(sound(said), sound(" ".join(spoken_words(folder)))) < _FOLDER_ALIKE:
        return one
    free[at : one.at] = [False, False]
    return replace(one, at=at, written=f"{folder}/{name}", source=Source.SIMILAR_FILE)


def _strength(tokens: Sequence[Token], at: int, end: int, score: float) -> float:
    """Longer names before those inside them, unless they are much less alike."""
    letters = sum(len(token.form) for token in tokens[at:end])
    return min(score, 1.0) ** 3 * letters**0.5


def _misheard(heard: Sequence[Candidate], tokens: Sequence[Token]) -> list[_Found]:
    """Names that sound like what stands where a name must stand."""
    found: list[_Found] = []
    for one in heard:
        if one.is_sure:
            others = options(heard, one)
            found.append(
                _Found(
                    one.at,
                    one.end,
                    one.written,
                    Source.SIMILAR_FILE if one.is_file else Source.SIMILAR_IDENTIFIER,
                    _strength(tokens, one.at, one.end, one.score),
                    tuple(other.written for other in others),
                    rivals(others, one),
                )
            )
    return found


def _exact(tokens: Sequence[Token], lexicon: Lexicon) -> list[_Found]:
    """Names that are spoken word for word, the longest first, from left to right."""
    found: list[_Found] = []
    at = 0
    while at < len(tokens):
        one = _longest(tokens, at, lexicon)
        if one is not None:
            found.append(one)
        at = one.end if one is not None else at + 1
    return found


def _longest(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> _Found | None:
    before = cue(tokens, at)
    for n in range(run_length(tokens, at, _LONGEST), 0, -1):
        forms = forms_of(tokens[at : at + n])
        strength = _strength(tokens, at, at + n, 1.0)
        path = _path(forms, lexicon, before) or _without_extension(tokens, at, forms, lexicon)
        if path and forms[0] != "-" and forms[-1] not in "._-/":
            return _Found(at, at + n, path, Source.FILE, strength)
        forms = words_of(tokens[at : at + n]) if _may_be_words(tokens, at, n) else forms
        if forms[0] == "-" or forms[-1] in "._-/":
            continue
        if "." in forms or "/" in forms or not may_be_identifier(tokens, at, forms):
            continue
        words = [form for form in forms if form not in SILENT]
        for names, source in (
            (lexicon.by_words.get(key(words), ()), Source.IDENTIFIER),
            (lexicon.by_sound_key.get(sound_key(words), ()) if len(words) > 1 else (), Source.HOMOPHONE),
        ):
            if names:
                written = preferred(names, before)
                others = tuple(name for name in names if name != written)
                return _Found(at, at + n, written, source, strength, others)
    return None


def _may_be_words(tokens: Sequence[Token], at: int, n: int) -> bool:
    """Whether "dot", "slash" or "point" may be of a name here, and not join two words or be of a number."""
    if tokens[at].word and at > 1 and slot(tokens, at, n) is not Slot.CERTAIN:
        return False
    beside = (
        tokens[k].form
        for j in range(at, at + n)
        if tokens[j].word
        for k in (j - 1, j + 1)
        if 0 <= k < len(tokens)
    )
    return not any(form.isdigit() or form in NUMBERS for form in beside)


def _path(forms: Sequence[str], lexicon: Lexicon, before: str) -> str | None:
    """The path or file name that the forms say exactly."""
    words = key([form for form in forms if form not in SILENT])
    if "." not in forms and "/" not in forms:
        return _only(lexicon.stems.get(words, ())) if before in FILE_CUES else None
    for spoken in _with_extensions(words):
        paths = lexicon.by_path.get(spoken)
        if paths:
            depth = spoken.count("/") + 1
            return _only({"/".join(path.split("/")[-depth:]) for path in paths})
    return None


def _without_extension(
    tokens: Sequence[Token], at: int, forms: Sequence[str], lexicon: Lexicon
) -> str | None:
    """The file that has none, where words say its name as two: "the make file" is Makefile."""
    if len(forms) < 2 or not is_spoken_of(tokens, at):
        return None
    name = _only([name for name in lexicon.stems.get(key(forms), ()) if "." not in name])
    # "Ask the code owners" means people, whatever the files are called.
    return name if name and (name.lower().endswith("file") or is_opened(tokens, at)) else None


def _with_extensions(words: str) -> list[str]:
    """The key as it is, then with the extensions that may have been meant."""
    stem, dot, extension = words.rpartition(".")
    meant = [real for real, heard in MISHEARD_EXTENSIONS.items() if extension in heard]
    return [words, *(stem + dot + real for real in meant)]


def _only(names: Collection[str]) -> str | None:
    return next(iter(names)) if len(set(names)) == 1 else None
