"""What the last words of an utterance say about it: send it now, wait for more, drop it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from voice.conversation.words import Word, word_list, words_of


class Ending(Enum):
    """How an utterance ends; `NONE` is an ordinary one."""

    NONE = "none"
    SEND = "send"  # "... over", "... send it"
    HOLD = "hold"  # "... hold on"
    CANCEL = "cancel"  # "... cancel cancel"


@dataclass(frozen=True)
class Ended:
    """`text` is what was said, without the words that ended it."""

    text: str
    ending: Ending


_PHRASES = (
    (word_list("cancel cancel"), Ending.CANCEL),
    (word_list("over and out"), Ending.SEND),
    (word_list("send it"), Ending.SEND),
    (word_list("over"), Ending.SEND),
    (word_list("hold on"), Ending.HOLD),
    (word_list("hang on"), Ending.HOLD),
    (word_list("let me think"), Ending.HOLD),
    (word_list("wait a second"), Ending.HOLD),
    (word_list("wait a moment"), Ending.HOLD),
    (word_list("one moment"), Ending.HOLD),
    (word_list("one second"), Ending.HOLD),
    (word_list("just a second"), Ending.HOLD),
)

# "Hand it over" is a request; "run the tests over" is one that ends. After these words the phrase belongs to
# the sentence, unless a comma or a full stop stands between.
_BELONGS_AFTER = {
    Ending.SEND: frozenset(
        word_list(
            "it them that this all left start starts take takes carry go goes move roll turn hand think look"
            " do bring switch fall pull hang run pass is are be and to then not just please can will would"
            " could game mouse loop iterate iterating looping try copy"
        )
    ),
    Ending.HOLD: frozenset(word_list("to and a the not is of for in please")),
    Ending.CANCEL: frozenset[str](),
}


def ending_of(text: str) -> Ended:
    """Take the words that end an utterance off it, if it has such, and something stands before them.

    >>> ending_of("Run the tests. Over.")
    Ended(text='Run the tests.', ending=<Ending.SEND: 'send'>)
    """
    words = words_of(text)
    for phrase, ending in _PHRASES:
        at = len(words) - len(phrase)
        if at < 1 or tuple(word.plain for word in words[at:]) != phrase:
            continue
        if words[at - 1].plain in _BELONGS_AFTER[ending] and not _is_apart(text, words[at - 1], words[at]):
            continue
        return Ended(text[: words[at].start].rstrip(" ,;-–—…"), ending)
    return Ended(text, Ending.NONE)


def _is_apart(text: str, before: Word, after: Word) -> bool:
    return any(mark in text[before.end : after.start] for mark in ".,;:!?…–—")
