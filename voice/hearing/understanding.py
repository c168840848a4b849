"""What was heard as what the agent gets: the names of the project kept current, and weighed by the talk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from voice.hearing.candidates import Evidence
from voice.hearing.lexicon import Lexicon
from voice.hearing.repository_names import RepositoryNames
from voice.hearing.spoken_code import Written, write_out
from voice.hearing.topic import Topic


class Understanding:
    """One for a session, on its event loop. Only the first request waits for the names to be read."""

    def __init__(self, names: RepositoryNames, expect: Callable[[Lexicon], None] | None = None) -> None:
        """`expect` is told of the names whenever they have changed, on a thread of its own."""
        self._names = names
        self._expect = expect
        self._reading: asyncio.Task[Lexicon] | None = None
        self._lexicon: Lexicon | None = None
        self._taught: tuple[Lexicon, Mapping[str, float], Lexicon] | None = None
        self._topic = Topic()
        self._expected: Lexicon | None = None

    def read_ahead(self) -> None:
        """Files may have changed: read them before the next request."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(asyncio.to_thread(self._read))

    def _read(self) -> Lexicon:
        lexicon = self._names.lexicon()
        lexicon.of_about_the_length(1)  # makes the sounds of all names, so that no request waits for them
        if self._expect is not None and lexicon is not self._expected:
            self._expect(lexicon)
        self._expected = lexicon
        return lexicon

    def came_up(self, text: str) -> None:
        """`text` was said, written or read."""
        if self._lexicon is not None:
            self._topic = self._topic.after(text, self._lexicon)

    async def written(
        self, text: str, taught: Mapping[str, float], evidence: Evidence | None = None
    ) -> Written:
        """`text` with the project's names in it, and those in `taught`, the user's own words.

        `evidence` is what the audio says of names in it.
        """
        if self._lexicon is None and self._reading is None:
            self.read_ahead()
        if self._reading is not None and (self._lexicon is None or self._reading.done()):
            self._lexicon, self._reading = await asyncio.shield(self._reading), None
        assert self._lexicon is not None
        lexicon = self._with(self._lexicon, taught)
        return await asyncio.to_thread(write_out, text, lexicon, self._topic.weights, evidence)

    def _with(self, lexicon: Lexicon, taught: Mapping[str, float]) -> Lexicon:
        if not taught:
            return lexicon
        if self._taught is None or self._taught[0] is not lexicon or self._taught[1] != taught:
            both = Lexicon(lexicon.files, {**lexicon.identifiers, **taught})
            self._taught = (lexicon, dict(taught), both)
        return self._taught[2]
