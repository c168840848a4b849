"""The key of push-to-talk: whether what the microphone hears counts. Pure; part of the machine."""

from __future__ import annotations


class PushToTalk:
    """Without it, the microphone is always open. A key that is forgotten closes by itself."""

    def __init__(self, *, is_used: bool, longest_s: float) -> None:
        """`longest_s` without speech, and the key counts as forgotten."""
        self.is_used = is_used
        self._longest_s = longest_s
        self._is_open = False
        self._opened_s = self._used_s = 0.0

    @property
    def hears(self) -> bool:
        """Whether words count."""
        return self._is_open or not self.is_used

    @property
    def is_kept_open(self) -> bool:
        """Whether the key keeps the turn open: no silence ends it, and Utter says nothing."""
        return self._is_open

    def open(self, now_s: float) -> None:
        """From now on words count."""
        self._is_open, self._opened_s, self._used_s = True, now_s, now_s

    def close(self) -> None:
        """They do no longer."""
        self._is_open = False

    def is_forgotten(self, now_s: float, *, is_speech: bool) -> bool:
        """Take the next frame; whether the key was open for too long."""
        if is_speech:
            self._used_s = now_s
        return self._is_open and now_s >= self._used_s + self._longest_s

    def covers(self, began_s: float) -> bool:
        """Whether the key is open since before `began_s`."""
        return self._is_open and began_s >= self._opened_s
