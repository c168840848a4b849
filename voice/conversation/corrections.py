"""Puts right what was heard: other readings by number, a name spelled, the last request once more.

A part of the errands; what comes of it is given to the session as if the user had said it better.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from voice.conversation.command_table import Name
from voice.conversation.commands import Spoken
from voice.conversation.signals import Input, Offered, Pressed, Typed
from voice.conversation.spelling import respelled
from voice.hearing.spoken_code import Written

_MOST_READINGS = 5  # more nobody keeps in mind
_I_SAID = "I"  # the key of the command that takes the last request back for other words


class Corrections:
    """`give` hands inputs to the session; `listen_again` gives what was not understood, or None.

    `also_heard` gives, for a text as it was heard, what else was, as it would be written.
    """

    def __init__(
        self,
        give: Callable[[Input], None],
        listen_again: Callable[[], Awaitable[str | None]],
        also_heard: Callable[[str], Awaitable[Sequence[str]]],
    ) -> None:
        self._give = give
        self._listen_again = listen_again
        self._also_heard = also_heard
        self._last: Written | None = None  # request
        self._choices: tuple[str, ...] = ()
        self.chosen = ""
        """A text that the user chose word for word: nothing in it is to be corrected again."""

    def understood(self, written: Written) -> None:
        """A request was taken: what was offered before it is no longer open."""
        self._last = written
        if self._choices:
            self._close()

    async def readings(self) -> list[str]:
        """What else the last request could have been, each with its number."""
        last = self._last
        if last is None:
            return ["You have not asked for anything yet."]
        others = await self._also_heard(last.raw)
        if self._last is not last:
            return []  # a new request was taken meanwhile
        self._choices = last.readings(others)[:_MOST_READINGS]
        if not self._choices:
            return ["I have no other reading of that. Say: I said, and the right words."]
        self._give(Offered(is_open=True))
        told = [f"Number {number}: {text}" for number, text in enumerate(self._choices, 1)]
        return [*told, "Say a number. Or say: I said, and the right words."]

    def pick(self, spoken: Spoken) -> list[str]:
        """The reading of that number, counted from 1; -1 is the last."""
        if not spoken.numbers:
            return ["Which number?"]
        number, n_choices = spoken.numbers[0], len(self._choices)
        if number != -1 and not 1 <= number <= n_choices:
            return [f"There are {n_choices} of them."]
        chosen = self._choices[number - 1 if number > 0 else -1]
        self._close()
        self._instead(chosen)
        return []

    def spell(self, spoken: Spoken) -> list[str]:
        """The letters, in place of what they were heard as."""
        if not spoken.texts:
            return ["Which letters?"]
        changed = None if self._last is None else respelled(self._last.text, spoken.texts[0])
        if changed is None:
            return [f"Nothing that you said sounds like {spoken.texts[0]}. Say: add word, and spell it."]
        self._instead(changed)
        return []

    async def try_again(self) -> list[str]:
        """What was not understood, or else the last request, as it was heard."""
        heard = await self._listen_again()
        if heard:
            self._give(Typed(heard))
        elif heard is not None:
            return ["I still cannot make out any words. I keep what you said."]
        elif self._last is None:
            return ["There is nothing to try again."]
        else:
            self._give(Typed(self._last.raw))
        return []

    def _instead(self, text: str) -> None:
        self.chosen = text
        self._give(Pressed(_I_SAID, (), (text,)))

    def _close(self) -> None:
        self._choices = ()
        self._give(Offered(is_open=False))


WITHOUT_WORDS = {Name.I_SAID: "Which words?", Name.LITERAL: "Which words?"}
"""What to ask when the key of a command was pressed and its words were not typed."""
