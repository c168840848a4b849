"""What the turns of a conversation have used, each token once however often a turn is ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from agent.events import Usage


@dataclass
class Tally:
    """Fed the usage of the turn under way, any number of times, gives what was not taken yet."""

    _noted: Usage = field(default_factory=Usage)  # of this turn
    _untaken: Usage = field(default_factory=Usage)

    def begin_turn(self) -> None:
        """The usage that is noted next is that of another turn."""
        self._noted = Usage()

    def note(self, usage: Usage) -> None:
        """The turn under way has used this in all so far."""
        untaken, noted = self._untaken, self._noted
        computed_tokens = usage.cache_creation_input_tokens - noted.cache_creation_input_tokens
        read_tokens = usage.cache_read_input_tokens - noted.cache_read_input_tokens
        self._untaken = replace(
            untaken,
            cache_creation_input_tokens=untaken.cache_creation_input_tokens + computed_tokens,
            cache_read_input_tokens=untaken.cache_read_input_tokens + read_tokens,
        )
        self._noted = usage

    def take(self) -> Usage:
        """What was noted since the last time; prompt tokens only."""
        taken, self._untaken = self._untaken, Usage()
        return taken
