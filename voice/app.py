"""The composition root: the only place that builds concrete engines and tools from settings."""

from __future__ import annotations

import asyncio
import hashlib
import os
import platform
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import psutil

from agent import sandbox, undo
from agent.cache.entry import StoreLimits
from agent.engine.protocol import Engine
from agent.errors import UtterError
from agent.loop import Agent, Limits
from agent.models.store import ModelStore
from agent.permissions import Mode
from agent.permissions.approval import Approve, refuse
from agent.template import ChatTemplate
from agent.tongue import Tongue
from agent.tools.process import project_environment
from agent.tools.toolbox import Toolbox
from agent.workspace import Workspace
from voice import config
from voice.config import Settings
from voice.hearing.endpoint import EndpointSettings
from voice.hearing.segment import UtteranceSegmenter
from voice.hearing.transcribe import Transcriber
from voice.hearing.vad import VoiceDetector
from voice.opening import library_of as library_of
from voice.opening import open_synthesiser as open_synthesiser
from voice.opening import open_voice as open_voice


def engine_name(settings: Settings, store: ModelStore) -> str:
    """Which engine `auto` means: mlx on Apple silicon where the model has an MLX build, else llama.cpp."""
    if settings.engine.name != "auto":
        return settings.engine.name
    apple = (sys.platform, platform.machine()) == ("darwin", "arm64")
    return "mlx" if apple and _mlx_build(settings) in store.manifest.entries else "llamacpp"


def contexts_of(store: ModelStore) -> Path:
    """Where the engines keep the contexts that they save."""
    return store.root / "contexts"


def cache_limits(settings: Settings) -> StoreLimits:
    """What saved contexts may take."""
    cache = settings.cache
    gibs = (cache.disk_gib, cache.free_disk_gib, cache.parked_gib)
    return StoreLimits(*(int(gib * (1 << 30)) for gib in gibs))


def needed_models(settings: Settings, store: ModelStore) -> tuple[str, ...]:
    """The names in the model store of all that a session loads."""
    voice = library_of(settings.speaking).load(settings.speaking.voice).profile
    embedded = [voice.model] if voice.model in store.manifest.entries else []
    return (_whisper_build(settings), language_model(settings, store), *embedded)


def language_model(settings: Settings, store: ModelStore) -> str:
    """The name in the model store of the language model, in the build that its engine loads."""
    mlx = engine_name(settings, store) == "mlx"
    return _mlx_build(settings) if mlx else settings.models.language_model


async def open_engine(settings: Settings, store: ModelStore, *, is_live: bool = False) -> Engine:
    """Load the language model; if `is_live`, it gives way to what hears somebody speak.

    Raises `UtterError` when it is not there or cannot run.
    """
    contexts, limits = contexts_of(store), cache_limits(settings)
    context_tokens = settings.engine.context_tokens
    if engine_name(settings, store) == "mlx":
        from agent.engine.mlx import MlxEngine

        build = _mlx_build(settings)
        if build not in store.manifest.entries:
            builds = [name for name in store.manifest.entries if name.endswith("-mlx") and "coder" in name]
            raise UtterError(
                f"The model {settings.models.language_model} has no build for the engine mlx. Use the engine "
                f"llamacpp, or set models.language_model to {builds[0].removesuffix('-mlx')}."
            )
        return await MlxEngine.load(
            store.path(build),
            contexts,
            context_tokens=context_tokens,
            limits=limits,
            numbers=settings.engine.mlx_numbers,
        )
    from agent.engine.llama_server import LIVE_NICENESS, NICENESS
    from agent.engine.llamacpp import LlamaCppEngine

    model, free = await asyncio.gather(
        asyncio.to_thread(store.path, settings.models.language_model), asyncio.to_thread(free_cores)
    )
    threads = settings.engine.threads or free
    return await LlamaCppEngine.load(
        model,
        contexts,
        threads=threads,
        context_tokens=context_tokens,
        limits=limits,
        niceness=LIVE_NICENESS if is_live else NICENESS,
    )


def _whisper_build(settings: Settings) -> str:
    return f"{settings.models.speech_to_text}-mlx"


def _mlx_build(settings: Settings) -> str:
    return f"{settings.models.language_model}-mlx"


