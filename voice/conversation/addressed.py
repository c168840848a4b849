"""Whether words are meant for Utter, where a wake phrase is set: "hey utter, run the tests". Pure."""

from __future__ import annotations

from voice.conversation.words import plain_words, words_of


class WakePhrase:
    """With an empty phrase, all words are. Else those that begin with it, and what follows soon."""

    def __init__(self, phrase: str = "", window_s: float = 10.0) -> None:
        """`window_s` after the last exchange, no phrase is needed."""
        self._phrase = plain_words(phrase)
        self._window_s = window_s
        self._open_until_s = 0.0

    def exchange(self, now_s: float) -> None:
        """The user and Utter are talking."""
        self._open_until_s = now_s + self._window_s

    def meant(self, text: str, began_s: float) -> str | None:
        """The words without the phrase, or None when they were said to someone else. May be empty."""
        words = words_of(text)
        length = len(self._phrase)
        if length and tuple(word.plain for word in words[:length]) == self._phrase:
            return text[words[length - 1].end :].lstrip(" ,.;:!?-–—…")
        return text if not length or began_s <= self._open_until_s else None
