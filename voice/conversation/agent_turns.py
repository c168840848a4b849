"""The agent's side of a live session: one task for each turn, begun early, cut or withdrawn as decided."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

from agent.errors import UtterError
from agent.events import ApprovalNeeded, Event, TextDelta, ToolCallReady, ToolResult, TurnEnded, Usage
from agent.loop import Agent
from agent.permissions import approval
from voice.conversation.approvals import Approved, Denied, Question, Why
from voice.conversation.heard_reply import HeardReply
from voice.conversation.signals import Asked, Clause, Input, ToolBegan, ToolEnded, TurnOver
from voice.conversation.turns import AgentEvent, Moment, Replied, Understood, written_reply
from voice.hearing.spoken_code import Written
from voice.speaking.doing import doing, has_effect
from voice.speaking.script import Script
from voice.speaking.verbosity import Level, Verbosity

_REASONS = {
    Why.SAID_NO: "You said no.",
    Why.SILENCE: "I heard no answer, so I did not do it.",
    Why.UNSURE: "I did not hear your answer surely enough, so I did not do it.",
    Why.UNCLEAR: "I did not understand your answer, so I did not do it.",
    Why.SUPERSEDED: "Something else came up, so I did not do it.",
    Why.NEVER_HEARD: "I could not ask you, so I did not do it.",
}


@dataclass
class TurnTrace:
    """When things happened in one turn, in session seconds; None for what has not."""

    number: int
    text: str
    prepared_s: float | None = None
    begun_s: float | None = None
    first_token_s: float | None = None
    first_clause_s: float | None = None
    over_s: float | None = None
    usage: Usage = field(default_factory=Usage)
    events: list[Event] = field(default_factory=list[Event])
    written: Written | None = None


class AgentTurns:
    """At most one turn is at work. `give` takes what happens in it; `tell` gets every moment.

    The agent must have been made with the `approve` of `ask`. `understand` writes out spoken code;
    `waiting_s` says how much speech has not been heard yet.
    """

    def __init__(
        self,
        agent: Agent,
        understand: Callable[[str], Awaitable[Written]],
        give: Callable[[Input], None],
        tell: Callable[[Moment], None],
        now: Callable[[], float],
        ask: Approver,
        verbosity: Verbosity,
        waiting_s: Callable[[], float | None],
    ) -> None:
        self._agent = agent
        self._understand = understand
        self._give = give
        self._tell = tell
        self._now = now
        self._ask = ask
        self._verbosity = verbosity
        self._waiting_s = waiting_s
        self._task: asyncio.Task[None] | None = None
        self._is_told = True  # the agent knows how far its last turn was heard
        self.reply = HeardReply()
        """How far the last turn was heard."""
        self.trace: TurnTrace | None = None
        """The present turn, or the last."""

    def foresee(self, text: str) -> None:
        """A request begins so, and goes on: let the model read that, if it has nothing else to do."""
        is_idle = self._task is None or self._task.done()
        if is_idle and (self._is_told or self.reply.is_whole):
            self._start(partial(self._foresee, text, is_whole=False))

    def prepare(self, turn: int, text: str) -> None:
        """The words so far may be all: let the model read them."""
        self.trace = TurnTrace(turn, text, prepared_s=self._now())
        self._start(partial(self._foresee, text, is_whole=True))

    def begin(self, turn: int, text: str) -> None:
        """Work on a request."""
        if self.trace is None or self.trace.number != turn:
            self.trace = TurnTrace(turn, text)
        self.trace.begun_s = self._now()
        self._start(partial(self._turn, self.trace))

    def end(self) -> None:
        """Break off what is at work; tools go on."""
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Break off, and wait until that is done."""
        self.end()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def _start(self, work: Callable[[], Awaitable[None]]) -> None:
        before = self._task
        if before is not None:
            before.cancel()
        self._task = asyncio.create_task(_after(before, work))

    async def _foresee(self, text: str, *, is_whole: bool) -> None:
        self._tell_heard()
        written = await self._understand(text)
        try:
            await self._agent.foresee(written.request, is_whole=is_whole)
        except UtterError:
            return  # the turn itself meets the same trouble, and tells of it

    async def _turn(self, trace: TurnTrace) -> None:
        turn = trace.number
        trace.written = written = await self._understand(trace.text)
        self._tell(Understood(written))
        self._tell_heard()
        self.reply, self._is_told = HeardReply(), False
        script = Script()
        self._verbosity.begin()
        async with aclosing(self._agent.turn(written.request)) as events:
            async for event in events:
                if trace.first_token_s is None and not isinstance(event, (Usage, TurnEnded)):
                    trace.first_token_s = self._now()
                trace.events.append(event)
                self._tell(AgentEvent(event))
                if isinstance(event, TextDelta):
                    self.reply.wrote(event.text)
                clauses = script.feed(event, self._waiting_s())
                if isinstance(event, ApprovalNeeded):
                    self._ask.expect(turn, event, clauses.pop())
                self._say(trace, clauses)
                self._follow(trace, event)
        self._say(trace, script.finish())
        self._give_out(trace, self._verbosity.finish())
        if self._verbosity.level is Level.FULL:
            self._give_out(trace, script.left_out())
        else:
            self._verbosity.keep(script.left_out())
        trace.over_s = self._now()
        self.reply.finish()
        self._tell(Replied(written_reply(trace.events)))
        self._give(TurnOver(turn))

    def _say(self, trace: TurnTrace, clauses: list[str]) -> None:
        self._give_out(trace, self._verbosity.filter(clauses))

    def _give_out(self, trace: TurnTrace, clauses: list[str]) -> None:
        for clause in clauses:
            if trace.first_clause_s is None:
                trace.first_clause_s = self._now()
            self.reply.gave(clause)
            self._give(Clause(trace.number, clause))

    def _tell_heard(self) -> None:
        """Before anything new is read: the agent is told what was not heard of its last turn."""
        if not self._is_told and not self.reply.is_whole:
            self._agent.heard(self.reply.characters)
        self._is_told = True

    def _follow(self, trace: TurnTrace, event: Event) -> None:
        if isinstance(event, ToolCallReady):
            what = doing(event.name, event.arguments)
            self._give(ToolBegan(trace.number, what, has_effect(event.name)))
            if what and self._verbosity.level is Level.FULL:
                self._give(Clause(trace.number, f"{what[0].upper()}{what[1:]}."))
        elif isinstance(event, ToolResult):
            self._give(ToolEnded(trace.number))
        elif isinstance(event, Usage):
            trace.usage = event


