"""The agent's side of the conversation: a warm prefix, turns that can be broken off, room to go on.

The prompt is the tools and instructions, then the project's brief, then the history. It only ever grows: what
has changed is told in the next turn. It outlives the process, as the last session of its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

from agent.conversation import Conversation, Mark, opening_parts, tokens_of
from agent.decode.calls import Constraint
from agent.engine.protocol import ContextFull, Engine, Piece
from agent.errors import UtterError
from agent.events import Usage
from agent.last_session import LastSession
from agent.sessions import SessionRecord
from agent.tally import Tally
from agent.template import Answered, ChatTemplate
from agent.transcript import Kind

_TURN_TOKENS = 2_600  # kept free for one turn: context, calls and results
_REPLY_TOKENS = 512  # of them, kept free behind what is asked, for a call or an answer
_REMEMBERED_LINES = 40
_LINE_CHARS = 240
_REQUEST_CHARS = 120  # of a line that would grow longer, so that what was done is still in it
_SAID = "said: "  # before what was answered, in what is remembered
_ANCHOR_CHARS = 40  # by which the end of what was heard is found in what was written
_COMPACTED = "Our conversation had grown long, so I have summed up its beginning to make room."


@dataclass(frozen=True)
class Point:
    """Where the conversation stood; `compactions` tells whether what was said then is still there."""

    n_tokens: int
    is_reply_open: bool
    memory: tuple[str, ...]
    untold: tuple[str, ...]
    compactions: int


class Dialogue:
    """One conversation over a fixed system prompt.

    A turn begins with `begin` and ends with `end`; one that never ends is cut away by the next `begin`. What
    was done without the model is told to it with the next `ask`, so that nothing waits for it to be read.
    """

    def __init__(
        self, engine: Engine, template: ChatTemplate, prompt: str, *, brief: str = "", place: str = ""
    ) -> None:
        """`brief` tells of the project; the last session is looked for at `place`, unless it is ""."""
        self._engine = engine
        self._template = template
        self._prompt = prompt
        self._brief = brief
        self._last = LastSession(engine, place, self._trouble)
        self._talk: Conversation | None = None
        self._warming: asyncio.Task[None] | None = None
        self._notices: list[str] = []
        self._told_troubles: set[str] = set()
        self._base_tokens = 0
        self._clean_tokens = 0
        self._floor_tokens = 0  # where the request ends that was asked anew in this turn
        self._since: Mark | None = None  # None where there was no conversation when the turn began
        self._tally = Tally()
        self._asked = ""  # what this turn began with
        self._is_under_way = False
        self._is_reply_open = False
        self._was_reply_open = False  # when the turn began
        self._memory: list[str] = []
        self._untold: list[str] = []
        self._n_told = 0  # of them, in the turn under way
        self._compactions = 0

    @property
    def conversation(self) -> Conversation | None:
        """What has been said, once the model has been needed."""
        return self._talk

    def take_notices(self) -> list[str]:
        """What the user should hear about the conversation itself, once."""
        notices, self._notices = self._notices, []
        return notices

    async def warm(self) -> None:
        """Bring back the last session of this place, or else the opening; later calls do nothing.

        Who waits for it may be cancelled: the work goes on.
        """
        if self._talk is not None:
            return
        if self._warming is None or self._warming.done():
            self._warming = asyncio.ensure_future(self._warm_up())
        await asyncio.shield(self._warming)

    async def close(self) -> None:
        """Stop computing ahead, and wait until what is being saved is saved."""
        if self._warming is not None:
            self._warming.cancel()
            if not self._warming.done():
                await asyncio.wait([self._warming])
        await self._last.close()

    async def begin(self) -> None:
        """Start a turn: cut away one that was broken off, and make room when the window is nearly full."""
        if self._is_under_way:
            self._tally.note(self.usage())
        self._tally.begin_turn()
        self._asked, self._since = "", None
        if self._talk is None:
            return
        if self._is_under_way:
            await self._cut_away(self._talk)
        n_tokens = self._talk.transcript.n_tokens
        if self._engine.context_tokens - n_tokens < _TURN_TOKENS and n_tokens > self._base_tokens:
            await self._compact(self._talk)
        self._start_turn(self._talk)

    def end(self) -> None:
        """The turn is whole: what it said stays, and is saved while nobody waits for it."""
        self._is_under_way = False
        self._untold = self._untold[self._n_told :]
        self._n_told = 0
        if self._talk is not None:
            memory, untold = tuple(self._memory), tuple(self._untold)
            record = SessionRecord(self._talk.transcript, self._is_reply_open, memory, untold, self._brief)
            self._tally.note(self.usage())
            self._last.save(self._talk, record, self._tally.take())

    async def foresee(self, text: str, *, is_whole: bool = True) -> None:
        """Compute ahead what `ask(text)` would need, as long as no turn is under way. May be cancelled.

        When other words come then, what they share with these is kept and the rest taken back.
        """
        await self.warm()
        if self._talk is not None and not self._is_under_way:
            text = f"{self._earlier()}{text}"
            await self._talk.foresee(text, closes_reply=self._is_reply_open, is_whole=is_whole)

    async def cut_to_heard(self, heard: str, *, is_whole: bool) -> None:
        """The user interrupted the last turn, of which `heard` was heard: the rest was never said.

        `is_whole` when it had come to its end by then. Of one that had not and was not heard nothing stays.
        """
        if self._talk is None:
            return
        end = heard.rstrip()[-_ANCHOR_CHARS:]
        written = [
            entry
            for entry in self._talk.transcript.entries
            if entry.kind is Kind.GENERATED and entry.token_start >= self._clean_tokens
        ]
        for entry in reversed(written if end else ()):
            if end in entry.text:
                await self._cut(entry.tokens_of(entry.text.rfind(end) + len(end)))
                break
        else:
            if is_whole and written and not end:
                await self._cut(written[-1].token_start)
            elif self._is_under_way:
                await self._cut_away(self._talk)
        if is_whole and self._memory:
            before, said, _ = self._memory[-1].rpartition(_SAID)
            if said:
                self._memory[-1] = f"{before}{said}{' '.join(heard.split())}"[:_LINE_CHARS]

    async def _cut(self, n_tokens: int) -> None:
        """The reply ends here, and the turn with it."""
        assert self._talk is not None
        await self._talk.rewind(n_tokens)
        self._is_reply_open = True
        self.end()

    async def _cut_away(self, talk: Conversation) -> None:
        """The turn under way never was."""
        await talk.rewind(self._clean_tokens)
        self._is_reply_open = self._was_reply_open
        self._is_under_way = False
        self._n_told = 0

    def point(self) -> Point:
        """Where the turn under way began, for `go_back`."""
        memory, untold = tuple(self._memory), tuple(self._untold)
        return Point(self._clean_tokens, self._was_reply_open, memory, untold, self._compactions)

    async def go_back(self, point: Point) -> None:
        """Forget all that was said and done since `point`, the turn under way included."""
        self._memory, self._untold, self._n_told = list(point.memory), list(point.untold), 0
        self._is_under_way = False
        if self._talk is None:
            return
        is_there = point.compactions == self._compactions
        await self._talk.rewind(max(point.n_tokens, self._base_tokens) if is_there else self._base_tokens)
        self._is_reply_open = point.is_reply_open and is_there
        self._untold = self._untold if is_there else list(self._memory)
        self.end()
        if self._since is not None:
            n_tokens = min(self._since.n_tokens, self._talk.transcript.n_tokens)
            self._since = replace(self._since, n_tokens=n_tokens)

    def holds(self, text: str) -> bool:
        """Whether a user turn with `text` in it is still there."""
        entries = self._talk.transcript.entries if self._talk is not None else ()
        return any(entry.kind is Kind.USER and text in entry.text for entry in entries)

    async def ask(self, text: str, *, goes_on: bool = False, anew: str = "") -> None:
        """A user turn with `text`, after what was done since the last one; then the reply is opened.

        `goes_on` when `text` is of use only together with what was asked before. Where the window is too
        short, the conversation is summed up first; then `anew`, if there is one, is asked in place of `text`.
        """
        if self._talk is None:
            await self.warm()
        assert self._talk is not None
        if not self._is_under_way:  # it was not there yet when the turn began, or has been gone back in
            self._start_turn(self._talk, self._since or self._talk.start)
        self._asked = self._asked if goes_on else anew or text
        before_tokens = self._talk.transcript.n_tokens
        try:
            await self._ask(self._talk, text)
            self._check_reply_fits(self._talk, before_tokens)
        except ContextFull:
            await self._ask_anew(self._talk, f"{self._asked}\n\n{text}" if goes_on else self._asked)

    async def put(self, text: str) -> None:
        """Append `text` to the open reply as the client's own words."""
        assert self._talk is not None
        await self._talk.write(text)

    def fill(
        self, constraint: Constraint, max_tokens: int, temperature: float, seed: int
    ) -> AsyncGenerator[Piece, None]:
        """Let the model continue the open reply, under a grammar where there is one."""
        assert self._talk is not None
        return self._talk.generate(constraint, (), max_tokens, temperature, seed)

    async def results(self, answered: Sequence[Answered], *, reply: bool = True) -> None:
        """What the calls of the open reply gave; with `reply`, the model goes on.

        Where the window is too short, the conversation is summed up to what was asked and these results.
        """
        assert self._talk is not None
        before_tokens = self._talk.transcript.n_tokens
        try:
            await self._talk.results(answered, reply=reply)
            self._is_reply_open = reply
            if reply:
                self._check_reply_fits(self._talk, before_tokens)
        except ContextFull:
            if not reply:
                raise
            told = "\n".join(f"{each.name}: {each.content}" for each in answered)
            await self._ask_anew(self._talk, f"{self._asked}\n\n{told}")

    @property
    def is_fresh(self) -> bool:
        """Whether the model has been told nothing yet but the opening."""
        return self._talk is None or self._talk.transcript.n_tokens <= self._base_tokens

    def mark(self) -> int:
        """Now, to `rewind` to. Only where a reply is open."""
        assert self._talk is not None
        return self._talk.transcript.n_tokens

    async def rewind(self, mark: int) -> None:
        """Drop what came after `mark`; the reply that was open then is open again.

        A mark from before a summary means the end of what was then asked anew.
        """
        assert self._talk is not None
        await self._talk.rewind(max(mark, self._floor_tokens))
        self._is_reply_open = True

    def remember(self, request: str, done: str, *, is_told: bool) -> None:
        """Keep what was asked and done in a line; `is_told` when the conversation holds it already."""
        request, done = " ".join(request.split()), " ".join(done.split())
        line = f"Earlier request: {request} Done: {done}"
        if len(line) > _LINE_CHARS and len(request) > _REQUEST_CHARS:
            kept_chars = max(_REQUEST_CHARS, len(request) - (len(line) - _LINE_CHARS)) - 2
            line = f"Earlier request: {request[:kept_chars]} … Done: {done}"
        line = line[:_LINE_CHARS]
        self._memory = [*self._memory, line][-_REMEMBERED_LINES:]
        if not is_told:
            self._untold.append(line)

    def usage(self) -> Usage:
        """Token counts of the turn so far. All that is computed is also kept in the cache."""
        if self._talk is None or self._since is None or not self._asked:  # the model was not needed
            return Usage()
        spent = self._talk.spent(self._since)
        return Usage(0, spent.computed_tokens, spent.cached_tokens, spent.generated_tokens)

    def _start_turn(self, talk: Conversation, since: Mark | None = None) -> None:
        self._clean_tokens, self._floor_tokens = talk.transcript.n_tokens, 0
        self._was_reply_open = self._is_reply_open
        mark = talk.mark()
        self._since = since or mark
        self._is_under_way = True

    async def _ask(self, talk: Conversation, text: str) -> None:
        self._is_under_way = True
        if self._is_reply_open:
            await talk.close_reply()
            self._is_reply_open = False
        await talk.user(f"{self._earlier()}{text}")
        self._n_told = len(self._untold)
        await talk.open_reply()
        self._is_reply_open = True

    def _check_reply_fits(self, talk: Conversation, before_tokens: int) -> None:
        """Raises `ContextFull` when the reply would be cut short and a summary of what was before helps."""
        free_tokens = self._engine.context_tokens - talk.transcript.n_tokens
        if free_tokens < _REPLY_TOKENS and before_tokens > self._base_tokens:
            raise ContextFull("The window ends before the reply would.")

    async def _ask_anew(self, talk: Conversation, text: str) -> None:
        """Make room within a turn, and ask `text` as its first. Raises `ContextFull` if there is none."""
        if talk.transcript.n_tokens <= self._base_tokens:
            raise ContextFull("This request alone is longer than what the model can keep in mind.")
        await self._compact(talk)
        self._clean_tokens, self._was_reply_open = self._base_tokens, False
        assert self._since is not None
        self._since = replace(self._since, n_tokens=min(self._since.n_tokens, self._base_tokens))
        await self._ask(talk, text)
        self._floor_tokens = talk.transcript.n_tokens

    def _earlier(self) -> str:
        """The newest of what was done since the model last heard; at most an eighth of the window."""
        lines, left_chars = list[str](), self._engine.context_tokens // 2  # a token has about four characters
        for line in reversed(self._untold[self._n_told :][-_REMEMBERED_LINES:]):
            left_chars -= len(line) + 1
            if left_chars < 0:
                break
            lines.insert(0, f"{line}\n")
        return "".join(lines)

    async def _compact(self, talk: Conversation) -> None:
        """Keep the opening, and of the rest what was asked, done and said, told in the next turn.

        The summary is made of words that were said and of facts: one that the model writes keeps the user
        waiting for seconds, and from a small model claims success where there was none.
        """
        await talk.rewind(self._base_tokens)
        self._is_reply_open = False
        self._untold, self._n_told = list(self._memory), 0
        self._compactions += 1
        self._notices.append(_COMPACTED)

    async def _warm_up(self) -> None:
        found = await self._last.find(self._template, self._prompt)
        if found is not None:
            self._memory, self._untold = list(found.record.memory), list(found.record.memory)
        if found is None or found.talk is None:
            talk = await self._opening()
        else:
            talk, record = found.talk, found.record
            self._untold = list(record.untold)
            if record.brief != self._brief:
                self._untold.append(f"The project is now: {self._brief}")
            self._is_reply_open = record.is_reply_open
            self._base_tokens = record.opening_tokens
        self._clean_tokens = talk.transcript.n_tokens
        self._talk = talk

    async def _opening(self) -> Conversation:
        texts = [text for text in (self._prompt, self._brief) if text]
        parts = [part for run in opening_parts(self._template, texts) for part in run]
        session = await self._engine.restore(tokens_of(self._engine, parts))
        talk = Conversation(self._engine, session, self._template)
        await talk.system(*texts)
        self._base_tokens = talk.transcript.n_tokens
        await self._last.keep_opening(talk)
        return talk

    def _trouble(self, error: UtterError) -> None:
        """To be told with the next turn, once: the work itself goes on."""
        if str(error) not in self._told_troubles:
            self._told_troubles.add(str(error))
            self._notices.append(str(error))
