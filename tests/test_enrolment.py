"""A voice is enrolled only by the one it belongs to, with consent, from a good enough recording."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr
from hypothesis import given
from hypothesis import strategies as st
from noises import chimes
from typer.testing import CliRunner

from agent.models.store import ModelStore
from voice import config
from voice.audio.frames import SAMPLE_RATE, Samples
from voice.cli import app, register
from voice.enrolling import Ears
from voice.profiles.consent import code_words, fresh_sentence, is_consent, share_heard, standing_sentence
from voice.profiles.enrolment import PROMPTS, Room, check_same_person, enrol, enrol_recording
from voice.profiles.library import Library
from voice.profiles.profile import VoiceError
from voice.profiles.recording import measure, problem
from voice.speaking.engines.piper import PiperSynthesiser
from voice.speaking.matching.colour import N_MOVED, Colour, transport
from voice.speaking.matching.likeness import SpeakerEncoder
from voice.speaking.matching.matched import MatchedSynthesiser, Matching
from voice.speaking.matching.shift import Shift
from voice.speaking.synthesis import Synthesiser

TODAY = datetime.date(2026, 11, 22)
NUMBERS = (3, 14, 15, 92)
Says = Callable[[str], Samples]


def saying(voice: Synthesiser) -> Says:
    """A person who reads aloud what they are asked to, at 16 kHz."""

    def says(text: str) -> Samples:
        speech = np.concatenate([np.zeros(1, np.float32), *voice.synthesise(text)])
        rng = np.random.default_rng(5)
        quiet = np.pad(soxr.resample(speech, voice.sample_rate, SAMPLE_RATE), 8_000)
        return (0.7 * quiet + rng.normal(0, 3e-4, len(quiet))).astype(np.float32)

    return says


@pytest.fixture(scope="module")
def joe(piper: PiperSynthesiser) -> Says:
    return saying(piper)


@pytest.fixture(scope="module")
def anna(piper: PiperSynthesiser) -> Says:
    """A smaller person with a higher voice."""
    colour = Colour(np.zeros(N_MOVED), np.eye(N_MOVED))
    return saying(MatchedSynthesiser(piper, Matching(Shift(86, 200, 1.0, 1.25), transport(colour, colour))))


@pytest.fixture(scope="module")
def reading(joe: Says) -> Samples:
    return np.concatenate([joe(prompt) for prompt in PROMPTS[:3]])


@pytest.fixture(scope="module")
def other(anna: Says) -> Samples:
    return np.concatenate([anna(PROMPTS[0]), anna(PROMPTS[1])])


@pytest.fixture(scope="module")
def ears(store: ModelStore) -> Ears:
    return Ears(config.load(), store)


class Script:
    """Who answers each request, and what they were told."""

    def __init__(self, ears: Ears, encoder: SpeakerEncoder, *readers: Says) -> None:
        self._readers = list(readers)
        self.asked: list[str] = []
        self.told: list[str] = []
        self.room = Room(self._ask, self.told.append, ears.words, encoder)

    def _ask(self, text: str) -> Samples:
        self.asked.append(text)
        reader = self._readers.pop(0) if len(self._readers) > 1 else self._readers[0]
        return reader(text)


# -------------------------------------------------------------------------------------------- the sentence


def test_the_sentence_names_the_person_the_day_and_fresh_words() -> None:
    sentence = fresh_sentence("Anna", TODAY, code_words(NUMBERS))
    assert "Anna" in sentence and "November 22, 2026" in sentence
    assert sentence != fresh_sentence("Anna", TODAY, code_words((1, 2, 3, 4)))


@given(st.lists(st.integers(0, 10**6), min_size=4, max_size=4))
def test_four_different_words_are_drawn(numbers: list[int]) -> None:
    assert len(set(code_words(numbers))) == 4


@pytest.mark.parametrize(
    ("heard", "is_enough"),
    [
        ("my name is anna today is november 22nd 2026 i agree that this computer may speak in my voice "
         "my words are cedar ladder marble and river", True),
        ("My name is Ana. Today is November 22, 2026. I agree this computer may speak in my voice. "
         "My words are Cedar, Letter, Marble and River.", True),
        ("My name is Anna. Today is November 22. I agree that this computer may speak.", False),
        ("I am Anna and I do not want that.", False),
        ("", False),
    ],
)  # fmt: skip
def test_nine_words_in_ten_must_be_heard(heard: str, is_enough: bool) -> None:
    sentence = fresh_sentence("Anna", TODAY, ("cedar", "ladder", "marble", "river"))
    assert is_consent(sentence, heard) == is_enough


@pytest.mark.parametrize(
    "said",
    [
        "My name is Anna. I do not agree that this computer may speak in my voice.",
        "My name is Anna. I don’t agree that this computer may speak in my voice.",
        "My name is Anna. I disagree that this computer may speak in my voice.",
        "My name is Anna. I doubt that this computer may speak in my voice.",
        "My name is Anna. I agree that this computer may never speak in my voice.",
    ],
)
def test_who_says_no_in_nearly_the_same_words_has_not_agreed(said: str) -> None:
    assert share_heard(standing_sentence("Anna"), said) >= 0.9
    assert not is_consent(standing_sentence("Anna"), said)


# ------------------------------------------------------------------------------------------- the recording


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda x: x * 0, "next to nothing"),
        (lambda x: x * 0.003, "next to nothing"),
        (lambda x: np.clip(x * 12, -1, 1), "clipped"),
        (lambda x: soxr.resample(soxr.resample(x, 16_000, 8_000), 8_000, 16_000), "telephone"),
        (lambda x: x + np.random.default_rng(1).normal(0, 0.03, len(x)), "noise"),
        (lambda x: x[12_000 : 12_000 + 8_000], "seconds of speech"),
        (lambda x: x[:0], "next to nothing"),
    ],
)  # fmt: skip
def test_a_bad_reading_is_told_why(reading: Samples, spoil: Callable[[Samples], Samples], told: str) -> None:
    speech = reading[: 4 * SAMPLE_RATE]
    assert problem(measure(speech)) == ""
    assert told in problem(measure(spoil(speech).astype(np.float32)))


# -------------------------------------------------------------------------------------------- the dialogue


def test_a_person_is_enrolled_by_voice(ears: Ears, encoder: SpeakerEncoder, anna: Says) -> None:
    mumbling: Says = lambda text: anna("Hello, hello, what am I to say?")  # noqa: E731
    script = Script(ears, encoder, anna, mumbling, anna)
    recorded = enrol("Anna", TODAY, NUMBERS, script.room, PROMPTS[:3])
    assert script.asked == [recorded.consent_text, PROMPTS[0], *PROMPTS[:3]]
    assert any("once more" in told for told in script.told)
    assert recorded.consent is not None and len(recorded.reference) > 8 * SAMPLE_RATE


def test_a_consent_by_somebody_else_is_refused(
    encoder: SpeakerEncoder, other: Samples, reading: Samples
) -> None:
    with pytest.raises(VoiceError, match="somebody else"):
        check_same_person(other, reading, encoder)


def test_who_does_not_say_it_is_not_enrolled(ears: Ears, encoder: SpeakerEncoder, joe: Says) -> None:
    script = Script(ears, encoder, lambda _: joe("I do not agree to this at all."))
    with pytest.raises(VoiceError, match="not read in 3 tries"):
        enrol("Anna", TODAY, NUMBERS, script.room)
    assert len(script.asked) == 3


def test_a_recording_with_consent_beside_it_is_taken(
    ears: Ears, encoder: SpeakerEncoder, joe: Says, reading: Samples
) -> None:
    sentence = standing_sentence("Joe")
    spoken = enrol_recording("Joe", TODAY, reading, joe(sentence), ears.words, encoder)
    assert spoken.consent is not None and share_heard(sentence, spoken.consent_text) == 1


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        (lambda one, _: one[: int(1.2 * SAMPLE_RATE)], "seconds of speech"),
        (lambda one, two: np.concatenate([one[: 12 * SAMPLE_RATE], two]), "Two people"),
        (lambda one, _: 0.1 * np.tile(chimes(), 3), "pause|words|telephone"),
        (lambda one, _: np.zeros(12 * SAMPLE_RATE, np.float32), "next to nothing"),
    ],
)  # fmt: skip
def test_a_recording_that_will_not_do_is_told_why(
    ears: Ears,
    encoder: SpeakerEncoder,
    reading: Samples,
    other: Samples,
    reference: Callable[[Samples, Samples], Samples],
    told: str,
) -> None:
    with pytest.raises(VoiceError, match=told):
        sentence = standing_sentence("Joe")
        enrol_recording("Joe", TODAY, reference(reading, other), sentence, ears.words, encoder)


@pytest.mark.parametrize("text", ["Fine with me.", standing_sentence("Anna")])
def test_a_consent_in_other_words_or_of_another_is_refused(
    ears: Ears, encoder: SpeakerEncoder, reading: Samples, text: str
) -> None:
    with pytest.raises(VoiceError, match="does not say"):
        enrol_recording("Joe", TODAY, reading, text, ears.words, encoder)


def utter(*arguments: str | Path) -> str:
    """What the command prints, folded into one line; its error is raised."""
    if not app.registered_groups:
        register(["voices"])
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None:
        raise done.exception
    return " ".join(done.output.split())


def test_the_commands_enrol_list_and_remove(reading: Samples, tmp_path: Path) -> None:
    own = tmp_path / "own"
    folder = ("--set", f"speaking.voices_folder={own}", "voices")
    recording = tmp_path / "joe.flac"
    sf.write(recording, reading, SAMPLE_RATE)
    adding = ("add", "Uncle Joe", "--from", recording, "--base", "piper")
    with pytest.raises(VoiceError, match="There is no consent beside"):
        utter(*folder, *adding)
    (tmp_path / "joe.consent.txt").write_text(standing_sentence("Uncle Joe"))
    added = utter(*folder, *adding)
    assert "uncle-joe is matched" in added and "clone" not in added
    assert "uncle-joe; matched; piper; consent of Uncle Joe" in utter(*folder, "list")
    profile = Library(own).load("uncle joe").profile
    assert profile.consent is not None and profile.consent.audio is None
    assert profile.likeness is not None and profile.likeness > 0.8
    assert "uncle-joe" in utter(*folder, "remove", "uncle-joe")
    assert not (own / "uncle-joe").exists()
