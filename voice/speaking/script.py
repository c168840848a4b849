"""Turns the events of one turn into the clauses that are said, as they come. Pure: no model, no clock."""

from __future__ import annotations

from agent.events import (
    ApprovalNeeded,
    EndReason,
    Event,
    Notice,
    TextDelta,
    ToolCallReady,
    ToolCallStarted,
    ToolResult,
    TurnEnded,
)
from agent.facts import (
    ChangesShown,
    CommandRun,
    Committed,
    Fact,
    FileEdited,
    FileRead,
    FilesRestored,
    Refused,
    TestsRun,
)
from voice.speaking.clauses import Clauses
from voice.speaking.code_aloud import code
from voice.speaking.digest import Digest
from voice.speaking.lists import Lists
from voice.speaking.narrate import narrate, tests_run_briefly
from voice.speaking.spoken_text import spoken

_DEEDS = (FileEdited, ChangesShown, Committed, CommandRun, FilesRestored)
_DEFAULT_DETAILS = {
    EndReason.STEP_LIMIT: "I stopped, because I had used up all my steps.",
    EndReason.TIME_LIMIT: "I stopped, because it took too long.",
    EndReason.CONTEXT_FULL: "I stopped, because this conversation has grown too long for me.",
    EndReason.FAILED: "Something went wrong, and I could not finish.",
}
_NOTHING = "I have no answer to that."
_NOTHING_AFTER_FAILURE = "That did not work, and I have no answer."


class Script:
    """One turn's script.

    What was done is said from facts, at once. What was only looked up on the way (listings, searches, status,
    refusals) is held back: prose or a deed after it makes it superfluous, the end of the turn brings it out.
    A failing test run is held until it is known whether work goes on: then it is said in short.
    """

    def __init__(self) -> None:
        self._clauses = Clauses()
        self._lists = Lists()
        self._digest = Digest()
        self._held: Fact | None = None
        self._last: list[str] = []
        self._read: FileRead | None = None
        self._has_spoken = False
        self._step_failed = False
        self._is_over = False

    def feed(self, event: Event, waiting_s: float | None = None) -> list[str]:
        """The clauses that `event` completes, ready for a synthesiser.

        `waiting_s` of what was said before are not heard yet; None: not known.
        """
        if isinstance(event, TextDelta):
            return self._prose(event.text, waiting_s)
        if isinstance(event, ToolResult):
            return self._result(event)
        if isinstance(event, (ToolCallStarted, ToolCallReady)):
            return self._flush_prose()
        if isinstance(event, ApprovalNeeded):
            return self._approval(event)
        if isinstance(event, Notice):
            return self._flush_prose() + self._spoken([event.text])  # no answer to what was asked
        if isinstance(event, TurnEnded):
            return self._end(event.reason, event.detail)
        return []

    def finish(self) -> list[str]:
        """What is left to be said when the events stop without a `TurnEnded`; nothing after one."""
        return [] if self._is_over else self._end(EndReason.ANSWERED, "")

    def left_out(self) -> list[str]:
        """What was only counted, of long lists, in words; empty when asked again."""
        kept, self._lists.kept = self._lists.kept, []
        return self._spoken(kept)

    def _prose(self, text: str, waiting_s: float | None) -> list[str]:
        said = self._release() if text.strip() and isinstance(self._held, TestsRun) else []
        if text.strip():
            self._held = None
        return said + self._say(self._spoken(self._shortened(self._clauses.feed(text, waiting_s))))

    def _flush_prose(self) -> list[str]:
        written = self._shortened(self._clauses.finish())
        return self._say(self._spoken([*written, *self._lists.finish()]))

    def _shortened(self, clauses: list[str]) -> list[str]:
        return [said for clause in clauses for said in self._lists.feed(clause)]

    def _result(self, result: ToolResult) -> list[str]:
        said = self._flush_prose()
        self._step_failed = not result.ok
        for fact in result.summary_facts:
            self._digest.see(fact)
            said += self._fact(fact)
        return said

    def _fact(self, fact: Fact) -> list[str]:
        if isinstance(fact, FileRead):
            self._read = fact
            return []
        if isinstance(fact, TestsRun):
            is_green = not fact.failed and not fact.errors
            self._held = None if is_green else fact
            return self._say_fact(fact) if is_green else []
        if isinstance(fact, _DEEDS):
            said = self._say_once(tests_run_briefly(self._held)) if isinstance(self._held, TestsRun) else []
            self._held = None
            return said + self._say_fact(fact)
        is_minor = isinstance(self._held, TestsRun) or isinstance(fact, Refused)
        if not (self._held and is_minor):
            self._held = fact
        return []

    def _approval(self, event: ApprovalNeeded) -> list[str]:
        said = self._flush_prose() + self._release()
        reason = f" {spoken(event.reason)}" if event.reason else ""
        return said + self._say([f"I need your word for this: {code(event.action)}.{reason} Shall I?"])

    def _end(self, reason: EndReason, detail: str) -> list[str]:
        said = self._flush_prose() + self._release()
        self._is_over = True
        if reason is not EndReason.CANCELLED and (digest := self._digest.sentence()):
            said += self._say([digest])
        if reason is not EndReason.ANSWERED:
            said += self._say(self._spoken([detail or _DEFAULT_DETAILS.get(reason, "")]))
        elif not self._has_spoken:
            nothing = [_NOTHING_AFTER_FAILURE if self._step_failed else _NOTHING]
            said += self._say((narrate(self._read) if self._read and not self._step_failed else []) + nothing)
        return said

    def _release(self) -> list[str]:
        """Says the fact that was held back."""
        held, self._held = self._held, None
        return self._say_fact(held) if held else []

    def _say_fact(self, fact: Fact) -> list[str]:
        return self._say_once(narrate(fact))

    def _say_once(self, clauses: list[str]) -> list[str]:
        """`clauses`, unless they are just what was said last."""
        return [] if clauses == self._last else self._say(clauses)

    def _spoken(self, clauses: list[str]) -> list[str]:
        return [said for said in map(spoken, clauses) if said]

    def _say(self, clauses: list[str]) -> list[str]:
        if clauses:
            self._has_spoken = True
            self._last = clauses
        return clauses
