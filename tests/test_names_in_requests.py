"""Names that hold words for symbols, figures heard for words, and files that are said with their folders."""

from __future__ import annotations

import pytest

from voice.hearing.lexicon import Lexicon
from voice.hearing.spoken_code import write_out


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("Show me merge point clouds.", "Show me merge_point_clouds."),
        ("Where is entry point called?", "Where is entry_point called?"),
        ("Explain dot product to me.", "Explain dot_product to me."),
        ("Does slash command work?", "Does slash_command work?"),
        ("Open config dot pie.", "Open config.py."),
        ("What is the point of it?", "What is the point of it?"),
        ("Change it to zero point one.", "Change it to zero point one."),
        ("Set user dot name to Bob.", "Set user dot name to Bob."),
        ("Rename function a dot product b.", "Rename function a dot product b."),
    ],
)
def test_words_for_symbols_may_be_of_a_name(heard: str, written: str):
    names = {"merge_point_clouds": 1, "entry_point": 1, "dot_product": 1, "slash_command": 1, "point": 1}
    names |= {"zero_point": 1, "dot_name": 1}
    assert write_out(heard, Lexicon(("config.py",), names)).text == written


def test_a_name_that_begins_with_get_is_tested():
    lexicon = Lexicon((), {"get_user": 1})
    assert write_out("Add a test for get user.", lexicon).text == "Add a test for get_user."
    assert write_out("Look for get user errors.", lexicon).text == "Look for get user errors."


@pytest.mark.parametrize(
    ("likelier", "written"), [(-2.0, "import_contacts"), (-19.0, "him 4 contacts"), (None, "him 4 contacts")]
)
def test_a_figure_may_be_a_misheard_word_if_the_audio_says_so(likelier: float | None, written: str):
    evidence = None if likelier is None else {(8, 22, "import_contacts"): likelier}
    lexicon = Lexicon((), {"import_contacts": 1})
    assert write_out("Show me him 4 contacts.", lexicon, evidence=evidence).text == f"Show me {written}."


@pytest.mark.parametrize(
    ("heard", "name"), [("reed part 3", "read_part_2"), ("him 44 contacts", "import_contacts")]
)
def test_a_number_is_never_taken_for_another(heard: str, name: str):
    text = f"Show me {heard}."
    evidence = {(8, 8 + len(heard), name): 0.0}
    assert write_out(text, Lexicon((), {name: 1}), evidence=evidence).text == text


def test_a_file_with_its_folder_is_no_rival_of_itself():
    text = "As tests slash collision dot t has changed since the last commit."
    whole, part = "tests/collision.ts", "collision.ts"
    evidence = {(3, 24, whole): -17.6, (3, 30, whole): -7.0, (15, 30, part): -7.0, (15, 34, part): -5.6}
    written = write_out(text, Lexicon((whole,), {}), evidence=evidence)
    assert written.text == "As tests/collision.ts has changed since the last commit."
