"""What waits to be said, what sounds, and what was heard of it. Pure; a part of the session machine."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from voice.conversation.signals import CutPlayback, Decision, Kind, PausePlayback, ResumePlayback, Say

_MEMORY = 64  # items that can be said again


@dataclass(frozen=True)
class Item:
    """Something to say."""

    text: str
    kind: Kind
    is_repeat: bool = False


class Mouth:
    """Items wait until they are released, then sound in order until they are heard or cut."""

    def __init__(self) -> None:
        self.waiting: deque[Item] = deque()
        self.sounding: dict[int, Item] = {}  # given to the speaker and not yet heard to its end, by number
        self.is_held = False  # the speaker is paused
        self._number = 0
        self._said: deque[Item] = deque(maxlen=_MEMORY)
        self._steps_back = 0

    @property
    def is_audible(self) -> bool:
        """Whether Utter's voice may be heard at this moment."""
        return bool(self.sounding) and not self.is_held

    @property
    def is_busy(self) -> bool:
        """Whether something sounds or waits."""
        return bool(self.sounding or self.waiting)

    def queue(self, item: Item) -> None:
        """To be said after all that waits; what is no reply comes before the replies."""
        if item.kind is Kind.REPLY:
            self.waiting.append(item)
            return
        replies = [one for one in self.waiting if one.kind is Kind.REPLY]
        others = [one for one in self.waiting if one.kind is not Kind.REPLY]
        self.waiting = deque([*others, item, *replies])

    def say_next(self) -> tuple[Say, Item]:
        """Give the next item to the speaker."""
        item = self.waiting.popleft()
        self._number += 1
        self.sounding[self._number] = item
        return Say(self._number, item.text, item.kind), item

    def heard(self, number: int) -> Item | None:
        """The speaker has played an item to its end."""
        item = self.sounding.pop(number, None)
        if item is not None and not item.is_repeat and item.kind is not Kind.STATUS:
            self._said.append(item)
            self._steps_back = 0
        return item

    def hold(self) -> list[Decision]:
        """Fall silent where it is."""
        if self.is_held or not self.sounding:
            return []
        self.is_held = True
        return [PausePlayback()]

    def go_on(self) -> list[Decision]:
        """Sound again from there."""
        if not self.is_held:
            return []
        self.is_held = False
        return [ResumePlayback()]

    def cut(self) -> tuple[list[Decision], list[Item]]:
        """Drop what sounds; gives what was not heard to its end."""
        if not self.sounding:
            return [], []
        unheard = list(self.sounding.values())
        self.sounding.clear()
        self.is_held = False
        return [CutPlayback()], unheard

    def say_again(self, items: list[Item]) -> None:
        """These were cut, and come first when speech goes on."""
        self.waiting.extendleft(reversed(items))

    def skip(self) -> list[Decision]:
        """Go to the next sentence."""
        decisions, unheard = self.cut()
        self.say_again(unheard[1:])
        return decisions

    def repeat(self, *, further: bool) -> list[Decision]:
        """Begin the sentence anew, or the last one; `further` goes one more back each time."""
        decisions, unheard = self.cut()
        if not unheard or unheard[0].is_repeat or further:
            unheard = [item for item in unheard if not item.is_repeat]
            self._steps_back = min(max(1, self._steps_back + further), len(self._said))
            again = list(self._said)[-self._steps_back :][:1] if self._steps_back else []
            unheard = [*(Item(item.text, Kind.NOTICE, is_repeat=True) for item in again), *unheard]
        self.say_again(unheard)
        return decisions

    def drop_waiting(self, kind: Kind) -> None:
        """What waits of this kind is not said."""
        self.waiting = deque(item for item in self.waiting if item.kind is not kind)
