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

from agent.errors import UtterError
from agent.models.store import ModelStore
from agent.tools.git import GitTools
from agent.tools.process import output_of, project_environment
from agent.workspace import Workspace
from voice import config
from voice.app import needed_models, open_agent, open_synthesiser, open_transcriber
from voice.audio.default_devices import watched
from voice.audio.duplex import DeviceNames, Duplex
from voice.audio.files import write_sound
from voice.audio.frames import SAMPLE_RATE, Samples
from voice.config import Settings
from voice.conversation import project_words
from voice.conversation.agent_turns import Approver
from voice.conversation.approvals import ApprovalSettings
from voice.conversation.errands import Errands, Services
from voice.conversation.listening import Models
from voice.conversation.live import LiveSession, Parts
from voice.conversation.player import InPrint, SpokenAloud
from voice.conversation.reading import Reader
from voice.conversation.session_settings import SessionSettings
from voice.conversation.turn_taking import HEARING, TurnSettings
from voice.conversation.turns import Replied, Stamped, Understood
from voice.conversation.work import WorkSettings
from voice.hearing.repository_names import RepositoryNames
from voice.hearing.smart_turn import SmartTurn
from voice.hearing.spoken_code import Written
from voice.hearing.transcribe import Heard
from voice.hearing.understanding import Understanding
from voice.hearing.vad import VoiceDetector
from voice.speaking.narrate import narrate
from voice.speaking.pronunciation import load_pronunciations, pronouncing, pronunciations_file
from voice.speaking.resampled import at_rate
from voice.speaking.synthesis import Synthesiser
from voice.speaking.verbosity import Verbosity

TURN_MODEL = "smart-turn"
_GIT_S = 5.0
_OTHERS = 5  # texts that an utterance may also have been, as another reading

# After so long a thread makes way for one that waits. Whisper's many short steps in NumPy let the threads of
# the sound and of the session go first each time; beside them and Python's 5 ms it took half as long again.
_SWITCH_S = 0.0002


