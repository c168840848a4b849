"""What programmers say in English stays English, in projects whose names are English words, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.workspace import Workspace
from voice.conversation.words import word_list
from voice.hearing.lexicon import Lexicon
from voice.hearing.repository_names import RepositoryNames
from voice.hearing.spoken_code import write_out

ROOT = Path(__file__).resolve().parents[1]
PROJECTS = ("bench/projects/go", "bench/projects/javascript", "bench/projects/python", "demo/project")

# Names of real projects, each of which was once written for one of the sentences below.
TRAPS = Lexicon(
    ("CODEOWNERS", "WORKSPACE"),
    dict.fromkeys(
        word_list(
            "Return Reads Holds Line Name Every Mix Raise text cold lakes heads reduce max stand release"
            " tool_code is_done with_vat __init__ __name__ function_call function_name TestCase testResults"
            " TestsRun TEST_NAME test_take must_mend only_looks needed_bytes NEED_PYTEST NEVER_HEARD"
            " says_something names_aloud MOST_NUMBER MOST_LINES OTHER_MODEL LOW_STOCK _passed_s ModelMissing"
            " _same_name _new_file _whole_file last_line old_name into sorted"
            " set_up sign_up log_in time_out wait_for from_cache from_list to_fail on_error to_string"
            " has_failed is_valid get_users to_parse"
        ),
        3.0,
    ),
)

SENTENCES = """
The function takes too long.
The function reads the file twice.
The function name is too long.
The function only works on lists.
The function call at the end is wrong.
Make the function return a tuple.
Inline the function where it is used once.
Does this function return a list or a string?
The name of the function says nothing.
Why does the method sort the list first?
A method without a body is an error.
The methods need better names.
Let this method raise an error when the key is missing.
The class mixes two concerns.
The class hides an error.
Find classes without tests.
The interface looks good.
The interface lacks a method for closing.
The constant stands for the speed of light.
The variable could be a constant.
Is that variable ever used?
The argument must be a number.
The argument is passed twice.
The exception says nothing useful.
The field holds a date.
Which branch holds the fix?
Rebase the branch onto main.
Read the file line by line.
The file must end with a newline.
Does this module need a test?
Move the helper to another module.
The test relies on the order of a dictionary.
The test never failed before.
The test name should say what is tested.
The test case for dates is wrong.
What does each test take?
Show test results.
Can you make the tests run faster?
Use the same name as in the other file.
What if two users have the same name?
Find the file with the most lines.
Delete the last line.
Name the new file example.
Change all files that use the old name.
Rename that variable in the whole file.
Move everything that belongs together into one file.
Compare this with the version from last week.
The voice is too loud.
The name has an underscore in it.
What is still missing?
Use camel case names in this file.
Use camel case variable names.
Use snake case naming conventions everywhere.
Convert to snake case all names in this file.
Add a new path to the list.
Rename it to path with spaces.
Change it to constant from now on.
Explain how to set up.
Add a way to sign up with Google.
Add a button to log in.
Let me log in.
How long does it take to time out?
It does time out.
This is something to wait for.
Which functions remove from cache?
What do we remove from list?
The script is about to fail.
What should we delete on error?
What do you use to parse?
Count the calls to string.
Add a call to string.
The call has failed.
Its use is valid.
Help me get users.
Ask the code owners.
Print the work space.
""".strip().splitlines()


@pytest.fixture(scope="module")
def lexicons() -> list[Lexicon]:
    return [TRAPS, *(RepositoryNames(Workspace(ROOT / name)).lexicon() for name in PROJECTS)]


@pytest.mark.parametrize("text", SENTENCES)
def test_english_stays_english(text: str, lexicons: list[Lexicon]):
    for lexicon in lexicons:
        written = write_out(text, lexicon)
        assert (written.text, written.unsure) == (text, ())


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("Remove the hash old name makes.", "Remove the hash old_name makes."),
        ("Run old name two times plus test take once.", "Run old_name two times plus test_take once."),
        ("I run it two times plus test take once.", "I run it two times plus test_take once."),
        ("Set old name equals two times 3.", "Set old_name = 2 * 3."),
        ("Use snake case old name.", "Use old_name."),
    ],
)
def test_symbols_and_styles_are_written_where_code_is_said(heard: str, written: str):
    lexicon = Lexicon((), dict.fromkeys(("old_name", "is_done", "test_take"), 1.0))
    assert write_out(heard, lexicon).text == written


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("What does the function reads do?", "What does the function Reads do?"),
        ("Rename the variable last line to text.", "Rename the variable last_line to text."),
        ("Explain the method says something.", "Explain the method says_something."),
        ("Open the class test case.", "Open the class TestCase."),
        ("Where is low stock used?", "Where is LOW_STOCK used?"),
    ],
)
def test_after_a_word_that_says_so_the_same_words_are_names(heard: str, written: str):
    assert write_out(heard, TRAPS).text == written


def test_what_was_typed_is_not_taken_for_something_that_sounds_like_it():
    """A text that was not heard comes with evidence that says nothing."""
    lexicon = Lexicon((), {"parse_config": 1})
    typed = "What does pause config do?"
    assert write_out(typed, lexicon, evidence={}).text == typed
    assert write_out(typed, lexicon).text == "What does parse_config do?"


def test_among_many_names_one_must_be_more_alike():
    few = {"single_keys": 1.0}
    letters = "abcdefghijklmnopqrstuv"
    others = {f"entry_{a}_{b}_{c}": 1.0 for a in letters for b in letters for c in letters}
    sentence = "Find single quotes and remove them."
    assert write_out(sentence, Lexicon((), few)).text == "Find single_keys and remove them."
    assert write_out(sentence, Lexicon((), {**others, **few})).text == sentence
