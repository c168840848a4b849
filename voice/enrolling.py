"""Builds enrolment from settings: who asks, who hears, and what is made and kept of what was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile as sf

from agent.models.store import ModelStore
from voice.app import open_segmenter, open_transcriber
from voice.audio.files import read_frames
from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.config import Settings
from voice.profiles.enrolment import Recorded
from voice.profiles.library import Library
from voice.profiles.profile import (
    Consent,
    EngineName,
    Kept,
    Voice,
    VoiceError,
    VoiceProfile,
    write_profile,
)
from voice.speaking.matching.bases import PIPER, kokoro_bases, piper_base
from voice.speaking.matching.fit import Base, Fitted, Hear, Target, fit
from voice.speaking.matching.likeness import SpeakerEncoder
from voice.speaking.synthesis import SynthesisError

Start = Literal["auto", "piper", "kokoro", "pocket", "coqui", "qwen3-tts", "chatterbox", "csm"]
CLONES: dict[Start, tuple[EngineName, str]] = {
    "pocket": ("pocket", "english"),
    "coqui": ("coqui", "xtts-v2"),
    "qwen3-tts": ("mlx", "qwen3-tts"),
    "chatterbox": ("mlx", "chatterbox"),
    "csm": ("mlx", "csm"),
}
"""What clones, each with its engine and what that calls the weights; all other starts are matched."""

ENCODER = "speaker-encoder"
_PIPER_MODEL, _KOKORO_MODEL = "piper-joe-split", "kokoro-float"
_WORTH = 0.02  # likeness by which the slower engine must be better


class Ears:
    """Whisper on what was read, whole or in pieces as long as it takes."""

    def __init__(self, settings: Settings, store: ModelStore) -> None:
        self._transcriber = open_transcriber(settings, store)
        self._hearing = settings.hearing

    def words(self, samples: Samples) -> str:
        """All that is heard in mono float32 at 16 kHz; "" for none."""
        whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
        after = 50 * FRAME_SAMPLES  # a second, which ends the last utterance
        frames = np.pad(samples[:whole], (10 * FRAME_SAMPLES, after)).reshape(-1, FRAME_SAMPLES)
        utterances = open_segmenter(self._hearing).run(frames)
        heard = (self._transcriber.transcribe(one.samples, one.speech_s).text for one in utterances)
        return " ".join(text for text in heard if text)


def open_encoder(store: ModelStore) -> SpeakerEncoder:
    """The judge of likeness. Raises `UtterError` when it is not there."""
    return SpeakerEncoder(store.path(ENCODER))


def read_recording(file: Path) -> Samples:
    """Mono float32 at 16 kHz, of any sound file. Raises `AudioFileError`."""
    return np.concatenate([np.zeros(0, np.float32), *read_frames(file)])


def keep(
    recorded: Recorded,
    start: Start,
    library: Library,
    store: ModelStore,
    encoder: SpeakerEncoder,
    *,
    hear: Hear,
    words: str = "",
    language: str = "en",
) -> Voice:
    """Make a voice of what was recorded, matched or (see `CLONES`) cloned, and add it to the library.

    `hear` judges whether a match is still understood. `words`: what is said at the beginning of the
    recording, for the engines that need it; `language`: what a cloned voice is to speak. Raises `VoiceError`
    when the recording holds too little voice, `ModelMissing` when a base is not there.
    """
    fitted = None if start in CLONES else _matched(recorded, start, store, encoder, hear)
    with library.adding(recorded.name) as folder:
        consent_text, consent_audio = folder / "consent.txt", folder / "consent.flac"
        consent_text.write_text(recorded.consent_text + "\n", encoding="utf-8")
        if recorded.consent is not None:
            sf.write(consent_audio, recorded.consent, SAMPLE_RATE, "PCM_16")
        reference = folder / "reference.flac"
        sf.write(reference, recorded.reference, SAMPLE_RATE, "PCM_16")
        made: dict[str, object]
        if fitted is None:
            engine, model = CLONES[start]
            made = {"engine": engine, "model": model, "language": language}
            if words:
                (folder / "words.txt").write_text(words, encoding="utf-8")
                made["words"] = Kept.of(folder / "words.txt")
        else:
            fitted.matching.save(folder / "matching.npz")
            is_piper = fitted.base == PIPER
            made = {
                "engine": "piper" if is_piper else "kokoro",
                "language": "en",
                "model": _PIPER_MODEL if is_piper else _KOKORO_MODEL,
                "voice": "" if is_piper else fitted.base,
                "matching": Kept.of(folder / "matching.npz"),
                "likeness": round(fitted.likeness, 3),
            }
        profile = VoiceProfile(
            **made,  # pyright: ignore[reportArgumentType]
            created=recorded.date,
            consent=Consent(
                name=recorded.name,
                date=recorded.date,
                text=Kept.of(consent_text),
                audio=None if recorded.consent is None else Kept.of(consent_audio),
            ),
            reference=Kept.of(reference),
        )
        write_profile(profile, folder)
    return library.load(recorded.name)


def _matched(
    recorded: Recorded, start: Start, store: ModelStore, encoder: SpeakerEncoder, hear: Hear
) -> Fitted:
    target = Target.of(recorded.reference, SAMPLE_RATE, encoder)
    if target is None or target.pitch.median_hz <= 0:
        raise VoiceError("There is too little voice in that. Read the sentences aloud, in your usual voice.")
    bases = _bases(start, store, target.pitch.median_hz)
    found = [best for group in bases if (best := fit(target, group, encoder, hear=hear)) is not None]
    if not found:
        raise SynthesisError("No voice to start from could be made to speak. Run `utter models verify`.")
    # Piper comes first and speaks ten times as fast, so Kokoro has to be worth it.
    return max(found, key=lambda one: one.worth + (_WORTH if one.base == PIPER else 0.0))


def _bases(start: Start, store: ModelStore, hz: float) -> Iterator[Sequence[Base]]:
    """What each engine can start from for a voice of that median pitch."""
    if start != "kokoro":
        yield [piper_base(store.path(_PIPER_MODEL))]
    if start == "kokoro" or (start == "auto" and store.is_ready(_KOKORO_MODEL)):
        yield list(kokoro_bases(store.path(_KOKORO_MODEL), hz))
