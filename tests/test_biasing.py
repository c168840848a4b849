"""Names that Whisper expects: likelier where they begin and go on, and no more than that."""

from __future__ import annotations

import numpy as np
import pytest

from voice.hearing.favoured import SAFETY_WORDS, favoured
from voice.hearing.lexicon import Lexicon
from voice.hearing.rescoring import variants
from voice.hearing.whisper.biasing import START, Bias, Place

NAMES = ((3, 4), (3, 5, 6), (7, 8))
BIAS = Bias(NAMES, 1.0, 2.0)


def after(*tokens: int) -> Place:
    place = START
    for token in tokens:
        place = BIAS.after(place, token)
    return place


def added(place: Place) -> dict[int, float]:
    logits = BIAS.added_to(np.zeros(10, np.float32), place)
    return {token: float(logit) for token, logit in enumerate(logits) if logit}


def test_a_name_may_begin_anywhere():
    assert added(START) == {3: 1.0, 7: 1.0}


def test_a_name_that_has_begun_goes_on():
    assert added(after(3)) == {3: 1.0, 4: 2.0, 5: 2.0, 7: 1.0}


def test_the_logits_themselves_are_left():
    logits = np.zeros(10, np.float32)
    BIAS.added_to(logits, START)
    assert not logits.any()


@pytest.mark.parametrize(
    ("tokens", "bonus"),
    [
        ((), 0.0),
        ((3,), 1.0),
        ((3, 4), 3.0),
        ((3, 9), 0.0),  # it had only begun
        ((3, 4, 9), 3.0),
        ((3, 5), 3.0),
        ((3, 5, 9), 0.0),
        ((3, 5, 6, 7, 8), 8.0),
        ((3, 7), 1.0),  # another one begins
        ((9, 9), 0.0),
    ],
)
def test_only_whole_names_are_paid_for(tokens: tuple[int, ...], bonus: float):
    assert after(*tokens).bonus == bonus


def test_what_may_command_is_never_expected():
    names = {"stop_server": 5, "cancel_order": 4, "load_order": 1, "order": 9, "is_yes": 1}
    assert favoured(Lexicon(("src/stop.py", "src/go.py"), names)) == (
        "src/go.py",
        "go.py",
        "load order",
    )
    assert not any(SAFETY_WORDS.intersection(name.split()) for name in favoured(Lexicon((), names)))


def test_the_most_important_names_come_last():
    assert favoured(Lexicon((), {"first_name": 9, "last_name": 1}))[-1] == "first name"


def test_names_are_compared_with_the_audio_where_they_may_stand():
    lexicon = Lexicon((), {"simplify_branch": 1, "walk_tree": 1})
    (one,) = variants("Find the callers of simplified bread.", lexicon)
    assert one.written == "simplify_branch"
    assert one.text == "Find the callers of simplify branch."


def test_what_is_spoken_word_for_word_needs_no_comparison():
    assert variants("What does walk tree do?", Lexicon((), {"walk_tree": 1, "talk_tree": 1})) == ()


@pytest.mark.parametrize(
    ("file", "heard", "said"),
    [
        (
            "Cargo.toml",
            "What is in cargo.tama?",
            "What is in Cargo.tama?",
        ),  # its extension as it was misheard
        ("Makefile", "Open make.file please.", "Open Makefile please."),
    ],
)
def test_a_file_is_compared_as_whisper_would_write_it(file: str, heard: str, said: str):
    assert said in [one.text for one in variants(heard, Lexicon((file,), {}))]


@pytest.mark.parametrize(
    ("name", "heard", "said"),
    [
        ("decode_jwt", "Explain the code JWT to me.", "Explain decode JWT to me."),
        ("notify_subscribers", "Make Notify Subscriber Log It", "Make Notify Subscribers Log It"),
        ("parse_expr", "What does pass expression do?", "What does parse expression do?"),
    ],
)
def test_a_name_is_compared_as_whisper_would_write_it(name: str, heard: str, said: str):
    assert said in [one.text for one in variants(heard, Lexicon((), {name: 1}))]
