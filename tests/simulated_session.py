"""A small world for the session machine: a user, an agent and a speaker, on a clock of 20 ms frames."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from voice.conversation.approvals import Approved, Question
from voice.conversation.machine import SessionMachine, State
from voice.conversation.session_settings import SessionSettings
from voice.conversation.signals import (
    Asked,
    Begin,
    Clause,
    CutPlayback,
    CutTurn,
    Decision,
    Frame,
    Glimpsed,
    Input,
    ItemHeard,
    Judged,
    Kind,
    PausePlayback,
    Resolve,
    ResumePlayback,
    Say,
    Took,
    ToolBegan,
    ToolEnded,
    Transcribed,
    TurnOver,
    Withdraw,
)
from voice.conversation.turn_events import Glimpse, Judge, Transcribe

FRAME_S = 0.02
WORD_S = 0.3  # that Utter takes for a word


@dataclass(frozen=True)
class Burst:
    """The user sounds from `at_s` for `length_s`: words, or noise when `text` is empty."""

    at_s: float
    length_s: float
    text: str
    completeness: float = 0.9
    logprob: float = -0.2

    @property
    def end_s(self) -> float:
        return self.at_s + self.length_s


@dataclass(frozen=True)
class Speak:
    text: str
    after_s: float = 0.2


@dataclass(frozen=True)
class Tool:
    length_s: float
    doing: str = "running the tests"
    has_effect: bool = False


@dataclass(frozen=True)
class Ask:
    question: Question


Step = Speak | Tool | Ask


@dataclass
class World:
    """`answers` are the steps of the agent's turns, as they begin; after those it says "Done."."""

    bursts: Sequence[Burst]
    answers: Sequence[Sequence[Step]] = ()
    transcription_s: float = 0.3
    settings: SessionSettings = field(default_factory=SessionSettings)

    def __post_init__(self) -> None:
        self.machine = SessionMachine(self.settings)
        self.now_s = 0.0
        self.log: list[tuple[float, Decision]] = []
        self.states: list[State] = []
        self.heard: list[tuple[float, str]] = []  # what Utter said to its end, and when it ended
        self.approved_s: list[tuple[float, Question]] = []
        self.longest_overlap_s = 0.0
        self._overlap_s = 0.0
        self._due: list[tuple[float, int, int, Input]] = []  # time, order, turn or 0, input
        self._order = count()
        self._playing: list[list[object]] = []  # [item, text, seconds left]
        self._is_held = False
        self._heard_in: dict[int, list[Burst]] = {}
        self._answers = list(self.answers)
        self._steps: dict[int, list[Step]] = {}

    def run(self, until_s: float) -> World:
        """Let time go by, frame by frame."""
        while self.now_s < until_s - 1e-9:
            self.now_s = round(self.now_s + FRAME_S, 6)
            self._play()
            while self._due and self._due[0][0] <= self.now_s:
                _, _, _, given = heapq.heappop(self._due)
                self.give(given)
            self.give(Frame(any(burst.at_s <= self.now_s < burst.end_s for burst in self.bursts)))
            self.states.append(self.machine.state)
        return self

    def give(self, given: Input) -> None:
        for decision in self.machine.step(given, self.now_s):
            self.log.append((self.now_s, decision))
            self._carry_out(decision)

    def decisions(self, kind: type) -> list:
        return [decision for _, decision in self.log if isinstance(decision, kind)]

    def times(self, kind: type) -> list[float]:
        return [round(at_s, 2) for at_s, decision in self.log if isinstance(decision, kind)]

    def requests(self) -> list[str]:
        """The requests that were begun and not withdrawn."""
        withdrawn = {decision.turn for decision in self.decisions(Withdraw)}
        return [begin.text for begin in self.decisions(Begin) if begin.turn not in withdrawn]

    def taken(self) -> list[tuple[str, str]]:
        return [(took.text, took.taken.value) for took in self.decisions(Took)]

    def said(self) -> list[str]:
        return [text for _, text in self.heard]

    # ------------------------------------------------------------------------------------- the effects

    def _carry_out(self, decision: Decision) -> None:
        if isinstance(decision, Transcribe):
            self._transcribe(decision)
        elif isinstance(decision, Glimpse):
            present = [burst.text for burst in self.bursts if burst.at_s <= self.now_s < burst.end_s]
            self._later(self.transcription_s, Glimpsed(decision.utterance, " ".join(present)))
        elif isinstance(decision, Judge):
            bursts = [burst for burst in self.bursts if burst.at_s <= self.now_s]
            score = bursts[-1].completeness if bursts else 0.0
            self._later(0.08, Judged(decision.utterance, decision.revision, score))
        elif isinstance(decision, Begin):
            answer = self._answers.pop(0) if self._answers else [Speak("Done.")]
            self._steps[decision.turn] = list(answer)
            self._go_on(decision.turn, 0.0)
        elif isinstance(decision, (CutTurn, Withdraw)):
            self._steps.pop(decision.turn, None)
            self._due = [due for due in self._due if due[2] != decision.turn]
            heapq.heapify(self._due)
        elif isinstance(decision, Say):
            self._playing.append([decision.item, decision.text, WORD_S * len(decision.text.split())])
        elif isinstance(decision, (PausePlayback, ResumePlayback)):
            self._is_held = isinstance(decision, PausePlayback)
        elif isinstance(decision, CutPlayback):
            self._playing.clear()
            self._is_held = False
        elif isinstance(decision, Resolve):
            if isinstance(decision.verdict, Approved):
                self.approved_s.append((self.now_s, decision.verdict.question))
            for turn in list(self._steps):
                steps = self._steps[turn]
                if steps and isinstance(steps[0], Ask) and steps[0].question == decision.verdict.question:
                    steps.pop(0)
                    self._go_on(turn, 0.0)

    def _transcribe(self, asked: Transcribe) -> None:
        heard = self._heard_in.setdefault(asked.utterance, [])
        known = [burst for bursts in self._heard_in.values() for burst in bursts]
        first_s = asked.first_frame * FRAME_S
        present = [burst for burst in self.bursts if burst.at_s <= self.now_s and burst.end_s > first_s]
        heard += [burst for burst in present if burst not in known]
        text = " ".join(burst.text for burst in heard if burst.text)
        logprob = min((burst.logprob for burst in heard), default=0.0)
        self._later(self.transcription_s, Transcribed(asked.utterance, asked.revision, text, logprob))

    def _go_on(self, turn: int, after_s: float) -> None:
        """Schedule the agent's steps up to the next question."""
        steps = self._steps[turn]
        while steps:
            step = steps[0]
            if isinstance(step, Ask):
                self._later(after_s, Asked(turn, step.question), turn)
                return
            steps.pop(0)
            if isinstance(step, Speak):
                after_s += step.after_s
                self._later(after_s, Clause(turn, step.text), turn)
            else:
                self._later(after_s, ToolBegan(turn, step.doing, step.has_effect), turn)
                after_s += step.length_s
                self._later(after_s, ToolEnded(turn), turn)
        self._later(after_s + 0.1, TurnOver(turn), turn)

    def _later(self, after_s: float, given: Input, turn: int = 0) -> None:
        heapq.heappush(self._due, (self.now_s + after_s, next(self._order), turn, given))

    def _play(self) -> None:
        if not self._playing or self._is_held:
            self._overlap_s = 0.0
            return
        is_user = any(burst.text and burst.at_s <= self.now_s < burst.end_s for burst in self.bursts)
        self._overlap_s = self._overlap_s + FRAME_S if is_user else 0.0
        self.longest_overlap_s = max(self.longest_overlap_s, self._overlap_s)
        first = self._playing[0]
        first[2] = float(first[2]) - FRAME_S  # type: ignore[arg-type]
        if first[2] <= 0:
            self._playing.pop(0)
            self.heard.append((self.now_s, str(first[1])))
            self.give(ItemHeard(int(first[0])))  # type: ignore[call-overload]


__all__ = ["Ask", "Burst", "Kind", "Speak", "Step", "Tool", "World"]
