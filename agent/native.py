"""A request in the native dialect: a capable model calls tools in its own format, in its own words."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from agent.dialogue import Dialogue
from agent.direct import direct
from agent.engine.protocol import CUT_SHORT, ContextFull
from agent.events import EndReason, Event, TextDelta, ToolCallReady, ToolResult, TurnEnded
from agent.hands import Hands
from agent.intents import DirectCall
from agent.proving import Unproven, proven
from agent.running import Calls
from agent.template import Answered
from agent.tongue import Tongue
from agent.toolcalls.calls import CallFaulty, Parsed, Reasoning
from agent.toolcalls.reply import ReplyParser
from agent.tools.registry import Outcome, ParamKind, refused
from agent.tools.toolbox import Toolbox
from agent.turn import Turn

_REPLY_TOKENS = 2_048
_RESULT_CHARS = 4_000
_BRIEF_FILES = 40
_OFFERED_FILES = 400
_MOST_ALIKE = 2  # so often may one call be made in a turn; the next is refused
_MOST_PRUNED = 2
_RETRY_TEMPERATURE = 0.5
_AGAIN = "You have made this call twice in this request, with the same result. Do something else, or answer."
_RAN = "I ran the tests."
_LAST = "(There are no calls left in this turn: answer the user now.)"
_NO_STEPS = "there are no calls left in this turn"


@dataclass
class _Reply:
    """A reply while it is written, from `begun_tokens` on.

    `whole_tokens` is where its last whole part ends, but for `left_out`.
    """

    calls: Calls
    begun_tokens: int
    whole_tokens: int
    text: list[str] = field(default_factory=list[str])
    left_out: str = ""
    alike: int = 0  # calls that were refused because they had been made too often


class Native:
    """Works requests out with a model that knows tools.

    What it writes and what tools give stays in the conversation as it was, also when a turn is broken off.
    """

    def __init__(
        self,
        dialogue: Dialogue,
        hands: Hands,
        toolbox: Toolbox,
        tongue: Tongue,
    ) -> None:
        self._dialogue = dialogue
        self._hands = hands
        self._tools = toolbox
        self._tongue = tongue
        self._left: _Reply | None = None  # the reply that was not brought to its end
        self._was_interrupted = False

    @property
    def has_left(self) -> bool:
        """Whether the last turn was broken off, and is still to be put on record."""
        return self._left is not None

    async def settle(self) -> None:
        """Put on record what the last turn left when it was broken off, its tools brought to their end."""
        left, self._left = self._left, None
        if left is None:
            return
        outcomes = await left.calls.settle()
        try:
            await self._dialogue.rewind(left.whole_tokens)
            if left.left_out:
                await self._dialogue.put(left.left_out)
            if outcomes:
                await self._dialogue.results(_answered(outcomes), reply=False)
        except ContextFull:
            return  # there is no room for it: the whole turn is cut away
        self._dialogue.end()
        self._was_interrupted = True

    async def request(self, request: str, turn: Turn) -> AsyncGenerator[Event, None]:
        """Carry out one request; a `TurnEnded` says that it went otherwise."""
        await self._dialogue.warm()
        text = await self.opening(request)
        self._was_interrupted = False
        await self._dialogue.ask(text)
        seen: Counter[tuple[str, str]] = Counter()
        pruned, temperature, has_facts = 0, 0.0, False
        before_results, last_results = -1, list[Answered]()
        for step in range(turn.steps_left):
            turn.steps_left -= 1
            is_last = turn.steps_left == 0 and step > 0
            reply = self._left = self._new_reply(request)
            written = self._written(reply, seen, temperature, step, may_call=not is_last)
            try:
                async with aclosing(written), aclosing(proven(written, request, self._tools)) as said:
                    async for event in said:
                        yield event
            except Unproven:
                async for event in self._run_instead(reply, request, turn):
                    yield event
                return
            async with aclosing(reply.calls.results(is_whole=True)) as events:
                async for event in events:
                    if isinstance(event, ToolResult):
                        has_facts = has_facts or bool(event.summary_facts)
                    yield event
            outcomes = reply.calls.outcomes
            if not outcomes:
                self._left = None
                said = "".join(reply.text).strip()
                turn.told.append(f"said: {said}")
                if not said and not has_facts:
                    yield TurnEnded(EndReason.FAILED, "I have no answer to that.")
                return
            turn.told += [outcome.content for _, outcome in outcomes if outcome.ok]
            if self._has_changed(outcomes):
                for again in [signature for signature in seen if self._only_reads(signature[0])]:
                    del seen[again]  # it may give something else now
            temperature = 0.0
            if reply.alike == len(outcomes) and before_results >= 0:
                # Out of its sight: a model repeats what it sees itself repeat.
                pruned, temperature = pruned + 1, _RETRY_TEMPERATURE
                if pruned > _MOST_PRUNED:
                    break
                await self._dialogue.rewind(before_results)
                results = [*last_results[:-1], _with_note(last_results[-1], _AGAIN)]
            else:
                before_results = self._dialogue.mark()
                last_results = _answered(outcomes)
                results = last_results
            if turn.steps_left == 1:
                results = [*results[:-1], _with_note(results[-1], _LAST)]
            await self._dialogue.results(results)
            self._left = None
            if is_last:
                break
        self._left = None
        yield TurnEnded(EndReason.STEP_LIMIT, self._stuck(pruned))

    async def _run_instead(self, reply: _Reply, request: str, turn: Turn) -> AsyncGenerator[Event, None]:
        """A run of the tests in the place of a reply that states their result without one."""
        async with aclosing(reply.calls.results(is_whole=True)) as events:
            async for event in events:
                yield event
        turn.deeds += [outcome.content for _, outcome in reply.calls.outcomes]
        await self._dialogue.rewind(reply.begun_tokens)
        await self._dialogue.put(_RAN)
        self._left = None
        async for event in direct(DirectCall("run_tests"), request, turn, self._hands, self._tools):
            yield event

    async def opening(self, request: str) -> str:
        """What the model is asked for `request`."""
        interrupted = "(The user interrupted you here.)\n" if self._was_interrupted else ""
        brief = await asyncio.to_thread(self._brief) if self._dialogue.is_fresh else ""
        return f"{brief}{interrupted}{' '.join(request.split())}"

    async def beginning(self, words: str) -> str:
        """What `opening` will begin with, as more `words` follow."""
        return await self.opening(words)

    def _brief(self) -> str:
        """What the model should know of the project before it asks."""
        files = [path for path in self._tools.index.files if path.isprintable()]
        more = f" and {len(files) - _BRIEF_FILES} more" if len(files) > _BRIEF_FILES else ""
        name = self._tools.workspace.root.name
        return f"The project {name} has these files: {', '.join(files[:_BRIEF_FILES])}{more}.\n\n"

    def _offered(self) -> dict[str, dict[str, list[str]]]:
        """The files that calls may name; all of them, or any text where they are too many for a grammar."""
        files = [path for path in self._tools.index.files if path.isprintable()]
        if not files or len(files) > _OFFERED_FILES:
            return {}
        return {
            tool.name: {
                param.name: files
                for param in tool.params
                if param.is_required and param.kind is ParamKind.PATH
            }
            for tool in self._tools.registry
        }

    def _new_reply(self, request: str) -> _Reply:
        now = self._dialogue.mark()
        calls = Calls(self._hands, lambda tool, arguments: self._hands.carry_out(tool, arguments, request))
        return _Reply(calls, now, now)

    async def _written(
        self, reply: _Reply, seen: Counter[tuple[str, str]], temperature: float, seed: int, *, may_call: bool
    ) -> AsyncGenerator[Event, None]:
        """The reply as the model writes it; reading calls run meanwhile."""
        tongue = self._tongue
        parser = ReplyParser(tongue.format, tongue.tools, begins_in_thought=tongue.template.begins_in_thought)
        was_cut = False
        constraint = await asyncio.to_thread(lambda: tongue.constraint(self._offered()))
        pieces = self._dialogue.fill(constraint, _REPLY_TOKENS, temperature, seed)
        async with aclosing(pieces):
            async for piece in pieces:
                was_cut = piece.finish in CUT_SHORT
                events = self._read(parser.feed(piece.text), reply, seen, may_call=may_call)
                if parser.is_between:
                    reply.whole_tokens, reply.left_out = self._dialogue.mark(), ""
                for event in events:
                    yield event
                async for result in reply.calls.results(is_whole=False):
                    yield result
        events = self._read(parser.finish(was_cut=was_cut), reply, seen, may_call=may_call)
        reply.whole_tokens, reply.left_out = self._dialogue.mark(), ""
        for event in events:
            yield event

    def _read(
        self, parts: Sequence[Parsed], reply: _Reply, seen: Counter[tuple[str, str]], *, may_call: bool
    ) -> list[Event]:
        """The events of what was read; its calls are begun."""
        events: list[Event] = []
        for part in parts:
            if isinstance(part, Reasoning):
                continue
            if isinstance(part, TextDelta):
                reply.text.append(part.text)
            elif isinstance(part, CallFaulty):
                reply.calls.refuse(part.id, part.name, Outcome(False, f"error: {part.reason}"))
                continue
            elif isinstance(part, ToolCallReady):
                reply.whole_tokens, reply.left_out = self._dialogue.mark(), self._tongue.format.call_end
                self._take(part, reply, seen, may_call=may_call)
            events.append(part)
        return events

    def _take(
        self, call: ToolCallReady, reply: _Reply, seen: Counter[tuple[str, str]], *, may_call: bool
    ) -> None:
        signature = _signature(call.name, call.arguments)
        seen[signature] += 1
        if not may_call:
            reply.calls.refuse(call.id, call.name, Outcome(False, f"error: {_NO_STEPS}"))
        elif seen[signature] > _MOST_ALIKE:
            reply.alike += 1
            reply.calls.refuse(call.id, call.name, Outcome(False, f"error: {_AGAIN}"))
        elif call.name not in self._tools.registry or not self._tools.registry[call.name].for_model:
            reply.calls.refuse(call.id, call.name, refused(call.name, "there is no such tool"))
        else:
            reply.calls.add(call.id, self._tools.registry[call.name], call.arguments)

    def _only_reads(self, name: str) -> bool:
        return name not in self._tools.registry or self._tools.registry[name].read_only

    def _has_changed(self, outcomes: Sequence[tuple[str, Outcome]]) -> bool:
        return any(outcome.ok and not self._only_reads(name) for name, outcome in outcomes)

    def _stuck(self, pruned: int) -> str:
        if pruned > _MOST_PRUNED:
            return "I kept trying the same thing, so I stopped."
        return ""


def _signature(name: str, arguments: Mapping[str, Any]) -> tuple[str, str]:
    return name, json.dumps(dict(arguments), sort_keys=True)


def _answered(outcomes: Sequence[tuple[str, Outcome]]) -> list[Answered]:
    return [Answered(name, _short(outcome.content)) for name, outcome in outcomes]


def _with_note(answered: Answered, note: str) -> Answered:
    return Answered(answered.name, f"{answered.content}\n{note}")


def _short(content: str) -> str:
    """A result that is too long keeps its beginning and its end."""
    if len(content) <= _RESULT_CHARS:
        return content
    half = _RESULT_CHARS // 2
    return f"{content[:half]}\n… {len(content) - 2 * half} characters left out …\n{content[-half:]}"
