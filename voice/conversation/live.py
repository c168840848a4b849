"""The live session: hands frames, words and the agent's events to the machine, and does what it decides."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from agent.loop import Agent
from voice.audio.duplex import Duplex
from voice.audio.earcons import Earcon
from voice.audio.echo import Cleaned
from voice.audio.frames import Samples
from voice.audio.level import ADVICE, Complaint, LevelSettings, LevelWatch
from voice.conversation.agent_turns import AgentTurns, Approver
from voice.conversation.approvals import Approved, Denied
from voice.conversation.command_table import Name
from voice.conversation.commands import Spoken
from voice.conversation.device_watch import watch_devices
from voice.conversation.errands import Errands
from voice.conversation.listening import Listening, Models
from voice.conversation.machine import SessionMachine, State
from voice.conversation.player import Player
from voice.conversation.session_settings import SessionSettings
from voice.conversation.signals import (
    Begin,
    CutPlayback,
    CutTurn,
    Decision,
    Foresee,
    Frame,
    Input,
    ItemHeard,
    KillTools,
    Notice,
    PausePlayback,
    Perform,
    Prepare,
    Resolve,
    ResumePlayback,
    Say,
    Sound,
    Taken,
    Took,
    TurnOver,
    Typed,
    Withdraw,
)
from voice.conversation.trace import Tracer, TraceRow
from voice.conversation.turn_events import Glimpse, Judge, Transcribe
from voice.conversation.turns import (
    Answered,
    CommandDone,
    Interrupted,
    Moment,
    NotTaken,
    Saying,
    Sounded,
    Stamped,
    Told,
    UtteranceHeard,
    Wrote,
)
from voice.hearing.endpoint import FRAME_S
from voice.hearing.spoken_code import Written

_TICK_S = 0.01
_DEAD_S = 8.0
_TAKEN_AS_WORK = (Taken.REQUEST, Taken.ANSWER, Taken.LATER, Taken.DICTATED)
_TAKEN_AS_SPEECH = (*_TAKEN_AS_WORK, Taken.COMMAND)


@dataclass(frozen=True)
class Parts:
    """What a live session is made of."""

    duplex: Duplex | None  # None: keyboard and screen alone
    models: Models | None
    agent: Agent
    approver: Approver
    errands: Errands
    understand: Callable[[str], Awaitable[Written]]
    keep_audio: Callable[[int, Samples], None] | None = None  # of each utterance; None: nothing is written


class LiveSession:
    """One conversation, from `run` to "goodbye". `tell` gets every moment.

    It is the `Listener` of its player, which is given after it is made.
    """

    def __init__(
        self,
        parts: Parts,
        settings: SessionSettings,
        tell: Callable[[Stamped], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`clock` in seconds; session time counts from now."""
        self._duplex = parts.duplex
        self._errands = parts.errands
        self._approver = parts.approver
        self._machine = SessionMachine(settings)
        self._tell_stamped = tell
        self._clock = clock
        self._began = clock()
        self._last_s = 0.0
        self._inbox: deque[tuple[Input, float]] = deque()
        self._is_stepping = False
        self._listening = (
            None
            if parts.models is None
            else Listening(parts.models, self.give, self.notice, parts.keep_audio)
        )
        self._agent = parts.agent
        self._turns = AgentTurns(
            parts.agent,
            parts.understand,
            self.give,
            self._tell,
            self.now,
            parts.approver,
            parts.errands.verbosity,
            lambda: self.player.waiting_s(),
        )
        self._level = LevelWatch(LevelSettings(dead_s=_DEAD_S))
        self._complaints: deque[Complaint] = deque()  # to be told
        self._has_sound = False
        self._tracer = Tracer(self.now)
        self._keep_row: Callable[[TraceRow], None] | None = None
        self._silent_until_s = 0.0  # session time up to which frames were given
        self._jobs: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self.player: Player
        parts.approver.connect(self.give)
        parts.errands.connect(self)

    # ---------------------------------------------------------------------------------------- from outside

    @property
    def machine(self) -> SessionMachine:
        """What it is doing, and what may be said."""
        return self._machine

    def now(self) -> float:
        """Session time in seconds."""
        return self._clock() - self._began

    def give(self, given: Input) -> None:
        """Something happened at this moment."""
        if not isinstance(given, Frame):
            self._hear_frames()  # what the microphone took before it comes first
        if isinstance(given, Typed):
            self._tell(Wrote(given.text))
        self._inbox.append((given, self.now()))
        self._step()
        if isinstance(given, TurnOver):
            self._trace_turn()

    def trace_to(self, keep: Callable[[TraceRow], None]) -> None:
        """Hand out the row of each turn when it is known."""
        self._keep_row = keep

    def began(self, item: int) -> None:
        """The player: the first of an item is heard."""
        self._tracer.sounds(item)
        self._trace_turn()

    def heard(self, item: int) -> None:
        """The player: an item was heard to its end."""
        self._turns.reply.heard(item)
        self.give(ItemHeard(item))

    async def listen_again(self) -> str | None:
        """The words of what was not understood last, listened to once more; None when all was understood."""
        return None if self._listening is None else await self._listening.again()

    def notice(self, text: str) -> None:
        """Say something about the session."""
        self._tell(Told(text))
        self.give(Notice(text))

    def do(self, work: Awaitable[None]) -> None:
        """Carry out something that takes time, beside all else."""
        job = asyncio.ensure_future(work)
        self._jobs.add(job)
        job.add_done_callback(self._job_done)

    def end(self) -> None:
        """The session is over."""
        self._over.set()

    async def run(self) -> None:
        """Until the user says goodbye, or it is cancelled."""
        tasks = [asyncio.create_task(self.player.run()), asyncio.create_task(self._tick())]
        if self._listening is not None:
            tasks.append(asyncio.create_task(self._listening.run()))
        if self._duplex is not None:
            watching = watch_devices(self._duplex, self.notice, self._is_open_again)
            tasks.append(asyncio.create_task(watching))
            self.do(self._duplex.follow())
        over = asyncio.create_task(self._over.wait())
        try:
            done, _ = await asyncio.wait([*tasks, over], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # raises what went wrong
        finally:
            left: list[asyncio.Task[Any]] = [*tasks, over, *self._jobs]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await self._turns.close()
            await self._agent.stop()

    # --------------------------------------------------------------------------------------------- hearing

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self._hear_frames()
            self._step()

    def _hear_frames(self) -> None:
        """All that has come since; where no microphone is, silence, so that time goes on."""
        duplex, now_s = self._duplex, self.now()
        frames = [] if duplex is None else duplex.frames()
        for n, frame in enumerate(frames):
            self._frame(frame, now_s - (len(frames) - 1 - n) * FRAME_S)
        if frames:
            self._silent_until_s = now_s
        is_deaf = duplex is None or duplex.is_muted or not duplex.present.microphone
        while is_deaf and self._silent_until_s + FRAME_S <= now_s:
            self._silent_until_s += FRAME_S
            self._frame(None, self._silent_until_s)
        while self._complaints:  # only now: to say one is to hear what came meanwhile
            self.notice(ADVICE[self._complaints.popleft()])

    def _frame(self, frame: Cleaned | None, at_s: float) -> None:
        if self._listening is None:
            self._inbox.append((Frame(False), at_s))
            return
        given = self._listening.take(frame)
        self._inbox.append((given, at_s))
        if frame is not None:
            told = self._level.process(
                frame.samples, is_speech=given.is_speech, is_own_voice=given.is_own_voice
            )
            self._has_sound = self._has_sound or bool(frame.samples.any())
            # A microphone that cuts off noise by itself is silent between words.
            self._complaints += [one for one in told if one is not Complaint.DEAD or not self._has_sound]

    def _step(self) -> None:
        """Give all inputs to the machine in their order, and carry out what it decides."""
        if self._is_stepping:
            return
        self._is_stepping = True
        try:
            while self._inbox:
                given, at_s = self._inbox.popleft()
                self._last_s = max(self._last_s, at_s)
                for decision in self._machine.step(given, self._last_s):
                    self._carry_out(decision)
        finally:
            self._is_stepping = False
        if self._listening is not None:
            self._listening.forget(self._machine.needed_from)

    # ------------------------------------------------------------------------------------------- decisions

    def _carry_out(self, decision: Decision) -> None:
        if isinstance(decision, Transcribe):
            self._tracer.pauses(decision, self._last_s)
            if self._listening is not None:
                self._listening.transcribe(decision)
        elif isinstance(decision, Judge):
            if self._listening is not None:
                self._listening.judge(decision)
        elif isinstance(decision, Glimpse):
            if self._listening is not None:
                self._listening.glimpse(decision)
        elif isinstance(decision, Foresee):
            self._turns.foresee(decision.text)
        elif isinstance(decision, Prepare):
            self._turns.prepare(decision.turn, decision.text)
        elif isinstance(decision, Begin):
            self._tracer.begins(decision.turn)
            self._turns.begin(decision.turn, decision.text)
        elif isinstance(decision, (Withdraw, CutTurn)):
            self._end_turn()
        elif isinstance(decision, Say):
            self._say(decision)
        elif isinstance(decision, PausePlayback):
            self.player.pause()
        elif isinstance(decision, ResumePlayback):
            self.player.resume()
        elif isinstance(decision, CutPlayback):
            heard = self.player.cut()
            self._turns.reply.cut(heard)
            self._tell(Interrupted(heard))
        elif isinstance(decision, Took):
            self._took(decision)
        elif isinstance(decision, Resolve):
            self._resolve(decision.verdict)
        elif isinstance(decision, KillTools):
            self.do(self._kill_tools())
        elif isinstance(decision, Sound):
            self._sound(decision.earcon)
        else:
            self._perform(decision)

    def _say(self, said: Say) -> None:
        trace = self._turns.trace
        self._tracer.says(said.item, 0 if trace is None else trace.number)
        self._tell(Saying(said.text))
        self._turns.reply.says(said.item, said.text)
        self.player.say(said.item, said.text)

    def _end_turn(self) -> None:
        self._turns.end()
        self._trace_turn(is_ended=True)

    def _took(self, took: Took) -> None:
        heard = None if self._listening is None else self._listening.heard
        if self._listening is not None and took.taken in _TAKEN_AS_WORK:
            self._listening.understood()
        if took.taken in _TAKEN_AS_SPEECH and heard is not None:
            self._tell(UtteranceHeard(replace(heard, text=took.text, rejected=None), heard.audio_s))
        elif took.text or took.taken is not Taken.NOISE:
            self._tell(NotTaken(took.text, took.taken.value.replace("_", " ")))
        elif heard is not None and heard.rejected:
            self._tell(NotTaken("", heard.rejected))

    def _resolve(self, verdict: Approved | Denied) -> None:
        why = verdict.why.value if isinstance(verdict, Denied) else ""
        self._tell(Answered(verdict.question.action, not why, verdict.words, why))
        self._approver.resolve(verdict)

    def _sound(self, earcon: Earcon) -> None:
        self._tell(Sounded(earcon.value))
        self.player.chime(earcon)

    def _perform(self, perform: Perform) -> None:
        self._tell(CommandDone(perform.spoken.name.value))
        if perform.spoken.name is Name.MUTE:
            self._mute(is_muted=True)
        elif perform.spoken.name is Name.UNMUTE:
            self._mute(is_muted=False)
        elif perform.spoken.name is Name.GOODBYE:
            self.end()
        else:
            self._errand(perform.spoken)

    def _errand(self, spoken: Spoken) -> None:
        self.do(self._errands.run(spoken))

    def _mute(self, *, is_muted: bool) -> None:
        if self._duplex is not None:
            self._duplex.is_muted = is_muted
            self._is_open_again()
        self._sound(Earcon.ASLEEP if is_muted else Earcon.AWAKE)
        self.notice("The microphone is off. The key 1 opens it." if is_muted else "The microphone is on.")

    async def _kill_tools(self) -> None:
        ended = await self._agent.stop()
        names = ", ".join(name.replace("_", " ") for name in ended)
        self.notice(
            f"Stopped. I ended what was running: {names}." if names else "Stopped. Nothing was running."
        )

    # ------------------------------------------------------------------------------------------- the rest

    def _is_open_again(self) -> None:
        self._silent_until_s = self.now()

    def _trace_turn(self, *, is_ended: bool = False) -> None:
        """Write the turn's times down, as soon as all of them are known."""
        trace, listening = self._turns.trace, self._listening
        heard = None if listening is None else listening.heard
        if trace is None:
            return
        row = self._tracer.row(trace, 0.0 if heard is None else heard.transcription_s, is_ended=is_ended)
        if row is not None and self._keep_row is not None:
            try:
                self._keep_row(row)
            except OSError as error:
                self._keep_row = None
                self.notice(f"The times of the turns are not kept any longer: {error.strerror}.")

    def _job_done(self, job: asyncio.Task[None]) -> None:
        self._jobs.discard(job)
        if not job.cancelled() and job.exception() is not None:
            self.notice(f"That did not work: {job.exception()}")

    def _tell(self, moment: Moment) -> None:
        self._tell_stamped(Stamped(self.now(), moment))

    @property
    def state(self) -> State:
        """What it is doing now."""
        return self._machine.state
