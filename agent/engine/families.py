"""How a model's cache goes back to an earlier token: classes of models, and which places are kept. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

State = TypeVar("State")


class Family(Enum):
    """The class of a model by what its layers remember; the value is how `utter doctor` says it."""

    PLAIN = "plain attention; goes back to any token"
    WINDOW = "sliding-window attention, its cache kept whole; goes back to any token"
    RECURRENT = "recurrent; goes back to the end of a turn and computes again from there"
    HYBRID = "attention and recurrent layers; goes back to the end of a turn and computes again from there"
    UNKNOWN = "layers of a kind that Utter cannot take back; correct, but each step back computes all again"

    @property
    def trims(self) -> bool:
        """Whether any number of tokens can be taken off the end of the cache at no cost."""
        return self in (Family.PLAIN, Family.WINDOW)

    @property
    def checkpoints(self) -> bool:
        """Whether the cache can go back only to places where a copy of its state was kept."""
        return self in (Family.RECURRENT, Family.HYBRID)


@dataclass
class Checkpoints(Generic[State]):
    """Copies of a recurrent state by the number of tokens behind them.

    Never more than `limit` beside those at places that are `pinned`.
    """

    limit: int
    pinned: set[int] = field(default_factory=set[int])
    states: dict[int, State] = field(default_factory=dict[int, State])

    def add(self, n_tokens: int, state: State) -> None:
        """Keep `state`, which is at the end; where there are too many, the least useful older one goes."""
        self.states[n_tokens] = state
        if len(self.states.keys() - self.pinned) > self.limit:
            del self.states[least_useful(tuple(self.states), self.pinned)]

    def back_to(self, n_tokens: int) -> int:
        """The last place at or before `n_tokens`, or 0; places after `n_tokens` are forgotten."""
        for place in [place for place in self.states if place > n_tokens]:
            del self.states[place]
        self.pinned &= self.states.keys()
        return max(self.states, default=0)


def least_useful(places: Sequence[int], pinned: Collection[int] = ()) -> int:
    """Which of `places`, ascending, costs least to do without; never the last, nor one that is `pinned`.

    Going back without it costs the tokens since the place before; going back far is rarer than going back a
    little. So the cost is divided by the distance from the end, which leaves places that are dense at the end
    and ever sparser before it.
    """
    end = places[-1]
    costs = {
        place: (place - before) / (end - place)
        for before, place in zip((0, *places), places[:-1], strict=False)
        if place not in pinned
    }
    return min(costs, key=lambda place: costs[place])
