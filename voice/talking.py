"""Builds a live session from settings: all models are loaded side by side, then it listens."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from agent.models.store import ModelStore
from agent.tools.git import GitTools
from agent.tools.process import output_of, project_environment
from agent.workspace import Workspace
from voice import config
from voice.app import needed_models, open_agent, open_synthesiser, open_transcriber
from voice.audio.duplex import DeviceNames, Duplex
from voice.config import Settings
from voice.conversation import project_words
from voice.conversation.agent_turns import Approver
from voice.conversation.approvals import ApprovalSettings
from voice.conversation.errands import Errands, Services
from voice.conversation.listening import Models
from voice.conversation.live import LiveSession, Parts
from voice.conversation.machine import SessionSettings
from voice.conversation.player import InPrint, SpokenAloud
from voice.conversation.reading import Reader
from voice.conversation.turn_taking import TurnSettings
from voice.conversation.turns import Stamped
from voice.conversation.work import WorkSettings
from voice.hearing.lexicon import Lexicon
from voice.hearing.smart_turn import SmartTurn
from voice.hearing.spoken_code import Written, write_out
from voice.hearing.vad import VoiceDetector
from voice.speaking.narrate import narrate
from voice.speaking.verbosity import Verbosity

TURN_MODEL = "smart-turn"
_GIT_S = 5.0


def session_settings(settings: Settings) -> SessionSettings:
    """The session's own settings, of those of the user. Raises `UnsafePhrase`."""
    conversation = settings.conversation
    return SessionSettings(
        turns=TurnSettings(incomplete_s=conversation.pause_s),
        approvals=ApprovalSettings(
            phrase=conversation.approval_phrase, silence_s=conversation.approval_silence_s
        ),
        work=WorkSettings(join_s=conversation.join_s),
        wake_phrase=conversation.wake_phrase,
    )


@asynccontextmanager
async def live_session(
    settings: Settings,
    store: ModelStore,
    repository: Path,
    folder: Path,
    tell: Callable[[Stamped], None],
    *,
    hears: bool = True,
) -> AsyncGenerator[LiveSession]:
    """A session on `repository`, written down in `folder`; with `hears` off, by keyboard alone.

    Raises `UtterError` when a model or a device is not there.
    """
    async with AsyncExitStack() as stack:
        # Each model keeps to the thread that loaded it.
        hearing, judging, speaking = (
            stack.enter_context(ThreadPoolExecutor(1, name)) for name in ("hearing", "judging", "speaking")
        )
        loop = asyncio.get_running_loop()
        session_of = session_settings(settings)
        workspace = Workspace(repository)
        is_spoken = settings.conversation.voice_out == "tts"
        for name in (*needed_models(settings, store), *([TURN_MODEL] if hears else [])):
            await asyncio.to_thread(store.path, name)
        loading = asyncio.gather(
            *([loop.run_in_executor(hearing, open_transcriber, settings, store)] if hears else []),
            *([loop.run_in_executor(judging, lambda: SmartTurn(store.path(TURN_MODEL)))] if hears else []),
        )
        voice_loading = (
            loop.run_in_executor(speaking, open_synthesiser, settings.speaking, store) if is_spoken else None
        )
        approver = Approver(settings.conversation.approval_phrase)
        agent = await stack.enter_async_context(open_agent(settings, store, workspace, approver.approve))
        models: Models | None = None
        if hears:
            transcriber, turn_model = await loading
            detector = VoiceDetector(settings.hearing.vad_aggressiveness)
            models = Models(detector, transcriber, hearing, turn_model, judging)
        voice = None if voice_loading is None else await voice_loading

        player: SpokenAloud | InPrint

        async def change_voice(name: str | None) -> None:
            wanted = replace_voice(settings.speaking, name)
            changed = await loop.run_in_executor(speaking, open_synthesiser, wanted, store)
            if isinstance(player, SpokenAloud):
                player.change_voice(changed)

        environment = project_environment(os.environ, Path(sys.prefix))
        git = GitTools(workspace, environment)

        async def what_changed() -> list[str]:
            outcome = await git.diff({})
            return [clause for fact in outcome.facts for clause in narrate(fact)] or [outcome.content]

        async def branch() -> str:
            asked = ("git", "branch", "--show-current")
            said = await output_of(asked, workspace.root, environment, _GIT_S)
            return "" if said is None else said.decode("utf-8", "replace").strip()

        words_file = folder.parent / "words" / f"{workspace.root.name}.txt"
        words = project_words.load(words_file)
        services = Services(
            agent, approver, Reader(workspace), words_file, folder, what_changed, branch, change_voice
        )
        errands = Errands(services, words, Verbosity())

        async def understand(text: str) -> Written:
            lexicon = await asyncio.to_thread(Lexicon.of, workspace)
            taught = Lexicon(lexicon.files, errands.words.added_to(lexicon.identifiers))
            written = write_out(errands.words.applied(text), taught)
            return replace(written, raw=text)

        holder: list[SpokenAloud | InPrint] = []
        duplex: Duplex | None = None
        if hears:
            names = DeviceNames(settings.audio.input_device, settings.audio.output_device)
            duplex = Duplex(
                names,
                22_050 if voice is None else voice.sample_rate,
                lambda sink: holder[0].attach(sink),
                cancels_echo=settings.audio.echo == "cancel",
                half_duplex=settings.audio.echo == "half-duplex",
            )
        parts = Parts(duplex, models, agent, approver, errands, understand)

        def told(stamped: Stamped) -> None:
            errands.see(stamped.moment)
            tell(stamped)

        session = LiveSession(parts, session_of, told)
        player = (
            InPrint(session) if voice is None or duplex is None else SpokenAloud(voice, speaking, session)
        )
        holder.append(player)
        session.player = player
        if duplex is not None:
            stack.callback(duplex.close)
            duplex.start()
        yield session


def replace_voice(speaking: config.Speaking, name: str | None) -> config.Speaking:
    """The settings of speech with another voice; None for the plain one."""
    return speaking.model_copy(update={"voice": name or config.Speaking().voice})