def free_cores(watch_s: float = 0.3) -> int:
    """Processor cores that other programs leave free, at least one; hardware threads are not counted twice.

    One thread more than there are free cores makes llama.cpp wait for the slowest of them at every step:
    on two cores with one of them busy, two threads decode 0.5 to 5 tokens a second and one decodes 15.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = min(allowed, psutil.cpu_count(logical=False) or allowed)
    own = psutil.Process()
    before_s, own_before_s = _busy_s(), sum(own.cpu_times()[:2])
    time.sleep(watch_s)
    others_s = _busy_s() - before_s - (sum(own.cpu_times()[:2]) - own_before_s)
    return max(1, cores - round(others_s / watch_s))


def _busy_s() -> float:
    """Seconds that all cores together have worked since the machine started."""
    times = psutil.cpu_times()
    return times.user + times.system + times.nice


def find_sandbox(settings: Settings, root: Path, cache: Path) -> sandbox.Found:
    """What confines the programs of the project at `root`, if anything does; `cache` is for their caches."""
    if settings.agent.sandbox == "off":
        return sandbox.Found(None, "it is switched off in the settings")
    return sandbox.find(root, cache, Path.home())


def _own_folder(store: ModelStore, name: str, root: Path) -> Path:
    """A folder of ours for one project."""
    return store.root / name / hashlib.sha256(os.fsencode(root)).hexdigest()[:16]


def open_toolbox(settings: Settings, store: ModelStore, workspace: Workspace) -> Toolbox:
    """The tools, confined and with a memory of what they change."""
    cache = _own_folder(store, "caches", workspace.root)
    undo_limits = undo.Limits(store_bytes=int(settings.agent.undo_gib * (1 << 30)))
    return Toolbox(
        workspace,
        project_environment(os.environ, Path(sys.prefix)),
        test_time_s=settings.agent.test_time_s,
        run_time_s=settings.agent.run_time_s,
        sandbox=find_sandbox(settings, workspace.root, cache).sandbox,
        timeline=undo.Timeline(workspace, _own_folder(store, "undo", workspace.root), undo_limits),
    )


@asynccontextmanager
async def open_agent(
    settings: Settings,
    store: ModelStore,
    workspace: Workspace,
    approve: Approve = refuse,
    *,
    is_live: bool = False,
) -> AsyncGenerator[Agent]:
    """The agent at work on `workspace`, where it goes on with its last session. `approve` asks the user.

    If `is_live`, somebody speaks to it meanwhile.

    The session is brought back in the background; a turn waits for it only when it needs the model.
    """
    tools = partial(open_toolbox, settings, store, workspace)
    loading = open_engine(settings, store, is_live=is_live)
    engine, toolbox = await asyncio.gather(loading, asyncio.to_thread(tools))
    try:
        limits = Limits(steps=settings.agent.max_steps, time_s=settings.agent.turn_time_s)
        mode, place = Mode(settings.agent.mode), str(workspace.root)
        template = ChatTemplate.of(engine)
        tongue = tongue_of(settings, store, engine, template, toolbox)
        agent = Agent(engine, template, toolbox, limits, approve, mode, place, tongue)
        warming = asyncio.ensure_future(_warmed(agent))
        try:
            yield agent
        finally:
            await agent.close()
            await warming
    finally:
        await engine.close()


def tongue_of(
    settings: Settings, store: ModelStore, engine: Engine, template: ChatTemplate, toolbox: Toolbox
) -> Tongue | None:
    """How the model calls tools by itself; None for one that is led in the guided dialect.

    Raises `UnknownFormat` for a model that is set to call tools and whose template has no way to.
    """
    known = store.manifest.language(settings.models.language_model)
    dialect = settings.agent.dialect
    if dialect == "auto":
        dialect = known.dialect if known is not None else "guided"
    if dialect == "guided":
        return None
    tool_format = known.tool_format if known is not None else ""
    return Tongue.of(template, toolbox.registry, engine.encode, tool_format)


async def _warmed(agent: Agent) -> None:
    with suppress(UtterError, asyncio.CancelledError):  # the turn that needs it tries again, and says why not
        await agent.warm()


def open_segmenter(settings: config.Hearing) -> UtteranceSegmenter:
    """Cuts a stream of frames into utterances."""
    endpoint = EndpointSettings(
        pre_roll_s=settings.pre_roll_s,
        end_silence_s=settings.endpoint_silence_s,
        max_utterance_s=settings.max_utterance_s,
    )
    return UtteranceSegmenter(VoiceDetector(settings.vad_aggressiveness), endpoint)


def open_transcriber(settings: Settings, store: ModelStore) -> Transcriber:
    """The Whisper model, warm. Call it on the thread that will transcribe."""
    model = store.path(_whisper_build(settings))
    transcriber = Transcriber(model, settings.hearing.language)
    transcriber.warm_up()
    return transcriber
