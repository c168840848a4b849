"""What was heard of what was written: keeps the words of each stretch of audio. Pure; every sink has one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Playout:
    """How much of one utterance was heard. Counts are in samples at the sink's rate.

    `heard_text` holds the words that were heard to their end; `interrupted` says that the rest was dropped.
    """

    heard_samples: int
    written_samples: int
    heard_text: str
    interrupted: bool


class Ledger:
    """The stretches of one utterance, in the order they were written."""

    def __init__(self) -> None:
        self._stretches: list[tuple[str, int]] = []
        self.written_samples = 0

    def write(self, n_samples: int, text: str) -> None:
        """`n_samples` of audio that say `text`; with no text, more of what the last stretch says."""
        self.written_samples += n_samples
        if text or not self._stretches:
            self._stretches.append((text, n_samples))
        else:
            said, before = self._stretches[-1]
            self._stretches[-1] = (said, before + n_samples)

    def playout(self, heard_samples: int, *, interrupted: bool) -> Playout:
        """The account after `heard_samples`. Within a stretch, time is shared out by letters."""
        heard = max(0, min(heard_samples, self.written_samples))
        words: list[str] = []
        left = heard
        for text, n_samples in self._stretches:
            if left <= 0:
                break
            if left >= n_samples:
                words += text.split()
            else:
                words += _words_within(text, left / n_samples)
            left -= n_samples
        return Playout(heard, self.written_samples, " ".join(words), interrupted)


def _words_within(text: str, share: float) -> list[str]:
    words = text.split()
    letters = sum(len(word) for word in words)
    heard: list[str] = []
    so_far = 0
    for word in words:
        so_far += len(word)
        if so_far > share * letters:
            break
        heard.append(word)
    return heard
