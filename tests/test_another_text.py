"""Another text in place of one that names nothing: looked up in the names, and taken as the audio allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.models.store import ModelStore
from voice.audio.files import read_frames
from voice.hearing.another_text import likeliest_with_a_name, names_nothing, texts_with_a_name
from voice.hearing.guards import FOR_A_NAME, Evidence, rejection
from voice.hearing.lexicon import Lexicon
from voice.hearing.spoken_code import write_out
from voice.hearing.transcribe import Transcriber
from voice.hearing.whisper.decoding import Decoded, decode
from voice.hearing.whisper.encoded import Encoded

REQUEST = Path(__file__).parent.parent / "demo" / "requests" / "2-parse-config.flac"
SAID = "What does parse config do?"
VERBS, NOUNS = (
    ("load", "sort", "stop", "print", "park", "cast", "pack"),
    ("shelf", "branch", "object", "comma"),
)
WRONG = Evidence("What does bar do?", 2.0, -0.2, 0.1, 0.9)
OTHERS = {f"{verb}_{noun}": 1 for verb in VERBS for noun in NOUNS}
WITH_IT = Lexicon((), {**OTHERS, "parse_config": 1})
WITHOUT_IT = Lexicon((), OTHERS)


class Sure:
    """Audio that speaks for every text alike."""

    def logprob(self, text: str) -> float:
        return -1.0

    def tokens(self, text: str) -> list[int]:
        return [1] * len(text.split())


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return np.concatenate(list(read_frames(REQUEST)))


@pytest.fixture(scope="module")
def transcriber(store: ModelStore) -> Transcriber:
    return Transcriber(store.path("whisper-base-mlx"))


@pytest.fixture(scope="module")
def encoded(transcriber: Transcriber, speech: np.ndarray) -> Encoded:
    return transcriber._encoded(speech)


def looked_up(transcriber: Transcriber, encoded: Encoded, lexicon: Lexicon, nats: float) -> list[str]:
    transcriber.expect(lexicon)
    names = transcriber._expected[1]
    assert names is not None
    least = encoded.logprob("What does bar do?") - nats
    return texts_with_a_name(encoded, ("What does bar do?",), least, names)


def test_a_name_is_found_by_the_audio_where_one_may_stand(transcriber: Transcriber, encoded: Encoded):
    found = looked_up(transcriber, encoded, WITH_IT, 14.0)
    taken, named = likeliest_with_a_name(encoded, WRONG, found, WITH_IT)
    assert (taken[0].text, named[0]) == (SAID, SAID)


def test_a_text_that_is_much_less_likely_is_not_found(transcriber: Transcriber, encoded: Encoded):
    assert looked_up(transcriber, encoded, WITHOUT_IT, -8.0) == []


def test_a_name_that_was_not_said_is_not_taken(transcriber: Transcriber, encoded: Encoded):
    found = looked_up(transcriber, encoded, WITHOUT_IT, 60.0)
    best = Evidence(SAID, 2.0, -0.2, 0.1, 0.9)
    assert found
    assert likeliest_with_a_name(encoded, best, found, WITHOUT_IT)[0] == []


@pytest.mark.parametrize(
    ("best", "other", "is_taken"),
    [
        ("What does bar do?", SAID, True),
        ("What does bar do?", "What does load shelf do?", False),  # the audio is not for it
        ("What does bar do and no more for us?", SAID, False),  # words would be lost,
        ("What does not bar do?", SAID, False),  # or a no
        ("What doesn't bar do?", SAID, False),
        ("What does bar do?", " ".join(["parse config"] * 4), False),  # nobody says that
    ],
)
def test_another_text_is_taken_if_it_says_as_much_and_the_audio_speaks_for_it(
    encoded: Encoded, best: str, other: str, is_taken: bool
):
    heard = Evidence(best, 2.0, -0.2, 0.1, 0.9)
    found, named = likeliest_with_a_name(encoded, heard, ["What do you do?", other], WITH_IT)
    believed = [one.text for one in found if rejection(one, FOR_A_NAME) is None]
    assert believed == ([other] if is_taken else [])
    assert named == ([other] if is_taken or "shelf" in other else [])


@pytest.mark.parametrize(
    ("best", "other"),
    [
        ("Delete bars conflict. Ask me first.", "Delete parse config."),
        ("Delete bars conflict. Change nothing else.", "Delete parse config. Change something else."),
        ("Delete bars conflict unless it fails.", "Delete parse config and if it fails."),
        ("Don’t delete pass convict.", "Now delete parse config."),
        ("It won't call bars conflict.", "It will call parse config."),
        ("Move bars conflict.", "Remove parse config."),
        ("Open bars conflict.", "Delete parse config."),
        ("Add a function called bars conflict.", "Add a function called parse config."),  # and not that one
    ],
)
def test_what_is_to_be_done_and_what_restrains_it_stay(best: str, other: str):
    sure: Any = Sure()
    heard = Evidence(best, 2.0, -0.2, 0.1, 0.9)
    assert likeliest_with_a_name(sure, heard, [other], WITH_IT) == ([], [])
    heard = Evidence("Open bars conflict.", 2.0, -0.2, 0.1, 0.9)
    assert likeliest_with_a_name(sure, heard, ["Open parse config."], WITH_IT)[0] != []


def test_a_word_of_a_name_restrains_nothing():
    sure: Any = Sure()
    heard = Evidence("Open retry raft.", 2.0, -0.2, 0.1, 0.9)
    taken, _ = likeliest_with_a_name(sure, heard, ["Open retry after."], Lexicon((), {"retry_after": 1}))
    assert [one.text for one in taken] == ["Open retry after."]


def test_what_is_said_behind_a_pause_is_kept(transcriber: Transcriber, speech: np.ndarray):
    more = np.concatenate(list(read_frames(REQUEST.with_name("3-run-tests.flac"))))
    encoded = transcriber._encoded(np.concatenate([speech, np.zeros(12_000, np.float32), more]))
    transcriber.expect(WITH_IT)
    names = transcriber._expected[1]
    assert names is not None
    wrong = "What does bar do? Run the tests."
    found = texts_with_a_name(encoded, (wrong,), encoded.logprob(wrong) - 14.0, names)
    heard = Evidence(wrong, 4.0, -0.2, 0.1, 0.9)
    taken, _ = likeliest_with_a_name(encoded, heard, found, WITH_IT)
    assert taken and taken[0].text.lower().startswith("what does parse config do")
    assert all("run the test" in text.lower() for text in found if "parse config" in text.lower())


def test_of_two_that_are_about_as_likely_and_not_very_none_is_taken(encoded: Encoded):
    texts = ["Show me load shelf.", "Show me sort shelf."]
    heard = Evidence("Show me bar.", 2.0, -0.2, 0.1, 0.9)

    class Judged:
        def __init__(self, *logprobs: float) -> None:
            self.logprobs = dict(zip([heard.text, *texts], logprobs, strict=True))

        def logprob(self, text: str) -> float:
            return self.logprobs[text]

        def tokens(self, text: str) -> list[int]:
            return encoded.tokens(text)

    def taken(*logprobs: float) -> str | None:
        judged: Any = Judged(*logprobs)
        found, _ = likeliest_with_a_name(judged, heard, texts, WITH_IT)
        return found[0].text if found else None

    assert taken(-2.0, -8.0, -12.0) == "Show me load shelf."
    assert taken(-2.0, -8.0, -9.0) is None
    assert taken(-2.0, -12.0, -20.0) is None
    assert taken(-2.0, -5.0, -4.0) == "Show me sort shelf."


def test_the_transcriber_takes_it_unless_the_text_may_not_change(
    transcriber: Transcriber, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    heard_wrong = tuple(transcriber._tokenizer.encode(" What does bar do?"))

    def decoded(*args: Any) -> Decoded:
        found = decode(*args)
        no_times = found.attention[:, :1].repeat(len(heard_wrong) + 1, axis=1)
        return Decoded(heard_wrong, no_times, -0.3, found.no_speech_prob, finished=True)

    monkeypatch.setattr("voice.hearing.whisper.encoded.decode", decoded)
    transcriber.expect(WITH_IT)
    heard = transcriber.transcribe(speech)
    assert (heard.text, heard.words, heard.rejected) == (SAID, (), None)
    assert heard.others[0] == "What does bar do?"
    kept = transcriber.transcribe(speech, may_change=lambda _: False)
    assert kept.text == "What does bar do?"
    assert kept.words
    transcriber.expect(WITHOUT_IT)
    assert transcriber.transcribe(speech).text == "What does bar do?"


def test_a_bias_that_led_to_no_name_is_taken_back(
    transcriber: Transcriber, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    bent = tuple(transcriber._tokenizer.encode(" What does it do?"))

    def decoded(*args: Any) -> Decoded:
        found = decode(*args)
        if args[5] is None:
            return found
        no_times = found.attention[:, :1].repeat(len(bent) + 1, axis=1)
        return Decoded(bent, no_times, -0.05, found.no_speech_prob, finished=True, is_bent=True)

    monkeypatch.setattr("voice.hearing.whisper.encoded.decode", decoded)
    transcriber.expect(WITHOUT_IT)
    heard = transcriber.transcribe(speech)
    assert heard.text == SAID
    assert "What does it do?" in heard.others
    assert transcriber.transcribe(speech, may_change=lambda _: False).text == "What does it do?"


def test_what_is_to_be_asked_about_is_not_looked_up():
    tie = Lexicon((), {"parse_config": 1, "paste_config": 1})
    text = "What does the function pass config do?"
    at = text.index("pass config")
    evidence = {(at, at + len("pass config"), name): -0.5 for name in tie.identifiers}
    assert write_out(text, tie, evidence=evidence).unsure
    assert not names_nothing(text, tie, evidence)
    assert names_nothing("What does it do?", tie, {})
