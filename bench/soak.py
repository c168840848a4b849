"""A long session on virtual time: hours of talk in minutes, to see that nothing grows with them.

All is real but the two ends of the sound, Whisper, the judge of turns and the language model: the session and
its machine, detection of speech, echo cancellation, rings, time stretching, the agent with its tools and its
memory of changes, transcript, log and trace on the disk. Each minute holds a request that changes a file and
is allowed, one that is interrupted by "stop", a command, a cough; every third the devices are unplugged.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from unittest import mock

import numpy as np
import psutil
import soundfile

from agent.engine.scripted import ScriptedEngine
from agent.loop import Agent
from agent.permissions import Mode
from agent.template import ChatTemplate
from agent.tools.process import project_environment
from agent.tools.toolbox import Toolbox
from agent.undo import Timeline
from agent.workspace import Workspace
from bench import virtual_time
from bench.report import machine, table, write_section
from bench.virtual_portaudio import VirtualPortAudio
from voice.audio import duplex, microphone, speaker
from voice.audio.duplex import DeviceNames, Duplex
from voice.audio.frames import SAMPLE_RATE, Samples
from voice.conversation import trace
from voice.conversation.agent_turns import Approver
from voice.conversation.errands import Errands, Services
from voice.conversation.listening import Models
from voice.conversation.live import LiveSession, Parts
from voice.conversation.player import SpokenAloud
from voice.conversation.project_words import ProjectWords
from voice.conversation.reading import Reader
from voice.conversation.record import SessionRecord
from voice.conversation.session_settings import SessionSettings
from voice.conversation.turns import Stamped
from voice.hearing.spoken_code import Written
from voice.hearing.transcribe import Heard
from voice.hearing.vad import VoiceDetector
from voice.speaking.verbosity import Verbosity

HOURS = 8.0
CYCLE_S = 60.0
STEP_S = 0.02  # of one frame
RATE = 22_050
UNPLUGGED = 3  # of so many minutes one has a moment without devices
RECORDING = Path(__file__).resolve().parent.parent / "demo" / "requests" / "1-list-files.flac"
LINES = 200  # of the file that is changed

# When it is said in each minute, for how long, and what; noise when empty.
SAID = (
    (2.0, 1.2, "Set loan days to {n}."),
    (12.0, 0.5, "Yes."),
    (20.0, 1.2, "What files are in this project?"),
    (23.5, 0.5, "Stop."),
    (30.0, 0.3, ""),
    (36.0, 0.8, "What is going on?"),
    (45.0, 0.6, "Faster."),
    (50.0, 0.6, "Normal speed."),
)
_POOL = 4  # threads


@dataclass(frozen=True)
class Measure:
    """At one moment of the session: memory in bytes, threads, open files, and blocks that Python holds."""

    at_s: float
    memory: int
    threads: int
    files: int
    blocks: int


class Room:
    """The sound of the room, by the time since it began; what is said there is what Whisper hears."""

    def __init__(self) -> None:
        samples, rate = soundfile.read(RECORDING, dtype="float32")
        assert rate == SAMPLE_RATE
        self._speech = np.asarray(samples, np.float32)
        second = (0.001 * np.random.default_rng(1).standard_normal(SAMPLE_RATE)).astype(np.float32)
        self._noise = np.concatenate((second, second))
        self.portaudio = VirtualPortAudio(hear=self.hear)

    def hear(self, _first: int, n: int) -> Samples:
        """The last `n` samples before now."""
        end = round(self.portaudio.now_s * SAMPLE_RATE)
        first = (end - n) % SAMPLE_RATE
        block = self._noise[first : first + n].copy()
        second = (end - n) / SAMPLE_RATE % CYCLE_S
        for at_s, length_s, _ in SAID:
            if at_s <= second < at_s + length_s:
                start = round((second - at_s) * SAMPLE_RATE)
                piece = self._speech[SAMPLE_RATE // 4 :][start : start + n]
                block[: len(piece)] += piece
        return block

    def words(self) -> str:
        """What was said last."""
        minute, second = divmod(self.portaudio.now_s, CYCLE_S)
        before = [text for at_s, _, text in SAID if at_s < second]
        return (before[-1] if before else "").format(n=int(minute) % 30 + 1)


class Whisper:
    """Hears what is said in the room."""

    max_audio_s = 29.0

    def __init__(self, room: Room) -> None:
        self._room = room

    def transcribe(
        self, samples: Samples, speech_s: float, words: tuple[str, ...] = (), **_looks: Any
    ) -> Heard:
        text = self._room.words()
        return Heard(text, (), -0.2, 0.01, 1.0, None if text else "no words", len(samples) / SAMPLE_RATE, 0.1)

    def glimpse(self, samples: Samples, _is_wanted: Callable[[], bool]) -> str:
        return self._room.words()


class Judge:
    """All sounds complete to it."""

    def completeness(self, _samples: Samples) -> float:
        return 0.9


class Tone:
    """A voice that says a tone of a fifth of a second for each word."""

    sample_rate = RATE

    def synthesise(self, clause: str) -> Iterator[Samples]:
        n = RATE // 5
        for _ in clause.split():
            yield (0.2 * np.sin(np.arange(n) * 0.1)).astype(np.float32)


def soak(
    hours: float, every_s: float, folder: Path, *, cancels_echo: bool = True
) -> tuple[list[Measure], Counter[str]]:
    """Hold a session of `hours` in `folder`; gives a measure each `every_s`, and what happened how often."""
    room = Room()
    with ExitStack() as stack:
        for module in (duplex, microphone, speaker):
            stack.enter_context(mock.patch.object(module, "sounddevice", lambda: room.portaudio))
        return virtual_time.run(_session(hours * 3600, every_s, folder, room, cancels_echo))


async def _session(
    length_s: float, every_s: float, folder: Path, room: Room, cancels_echo: bool
) -> tuple[list[Measure], Counter[str]]:
    await _fill_pool()
    happened: Counter[str] = Counter()
    measures: list[Measure] = []
    with ThreadPoolExecutor(1) as worker, SessionRecord(folder / "session") as record:

        def tell(stamped: Stamped) -> None:
            errands.see(stamped.moment)
            record.tell(stamped)
            happened[type(stamped.moment).__name__] += 1

        agent, approver = _agent(folder)
        errands = _errands(agent, approver, folder)
        models = Models(VoiceDetector(), cast(Any, Whisper(room)), worker, cast(Any, Judge()), worker)
        players: list[SpokenAloud] = []
        ends = Duplex(DeviceNames(), RATE, lambda sink: players[0].attach(sink), cancels_echo=cancels_echo)

        async def understand(text: str) -> Written:
            return Written(text, text.replace("loan days", "loan_days"), ())

        clock = asyncio.get_running_loop().time
        parts = Parts(ends, models, agent, approver, errands, understand)
        session = LiveSession(parts, SessionSettings(), tell, clock)
        session.player = SpokenAloud(Tone(), worker, session)
        players.append(session.player)
        session.trace_to(lambda row: trace.append(folder / "session" / trace.FILE, row))
        ends.start()
        running = asyncio.ensure_future(session.run())
        try:
            await _pass_time(room, length_s, every_s, clock, measures)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            ends.close()
            await agent.close()
    return measures, happened


async def _fill_pool() -> None:
    """Start every thread of the pool of asyncio, which else come one by one as they are needed, and stay."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_POOL))
    together = threading.Barrier(_POOL)
    await asyncio.gather(*(loop.run_in_executor(None, together.wait) for _ in range(_POOL)))


