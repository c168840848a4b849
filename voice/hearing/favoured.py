"""Which names Whisper is to expect, as they are spoken: those of most weight, none that may command. Pure."""

from __future__ import annotations

from voice.hearing.lexicon import Lexicon
from voice.hearing.names import spoken_words, ways_to_say

_MOST = 4_000  # names; a trie of more is slow to make
_LONGEST_PATH = 3  # parts

# Noise decodes as whatever is expected: these words must only be heard when they are said.
SAFETY_WORDS = frozenset(
    (
        *("abort", "approve", "cancel", "continue", "deny", "hush", "mute", "no", "nope", "over", "pause"),
        *("quiet", "resume", "send", "shush", "silence", "sleep", "stop", "sure", "undo", "unmute", "wait"),
        *("wake", "yeah", "yep", "yes"),
    )
)


def favoured(lexicon: Lexicon) -> tuple[str, ...]:
    """Names of two words or more and files, as Whisper writes what is said, the most important last."""
    said: dict[str, None] = {}
    for name in sorted(lexicon.identifiers, key=lambda one: -lexicon.identifiers[one])[:_MOST]:
        for way in ways_to_say(name):
            if len(spoken_words(name)) > 1 and not SAFETY_WORDS.intersection(way):
                said[" ".join(way)] = None
    for path in lexicon.files[:_MOST]:
        parts = path.split("/")
        for depth in range(1, min(len(parts), _LONGEST_PATH) + 1):
            tail = "/".join(parts[-depth:])
            if not SAFETY_WORDS.intersection(spoken_words(tail)):
                said[tail] = None
    return tuple(reversed(said))
