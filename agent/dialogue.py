"""The agent's side of the conversation: a warm prefix, turns that can be broken off, room to go on."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator

from agent.conversation import Conversation, Mark
from agent.engine.protocol import Engine, Piece
from agent.events import Usage
from agent.template import ChatTemplate
from agent.transcript import Kind, Transcript

_TURN_TOKENS = 2_600  # kept free for one turn: context, calls and results
_REMEMBERED_LINES = 6
_LINE_CHARS = 240


class Dialogue:
    """One conversation over a fixed system prompt.

    A turn begins with `begin` and ends with `end`; one that never ends is cut away by the next `begin`. What
    was done without the model is told to it with the next `ask`, so that nothing waits for it to be read.
    """

    def __init__(self, engine: Engine, template: ChatTemplate, prompt: str) -> None:
        self._engine = engine
        self._template = template
        self._prompt = prompt
        self._talk: Conversation | None = None
        self._base_tokens = 0
        self._clean_tokens = 0
        self._since = Mark(0, 0, 0)
        self._is_under_way = False
        self._is_reply_open = False
        self._was_reply_open = False  # when the turn began
        self._memory: list[str] = []
        self._untold: list[str] = []
        self._n_told = 0  # of them, in the turn under way

    @property
    def conversation(self) -> Conversation | None:
        """What has been said, once the model has been needed."""
        return self._talk

    async def warm(self) -> None:
        """Restore the system prompt's KV, or compute and keep it. Later calls do nothing."""
        if self._talk is not None:
            return
        digest = hashlib.sha256(f"{self._template.fingerprint}\0{self._prompt}".encode()).hexdigest()[:32]
        key = f"guided-{digest}"
        session = await self._engine.restore(key)
        if session is not None:
            opening = Transcript().append(Kind.OPENING, self._prompt, len(session.tokens))
            talk = Conversation.resume(self._engine, session, self._template, opening)
        else:
            talk = Conversation(self._engine, await self._engine.open(), self._template)
            await talk.system(self._prompt)
            await talk.session.save(key)
        self._talk = talk
        self._base_tokens = self._clean_tokens = talk.transcript.n_tokens

    async def begin(self) -> None:
        """Start a turn: cut away one that was broken off, and make room when the window is nearly full."""
        self._since = self._talk.mark() if self._talk is not None else Mark(0, 0, 0)
        if self._talk is None:
            return
        if self._is_under_way:
            await self._talk.rewind(self._clean_tokens)
            self._is_reply_open = self._was_reply_open
            self._n_told = 0
        if self._engine.context_tokens - self._talk.transcript.n_tokens < _TURN_TOKENS:
            await self._talk.rewind(self._base_tokens)
            self._is_reply_open = False
            self._untold = list(self._memory)
        self._clean_tokens = self._talk.transcript.n_tokens
        self._was_reply_open = self._is_reply_open
        self._since = self._talk.mark()
        self._is_under_way = True

    def end(self) -> None:
        """The turn is whole: what it said stays."""
        self._is_under_way = False
        self._untold = self._untold[self._n_told :]
        self._n_told = 0

    async def ask(self, text: str) -> None:
        """A user turn with `text`, after what was done since the last one; then the reply is opened."""
        await self.warm()
        assert self._talk is not None
        self._is_under_way = True
        if self._is_reply_open:
            await self._talk.close_reply()
            self._is_reply_open = False
        earlier = "".join(f"{line}\n" for line in self._untold[self._n_told :][-_REMEMBERED_LINES:])
        await self._talk.user(f"{earlier}{text}")
        self._n_told = len(self._untold)
        await self._talk.open_reply()
        self._is_reply_open = True

    async def put(self, text: str) -> None:
        """Append `text` to the open reply as the client's own words."""
        assert self._talk is not None
        await self._talk.write(text)

    def fill(
        self, constraint: str, max_tokens: int, temperature: float, seed: int
    ) -> AsyncGenerator[Piece, None]:
        """Let the model continue the open reply under a grammar."""
        assert self._talk is not None
        return self._talk.generate(constraint, (), max_tokens, temperature, seed)

    def remember(self, line: str, *, is_told: bool) -> None:
        """Keep what was done in a line; `is_told` when the conversation holds it already."""
        line = " ".join(line.split())[:_LINE_CHARS]
        self._memory = [*self._memory, line][-_REMEMBERED_LINES:]
        if not is_told:
            self._untold.append(line)

    def usage(self) -> Usage:
        """Token counts of the turn so far. All that is computed is also kept in the cache."""
        if self._talk is None:
            return Usage()
        spent = self._talk.spent(self._since)
        return Usage(0, spent.computed_tokens, spent.cached_tokens, spent.generated_tokens)
