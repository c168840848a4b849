"""A conversation with a model: appended to the session and the transcript together, never re-rendered."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from agent.engine.protocol import Engine, Piece, Session
from agent.template import ChatTemplate, Part
from agent.transcript import Kind, Transcript


@dataclass(frozen=True)
class Mark:
    """A point to rewind to, or to count from."""

    n_tokens: int
    n_prefills: int
    generated_tokens: int


@dataclass(frozen=True)
class Spent:
    """Tokens since a mark: in the cache when the first prompt was read, computed as prompt, generated."""

    cached_tokens: int
    computed_tokens: int
    generated_tokens: int


class Conversation:
    """The turns of one session, appended in the order they are called.

    Text is tokenised when it is appended and never again; what the model wrote stays the tokens it chose.
    A call that is cancelled or fails leaves session and transcript as they were before it, except `generate`,
    which keeps what it yielded.
    """

    def __init__(self, engine: Engine, session: Session, template: ChatTemplate) -> None:
        """`session` is empty, or holds what `resume` is then told."""
        self._engine = engine
        self._session = session
        self._template = template
        self._transcript = Transcript()
        self._prefills: list[tuple[int, int]] = []  # cached, computed
        self._generated_tokens = 0

    @classmethod
    def resume(
        cls, engine: Engine, session: Session, template: ChatTemplate, transcript: Transcript
    ) -> Conversation:
        """Go on with a restored session, which `transcript` records. Raises `ValueError` if it does not."""
        if transcript.n_tokens != len(session.tokens):
            raise ValueError("the transcript is not that of the session")
        conversation = cls(engine, session, template)
        conversation._transcript = transcript
        return conversation

    @property
    def transcript(self) -> Transcript:
        return self._transcript

    @property
    def session(self) -> Session:
        return self._session

    async def system(self, text: str) -> None:
        """Open the conversation with `text`. Only at the beginning."""
        if self._transcript.entries:
            raise ValueError("the conversation has begun already")
        await self._append(Kind.OPENING, text, self._template.opening(text))

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
        constraint: str | None = None,
        stop: Sequence[str] = (),
        max_tokens: int = 512,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> AsyncGenerator[Piece, None]:
        """Let the model go on, as `Session.generate`; what is yielded is recorded.

        Text of a token that a stop string cut in two is written back, so that session and text agree.
        """
        pieces = self._session.generate(constraint, stop, max_tokens, temperature, seed)
        async with aclosing(pieces):
            async for piece in pieces:
                self._generated_tokens += len(piece.tokens)
                if piece.text and not piece.tokens:
                    await self._append(Kind.WRITTEN, piece.text, (Part(piece.text, False),))
                elif piece.tokens:
                    self._transcript = self._transcript.append(Kind.GENERATED, piece.text, len(piece.tokens))
                yield piece

    async def close_reply(self) -> None:
        """End the assistant's reply."""
        await self._append(Kind.REPLY_CLOSED, "", self._template.reply_close())

    def mark(self) -> Mark:
        """Now, to `rewind` to or to count `spent` from."""
        return Mark(self._transcript.n_tokens, len(self._prefills), self._generated_tokens)

    async def rewind(self, to: Mark | int) -> None:
        """Drop everything after a mark, or after so many tokens, rounded down to the nearest cut."""
        n_tokens = to.n_tokens if isinstance(to, Mark) else to
        transcript = self._transcript.cut_to(n_tokens)
        await self._session.rewind(transcript.n_tokens)
        self._transcript = transcript

    def spent(self, since: Mark) -> Spent:
        """Exact counts since a mark, work that was later rewound included."""
        prefills = self._prefills[since.n_prefills :]
        return Spent(
            cached_tokens=prefills[0][0] if prefills else 0,
            computed_tokens=sum(computed for _, computed in prefills),
            generated_tokens=self._generated_tokens - since.generated_tokens,
        )

    async def _append(self, kind: Kind, text: str, parts: Sequence[Part]) -> None:
        tokens = [token for part in parts for token in self._engine.encode(part.text, special=part.special)]
        before = len(self._session.tokens)
        try:
            counts = await self._session.prefill(tokens)
        except BaseException:
            await self._session.rewind(before)
            raise
        self._prefills.append((counts.cached_tokens, counts.computed_tokens))
        self._transcript = self._transcript.append(kind, text, len(tokens))
