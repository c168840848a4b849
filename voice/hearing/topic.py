"""What a conversation is about: the names that came up in it, the latest weighing most. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from voice.hearing.lexicon import Lexicon

_NAME = re.compile(r"[^\W\d][\w./-]*\w")
_FADES = 0.7  # what is left of a weight when something else is said
_FORGOTTEN = 0.1
_MOST_TEXT = 20_000  # characters of one text


@dataclass(frozen=True)
class Topic:
    """`weights` are between 0 and 1, by name as it is written."""

    weights: Mapping[str, float] = field(default_factory=dict[str, float])

    def after(self, text: str, lexicon: Lexicon) -> Topic:
        """The topic when `text` has been said, written or read."""
        known = {name for name in _NAME.findall(text[:_MOST_TEXT]) if _is_known(name, lexicon)}
        if not known:
            return self
        faded = {name: weight * _FADES for name, weight in self.weights.items() if weight > _FORGOTTEN}
        return Topic({**faded, **dict.fromkeys(known, 1.0)})


def _is_known(name: str, lexicon: Lexicon) -> bool:
    is_word = name.isalpha() and name.islower()  # as likely English
    return (not is_word and name in lexicon.identifiers) or name in lexicon.file_names
