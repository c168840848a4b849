"""Whether what was heard is only Utter's own voice, come back through the microphone. Pure."""

from __future__ import annotations

from collections import Counter, deque

from voice.conversation.words import plain_words

_MEMORY_S = 30.0
_SHARE = 0.7  # of the words were just spoken
_LEAST_WORDS = 3  # fewer are never dropped: "stop" may well have been spoken too


class OwnWords:
    """What was said in the last half minute."""

    def __init__(self) -> None:
        self._said: deque[tuple[float, tuple[str, ...]]] = deque()

    def saying(self, text: str, now_s: float) -> None:
        """`text` is about to sound."""
        self._said.append((now_s, plain_words(text)))

    def are_in(self, text: str, began_s: float) -> bool:
        """Whether most words of `text`, the speech of which began at `began_s`, are Utter's own."""
        words = plain_words(text)
        if len(words) < _LEAST_WORDS:
            return False
        while self._said and self._said[0][0] < began_s - _MEMORY_S:
            self._said.popleft()
        own = Counter(word for _, said in self._said for word in said)
        shared = sum((Counter(words) & own).values())
        return shared >= _SHARE * len(words)