async def _pass_time(
    room: Room, length_s: float, every_s: float, clock: Callable[[], float], measures: list[Measure]
) -> None:
    began_s, whole = clock(), room.portaudio.devices
    while (at_s := clock() - began_s) < length_s:
        minute, second = divmod(at_s, CYCLE_S)
        is_unplugged = minute % UNPLUGGED == UNPLUGGED - 1 and 54.0 <= second < 57.0
        room.portaudio.devices = ("", "") if is_unplugged else whole
        room.portaudio.pass_time(STEP_S)
        if at_s >= (len(measures) + 1) * every_s:
            measures.append(_measure(at_s))
        await asyncio.sleep(STEP_S)


def _measure(at_s: float) -> Measure:
    gc.collect()
    process = psutil.Process()
    return Measure(
        at_s,
        process.memory_info().rss,
        threading.active_count(),
        process.num_fds(),
        sys.getallocatedblocks(),
    )


def _agent(folder: Path) -> tuple[Agent, Approver]:
    project = folder / "project"
    project.mkdir()
    (project / "config.py").write_text("loan_days = 21\n" + "# a line\n" * LINES)
    engine = ScriptedEngine(lambda _prompt: "It is done.")
    workspace = Workspace(project)
    toolbox = Toolbox(
        workspace,
        project_environment(os.environ, Path(sys.prefix)),
        timeline=Timeline(workspace, folder / "undo"),
    )
    approver = Approver("yes I am sure")
    agent = Agent(
        engine, ChatTemplate(engine.chat_template), toolbox, approve=approver.approve, mode=Mode.ASK_FIRST
    )
    return agent, approver


def _errands(agent: Agent, approver: Approver, folder: Path) -> Errands:
    async def nothing(*_: object) -> Any:
        return []

    reader, words_file = Reader(Workspace(folder / "project")), folder / "words.txt"
    services = Services(agent, approver, reader, words_file, folder, nothing, nothing, nothing, nothing)
    return Errands(services, ProjectWords(), Verbosity())


def growth(measures: list[Measure]) -> dict[str, float]:
    """Of each thing in an hour, by a straight line through all but the first quarter, while it warms up."""
    kept = measures[len(measures) // 4 :]
    hours = np.array([one.at_s / 3600 for one in kept])
    return {
        name: float(np.polyfit(hours, [getattr(one, name) for one in kept], 1)[0])
        for name in ("memory", "threads", "files", "blocks")
    }


def main() -> bool:
    """Hold eight hours and write the section `soak`; False when something grows."""
    with tempfile.TemporaryDirectory() as folder:
        measures, happened = soak(HOURS, 900.0, Path(folder))
    slopes = growth(measures)
    rows = [
        [
            f"{one.at_s / 3600:.1f}",
            f"{one.memory / 2**20:.0f}",
            str(one.threads),
            str(one.files),
            str(one.blocks),
        ]
        for one in measures[3::4]
    ]
    told = ", ".join(f"{count} {name}" for name, count in happened.most_common())
    text = (
        f"`python -m bench soak`: {HOURS:g} simulated hours of a live session ({told}). In an hour, after the"
        f" first two: {slopes['memory'] / 2**20:+.1f} MiB of memory, {slopes['threads']:+.2f} threads,"
        f" {slopes['files']:+.2f} open files. {machine()}\n\n"
        + table(["hours", "memory MiB", "threads", "open files", "Python blocks"], rows)
    )
    write_section("soak", text)
    return slopes["memory"] < MOST_MEMORY and abs(slopes["threads"]) < 0.1 and abs(slopes["files"]) < 0.1


MOST_MEMORY = 4 * 2**20  # bytes in an hour; what was said and done in it is itself kept for the agent
