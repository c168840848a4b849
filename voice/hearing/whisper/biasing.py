"""Makes the names of a repository likelier while Whisper decodes: a trie over their tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Place:
    """Where a path of tokens stands in the trie; `bonus` is what its names have added so far, in nats.

    `pending` is the part of the bonus for a name that has only begun: it is lost when another token follows.
    """

    node: int = 0
    bonus: float = 0.0
    pending: float = 0.0


START = Place()


@dataclass
class _Node:
    children: dict[int, int] = field(default_factory=dict[int, int])
    is_end: bool = False
    tokens: NDArray[np.int64] | None = None


class Bias:
    """Adds `first` nats to a token that begins a name and `more` to each one that goes on with it.

    Contextual biasing by shallow fusion, as in arXiv 1808.02480: what was added for a name that is not
    finished is taken away again.
    """

    def __init__(self, names: Iterable[Sequence[int]], first: float, more: float) -> None:
        """`names` are token sequences, each beginning with a token that begins a word."""
        self._first, self._more = np.float32(first), np.float32(more)
        self._nodes = [_Node()]
        for tokens in names:
            at = 0
            for token in tokens:
                after = self._nodes[at].children.get(token)
                if after is None:
                    after = self._nodes[at].children[token] = len(self._nodes)
                    self._nodes.append(_Node())
                at = after
            self._nodes[at].is_end = at > 0
        for node in self._nodes:
            node.tokens = np.fromiter(node.children, np.int64)

    def after_node(self, node: int) -> Mapping[int, int]:
        """The tokens that may follow in the trie, each with the node that it leads to; 0 is the root."""
        return self._nodes[node].children

    def is_end(self, node: int) -> bool:
        """Whether a name ends there."""
        return self._nodes[node].is_end

    def added_to(self, logits: Floats, place: Place) -> Floats:
        """A copy of `logits` with the names made likelier that may begin or go on here."""
        biased = logits.copy()
        biased[self._nodes[0].tokens] += self._first
        if place.node:
            within = self._nodes[place.node].tokens
            biased[within] = logits[within] + self._more
        return biased

    def after(self, place: Place, token: int) -> Place:
        """Where a path stands with one token more."""
        onward = self._nodes[place.node].children.get(token) if place.node else None
        if onward is not None:
            added, pending = float(self._more), place.pending
        else:
            # The name before, if it has only begun, was none.
            place = Place(0, place.bonus - place.pending)
            onward = self._nodes[0].children.get(token)
            if onward is None:
                return place
            added, pending = float(self._first), 0.0
        node = self._nodes[onward]
        return Place(onward, place.bonus + added, 0.0 if node.is_end else pending + added)
