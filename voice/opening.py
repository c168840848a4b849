"""Builds the voice that settings name. A part of `app.py`, alone so that what only speaks starts soon."""

from __future__ import annotations

from pathlib import Path

from agent.models.hub import hub_folder
from agent.models.store import ModelStore
from voice import config
from voice.audio.watermark import Watermark
from voice.profiles.library import Library, own_folder
from voice.profiles.profile import Voice, VoiceError
from voice.speaking.synthesis import Synthesiser

WATERMARK = "watermark"


def library_of(settings: config.Speaking) -> Library:
    """The voices there are."""
    own = settings.voices_folder
    return Library(own_folder() if own is None else Path(own).expanduser())


def open_watermark(store: ModelStore) -> Watermark | None:
    """The mark for speech that is saved; None until its weights are fetched."""
    return Watermark(store.path(WATERMARK)) if store.is_ready(WATERMARK) else None


def open_synthesiser(settings: config.Speaking, store: ModelStore) -> Synthesiser:
    """The voice that the settings name."""
    return open_voice(library_of(settings).load(settings.voice), settings.speed, store)


def open_voice(voice: Voice, speed: float, store: ModelStore) -> Synthesiser:
    """One voice. Engines are imported here, so that only the one that speaks is loaded."""
    profile = voice.profile
    base: Synthesiser
    if profile.engine == "piper":
        from voice.speaking.engines.piper import PiperSynthesiser

        base = PiperSynthesiser(store.path(profile.model), speed)
    elif profile.engine == "kokoro":
        from voice.speaking.engines.kokoro import KokoroSynthesiser

        base = KokoroSynthesiser(store.path(profile.model), profile.voice, speed)
    elif profile.engine == "pocket" and profile.reference is not None:
        from voice.speaking.engines.pocket import STATE_FILE, PocketSynthesiser

        reference = voice.folder / profile.reference.file
        base = PocketSynthesiser(profile.model, reference, voice.folder / STATE_FILE)
    elif profile.engine == "coqui" and profile.reference is not None:
        from voice.speaking.engines.coqui import STATE_FILE, CoquiSynthesiser

        reference = voice.folder / profile.reference.file
        weights = hub_folder(profile.model)
        base = CoquiSynthesiser(weights, reference, voice.folder / STATE_FILE, profile.language, speed)
    elif profile.engine == "mlx" and profile.reference is not None:
        from voice.speaking.engines.mlx_audio import MlxAudioSynthesiser

        reference = voice.folder / profile.reference.file
        words = "" if profile.words is None else (voice.folder / profile.words.file).read_text("utf-8")
        base = MlxAudioSynthesiser(hub_folder(profile.model), reference, words, profile.language)
    else:
        raise VoiceError(f"The voice {voice.name} needs the engine {profile.engine}, which is not here.")
    if profile.matching is None:
        return base
    from voice.speaking.matching.matched import MatchedSynthesiser, Matching

    return MatchedSynthesiser(base, Matching.load(voice.folder / profile.matching.file))
