"""Which texts to compare with the audio: what was heard, with a name in place of what may be it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from rapidfuzz import fuzz

from voice.hearing.candidates import candidates
from voice.hearing.lexicon import Lexicon
from voice.hearing.names import MISHEARD_EXTENSIONS, said_in_full, transcribed, ways_to_say
from voice.hearing.tokens import tokens_of

_MOST = 8  # texts; each is a pass of the decoder
_EACH = 2  # places for one name
_DECIDED = 0.98  # likeness of what needs no comparison


@dataclass(frozen=True)
class Variant:
    """`text` has the name `written` as it is spoken, in place of what was heard from `start` to `end`."""

    start: int
    end: int
    written: str
    text: str


def variants(text: str, lexicon: Lexicon) -> tuple[Variant, ...]:
    """The likeliest names in the places where they may stand; none where the words themselves decide."""
    tokens = tokens_of(text)
    found: list[Variant] = []
    for one in candidates(tokens, lexicon):
        if not found and one.is_sure and one.score >= _DECIDED and not one.is_file:
            break
        if sum(other.written == one.written for other in found) < _EACH:
            start, end = tokens[one.at].start, tokens[one.end - 1].end
            said = (_said_file if one.is_file else _said_name)(one.written, text[start:end])
            found.append(Variant(start, end, one.written, text[:start] + said + text[end:]))
        if len(found) == _MOST:
            break
    return tuple(found)


def _said_name(name: str, heard: str) -> str:
    """The way to say it that is most like what was heard, in capitals where that is."""
    said = _most_like(heard, map(transcribed, ways_to_say(name)))
    in_capitals = all(word[:1].isupper() for word in heard.split())
    return " ".join([word[:1].upper() + word[1:] for word in said.split()]) if in_capitals else said


def _said_file(path: str, heard: str) -> str:
    """Its words in full if they are more like it, and the extension as it was misheard, if it was.

    Whisper knows few extensions, and writes "tama" for "toml".
    """
    said = _most_like(heard, (path.replace("_", " "), said_in_full(path).replace("_", " ")))
    if "slash" in heard.lower():
        said = _most_like(heard, (said, said.replace("/", " slash ")))
    suffix = PurePosixPath(path).suffix
    ending = heard.rpartition(".")[2]
    if suffix and ending.lower() in MISHEARD_EXTENSIONS.get(suffix[1:], ()):
        return f"{said.removesuffix(suffix)}.{ending}"
    return said


def _most_like(heard: str, ways: Iterable[str]) -> str:
    return max(ways, key=lambda way: fuzz.ratio(way.lower(), heard.lower()))
