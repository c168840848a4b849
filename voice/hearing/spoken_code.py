"""Writes spoken names as the repository does: "parse config" as parse_config, "calc dot pie" as calc.py.

Pure and deterministic. What is not certain stays as it was heard: the agent is given both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath

from rapidfuzz import fuzz, process

from voice.hearing.lexicon import Lexicon
from voice.hearing.names import MISHEARD_EXTENSIONS, key, spoken_words

_LONGEST = 14  # tokens in one name
_ALIKE = 80.0  # least similarity (0 to 100) of a misheard name to the one that is written for it
_RUNNER_UP = 6.0  # by which it must be more like than any other

# Words, also those that Whisper ran together: "OpenCalc.py".
_TOKEN = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])|\d+|[._/\\-]")
_BETWEEN = re.compile(r"(?:['’]s)?[ \t'\"“”‘’`]*")
_SYMBOLS = {"dot": ".", "point": ".", "slash": "/", "underscore": "_", "dash": "-", "hyphen": "-"}
_SILENT = "_-"  # in names, but not spoken


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# After these a single word may be a name, and a name may have been misheard.
_FUNCTION_CUES = _words("function functions method methods variable argument parameter called named")
_CLASS_CUES = _words("class classes type exception")
_FILE_CUES = _words("file files module")
_CUES = _FUNCTION_CUES | _CLASS_CUES | _FILE_CUES

# A request that begins with one of these is a command, not the name of a function.
_COMMANDS = _words(
    "add change check close commit create delete edit explain find fix go list load make move open print read"
    " remove rename replace revert run save search set show sort start stop tell test undo update use"
    " write"
)
_DOES = _words("do return take mean raise")  # "what does ... do"
_CLAUSE_STARTS = _words("and or then please now just can could you to not also let me us i")
_FILLERS = _words(
    "a about all an and any are as at be but by can do does did for from get had has have how i if in is it"
    " its let me my no not of off on or our out so that the their them then there this to up us was we what"
    " when where which who why will with you your"
)


class Source(str, Enum):
    """Where the written name comes from."""

    FILE = "file"
    IDENTIFIER = "identifier"
    SIMILAR_FILE = "similar_file"
    SIMILAR_IDENTIFIER = "similar_identifier"


@dataclass(frozen=True)
class Change:
    """`before` stood at `start` to `end` (exclusive) of the raw text; `after` is written in its place."""

    start: int
    end: int
    before: str
    after: str
    source: Source


@dataclass(frozen=True)
class Written:
    """What was heard, what is made of it, and every difference, in order."""

    raw: str
    text: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class _Token:
    """A word or symbol as spoken (`form`: lower case, "dot" as ".") and its place in the raw text."""

    form: str
    start: int
    end: int
    joined: bool  # nothing but blanks and quotes between it and the token before


def write_out(text: str, lexicon: Lexicon) -> Written:
    """Write the names of `lexicon` into `text`, the longest first, from left to right."""
    tokens = _tokens(text)
    changes: list[Change] = []
    at = 0
    while at < len(tokens):
        found = _longest(tokens, at, lexicon)
        if found is None:
            at += 1
            continue
        n, name, source = found
        start, end = tokens[at].start, tokens[at + n - 1].end
        heard = text[start:end]
        if heard != name and heard not in lexicon.identifiers:
            changes.append(Change(start, end, text[start:end], name, source))
        at += n
    return Written(text, _apply(text, changes), tuple(changes))


def _apply(text: str, changes: Iterable[Change]) -> str:
    pieces: list[str] = []
    end = 0
    for change in changes:
        run_together = text[change.start - 1 : change.start].isalnum()  # "OpenCalc.py"
        pieces += [text[end : change.start], " " if run_together else "", change.after]
        end = change.end
    return "".join([*pieces, text[end:]])


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    end = 0
    for match in _TOKEN.finditer(text):
        raw = _plain(match.group())
        if raw in "._-/\\" and not _inside_name(text, match.start()):
            continue
        if raw == "s" and text[match.start() - 1 : match.start()] in ("'", "’"):
            continue  # a possessive
        joined = bool(tokens) and _BETWEEN.fullmatch(text, end, match.start()) is not None
        form = "/" if raw == "\\" else _SYMBOLS.get(raw, raw)
        tokens.append(_Token(form, match.start(), match.end(), joined))
        end = match.end()
    return tokens


def _plain(word: str) -> str:
    """Lower case, without accents: Whisper writes "Pār's config"."""
    return "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c))


def _inside_name(text: str, at: int) -> bool:
    """Does the symbol at `at` belong to a name, and not end a sentence?"""
    after = text[at + 1 : at + 2]
    return after.isalnum() or after == "_"


def _longest(tokens: list[_Token], at: int, lexicon: Lexicon) -> tuple[int, str, Source] | None:
    most = 1
    while at + most < len(tokens) and most < _LONGEST and tokens[at + most].joined:
        most += 1
    cue = _cue(tokens, at)
    for n in range(most, 0, -1):
        forms = [token.form for token in tokens[at : at + n]]
        if forms[0] in _SILENT or forms[-1] in "._-/":
            continue
        path = _path(forms, lexicon, cue)
        if path:
            return n, path, Source.FILE
        if "." in forms or "/" in forms:
            continue
        if _may_be_identifier(tokens, at, forms, cue):
            names = lexicon.by_words.get(key([form for form in forms if form not in _SILENT]), ())
            if names:
                return n, _preferred(names, cue), Source.IDENTIFIER
    return _similar(tokens, at, most, lexicon, cue)


def _cue(tokens: list[_Token], at: int) -> str:
    """The word before, if it says that a name follows, else nothing."""
    before = tokens[at - 1].form if at and tokens[at].joined else ""
    return before if before in _CUES else ""


def _path(forms: list[str], lexicon: Lexicon, cue: str) -> str | None:
    """The path or file name that the forms say exactly."""
    words = key([form for form in forms if form not in _SILENT])
    if "." not in forms and "/" not in forms:
        if cue not in _FILE_CUES:
            return None
        return _only({PurePosixPath(path).name for path in lexicon.files if _stem_key(path) == words})
    for spoken in _with_extensions(words):
        paths = lexicon.by_path.get(spoken)
        if paths:
            depth = spoken.count("/") + 1
            return _only({"/".join(path.split("/")[-depth:]) for path in paths})
    return None


def _with_extensions(words: str) -> list[str]:
    """The key as it is, then with the extensions that may have been meant."""
    stem, dot, extension = words.rpartition(".")
    meant = [real for real, heard in MISHEARD_EXTENSIONS.items() if extension in heard]
    return [words, *(stem + dot + real for real in meant)]


def _stem_key(path: str) -> str:
    return key(spoken_words(PurePosixPath(path).name.partition(".")[0]))


def _only(names: set[str]) -> str | None:
    return next(iter(names)) if len(names) == 1 else None


def _may_be_identifier(tokens: list[_Token], at: int, forms: list[str], cue: str) -> bool:
    """Could these words name something, rather than say something?"""
    if cue:
        return forms[0] not in _FILLERS
    if "_" in forms:
        return True
    if len(forms) < 2 or all(form in _FILLERS for form in forms):
        return False
    if forms[0] in _FILLERS or forms[-1] in _FILLERS:
        return False
    return not (forms[0] in _COMMANDS and _starts_clause(tokens, at))


def _starts_clause(tokens: list[_Token], at: int) -> bool:
    return at == 0 or not tokens[at].joined or tokens[at - 1].form in _CLAUSE_STARTS


def _preferred(names: tuple[str, ...], cue: str) -> str:
    """Of names with the same words, the most frequent that suits the cue."""
    if cue in _CLASS_CUES:
        return next((name for name in names if name[:1].isupper() and not name.isupper()), names[0])
    if cue in _FUNCTION_CUES:
        return next((name for name in names if name == name.lower()), names[0])
    return names[0]


def _similar(
    tokens: list[_Token], at: int, most: int, lexicon: Lexicon, cue: str
) -> tuple[int, str, Source] | None:
    """A misheard name, where the words around leave no doubt that it is one."""
    for n in range(most, 2, -1):
        forms = [token.form for token in tokens[at : at + n]]
        if forms.count(".") == 1 and forms[-2] == "." and forms[0] not in _FILLERS and not set(forms) & {"/"}:
            name = _similar_file(key([form for form in forms if form not in _SILENT]), lexicon)
            if name:
                return n, name, Source.SIMILAR_FILE
    for n in range(min(most, 4), 1, -1):
        forms = [token.form for token in tokens[at : at + n]]
        if (
            _names_code(tokens, at, n, cue)
            and not set(forms) & set("./")
            and not {forms[0], forms[-1]} & _FILLERS
        ):
            spoken = _most_alike(key(forms), lexicon.many_worded)
            if spoken:
                return n, _preferred(lexicon.by_words[spoken], cue), Source.SIMILAR_IDENTIFIER
    return None


def _names_code(tokens: list[_Token], at: int, n: int, cue: str) -> bool:
    """Do the words around say that these are a name: "the function ...", "what does ... do"?"""
    if cue in _FUNCTION_CUES | _CLASS_CUES:
        return True
    after = tokens[at + n].form if at + n < len(tokens) else ""
    return at > 0 and tokens[at - 1].form == "does" and after in _DOES


def _similar_file(words: str, lexicon: Lexicon) -> str | None:
    for spoken in _with_extensions(words):
        stem, _, extension = spoken.partition(".")
        stems = {
            _stem_key(path): PurePosixPath(path).name
            for path in lexicon.files
            if PurePosixPath(path).suffix == f".{extension}"
        }
        longer = [
            known for known in stems if len(known) > 2 and (stem.startswith(known) or known.startswith(stem))
        ]
        alike = _most_alike(stem, stems) or (longer[0] if len(longer) == 1 and len(stem) > 2 else None)
        if alike:
            return stems[alike]
    return None


def _most_alike(spoken: str, known: Iterable[str]) -> str | None:
    """The one that sounds alike enough, and clearly more so than the next."""
    sounds = {_sound(name): name for name in known}
    scored = process.extract(_sound(spoken), sounds.keys(), scorer=fuzz.ratio, limit=2, score_cutoff=_ALIKE)
    if not scored or (len(scored) > 1 and scored[0][1] - scored[1][1] < _RUNNER_UP):
        return None
    return sounds[scored[0][0]]


def _sound(word: str) -> str:
    """A rough spelling by sound: what English writes in several ways is written in one."""
    for written, sounded in (("ph", "f"), ("ck", "k"), ("qu", "kw"), ("x", "ks"), ("z", "s")):
        word = word.replace(written, sounded)
    word = re.sub(r"c(?![eiyh])", "k", word)
    return re.sub(r"(.)\1", r"\1", word)
