"""A conversation with a model: appended to the session and the transcript together, never re-rendered."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from agent.decode.calls import Constraint
from agent.engine.prefix import shared_prefix
from agent.engine.protocol import Engine, Piece, Session
from agent.template import Answered, ChatTemplate, Part
from agent.transcript import Kind, Transcript

_GIVEN_UP_TOKENS = 8  # the last word of a turn that was thought over, and its end


@dataclass(frozen=True)
class Mark:
    """A point to rewind to, or to count from: tokens then, and what had been done in all until then."""

    n_tokens: int
    prompted_tokens: int
    computed_tokens: int
    generated_tokens: int


@dataclass(frozen=True)
class Spent:
    """Tokens since a mark. The first two make up the prompt: not computed since then, and computed."""

    cached_tokens: int
    computed_tokens: int
    generated_tokens: int


def opening_parts(template: ChatTemplate, texts: Sequence[str]) -> list[tuple[Part, ...]]:
    """The beginning of a conversation, a run of parts for each of `texts`: a prefix may end after each."""
    frames = template.frames
    runs: list[tuple[Part, ...]] = [(Part(text, False),) for text in texts]
    runs[0] = (Part(frames.system_open, True), *runs[0])
    runs[-1] = (*runs[-1], Part(frames.system_close, True))
    return [tuple(part for part in run if part.text) for run in runs]


def tokens_of(engine: Engine, parts: Sequence[Part]) -> tuple[int, ...]:
    """The tokens of `parts`, each tokenised by itself."""
    return tuple(token for part in parts for token in engine.encode(part.text, special=part.special))


class Conversation:
    """The turns of one session, appended in the order they are called.

    What the session holds beyond them was computed ahead, see `foresee`, and is used as far as it fits.

    Text is tokenised when it is appended and never again; what the model wrote stays the tokens it chose.
    A call that is cancelled or fails leaves session and transcript as they were before it, except `generate`,
    which keeps what it yielded.
    """

    def __init__(self, engine: Engine, session: Session, template: ChatTemplate) -> None:
        """`session` is empty, or holds tokens that are expected to come; see also `resume`."""
        self._engine = engine
        self._session = session
        self._template = template
        self._transcript = Transcript()
        self._start = Mark(0, 0, 0, 0)
        self._prompted_tokens = self._generated_tokens = 0
        self._foreseen_tokens = 0  # of those computed, for a turn that has not begun

    @classmethod
    def resume(
        cls,
        engine: Engine,
        session: Session,
        template: ChatTemplate,
        transcript: Transcript,
    ) -> Conversation:
        """Go on with a restored session, which `transcript` records. Raises `ValueError` if it does not."""
        if transcript.n_tokens != len(session.tokens):
            raise ValueError("the transcript is not that of the session")
        conversation = cls(engine, session, template)
        conversation._transcript = transcript
        conversation._start = Mark(transcript.n_tokens, 0, 0, 0)
        return conversation

    @property
    def transcript(self) -> Transcript:
        return self._transcript

    @property
    def session(self) -> Session:
        return self._session

    @property
    def start(self) -> Mark:
        """The mark of the moment when this object was made."""
        return self._start

    async def system(self, *texts: str) -> None:
        """Open the conversation with `texts`, after each of which a prefix may end. Only at the beginning."""
        if self._transcript.entries:
            raise ValueError("the conversation has begun already")
        for text, parts in zip(texts, opening_parts(self._template, texts), strict=True):
            await self._append(Kind.OPENING, text, parts, goes_on=False)

    async def user(self, text: str) -> None:
        """A user turn. Without a system text before it, the template's own opening is put first."""
        if not self._transcript.entries:
            await self._append(Kind.OPENING, "", self._template.opening(None))
        first = self._transcript.entries[-1].kind is Kind.OPENING
        await self._append(Kind.USER, text, self._template.user(text, first=first))

    async def open_reply(self) -> None:
        """Begin the assistant's reply."""
        await self._append(Kind.REPLY_OPENED, "", self._template.reply_open())

    async def write(self, text: str) -> None:
        """Put fixed text into the reply, as if the model had written it."""
        await self._append(Kind.WRITTEN, text, (Part(text, False),))

    async def generate(
        self,
        constraint: Constraint = None,
        stop: Sequence[str] = (),
        max_tokens: int = 512,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> AsyncGenerator[Piece, None]:
        """Let the model go on, as `Session.generate`; what is yielded is recorded.

        Text of a token that a stop string cut in two is written back, so that session and text agree.
        """
        await self._session.rewind(self._transcript.n_tokens)
        pieces = self._session.generate(constraint, stop, max_tokens, temperature, seed)
        async with aclosing(pieces):
            async for piece in pieces:
                self._generated_tokens += len(piece.tokens)
                if piece.text and not piece.tokens:
                    await self._append(Kind.WRITTEN, piece.text, (Part(piece.text, False),))
                elif piece.tokens:
                    self._transcript = self._transcript.append(Kind.GENERATED, piece.text, len(piece.tokens))
                yield piece

    async def results(self, answered: Sequence[Answered], *, reply: bool) -> None:
        """End a reply that made calls with what they gave; with `reply`, begin the next one."""
        results = self._template.results(answered)
        await self._append(Kind.RESULTS, "\n".join(each.content for each in answered), results.parts)
        if reply:
            await self._append(Kind.REPLY_OPENED, "", results.reply_open)

    async def close_reply(self) -> None:
        """End the assistant's reply."""
        await self._append(Kind.REPLY_CLOSED, "", self._template.reply_close())

    async def foresee(self, text: str, *, closes_reply: bool, is_whole: bool = True) -> None:
        """Compute a user turn that may come and begin with `text`; may be cancelled, and called again.

        The transcript stays as it is. What comes then is computed from where it differs. Where `text` is not
        whole, the turn is not closed behind it, and no more than an end computed ahead is given up for it.
        """
        first = bool(self._transcript.entries) and self._transcript.entries[-1].kind is Kind.OPENING
        closing = self._template.reply_close() if closes_reply else ()
        turn = self._template.user(text, first=first, closes=is_whole)
        tokens = tokens_of(self._engine, (*closing, *turn))
        if not is_whole:
            ahead = self._session.tokens[self._transcript.n_tokens :]
            n_shared = shared_prefix(ahead, tokens)
            if n_shared < len(tokens) and len(ahead) - n_shared > _GIVEN_UP_TOKENS:
                return
        before = self._session.computed_tokens
        try:
            await self._extend(tokens, goes_on=False)
        finally:
            self._foreseen_tokens += self._session.computed_tokens - before

    def mark(self) -> Mark:
        """Now, to `rewind` to or to count `spent` from; what was computed ahead counts as after it."""
        computed_tokens = self._session.computed_tokens - self._foreseen_tokens
        self._foreseen_tokens = 0
        n_tokens = self._transcript.n_tokens
        return Mark(n_tokens, self._prompted_tokens, computed_tokens, self._generated_tokens)

    async def rewind(self, to: Mark | int) -> None:
        """Drop everything after a mark, or after so many tokens, rounded down to the nearest cut."""
        n_tokens = to.n_tokens if isinstance(to, Mark) else to
        transcript = self._transcript.cut_to(n_tokens)
        await self._session.rewind(transcript.n_tokens)
        self._transcript = transcript

    def spent(self, since: Mark) -> Spent:
        """Exact counts since a mark, what was later rewound included.

        A token counts as cached only when nothing was computed in its place, as when the engine had lost it.
        """
        prompted_tokens = self._prompted_tokens - since.prompted_tokens
        if prompted_tokens == 0:
            return Spent(0, 0, 0)
        prompt_tokens = since.n_tokens + prompted_tokens
        cached_tokens = max(prompt_tokens - (self._session.computed_tokens - since.computed_tokens), 0)
        generated_tokens = self._generated_tokens - since.generated_tokens
        return Spent(cached_tokens, prompt_tokens - cached_tokens, generated_tokens)

    async def _append(self, kind: Kind, text: str, parts: Sequence[Part], *, goes_on: bool = True) -> None:
        tokens = tokens_of(self._engine, parts)
        try:
            await self._extend(tokens, goes_on=goes_on)
        except BaseException:
            await self._session.rewind(self._transcript.n_tokens)
            raise
        self._prompted_tokens += len(tokens)
        self._transcript = self._transcript.append(kind, text, len(tokens))

    async def _extend(self, tokens: tuple[int, ...], *, goes_on: bool) -> None:
        """Make the session hold `tokens` after the transcript's; what it holds of them already stays.

        What `goes_on` at once, with more words or with the model's, is computed together with them.
        """
        before = self._transcript.n_tokens
        n_held = shared_prefix(self._session.tokens[before:], tokens)
        if n_held < len(tokens):
            await self._session.rewind(before + n_held)
            await self._session.prefill(tokens[n_held:], leave_tail=goes_on)
