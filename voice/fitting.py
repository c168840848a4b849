"""Fits a style to a voice that is there already, and keeps it only if it is better: `utter voices fit`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soxr
from filelock import FileLock, Timeout

from agent.models.store import ModelStore
from voice.audio.frames import SAMPLE_RATE
from voice.enrolling import read_recording
from voice.profiles.library import Library
from voice.profiles.profile import Kept, Voice, VoiceError
from voice.speaking.engines.kokoro import KokoroSynthesiser
from voice.speaking.matching.dnsmos import Dnsmos
from voice.speaking.matching.fit import Hear, Target, word_errors
from voice.speaking.matching.likeness import SpeakerEncoder, likeness
from voice.speaking.matching.matched import MatchedSynthesiser, Matching
from voice.speaking.matching.style import Judged, Shares, is_worth, matched_on, score_of, search
from voice.speaking.synthesis import Synthesiser

_SENTENCE = "While the kettle boiled, my neighbour told us about a journey through the northern hills."
"""What both are judged on: none of the prompts of the search."""

_TUNED = 2 / 3  # of the reference; the rest judges


def fit_style(
    voice: Voice,
    library: Library,
    store: ModelStore,
    encoder: SpeakerEncoder,
    hear: Hear,
    tell: Callable[[str], None],
) -> bool:
    """Search for a better style for a voice matched on Kokoro; gives whether one was kept.

    Nothing is written before the end, so it can be stopped at any moment; a voice that is changed or removed
    meanwhile stops it. While another is being fitted, it waits. Raises `VoiceError` for a voice of another
    kind.
    """
    profile = voice.profile
    if (
        profile.engine != "kokoro"
        or profile.matching is None
        or profile.reference is None
        or voice.is_shipped
    ):
        raise VoiceError(
            f"The voice {voice.name} is not matched on Kokoro, so it has no style to fit. "
            "Add it with `--base kokoro`."
        )
    dnsmos = Dnsmos(store.path("dnsmos"))
    lock = FileLock(library.own / ".fitting.lock")
    try:
        held = lock.acquire(blocking=False)
    except Timeout:
        tell("Another voice is being fitted; this one is next.")
        held = lock.acquire()
    with held:
        if not library.has(voice):
            return False
        reference = read_recording(voice.folder / profile.reference.file)
        tuning, held_out = np.split(reference, [int(_TUNED * len(reference))])
        target = Target.of(tuning, SAMPLE_RATE, encoder)
        if target is None:
            raise VoiceError("There is too little voice in the recording to fit a style to.")
        kokoro = KokoroSynthesiser(store.path(profile.model), profile.voice)
        start: Shares = {profile.voice: 1.0} if isinstance(profile.voice, str) else dict(profile.voice)
        before = Matching.load(voice.folder / profile.matching.file)
        shares = start
        score = score_of(kokoro, target, encoder, before.shift.formants)
        for count, (found, best) in enumerate(search(kokoro.voices, start, score), 1):
            shares = found
            if not library.has(voice):
                return False
            if count % 10 == 1:
                tell(f"{count} tried, likeness {best:.2f}")
        if shares == start:
            return False
        # The match that is there had the whole recording to go by, so one is judged that had this part.
        old_fitted, fitted = (matched_on(kokoro, one, target, encoder, hear) for one in (start, shares))
        if fitted is None or old_fitted is None:
            return False
        aim = encoder.embed(held_out, SAMPLE_RATE)

        def judged(style: Shares, matching: Matching) -> Judged:
            kokoro.use(style)
            return _judged(MatchedSynthesiser(kokoro, matching), aim, encoder, dnsmos, hear)

        old, new = judged(start, old_fitted.matching), judged(shares, fitted.matching)
        tell(
            f"On another sentence: likeness {old.likeness:.2f} to {new.likeness:.2f}, "
            f"word errors {old.errors} to {new.errors}, DNSMOS {old.dnsmos:.2f} to {new.dnsmos:.2f}"
        )
        if not is_worth(new, old) or not library.has(voice):
            return False
        file = voice.folder / ("style.npz" if profile.matching.file != "style.npz" else "matching.npz")
        fitted.matching.save(file)
        changed = {"voice": shares, "matching": Kept.of(file), "likeness": round(fitted.likeness, 3)}
        library.change(voice, profile.model_copy(update=changed))
        return True


def fit_later(name: str, options: Sequence[str], log: Path) -> bool:
    """Start `utter voices fit NAME` as a process that outlives this one and gives way to others.

    `options` are those of the command line, for the same settings; what it tells goes to the end of `log`.
    False when it could not be started.
    """
    nice = [] if sys.platform == "win32" else ["nice", "-n", "19"]
    try:
        with log.open("a") as out:
            subprocess.Popen(
                [*nice, sys.executable, "-m", "voice.cli", *options, "voices", "fit", name],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
    except OSError:
        return False
    return True


def _judged(
    voice: Synthesiser,
    aim: np.ndarray,
    encoder: SpeakerEncoder,
    dnsmos: Dnsmos,
    hear: Hear,
) -> Judged:
    speech = np.concatenate([np.zeros(0, np.float32), *voice.synthesise(_SENTENCE)])
    heard = hear(soxr.resample(speech, voice.sample_rate, SAMPLE_RATE).astype(np.float32))
    return Judged(
        likeness(encoder.embed(speech, voice.sample_rate), aim),
        word_errors(_SENTENCE, heard),
        dnsmos.overall(speech, voice.sample_rate),
    )
