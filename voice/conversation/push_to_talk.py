"""The key of push-to-talk: whether what the microphone hears counts. Pure; part of the machine."""

from __future__ import annotations

from voice.audio.earcons import Earcon
from voice.conversation.mouth import Mouth
from voice.conversation.performing import Wishes
from voice.conversation.signals import Decision, Sound
from voice.conversation.turn_taking import TurnTaking


class PushToTalk:
    """Without it, the microphone is always open. A key that is forgotten closes by itself."""

    def __init__(
        self,
        wishes: Wishes,
        taking: TurnTaking,
        mouth: Mouth,
        out: list[Decision],
        *,
        is_used: bool,
        longest_s: float,
    ) -> None:
        """Decisions go to `out`; `longest_s` without speech, and the key counts as forgotten."""
        self._wishes = wishes
        self._taking = taking
        self._mouth = mouth
        self._out = out
        self._is_used = is_used
        self._longest_s = longest_s
        self._is_open = False
        self._opened_s = self._used_s = 0.0

    @property
    def hears(self) -> bool:
        """Whether words count."""
        return self._is_open or not self._is_used

    @property
    def is_kept_open(self) -> bool:
        """Whether the key keeps the turn open: no silence ends it, and Utter says nothing."""
        return self._is_open

    def pressed(self, now_s: float) -> None:
        """It opens, or closes when it was open."""
        if not self._is_used:
            return
        if self._is_open and not self._wishes.is_asleep:
            self._close(now_s)
            return
        self._is_open, self._opened_s, self._used_s = True, now_s, now_s
        self._wishes.is_asleep = self._wishes.is_deeply = False
        self._out += [*self._mouth.hold(), Sound(Earcon.AWAKE)]
        self._taking.open()

    def tick(self, now_s: float, *, is_speech: bool) -> None:
        """Take the next frame; a key that was open for too long closes."""
        if is_speech:
            self._used_s = now_s
        if self._is_open and now_s >= self._used_s + self._longest_s:
            self._close(now_s)

    def said_all(self, began_s: float, now_s: float) -> None:
        """What was said from `began_s` on was all: the key need not be pressed again to hear the answer."""
        if self._is_open and began_s >= self._opened_s:
            self._is_open = False
            self._taking.close(now_s)

    def _close(self, now_s: float) -> None:
        """What was said is all. When nothing was, a sound tells that the key is closed."""
        if not (self._taking.in_speech or self._taking.awaits_words or self._taking.partial):
            self._out.append(Sound(Earcon.ASLEEP))
        self._is_open = False
        self._taking.close(now_s)
