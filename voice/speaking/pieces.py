"""What each synthesis engine does around its model: cuts text into sayable pieces, cleans the samples."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

import numpy as np

from voice.speaking.clauses import Clauses
from voice.speaking.expanded import expanded
from voice.speaking.spoken_text import speakable
from voice.speaking.synthesis import Samples

GAP_S = 0.12  # of silence after each piece, as between clauses of one speaker
_FADE_S = 0.005
_KEPT_S = 0.02  # of what lies outside the audible part, so that soft first and last consonants live
_AUDIBLE = 0.004  # -48 dBFS
_KNEE = 0.8  # above it, samples are bent towards 1 instead of clipped

# espeak-ng stresses the first half alone, so that "eighteen lines" is heard as "aching lines", 14 as 40.
_TEENS = {13: "thir", 14: "four", 15: "fif", 16: "six", 17: "seven", 18: "eight", 19: "nine"}
_RESPELLINGS = (
    *(
        (re.compile(rf"(?<![\w.,]){n}(?!\w|[.,]\d)|\b{half.removesuffix('t')}teen\b"), f"{half}-teen")
        for n, half in _TEENS.items()
    ),
    (re.compile(r"\bpytest\b", re.IGNORECASE), "pie test"),
    (re.compile(r"\bpyproject\b", re.IGNORECASE), "pie project"),
    (re.compile(r"\bnumpy\b", re.IGNORECASE), "numb pie"),
    (re.compile(r"\bconfig\b", re.IGNORECASE), "con fig"),
    (re.compile(r"\bstd(out|err|in)\b"), r"standard \1"),
    (re.compile(r"\bkwargs\b"), "keyword args"),
    (re.compile(r"\bgitignore\b"), "git ignore"),
    # The variable, not the article.
    (
        re.compile(
            r"\ba\b(?=\s*[,.:;?!]|\s*$|\s+(?:plus|minus|times|divided|modulo|equals|dot|became|set to"
            r"|is (?:less|greater|at|not|equal)|to the power|and so on)\b)"
        ),
        "eh",
    ),
)
_OTHER_SCRIPT = re.compile(r"[^\W\d_\x00-\u024f]+(?:\W*[^\W\d_\x00-\u024f]+)*")
_MARKS = re.compile(r"[.!?…,:;](?=\s)|[。！？、，；：।؟،]")
_UNREAD = " words in another script "
_WORD_CHARS = 40
_READ_CHARS = 5_000  # of a long text at a time


def speakable_pieces(text: str, language: str = "en") -> Iterator[str]:
    """`text` in pieces of about a sentence, without what a voice cannot say; maybe none.

    Lazy, so that the memory for a long text does not grow with the audio. A voice that speaks English is
    given no other script, and numbers as English says them; any other is given the text in its own language.
    """
    say = _sayable if language == "en" else _as_written
    chunker = Clauses(short_first=False)
    for start in range(0, len(text), _READ_CHARS):
        for piece in chunker.feed(_clean(text[start : start + _READ_CHARS])):
            yield from say(piece)
    for piece in chunker.finish():
        yield from say(piece)


def respelled_for_espeak(text: str) -> str:
    """`text` with the words of programming that espeak-ng's American English gets wrong spelled by ear."""
    for pattern, replacement in _RESPELLINGS:
        text = pattern.sub(replacement, text)
    return text


def shaped_stream(stream: Iterable[Samples], sample_rate: int, gain: float) -> Iterator[Samples]:
    """Model output made fit to be joined: trimmed, levelled, never clipped, faded, with a gap after it.

    `stream`: mono float32 in pieces. Yields mono float32 in (-1, 1), each piece as soon as it is certain, and
    none when nothing can be heard: near-silence is held back until it is known whether something follows. The
    gap is at the end of the last. The gain is the same throughout: levelling each piece by its own peak makes
    short ones shout.
    """
    kept, fade = int(_KEPT_S * sample_rate), int(_FADE_S * sample_rate)
    held = np.zeros(0, np.float32)
    last: int | None = None  # index in `held` of the last sample that can be heard, negative when given away
    is_first = True
    for samples in stream:
        audible = np.flatnonzero(np.abs(samples) > _AUDIBLE) + len(held)
        held = np.concatenate([held, np.nan_to_num(samples).astype(np.float32)])
        if len(audible):
            start = max(0, int(audible[0]) - kept) if last is None else 0
            held, last = held[start:], int(audible[-1]) - start
        if last is None:
            held = held[max(0, len(held) - kept) :]
            continue
        certain = min(len(held), last + kept) - 2 * fade  # what follows may be faded out
        if certain >= 2 * fade:
            given, held, last = held[:certain], held[certain:], last - certain
            ready = limited(given * np.float32(gain))
            yield fade_in(ready, sample_rate) if is_first else ready
            is_first = False
    if last is None:
        return
    rest = limited(held[: last + kept] * np.float32(gain))
    if is_first:
        fade_in(rest, sample_rate)
    fade_in(rest[::-1], sample_rate)
    yield np.concatenate([rest, np.zeros(int(GAP_S * sample_rate), np.float32)])


def fade_in(samples: Samples, sample_rate: int) -> Samples:
    """`samples`, brought up from nothing in place, so that they begin without a click."""
    fade = min(int(_FADE_S * sample_rate), len(samples) // 2)
    samples[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
    return samples


def limited(samples: Samples) -> Samples:
    """`samples`, bent towards 1 in place where they are louder than they should be; never clipped."""
    over = np.abs(samples) > _KNEE
    if over.any():
        room = 1 - _KNEE
        bent = _KNEE + room * np.tanh((np.abs(samples[over]) - _KNEE) / room)
        samples[over] = np.sign(samples[over]) * np.minimum(bent, np.float32(0.999))
    return samples


def _clean(text: str) -> str:
    # Piper takes "[[…]]" for raw phonemes; in text it is just brackets.
    return speakable(text).replace("[[", " ").replace("]]", " ")


def _sayable(piece: str) -> Iterator[str]:
    # espeak-ng would spell these out letter by letter, which takes minutes.
    said = _OTHER_SCRIPT.sub(lambda run: run.group() if _is_read(run.group()) else _UNREAD, expanded(piece))
    said = " ".join(word[:_WORD_CHARS] for word in said.split())
    if any(character.isalnum() for character in said):
        yield said


def _as_written(piece: str) -> Iterator[str]:
    if any(character.isalnum() for character in piece):
        yield " ".join(piece.split())


def pieces_within(piece: str, limit: int) -> Iterator[str]:
    """`piece` in parts of at most `limit` characters, cut after a mark, else at a space, else anywhere."""
    while len(piece) > limit:
        marks = [found.end() for found in _MARKS.finditer(piece, 0, limit)]
        end = marks[-1] if marks else piece.rfind(" ", 1, limit) + 1 or limit
        yield piece[:end].strip()
        piece = piece[end:].strip()
    if piece:
        yield piece


def _is_read(letters: str) -> bool:
    return all(unicodedata.name(letter, "").startswith(("LATIN", "GREEK", "MICRO")) for letter in letters)