def session_settings(settings: Settings) -> SessionSettings:
    """The session's own settings, of those of the user. Raises `UnsafePhrase`."""
    conversation = settings.conversation
    return SessionSettings(
        turns=TurnSettings(incomplete_s=conversation.pause_s),
        approvals=ApprovalSettings(
            phrase=conversation.approval_phrase, silence_s=conversation.approval_silence_s
        ),
        work=WorkSettings(join_s=conversation.join_s),
        hearing=replace(
            HEARING,
            pre_roll_s=settings.hearing.pre_roll_s,
            max_utterance_s=settings.hearing.max_utterance_s,
        ),
        wake_phrase=conversation.wake_phrase,
        is_push_to_talk=conversation.listening == "push-to-talk",
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
        stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(_SWITCH_S)
        # Each model keeps to the thread that loaded it.
        hearing, judging, speaking = (
            stack.enter_context(ThreadPoolExecutor(1, name)) for name in ("hearing", "judging", "speaking")
        )
        loop = asyncio.get_running_loop()
        session_of = session_settings(settings)
        workspace = Workspace(repository)
        is_spoken = hears and settings.conversation.voice_out == "tts"
        for name in (*needed_models(settings, store), *([TURN_MODEL] if hears else [])):
            await asyncio.to_thread(store.path, name)
        loading = asyncio.gather(
            *([loop.run_in_executor(hearing, open_transcriber, settings, store)] if hears else []),
            *([loop.run_in_executor(judging, lambda: SmartTurn(store.path(TURN_MODEL)))] if hears else []),
        )
        voice_loading = (
            loop.run_in_executor(speaking, _warm_voice, settings.speaking, store) if is_spoken else None
        )
        approver = Approver(settings.conversation.approval_phrase)
        opening = open_agent(settings, store, workspace, approver.approve, is_live=hears)
        agent = await stack.enter_async_context(opening)
        models: Models | None = None
        if hears:
            transcriber, turn_model = await loading
            detector = VoiceDetector(settings.hearing.vad_aggressiveness)
            models = Models(detector, transcriber, hearing, turn_model, judging)
        words_file = folder.parent / "words" / f"{workspace.root.name}.txt"
        pronunciations = load_pronunciations(pronunciations_file(words_file))
        voice = None if voice_loading is None else pronouncing(await voice_loading, pronunciations)

        player: SpokenAloud | InPrint

        async def change_voice(name: str | None) -> None:
            if not isinstance(player, SpokenAloud):
                raise UtterError("Nothing is said aloud in this session, so there is no voice to change.")
            wanted = replace_voice(settings.speaking, name)
            changed = await loop.run_in_executor(speaking, open_synthesiser, wanted, store)
            changed = pronouncing(changed, pronunciations)
            player.change_voice(at_rate(changed, player.sample_rate))

        environment = project_environment(os.environ, Path(sys.prefix))
        git = GitTools(workspace, environment)

        async def what_changed() -> list[str]:
            outcome = await git.diff({})
            return [clause for fact in outcome.facts for clause in narrate(fact)] or [outcome.content]

        async def branch() -> str:
            asked = ("git", "branch", "--show-current")
            said = await output_of(asked, workspace.root, environment, _GIT_S)
            return "" if said is None else said.decode("utf-8", "replace").strip()

        def heard_as(text: str) -> Heard | None:
            return None if models is None else models.transcriber.heard_as(text)

        async def also_heard(text: str) -> list[str]:
            heard = heard_as(text)
            others = () if heard is None else heard.others[:_OTHERS]
            return [(await understand(other)).text for other in others]

        words = project_words.load(words_file)
        services = Services(
            agent,
            approver,
            Reader(workspace),
            words_file,
            folder,
            what_changed,
            branch,
            change_voice,
            also_heard,
        )
        errands = Errands(services, words, Verbosity())

        understanding = Understanding(
            RepositoryNames(workspace), None if models is None else models.transcriber.expect
        )
        understanding.read_ahead()

        async def understand(text: str) -> Written:
            if text == errands.corrections.chosen:
                return Written(text, text, ())
            taught, heard = errands.words.applied(text), heard_as(text)
            evidence = heard.names if heard is not None and taught == text else {}
            written = await understanding.written(taught, errands.words.added_to({}), evidence)
            return replace(written, raw=text, taught=taught)

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
                defaults=None if sys.platform.startswith("linux") else watched,
            )
        keep = audio_keeper(folder, is_kept=settings.conversation.keep_audio)
        parts = Parts(duplex, models, agent, approver, errands, understand, keep)

        def told(stamped: Stamped) -> None:
            errands.see(stamped.moment)
            if isinstance(stamped.moment, Understood):
                understanding.came_up(stamped.moment.written.text)
            elif isinstance(stamped.moment, Replied):
                understanding.came_up(stamped.moment.text)
                understanding.read_ahead()
            tell(stamped)

        session = LiveSession(parts, session_of, told)
        player = (
            InPrint(session, chimes=settings.conversation.voice_out != "none")
            if voice is None
            else SpokenAloud(voice, speaking, session)
        )
        holder.append(player)
        session.player = player
        if duplex is not None:
            stack.callback(duplex.close)
            duplex.start()
        yield session


def _warm_voice(speaking: config.Speaking, store: ModelStore) -> Synthesiser:
    """The voice of a session; the first run loads what the phonemes need, and allocates."""
    voice = open_synthesiser(speaking, store)
    for _ in voice.synthesise("Ready."):
        pass
    return voice


def audio_keeper(folder: Path, *, is_kept: bool) -> Callable[[int, Samples], None] | None:
    """Writes what is said, by the number of the utterance, at 16 kHz; None where nothing is to be kept."""

    def keep(number: int, samples: Samples) -> None:
        write_sound(folder / f"utterance-{number}.wav", [samples], SAMPLE_RATE)

    return keep if is_kept else None


def replace_voice(speaking: config.Speaking, name: str | None) -> config.Speaking:
    """The settings of speech with another voice; None for the plain one."""
    return speaking.model_copy(update={"voice": name or config.Speaking().voice})
