"""Plain words, spoken numbers and spelling: what command matching stands on."""

from __future__ import annotations

import pytest

from voice.conversation.spelling import NATO, letters
from voice.conversation.words import number, plain_words, spoken_number, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't!", "do not"),
        ("I'm sure, it's fine", "i am sure it is fine"),
        ("Read-only", "read only"),
        ("Zoë’s", "zoe is"),
        ("lines 40-52", "lines 40 52"),
        ("1,200", "1200"),
        ("dont, can't; won't", "do not can not will not"),
        ("OK", "okay"),
        ("...", ""),
    ],
)
def test_words_are_made_plain(text: str, words: str):
    assert " ".join(plain_words(text)) == words


def test_a_word_knows_where_it_stood():
    text = "Please don't, Zoë"
    assert [text[word.start : word.end] for word in words_of(text)] == ["Please", "don't", "don't", "Zoë"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("0", 0),
        ("forty", 40),
        ("forty two", 42),
        ("nineteen", 19),
        ("one hundred and twenty", 120),
        ("two thousand three hundred and five", 2305),
        ("twelve hundred", None),
        ("forty to", None),
        ("one two", None),
        ("hundred", None),
        ("and five", None),
        ("five and", None),
        ("forty eleven", None),
        ("", None),
        ("1234567", None),
    ],
)
def test_spoken_numbers(words: str, expected: int | None):
    assert number(words.split()) == expected


def test_a_lone_word_that_sounds_like_a_number_is_one_where_a_number_is_due():
    assert [spoken_number([word]) for word in ("to", "for", "won", "the")] == [2, 4, 1, None]


@pytest.mark.parametrize(
    ("words", "spelt"),
    [
        ("air bat cap drum", "abD"),
        ("alfa bravo charlie", "abc"),
        ("a b 3", "ab3"),
        ("sit crunch plex", "ikx"),
        ("capital papa underscore double tango", "P_tt"),
        ("x ray", "x"),
        ("double you", "w"),
        ("four", "4"),
        ("the", None),
        ("double", None),
        ("", None),
    ],
)
def test_letters_in_every_alphabet(words: str, spelt: str | None):
    assert letters(words.split()) == spelt


def test_the_nato_alphabet_spells_itself():
    assert "".join(sorted(NATO)) == "abcdefghijklmnopqrstuvwxyz"
    assert all(letters(word.replace("-", " ").split()) == letter for letter, word in NATO.items())
