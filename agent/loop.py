"""One turn: request → context → the model's calls → tools → events, until it is answered or done.

The agent that the voice session, the command line and the server talk to. It claims nothing of its own: what
was done comes out as facts, what was asked as the model's words.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from agent import intents
from agent.conversation import Conversation
from agent.dialogue import Dialogue, Point
from agent.direct import direct
from agent.engine.protocol import ContextFull, Engine
from agent.errors import UtterError
from agent.events import EndReason, Event, Notice, TextDelta, ToolCallStarted, ToolResult, TurnEnded
from agent.facts import Fact, FilesRestored
from agent.guided import constants, members, removing, routing
from agent.guided.reference import resolved, subject_of
from agent.guided.restraint import restrained
from agent.guided.turn import Guided
from agent.hands import Hands
from agent.intents import DirectCall
from agent.native import Native
from agent.permissions import Mode
from agent.permissions.approval import Approve, refuse
from agent.template import ChatTemplate
from agent.tongue import Tongue
from agent.toolcalls.prompt import system_prompt
from agent.tools.toolbox import Toolbox
from agent.turn import TimeUp, Turn

_KEPT_POINTS = 100
_BEGINNING = Point(0, False, (), (), -1)  # whatever has been summed up since


@dataclass(frozen=True)
class Limits:
    """Bounds of one turn: calls of the model, seconds, and seconds by which its last try is over."""

    steps: int = 8
    time_s: float = 180.0
    tries_s: float = 55.0


class Agent:
    """Works on one repository in one conversation. One turn at a time.

    A turn that is broken off (its generator closed, its task cancelled) is cut out of the conversation when
    the next one begins. Changes to files that it had finished stay and are remembered.
    """

    def __init__(
        self,
        engine: Engine,
        template: ChatTemplate,
        toolbox: Toolbox,
        limits: Limits | None = None,
        approve: Approve = refuse,
        mode: Mode = Mode.WORK,
        place: str = "",
        tongue: Tongue | None = None,
    ) -> None:
        """The last session of `place`, such as the repository's path, is gone on with; "" for a new one.

        With a `tongue` the model calls tools in its own format, otherwise in the guided dialect.
        """
        self._tools = toolbox
        self._hands = Hands(toolbox, approve, mode)
        self._points: dict[str, Point] = {}
        self._limits = limits or Limits()
        self._subject = ""  # what "it" stands for
        self._is_fresh_subject = False  # whether the last request spoke of it
        self._broken_off = ""  # the request of the last turn, when it did not come to its end
        self._written = ""  # the words of the last turn
        self._heard: str | None = None  # of them, when the user interrupted them
        self._cutting: asyncio.Task[None] | None = None
        self._dialect: Guided | Native
        if tongue is None:
            self._dialogue = Dialogue(engine, template, system_prompt(toolbox.registry), place=place)
            self._dialect = Guided(self._dialogue, self._hands, toolbox)
        else:
            # A session in which other tools were told of is not gone on with.
            place = f"{place}#{tongue.template.fingerprint}" if place else ""
            self._dialogue = Dialogue(engine, tongue.template, tongue.prompt, place=place)
            self._dialect = Native(self._dialogue, self._hands, toolbox, tongue)

    @property
    def conversation(self) -> Conversation | None:
        """What has been said between us and the model; None until the model is needed."""
        return self._dialogue.conversation

    @property
    def mode(self) -> Mode:
        """How freely it works; counts from the next call on."""
        return self._hands.mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self._hands.mode = mode

    async def start_over(self) -> None:
        """Forget all that was said and done. Between turns; files and what can be undone stay."""
        await self._settle()
        self._points.clear()
        await self._dialogue.go_back(_BEGINNING)

    async def warm(self) -> None:
        """Bring back the last session, or else the system prompt's context. A turn that must waits for it."""
        if self._tools.timeline is None:
            await self._dialogue.warm()
        else:
            await asyncio.gather(self._dialogue.warm(), self._tools.timeline.warm())

    async def foresee(self, request: str, *, is_whole: bool = True) -> None:
        """Compute ahead what a turn with `request` would give the model to read; it may yet be unfinished.

        For the time while the user still speaks; where more words are sure to come, not `is_whole`, only what
        they will not change. May be cancelled, and called again with more or other words.
        """
        if not self._dialect.has_left:
            await self._cut_to_heard()
        if not is_whole:
            await self._dialogue.foresee(await self._dialect.beginning(request), is_whole=False)
            return
        parts = routing.split(request)
        if len(parts) == 1 and await self._direct_call(request) is None:
            opening = await self._dialect.opening(self._resolved(request))
            if opening:
                await self._dialogue.foresee(opening)

    def heard(self, characters: int) -> None:
        """The user interrupted the last turn when only the first `characters` of its words had been heard.

        Before anything else is read, what was not heard is cut from the conversation and from the cache.
        Between turns.
        """
        self._heard = self._written[:characters]

    async def stop(self) -> tuple[str, ...]:
        """End the tools that are still at work, also those of a turn broken off before; gives their names."""
        return await self._hands.workshop.stop()

    async def close(self) -> None:
        """Wait until the conversation, and what was done to the files, is saved."""
        if self._tools.timeline is not None:
            await self._tools.timeline.finish()
        await self._dialogue.close()

    async def turn(self, request: str) -> AsyncGenerator[Event, None]:
        """Carry out one request. Ends with `Usage` and `TurnEnded`, always; raises only cancellation.

        A call that was begun has its `ToolResult`, also when the turn ends before it is carried out. When the
        turn is broken off, a tool that is at work goes on, unless `stop` ends it; the next turn waits for it.
        """
        turn = Turn(time.monotonic(), self._limits.time_s, self._limits.steps, self._limits.tries_s)
        end = TurnEnded(EndReason.ANSWERED)
        is_whole = False
        begun, undone = list[str](), ""
        self._written = ""
        try:
            try:
                async with (
                    aclosing(self._parts(request, turn)) as events,
                    aclosing(turn.in_time(events)) as timed,
                ):
                    async for event in timed:
                        if isinstance(event, TurnEnded):
                            end = event
                            break
                        if isinstance(event, ToolCallStarted):
                            begun.append(event.id)
                        elif isinstance(event, ToolResult):
                            begun.remove(event.id)
                            undone = _undone(event) or undone
                        elif isinstance(event, TextDelta):
                            self._written += event.text
                        yield event
                self._dialogue.end()
                if undone in self._points:
                    await self._go_back(undone)
                    turn.deeds.clear()
                is_whole = True
            except TimeUp as error:
                await self.stop()
                end = TurnEnded(EndReason.TIME_LIMIT, str(error))
            except ContextFull:
                end = TurnEnded(EndReason.CONTEXT_FULL, "That is more than I can keep in mind at once.")
            except UtterError as error:
                end = TurnEnded(EndReason.FAILED, str(error))
            except Exception as error:
                what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                end = TurnEnded(EndReason.FAILED, f"Something went wrong in me, so I stopped: {what}.")
        finally:
            if self._tools.timeline is not None and self._hands.workshop.is_idle:
                self._tools.end()
            self._remember(request, turn, is_whole=is_whole, is_undo=bool(undone))
            self._broken_off = "" if is_whole else request
        for call_id in begun:
            yield ToolResult(call_id, False, f"error: {end.detail}")
        for text in self._dialogue.take_notices():
            yield Notice(text)
        yield self._dialogue.usage()
        yield end
        if self._tools.timeline is not None:
            # What is saved by the user from here on is no part of the request; all has been told already.
            await self._tools.timeline.settled()

    async def _parts(self, request: str, turn: Turn) -> AsyncGenerator[Event, None]:
        """The requests of one sentence in turn, until one does not end well."""
        await self._settle()
        await self._dialogue.begin()
        for text in self._dialogue.take_notices():
            yield Notice(text)
        if self._tools.timeline is not None:
            self._points[self._tools.begin(request)] = self._dialogue.point()
        if len(self._points) > _KEPT_POINTS:
            del self._points[next(iter(self._points))]
        for part in routing.split(request):
            async with aclosing(self._part(part, turn)) as events:
                async for event in events:
                    yield event
                    if isinstance(event, TurnEnded):
                        return

    async def _settle(self) -> None:
        """What the last turn left at work is waited for and remembered, when the turn was broken off."""
        await self._dialect.settle()
        await self._cut_to_heard()
        for left in await self._hands.workshop.settle():
            done = f"{left.name}: {left.outcome.content}"
            self._dialogue.remember(self._broken_off, done, is_told=False)

    async def _cut_to_heard(self) -> None:
        """Who waits for it may be cancelled: it is done once, and wholly."""
        if self._heard is not None:
            heard, self._heard = self._heard, None
            cutting = self._dialogue.cut_to_heard(heard, is_whole=not self._broken_off)
            self._cutting = asyncio.ensure_future(cutting)
        if self._cutting is not None:
            await asyncio.shield(self._cutting)

    async def _part(self, request: str, turn: Turn) -> AsyncGenerator[Event, None]:
        call = await self._direct_call(request)
        if call is None:
            request = await asyncio.to_thread(self._resolved, request)
            call = await self._direct_call(request)
            if call is not None and call.tool == "remove" and not self._is_fresh_subject:
                call = DirectCall(
                    "say", {"text": f"I changed nothing. To delete it, say: delete {self._subject}."}
                )
        if call is not None:
            working = direct(call, request, turn, self._hands, self._tools)
        else:
            working = self._dialect.request(request, turn)
        facts = list[Fact]()
        async with aclosing(working):
            async for event in working:
                if isinstance(event, ToolResult):
                    facts += event.summary_facts
                yield event
        index = self._tools.index
        self._is_fresh_subject = bool(subject_of(request, facts, index))
        self._subject = subject_of(request, facts, index, self._subject)

    def _resolved(self, request: str) -> str:
        """The request with the name of what "it" is; a model that knows tools works that out itself."""
        if not isinstance(self._dialect, Guided):
            return request
        return resolved(request, self._subject, self._tools.index)

    async def _direct_call(self, request: str) -> DirectCall | None:
        """The call that `request` names so plainly that no model is needed."""
        await asyncio.to_thread(self._tools.index.refresh)
        names = {item.symbol.bare_name for item in self._tools.index.located()}
        index = self._tools.index
        return (
            restrained(request, index)
            or intents.direct(request, names)
            or members.renaming(request, index)
            or constants.setting(request, index)
            or removing.removal(request, index)
        )

    async def _go_back(self, deed: str) -> None:
        """Forget a request whose changes were taken back, and all that was said since."""
        await self._dialogue.go_back(self._points[deed])
        earlier = list(self._points)
        for later in earlier[earlier.index(deed) :]:
            del self._points[later]

    def _remember(self, request: str, turn: Turn, *, is_whole: bool, is_undo: bool) -> None:
        """Keep what was done for later turns; what the model said itself is in the conversation already."""
        if turn.deeds:
            is_told = is_whole and all(deed.startswith("said:") for deed in turn.deeds)
            self._dialogue.remember(request, "; ".join(turn.deeds), is_told=is_told)
        if turn.told:
            self._dialogue.remember(request, "; ".join(turn.told), is_told=True)
        if is_whole and not is_undo and not turn.deeds and not turn.told:
            # Told only when the conversation is summed up: it may still be waiting for an answer.
            self._dialogue.remember(request, "nothing was changed.", is_told=True)


def _undone(result: ToolResult) -> str:
    """The request that a call has taken back, if any."""
    facts = (fact for fact in result.summary_facts if isinstance(fact, FilesRestored) and not fact.again)
    return next((fact.deed for fact in facts), "")
