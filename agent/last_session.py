"""A dialogue across processes: finds the last session of a place, and saves each turn while nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from agent.cache.entry import Retention
from agent.conversation import Conversation
from agent.engine.keeper import Keeper
from agent.engine.protocol import Engine
from agent.errors import UtterError
from agent.events import Usage
from agent.sessions import SessionRecord
from agent.template import ChatTemplate

_RECOMPUTED_TOKENS = 512  # of a last session whose context is lost; more would take longer than it is worth
_WORTH_TOKENS = 64  # a context that has grown by less is not written again


@dataclass(frozen=True)
class Found:
    """The last session. `talk` is None where its context is lost or too long: what was done is of use."""

    record: SessionRecord
    talk: Conversation | None


class LastSession:
    """What is kept at `place` under one model: nothing where the engine keeps nothing, or `place` is ""."""

    def __init__(self, engine: Engine, place: str, on_trouble: Callable[[UtterError], None]) -> None:
        self._engine = engine
        self._place = place
        self._on_trouble = on_trouble
        self._saved: tuple[int, ...] = ()  # tokens of the session that are known to be kept
        self._saving: asyncio.Task[None] | None = None

    async def find(self, template: ChatTemplate, prompt: str) -> Found | None:
        """The last session, brought back if it began with `prompt` and not too much of it is lost."""
        keeper = self._engine.keeper
        found = await keeper.last_session(self._place) if keeper is not None and self._place else None
        if found is None:
            return None
        tokens, text = found
        try:
            record = SessionRecord.from_json(text)
        except ValueError:
            return None
        if record.opening != prompt or len(tokens) >= self._engine.context_tokens:
            return Found(record, None)
        session = await self._engine.restore(tokens)
        if len(tokens) - len(session.tokens) > _RECOMPUTED_TOKENS:
            return Found(record, None)
        self._saved = session.tokens
        await session.prefill(tokens[len(session.tokens) :])
        try:
            return Found(record, Conversation.resume(self._engine, session, template, record.transcript))
        except ValueError:
            return Found(record, None)

    async def keep_opening(self, talk: Conversation) -> None:
        """Keep what every session begins with, and tidy the store, which is seldom done."""
        self._saved = talk.session.tokens
        try:
            await talk.session.save(Retention.PINNED)
            if (keeper := self._engine.keeper) is not None:
                await keeper.prefill_rate(self._engine.prefill_rate)
                await keeper.sweep()
        except UtterError as error:
            self._on_trouble(error)

    def save(self, talk: Conversation, record: SessionRecord, usage: Usage) -> None:
        """Keep the session as it is now, and what is needed to go on with it; begun, not waited for."""
        keeper = self._engine.keeper
        if keeper is not None:
            tokens = talk.session.tokens[: record.transcript.n_tokens]
            saving = self._save(keeper, talk, tokens, record, usage, self._saving)
            self._saving = asyncio.ensure_future(saving)

    async def close(self) -> None:
        """Wait until what is being saved is saved."""
        if self._saving is not None and not self._saving.done():
            await asyncio.wait([self._saving])

    async def _save(
        self,
        keeper: Keeper,
        talk: Conversation,
        tokens: tuple[int, ...],
        record: SessionRecord,
        usage: Usage,
        before: asyncio.Task[None] | None,
    ) -> None:
        if before is not None and not before.done():
            await asyncio.wait([before])
        try:
            if len(tokens) - len(self._saved) >= _WORTH_TOKENS or self._saved != tokens[: len(self._saved)]:
                await talk.session.save()
                # Perhaps nothing: another session may have the engine just now. Then it is tried again.
                self._saved = tokens[: await keeper.covers(tokens)]
            if self._place:
                await keeper.keep_session(self._place, tokens, record.to_json())
            read_tokens = usage.cache_read_input_tokens
            # After a restart perhaps too little was computed to measure: then an earlier speed counts.
            rate = await keeper.prefill_rate(self._engine.prefill_rate)
            spared_s = read_tokens / rate if rate else 0.0
            await keeper.count(read_tokens, usage.cache_creation_input_tokens, spared_s)
        except UtterError as error:
            self._on_trouble(error)
