"""What an answer to "shall I do this?" means. Pure; an allow-list: whatever is not plainly a yes is none."""

from __future__ import annotations

from enum import Enum
from itertools import product

from voice.conversation.command_table import Name
from voice.conversation.commands import Situation, commands_in
from voice.conversation.words import plain_words, word_list


class Meaning(Enum):
    """Of one utterance, whatever the question."""

    NOTHING = "nothing"  # no words
    DENIES = "denies"
    HOLDS_OFF = "holds_off"  # wants time, and has not decided
    EXPLAIN = "explain"
    YES = "yes"
    PHRASE = "phrase"  # the chosen phrase, word for word
    UNCLEAR = "unclear"


# Contractions are written out before, so that "don't", "can't" and "isn't" all hold a "not".
_DENY_WORDS = frozenset(
    word_list(
        "no nope nah naw not never none nothing deny denied decline refuse reject negative stop cancel abort"
        " halt quit undo revert forget without instead unless except dare disagree wrong mistake"
        " non nein nicht nie niemals jamais"
    )
)
_SOUNDS_LIKE_NO = frozenset(("know", "noh"))  # when there is nothing else
_HOLD_OFF_WORDS = frozenset(word_list("wait hold hang pause later moment second minute sec think thinking"))
_LONGEST_HOLD_OFF = 6  # words

_HEADS = ("yes", "yeah", "yep", "yup", "sure", "yes yes", "of course", "absolutely")
_TAILS = (
    "please",
    "do it",
    "do that",
    "go ahead",
    "go for it",
    "please do",
    "of course",
    "that is fine",
    "sure",
)
_ALONE = ("go ahead", "do it", "please do", "go for it", "approve", "approved", "i approve")
_HESITATIONS = frozenset(("um", "uh", "erm"))
_YES = frozenset(
    (
        *_HEADS,
        *_ALONE,
        *(f"{head} {tail}" for head, tail in product(_HEADS, _TAILS)),
        # "Okay" alone is what people say while they listen.
        *(f"okay {rest}" for rest in (*_HEADS, *_ALONE)),
    )
)


def meaning(text: str, phrase: tuple[str, ...]) -> Meaning:
    """What `text` means as an answer; `phrase` is the chosen one, in plain words.

    Any word of denial anywhere wins. A yes is one of a few phrases and nothing beside: "sure, but what does
    that do" is none, and neither is "yes?".
    """
    words = plain_words(text)
    while words and words[0] in _HESITATIONS:
        words = words[1:]
    if not words:
        return Meaning.NOTHING
    if _DENY_WORDS.intersection(words) and words != phrase:
        return Meaning.DENIES
    if _SOUNDS_LIKE_NO.issuperset(words):
        return Meaning.DENIES
    named = {spoken.name for spoken in commands_in(text, Situation(question=True))}
    if named & {Name.NO, Name.STOP, Name.ABORT, Name.CANCEL, Name.SLEEP, Name.DEEP_SLEEP, Name.MUTE}:
        return Meaning.DENIES
    if Name.EXPLAIN in named:
        return Meaning.EXPLAIN
    if _HOLD_OFF_WORDS.intersection(words) and len(words) <= _LONGEST_HOLD_OFF:
        return Meaning.HOLDS_OFF
    if "?" in text:
        return Meaning.UNCLEAR
    if words == phrase:
        return Meaning.PHRASE
    return Meaning.YES if " ".join(words) in _YES else Meaning.UNCLEAR
