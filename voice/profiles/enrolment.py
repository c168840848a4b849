"""The steps of enrolling a voice: consent first, then prompts, each judged as it is read, by one person."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from voice.audio.frames import SAMPLE_RATE, Samples
from voice.profiles.consent import (
    code_words,
    fresh_sentence,
    is_consent,
    is_named,
    share_heard,
    standing_sentence,
)
from voice.profiles.profile import VoiceError
from voice.profiles.recording import groups_alike, measure, problem
from voice.speaking.matching.likeness import SAME_PERSON, SpeakerEncoder, likeness

PROMPTS = (
    "The old lighthouse keeper climbed the narrow stairs, and lit the lamp before the fog rolled in.",
    "Please check the weather, pack a warm jacket, and leave the blue umbrella by the kitchen door.",
    "When five quick foxes jump over a sleeping dog, nobody should be surprised that he wakes up.",
    "She asked whether the train to the valley would stop at every village, or only at the largest.",
    "My favourite measure of a good journey is how often I choose to look out of the window.",
    "Three boys threw a yellow ball across the yard, while their father was sharpening his tools.",
    "If you enjoy strong coffee, you should visit the small shop on the corner of York and Main.",
    "Does the file say what changed, or shall I read you each of the lines from the beginning?",
)
"""About fifty seconds, with every sound of English, statements and questions."""

_TRIES = 3
_PROMPT_SHARE = 0.7  # of the words; a prompt that is read a little otherwise is as good
_TWO_PEOPLE = 0.7  # likeness of the two groups that a recording falls into; one person's are above 0.8


@dataclass(frozen=True)
class Recorded:
    """What was gathered: mono float32 at 16 kHz. `consent` is None when it was given in writing."""

    name: str
    date: datetime.date
    consent_text: str
    consent: Samples | None
    reference: Samples


@dataclass(frozen=True)
class Room:
    """Whom enrolment talks to. `ask` has a text read and gives it, mono float32 at 16 kHz; `tell` says it.

    `transcribe` gives the words in a recording, "" for none.
    """

    ask: Callable[[str], Samples]
    tell: Callable[[str], None]
    transcribe: Callable[[Samples], str]
    encoder: SpeakerEncoder


def enrol(
    name: str, date: datetime.date, numbers: Sequence[int], room: Room, prompts: Sequence[str] = PROMPTS
) -> Recorded:
    """Ask for consent and prompts. `numbers`: four random ones, for the words of the consent.

    Raises `VoiceError` when something was not read in three tries, or somebody else gave the consent.
    """
    sentence = fresh_sentence(name, date, code_words(numbers))
    room.tell("First, read this sentence, by which you agree.")
    consent = _read(sentence, is_consent, room)
    parts: list[Samples] = []
    for number, prompt in enumerate(prompts, 1):
        room.tell(f"{number} of {len(prompts)}.")
        part = _read(prompt, _is_read, room)
        parts += [part, np.zeros(SAMPLE_RATE // 5, np.float32)]
    reference = np.concatenate(parts)
    check_same_person(consent, reference, room.encoder)
    check_reference(reference, room.encoder)
    return Recorded(name, date, sentence, consent, reference)


def enrol_recording(
    name: str,
    date: datetime.date,
    reference: Samples,
    consent: Samples | str,
    transcribe: Callable[[Samples], str],
    encoder: SpeakerEncoder,
) -> Recorded:
    """A voice of a recording made before; `consent` is spoken, or their text. Raises `VoiceError`."""
    sentence = standing_sentence(name)
    spoken = None if isinstance(consent, str) else consent
    text = consent if isinstance(consent, str) else transcribe(consent)
    if not is_consent(sentence, text) or (spoken is None and not is_named(name, text)):
        raise VoiceError(f"The consent does not say what it must: “{sentence}” It is {_told(text)}.")
    check_reference(reference, encoder)
    if len(transcribe(reference[: 12 * SAMPLE_RATE]).split()) < 8:
        raise VoiceError("No words are understood in this recording. It must be one person who speaks.")
    if spoken is not None:
        check_same_person(spoken, reference, encoder)
    return Recorded(name, date, text if spoken is None else sentence, spoken, reference)


def check_reference(reference: Samples, encoder: SpeakerEncoder) -> None:
    """Raises `VoiceError` with what is wrong with a recording as a whole."""
    if fault := problem(measure(reference), "reference"):
        raise VoiceError(fault)
    if groups_alike(encoder.parts(reference, SAMPLE_RATE)) < _TWO_PEOPLE:
        raise VoiceError("Two people seem to speak in this recording. Use one of a single person.")


def check_same_person(consent: Samples, reference: Samples, encoder: SpeakerEncoder) -> None:
    """Raises `VoiceError` when whoever agreed does not sound like whoever read."""
    found = likeness(encoder.embed(consent, SAMPLE_RATE), encoder.embed(reference, SAMPLE_RATE))
    if found < SAME_PERSON:
        raise VoiceError(
            "The sentence of consent was read by somebody else than the rest "
            f"(likeness {found:.2f}; one person's is {SAME_PERSON} or more). Nothing was kept."
        )


def _is_read(prompt: str, heard: str) -> bool:
    return share_heard(prompt, heard) >= _PROMPT_SHARE


def _read(text: str, is_said: Callable[[str, str], bool], room: Room) -> Samples:
    """Have `text` read until `is_said` of it and what was heard."""
    for _ in range(_TRIES):
        samples = room.ask(text)
        if fault := problem(measure(samples)):
            room.tell(fault)
            continue
        heard = room.transcribe(samples)
        if is_said(text, heard):
            return samples
        room.tell(f"I heard: {heard}. Please read it once more." if heard else "I heard no words. Once more.")
    raise VoiceError(f"This was not read in {_TRIES} tries, so nothing was kept: “{text}”")


def _told(text: str) -> str:
    return f"“{text.strip()}”" if text.strip() else "empty"
