"""Enrolment: how long a match to a recording takes, and what a search for a style finds."""

from __future__ import annotations

import datetime
import sys
import tempfile
import time
from pathlib import Path

from agent.models.store import ModelStore
from bench.report import machine, table, write_section
from bench.speakers import Speaker, people
from voice import config
from voice.audio.frames import SAMPLE_RATE
from voice.commands.context import store_of
from voice.enrolling import Ears, Start, keep, open_encoder
from voice.fitting import fit_style
from voice.profiles.enrolment import enrol_recording, standing_sentence
from voice.profiles.library import Library
from voice.profiles.profile import Voice

STARTS: tuple[Start, ...] = ("piper", "auto", "kokoro")
MOST_S = 60.0
_SPEAKER = "fr_CA_f_June"


def main() -> bool:
    """Measure, print and write the section; False when an enrolment takes a minute or longer."""
    store = store_of(config.load())
    speakers = {one.name: one for one in people(store.root.parent / "bench-speakers")}
    if _SPEAKER not in speakers:
        print(f"left out: there are no recordings of {_SPEAKER}; scripts/speakers.sh fetches them")
        return False
    speaker = speakers[_SPEAKER]
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        made = [(start, *enrolled(speaker, start, library, store)) for start in STARTS]
        on_kokoro = next(voice for start, voice, _ in made if start == "kokoro")
        rows = [
            [start, voice.profile.engine, f"{voice.profile.likeness:.2f}", f"{took_s:.0f} s"]
            for start, voice, took_s in made
        ]
        style = styled(on_kokoro, library, store)
    text = (
        f"`python -m bench enrolment`: {len(speaker.tuning) / SAMPLE_RATE:.0f} s of {speaker.name}, from the "
        f"recording to the voice, loading of the models included; less than {MOST_S:.0f} s are wanted. "
        f"{machine()}\n\n"
        + table(["base", "engine chosen", "likeness, on what guides it", "time"], rows)
        + f"\n\n{style}"
    )
    print(text)
    write_section("enrolment", text)
    return all(took_s < MOST_S for _, _, took_s in made)


def enrolled(speaker: Speaker, start: Start, library: Library, store: ModelStore) -> tuple[Voice, float]:
    """The voice, and the seconds until it was there."""
    began_s = time.perf_counter()
    encoder, ears = open_encoder(store), Ears(config.load(), store)
    name = f"June {start}"
    consent, today = standing_sentence(name), datetime.date.today()
    recorded = enrol_recording(name, today, speaker.tuning, consent, ears.words, encoder)
    voice = keep(recorded, start, library, store, encoder, hear=ears.words)
    return voice, time.perf_counter() - began_s


def styled(voice: Voice, library: Library, store: ModelStore) -> str:
    """What the search for a style of a voice on Kokoro came to, which goes on in the background."""
    told: list[str] = []
    began_s = time.perf_counter()
    ears = Ears(config.load(), store)
    is_kept = fit_style(voice, library, store, open_encoder(store), ears.words, told.append)
    minutes = (time.perf_counter() - began_s) / 60
    end = "It was kept." if is_kept else "It was not kept."
    return f"The search for a style took {minutes:.1f} minutes. {told[-1]}. {end}"


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
