"""When the user's voice stops Utter's, and whether what was said meant to. Pure; frames are its time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from voice.conversation.words import plain_words, word_list
from voice.hearing.endpoint import FRAME_S


@dataclass(frozen=True)
class BargeInSettings:
    """In seconds."""

    speech_s: float = 0.2  # so much speech that is not echo, within
    window_s: float = 0.26  # this long, pauses what is being said


class BargeIn:
    """Fed with every frame; says when there has been enough speech to fall silent."""

    def __init__(self, settings: BargeInSettings | None = None) -> None:
        settings = settings or BargeInSettings()
        self._recent: deque[bool] = deque(maxlen=round(settings.window_s / FRAME_S))
        self._enough = round(settings.speech_s / FRAME_S)

    def process(self, is_speech: bool) -> bool:
        """Take the next frame; whether the user is speaking by now."""
        self._recent.append(is_speech)
        return sum(self._recent) >= self._enough


_BACKCHANNELS = frozenset(
    (
        *word_list(
            "mm hm mhm mmhm hmm mmm uh huh ah oh aha okay yeah yep yes right sure good great nice cool"
        ),
        *word_list("wow fine alright"),
        *(
            "i see",
            "got it",
            "thank you",
            "thanks",
            "thank you very much",
            "i know",
            "of course",
            "makes sense",
        ),
    )
)
_MOST_WORDS = 4


def is_backchannel(text: str) -> bool:
    """Whether `text` is what people say while they go on listening: "mm-hm", "okay, right"."""
    words = plain_words(text)
    if not words or len(words) > _MOST_WORDS:
        return False
    return " ".join(words) in _BACKCHANNELS or all(word in _BACKCHANNELS for word in words)
