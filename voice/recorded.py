"""A spoken session from recordings: all models are loaded side by side, then it is ready to listen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent.models.store import ModelStore
from agent.workspace import Workspace
from voice import config
from voice.app import needed_models, open_agent, open_segmenter, open_synthesiser, open_transcriber
from voice.audio.frames import SAMPLE_RATE, Samples
from voice.audio.sink import OnHeard
from voice.audio.speaker import DeviceSink
from voice.config import Settings
from voice.conversation.clock import AudioClock, SessionClock, WallClock
from voice.conversation.files import SessionFiles
from voice.conversation.session import Ears, SpokenSession
from voice.conversation.speaker import ClockedSink, Speaker
from voice.conversation.turns import Stamped
from voice.hearing.repository_names import RepositoryNames
from voice.speaking.synthesis import Synthesiser


@asynccontextmanager
async def recorded_session(
    settings: Settings,
    store: ModelStore,
    repository: Path,
    files: SessionFiles,
    tell: Callable[[Stamped], None],
    *,
    play: bool,
) -> AsyncGenerator[SpokenSession]:
    """A session on `repository`. With `play`, both sides sound on the speakers, in real time."""
    async with AsyncExitStack() as stack:
        # Each model keeps to the thread that loaded it.
        hearing = stack.enter_context(ThreadPoolExecutor(1, "hearing"))
        speaking = stack.enter_context(ThreadPoolExecutor(1, "speaking"))
        loop = asyncio.get_running_loop()
        # First, so that a wrong folder or a missing model is told before anything is loaded.
        workspace = Workspace(repository)
        for name in needed_models(settings, store):
            await asyncio.to_thread(store.path, name)
        loading = asyncio.gather(
            loop.run_in_executor(hearing, open_transcriber, settings, store),
            loop.run_in_executor(speaking, open_synthesiser, settings.speaking, store),
        )
        agent = await stack.enter_async_context(open_agent(settings, store, workspace))
        transcriber, voice = await loading
        lexicon = RepositoryNames(workspace).lexicon
        ears = Ears(partial(open_segmenter, settings.hearing), transcriber, lexicon, hearing)
        stage = (
            _sounding(voice, speaking, files, settings.audio, stack)
            if play
            else _silent(voice, speaking, files)
        )
        files.record_sound(stage.speaker.sample_rate)
        yield SpokenSession(ears, agent, stage.speaker, stage.clock, tell, stage.hear_user)


@dataclass(frozen=True)
class _Stage:
    """Where a session sounds, and how its time goes."""

    clock: SessionClock
    speaker: Speaker
    hear_user: Callable[[Samples, float], Awaitable[None]]


def _silent(voice: Synthesiser, worker: Executor, files: SessionFiles) -> _Stage:
    clock = AudioClock()

    async def hear_user(samples: Samples, at_s: float) -> None:
        files.user(samples, at_s)

    def open_sink(rate: int, on_heard: OnHeard) -> ClockedSink:
        return ClockedSink(rate, clock, on_heard)

    return _Stage(clock, Speaker(voice, open_sink, worker, clock, files.utter), hear_user)


def _sounding(
    voice: Synthesiser, worker: Executor, files: SessionFiles, audio: config.Audio, stack: AsyncExitStack
) -> _Stage:
    clock = WallClock()

    def open_sink(rate: int, on_heard: OnHeard | None = None) -> DeviceSink:
        sink = DeviceSink(rate, audio.output_device, on_heard)
        stack.callback(sink.close)
        return sink

    user_sink = open_sink(SAMPLE_RATE)

    async def hear_user(samples: Samples, at_s: float) -> None:
        files.user(samples, at_s)
        await user_sink.write(samples)

    return _Stage(clock, Speaker(voice, open_sink, worker, clock, files.utter), hear_user)
