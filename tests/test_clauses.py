"""Prose is cut into clauses where a reader would breathe, whatever pieces it arrives in."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.speaking.clauses import LIMIT_CHARS, SCARCE_S, Clauses


def clauses_of(text: str, *, cuts: tuple[int, ...] = ()) -> list[str]:
    chunker = Clauses()
    done: list[str] = []
    borders = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    for start, end in pairwise(borders):
        done += chunker.feed(text[start:end])
    return done + chunker.finish()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It reads the file. Then it stops.", ["It reads the file.", "Then it stops."]),
        ("It reads a line, splits it, and goes on.", ["It reads a line,", "splits it, and goes on."]),
        ("Then a, b, and c. After that, the rest.", ["Then a, b,", "and c. After that, the rest."]),
        ("Pi is about 3.14 here. Fine by me.", ["Pi is about 3.14 here.", "Fine by me."]),
        ("The bug is in calc.py on line 7. Fix it now.", ["The bug is in calc.py on line 7.", "Fix it now."]),
        ("It needs 1.2.3 or later. Not before that.", ["It needs 1.2.3 or later.", "Not before that."]),
        ("Some names, e.g. this one, are long.", ["Some names, e.g. this one,", "are long."]),
        ("See the note in no. 5 below. All is said.", ["See the note in no. 5 below.", "All is said."]),
        ("Call `f(a. b, c)` with care. It may fail.", ["Call `f(a. b, c)` with care.", "It may fail."]),
        ("It calls f(a, b, c) and stops. That is all.", ["It calls f(a, b, c) and stops.", "That is all."]),
        ("There are 1, 2, 3 of them. That is all.", ["There are 1, 2, 3 of them.", "That is all."]),
        ("Yes. It does so.", ["Yes. It does so."]),
        ("First do this thing:\n1. open the file\n2. read it all",
         ["First do this thing:", "1. open the file", "2. read it all"]),
        ("He said “it is done.” Then he left it.", ["He said “it is done.”", "Then he left it."]),
        ("Look at this:\n```python\na. b\n\nc\n```\nThat was it.",
         ["Look at this:", "```python\na. b\n\nc\n```", "That was it."]),
        ("", []),
        (" \n ", []),
    ],
)  # fmt: skip
def test_a_text_is_cut_where_its_clauses_end(text: str, expected: list[str]) -> None:
    assert clauses_of(text) == expected


def test_the_first_clause_is_given_before_the_rest_has_come() -> None:
    assert Clauses().feed("It reads the file, line by") == ["It reads the file,"]


def test_later_clauses_are_not_cut_at_commas() -> None:
    chunker = Clauses()
    assert chunker.feed("It reads the file. Then") == ["It reads the file."]
    assert chunker.feed(" it goes on, and on, for a while. T") == ["Then it goes on, and on, for a while."]


def test_while_little_speech_waits_a_clause_ends_at_a_comma() -> None:
    chunker = Clauses()
    chunker.feed("It reads the file. ")
    assert chunker.feed("Then it goes on, and", SCARCE_S + 1) == ["It reads the file."]
    assert chunker.feed(" on, for a while. T", SCARCE_S + 1) == ["Then it goes on, and on, for a while."]
    assert chunker.feed("hen it turns round, and b", SCARCE_S - 1) == ["Then it turns round,"]


def test_an_endless_sentence_is_cut_at_a_space_near_the_limit() -> None:
    cut = clauses_of("word " * 400)
    assert len(cut) > 5
    assert all(len(clause) <= LIMIT_CHARS + len("word ") for clause in cut)
    assert all(set(clause.split()) == {"word"} for clause in cut)


def test_a_word_without_end_does_not_grow_without_bound() -> None:
    assert max(map(len, clauses_of("x" * 10_000))) <= 2 * LIMIT_CHARS


def test_long_inline_code_is_kept_whole_when_a_sentence_is_cut() -> None:
    span = "`" + "a b " * 20 + "c`"
    text = "word " * 40 + span + " word" * 60
    assert any(span in clause for clause in clauses_of(text))


WRITTEN = st.text(alphabet=st.sampled_from("ab1 \n.,:;!?`()—A*-é"), max_size=400)


@given(WRITTEN, st.lists(st.integers(0, 400), max_size=12))
def test_the_clauses_do_not_depend_on_how_the_text_arrived(text: str, cuts: list[int]) -> None:
    assert clauses_of(text, cuts=tuple(cuts)) == clauses_of(text)


@given(WRITTEN)
def test_nothing_is_lost_and_nothing_is_added(text: str) -> None:
    assert re.sub(r"\s", "", "".join(clauses_of(text))) == re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("A return statement ends the work of a function and gives a value.", 2),
        ("It raises an error for such keys because they are not in the table.", 2),
        ("It raises an error\tfor such\tkeys\tbecause they are not there.", 2),
        ("It fails because the key is not in the table that is read.", 1),  # too few words before
        ("The names of the books and of their readers are kept there.", 1),
        ("The function gives back None only if the list is empty.", 1),  # what belongs together
        ("It reads the settings from the file in which they are kept.", 1),
        ("In most of such cases you may use a while loop.", 1),
        ("The best time of all to use it is when the list is empty.", 1),
        ("What it does with `one two three four or five` is not known.", 1),
        ("It takes them (the first and the second and the third or the last) all.", 1),
    ],
)
def test_the_first_clause_may_end_before_a_joint_of_the_sentence(text: str, clauses: int) -> None:
    chunker = Clauses()
    found = [*chunker.feed(text), *chunker.finish()]
    assert len(found) == clauses and " ".join(found).split() == text.split()
    later = Clauses()
    assert [*later.feed(f"Yes, that is so. {text}"), *later.finish()][1:] == [text]
    assert len([*later.feed(f"Yes, that is so. {text}", 0.3), *later.finish()]) == 1 + clauses