class Approver:
    """Asks the user by way of the session, and waits for the answer to that very question."""

    def __init__(self, phrase: str) -> None:
        """`phrase` is what approves what cannot be taken back."""
        self._phrase = phrase
        self._give: Callable[[Input], None] = _nobody
        self._expected: tuple[int, str] = (0, "")
        self._waiting: dict[Question, asyncio.Future[Approved | Denied]] = {}
        self._asked = 0

    def connect(self, give: Callable[[Input], None]) -> None:
        """`give` hands a question to the session."""
        self._give = give

    def expect(self, turn: int, needed: ApprovalNeeded, asks: str) -> None:
        """`turn` is about to ask for `needed`, in these words."""
        self._expected = (turn, asks)

    async def approve(self, needed: ApprovalNeeded) -> approval.Answer:
        """What the agent asks with."""
        turn, asks = self._expected
        verdict = await self.put(turn, needed.action, asks, is_destructive=needed.is_destructive)
        if isinstance(verdict, Approved):
            return approval.Approved()
        return approval.Refused(_REASONS[verdict.why])

    async def put(self, turn: int, action: str, asks: str, *, is_destructive: bool) -> Approved | Denied:
        """Ask the user; turn 0 is the session itself."""
        if is_destructive:
            asks = asks.removesuffix("Shall I?") + f"It cannot be taken back. Say: {self._phrase}. Or say no."
        self._asked += 1
        question = Question(f"{turn}.{self._asked}", action, asks, is_destructive)
        self._waiting[question] = answer = asyncio.get_running_loop().create_future()
        try:
            self._give(Asked(turn, question))
            return await answer
        finally:
            del self._waiting[question]

    def resolve(self, verdict: Approved | Denied) -> None:
        """The user has answered."""
        waiting = self._waiting.get(verdict.question)
        if waiting is not None and not waiting.done():
            waiting.set_result(verdict)


async def _after(before: asyncio.Task[None] | None, work: Callable[[], Awaitable[None]]) -> None:
    """Two turns never touch the conversation at the same time, however often one is cancelled."""
    is_cancelled = False
    while before is not None and not before.done():
        try:
            await asyncio.wait([before])
        except asyncio.CancelledError:
            is_cancelled = True
    if is_cancelled:
        raise asyncio.CancelledError
    await work()


def _nobody(_given: Input) -> None:
    raise AssertionError("connect the approver to a session first")
