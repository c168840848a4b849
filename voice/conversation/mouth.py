"""What waits to be said, what sounds, and what was heard of it. Pure; a part of the session machine."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from voice.conversation.signals import CutPlayback, Decision, Kind, PausePlayback, ResumePlayback, Say


@dataclass(frozen=True)
class Item:
    """Something to say; `turn` is that of a reply, 0 for what belongs to none."""

    text: str
    kind: Kind
    turn: int = 0


class Mouth:
    """Items wait until they are released, then sound in order until they are heard or cut."""

    def __init__(self) -> None:
        self.waiting: deque[Item] = deque()
        self.sounding: dict[int, Item] = {}  # given to the speaker and not yet heard to its end, by number
        self.is_held = False  # the speaker is paused
        self._number = 0

    @property
    def is_audible(self) -> bool:
        """Whether Utter's voice may be heard at this moment."""
        return bool(self.sounding) and not self.is_held

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
        return self.sounding.pop(number, None)

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

    def drop(self, turn: int) -> None:
        """What waits of this turn is not said."""
        self.waiting = deque(
            item for item in self.waiting if item.turn != turn or item.kind is not Kind.REPLY
        )
