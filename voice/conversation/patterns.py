"""The patterns of the command table: taken apart into plain ones, and fitted to words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from rapidfuzz.distance import Levenshtein

from voice.conversation.command_table import COMMANDS, Command
from voice.conversation.spelling import letters
from voice.conversation.words import Word, ordinal, spoken_number, word_list

_LONG_WORD = 7  # letters; one letter of such a word may be wrong where that is allowed

_CODE_CUES = frozenset(
    word_list(
        "function class method module file test tests script timer mode command call dot line loop button"
    )
)
_MOST_WORDS = {"<name>": 2, "<term>": 3}
_NO_NAMES = _CODE_CUES | frozenset(
    word_list(
        "about it that this what the all everything to a an my your how why when where which for i me we"
        " him her them"
    )
)


@dataclass(frozen=True)
class Arguments:
    """What the slots of a pattern hold, in the order of the words."""

    numbers: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def patterns() -> tuple[tuple[Command, tuple[str, ...]], ...]:
    """Every plain pattern with its command, those with the most words of their own first."""
    pairs = [(command, pattern) for command in COMMANDS for said in command.says for pattern in expand(said)]
    return tuple(sorted(pairs, key=lambda pair: sum(map(_is_slot, pair[1])) - len(pair[1])))


def expand(pattern: str) -> tuple[tuple[str, ...], ...]:
    """A pattern of the table as all its plain ones; a word to be handed on begins with "="."""
    choices: list[tuple[str, ...]] = []
    rest = pattern
    while rest := rest.strip():
        closing = {"[": "]", "(": ")", "{": "}"}.get(rest[0])
        if closing is None:
            word, _, rest = rest.partition(" ")
            choices.append((word,))
            continue
        inside, _, after = rest[1:].partition(closing)
        options = tuple(inside.split("|"))
        marked = tuple(f"={option}" for option in options) if rest[0] == "{" else options
        choices.append(("", *marked) if rest[0] == "[" else marked)
        rest = after
    return tuple(tuple(" ".join(filter(None, chosen)).split()) for chosen in product(*choices))


def _is_slot(token: str) -> bool:
    return token.startswith("<")


def fit(text: str, pattern: Sequence[str], words: Sequence[Word], *, fuzzy: bool) -> Arguments | None:
    """What the slots of `pattern` hold when it is all of `words`; the first slots are as short as can be."""
    if not pattern:
        return None if words else Arguments()
    token, rest = pattern[0], pattern[1:]
    if not _is_slot(token):
        if not words or not _same(token.removeprefix("="), words[0].plain, fuzzy=fuzzy):
            return None
        after = fit(text, rest, words[1:], fuzzy=fuzzy)
        return after if after is None or token[0] != "=" else _handed_on(token[1:], after)
    shortest = 0 if token == "<aside>" else 1
    for length in range(shortest, len(words) - len(rest) + 1):
        filled = _fill(text, token, words[:length])
        if filled is None:
            continue
        after = fit(text, rest, words[length:], fuzzy=fuzzy)
        if after is not None:
            return Arguments(filled.numbers + after.numbers, filled.texts + after.texts)
    return None


def _handed_on(word: str, after: Arguments) -> Arguments:
    place = ordinal(word)
    if place is not None:
        return Arguments((place, *after.numbers), after.texts)
    return Arguments(after.numbers, (word, *after.texts))


def _fill(text: str, slot: str, words: Sequence[Word]) -> Arguments | None:
    plain = [word.plain for word in words]
    if slot == "<number>":
        found = spoken_number(plain)
        return None if found is None else Arguments((found,))
    if slot == "<letters>":
        spelt = letters(plain)
        return None if spelt is None else Arguments(texts=(spelt,))
    if slot == "<aside>":
        return None if plain and plain[0] in _CODE_CUES else Arguments()
    if slot in _MOST_WORDS and (len(plain) > _MOST_WORDS[slot] or _NO_NAMES.intersection(plain)):
        return None
    return Arguments(texts=(text[words[0].start : words[-1].end],))


def _same(expected: str, heard: str, *, fuzzy: bool) -> bool:
    if expected == heard:
        return True
    return (
        fuzzy and len(expected) >= _LONG_WORD and Levenshtein.distance(expected, heard, score_cutoff=1) <= 1
    )


def all_phrases() -> Iterator[tuple[Command, str]]:
    """Every plain way of saying each command; slots stand as they do in the table."""
    for command in COMMANDS:
        for said in command.says:
            for pattern in expand(said):
                yield command, " ".join(token.removeprefix("=") for token in pattern)
