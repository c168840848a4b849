"""Writing out spoken names: what Whisper base wrote for synthetic voices and what should become of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.identifiers_ordinary import ORDINARY
from bench.identifiers_vocabulary import VOCABULARIES, Vocabulary, lexicon_of
from voice.hearing.lexicon import Lexicon
from voice.hearing.names import path_keys, spoken_words
from voice.hearing.rescoring import variants
from voice.hearing.spoken_code import Source, write_out

LEXICON = Lexicon(
    files=(
        "calc.py",
        "config.toml",
        "pyproject.toml",
        "README.md",
        "run.py",
        "shelf/__init__.py",
        "shelf/config.py",
        "src/calc_view.py",
        "tests/test_books.py",
        "tests/test_config.py",
    ),
    identifiers={
        "parse_config": 5, "run": 3, "tests": 2, "run_tests": 2, "load_settings": 2, "Account": 3, "total": 3,
        "RunningSum": 1, "running_sum": 2, "HTTPClient": 1, "to_do": 1, "is_in": 1, "read_file": 2, "utf8": 1,
    },
)  # fmt: skip

WORDS = ["open", "parse", "config", "calc", ".", "dot", "pie", "the", "run", "tests", "/", "'s", "does", "do"]


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        # what the voices of the demo say and Whisper makes of it
        ("What does parse config do?", "What does parse_config do?"),
        ("What does Parse Config's loop do?", "What does parse_config's loop do?"),
        ("What does parts config do?", "What does parse_config do?"),
        ("What does pause config do?", "What does parse_config do?"),
        ("What does parse can fig do?", "What does parse_config do?"),
        ("What does parts can fig do?", "What does parse_config do?"),
        ("What does Pār's config do?", "What does parse_config do?"),
        # files
        ("Open Calc.py", "Open calc.py"),
        ("OpenCalk.py", "Open calc.py"),
        ("Open calc dot py.", "Open calc.py."),
        ("Open calc dot pie.", "Open calc.py."),
        ("open calc.pi please", "open calc.py please"),
        ("Open Calculator.py.", "Open calc.py."),
        ("What is in config.tomo?", "What is in config.toml?"),
        ("What is in config.tomel?", "What is in config.toml?"),
        ("What is in config dot tom l?", "What is in config.toml?"),
        ("Read shelf slash config dot py.", "Read shelf/config.py."),
        ("read tests/test books.py", "read tests/test_books.py"),
        ("Show me test config dot pie", "Show me test_config.py"),
        ("open underscore underscore init dot py", "open __init__.py"),
        ("Show shelf/init.py", "Show shelf/__init__.py"),
        ("the read me.md", "the README.md"),
        # identifiers
        ("rename total to running sum", "rename total to running_sum"),
        ("the class running sum", "the class RunningSum"),
        ("is the http client slow?", "is the HTTPClient slow?"),
        ("utf eight", "utf8"),
        ("parse underscore config", "parse_config"),
        ("Show me the class account.", "Show me the class Account."),
        ("Run the function run tests.", "Run the function run_tests."),
        ("what does read file do?", "what does read_file do?"),
        ("What does the function paths config do?", "What does the function parse_config do?"),
        ("What does parse, config do?", "What does parse_config do?"),
        ("What is parse config. Pie is good.", "What is parse_config. Pie is good."),
    ],
)
def test_names_are_written_as_the_repository_writes_them(heard: str, written: str):
    assert write_out(heard, LEXICON).text == written


@pytest.mark.parametrize(
    "text",
    [
        "What files are in this project?",
        "Run the tests.",
        "Run tests.",
        "Please run tests.",
        "Read file.",
        "Fix the failing test.",
        "What changed?",
        "What is the total?",
        "Is it in there, or to do?",
        "What does run do?",
        "What does it do?",
        "What is in the file config?",  # there are two
        "RunningSum is wrong",
        "Run it on pyproject.toml.",
        "Use 2.5 or v1.2 instead.",
        "What is in kitchen.com?",
        "the function / x",
        # what is to be made has a new name
        "Add a method acount to the class of books.",
        "Create a new function called pause config.",
        # what is said of a name is none
        "The settings test runs.",
        "Add the type the counter needs.",
        "",
        "...",
    ],
)
def test_what_is_right_or_uncertain_stays_as_it_was_heard(text: str):
    written = write_out(text, LEXICON)
    assert written.text == text
    assert written.changes == ()


SMALL_WORDS = Lexicon(
    identifiers=dict.fromkeys(
        [
            *("get_user", "is_valid", "is_empty", "log_in", "read_all", "has_changed"),
            *("to_json", "from_disk", "in_use", "all_tests", "to_do", "up_to_date"),
            *("can_read", "is_used", "from_file", "in_memory", "on_click", "has_next"),
        ],
        2,
    ),
)


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("Where is get user called?", "Where is get_user called?"),
        ("What does is valid return?", "What does is_valid return?"),
        ("What does to json do?", "What does to_json do?"),
        ("Does has next handle an empty list?", "Does has_next handle an empty list?"),
        ("Find the callers of get user.", "Find the callers of get_user."),
        ("The function get user is too slow.", "The function get_user is too slow."),
        ("What does the method is valid do?", "What does the method is_valid do?"),
        ("Show me read all.", "Show me read_all."),
        ("Open log in in a new tab.", "Open log_in in a new tab."),
        ("Explain on click.", "Explain on_click."),
        ("Which function calls log in?", "Which function calls log_in?"),
        ("Where is log in used?", "Where is log_in used?"),
        ("Which test covers to json?", "Which test covers to_json?"),
        ("Remove is valid.", "Remove is_valid."),
    ],
)
def test_names_may_begin_and_end_with_small_words_where_a_name_must_stand(heard: str, written: str):
    assert write_out(heard, SMALL_WORDS).text == written


@pytest.mark.parametrize(
    "text",
    [
        "Show me what has changed.",
        "Tell me what is empty.",
        "It is in use.",
        "Please read from disk.",
        "Show me all tests.",
        "What is to do?",
        "Make it up to date.",
        "Find what is used.",
        "Is the list empty or is it used?",
        "Open the log in the editor.",
        "How do I log in?",
        "Where do users log in?",
        "Does in memory mode work?",
        "Move it from file to file.",
        "Can you get user input from it?",
        "Does the function get user input?",
        "Why is the function is valid only for lists?",
    ],
)
def test_small_words_in_prose_are_no_names(text: str):
    assert write_out(text, SMALL_WORDS).text == text


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("Open the make file.", "Open the Makefile."),
        ("What is in docker file?", "What is in Dockerfile?"),
        ("Please make file access faster.", "Please make file access faster."),
        ("Open the code owners.", "Open the CODEOWNERS."),
        ("Show me the code owners.", "Show me the CODEOWNERS."),
        ("Who are the code owners?", "Who are the code owners?"),
        ("I want to make file names shorter.", "I want to make file names shorter."),
    ],
)
def test_files_without_an_extension_are_known_where_things_are_named(heard: str, written: str):
    assert write_out(heard, Lexicon(("Makefile", "Dockerfile", "CODEOWNERS"))).text == written


def test_a_path_that_is_said_in_full_is_written_with_its_extension():
    lexicon = Lexicon(("src/calc.py", "src/parser/expr.rs"))
    heard = "What is in source slash parser slash expr dot rs?"
    assert write_out(heard, lexicon).text == "What is in src/parser/expr.rs?"


def test_every_change_is_kept_with_its_place_and_source():
    written = write_out("Does calc dot pie call parse config?", LEXICON)
    assert written.raw == "Does calc dot pie call parse config?"
    assert [(written.raw[c.start : c.end], c.before, c.after, c.source) for c in written.changes] == [
        ("calc dot pie", "calc dot pie", "calc.py", Source.FILE),
        ("parse config", "parse config", "parse_config", Source.IDENTIFIER),
    ]


@given(st.text(max_size=60))
def test_without_a_lexicon_nothing_changes(text: str):
    assert write_out(text, Lexicon()).text == text


@given(st.lists(st.sampled_from(WORDS)))
def test_the_changes_account_for_every_difference(words: list[str]):
    written = write_out(" ".join(words), LEXICON)
    end = 0
    for change in written.changes:
        assert written.raw[change.start : change.end] == change.before
        assert change.start >= end
        end = change.end
    rebuilt = written.raw
    for change in reversed(written.changes):
        rebuilt = rebuilt[: change.start] + change.after + rebuilt[change.end :]
    assert rebuilt == written.text


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        (
            "rename it to snake case total price and run the tests",
            "rename it to total_price and run the tests",
        ),
        ("call it camel case is ready", "call it isReady"),
        ("make a class called hammer order line", "make a class called OrderLine"),
        ("a class named pascal order line.", "a class named OrderLine."),
        ("add a constant named constant max page size", "add a constant named MAX_PAGE_SIZE"),
        ("Rename total to camel case running sum everywhere.", "Rename total to runningSum everywhere."),
        ("a parameter called snake case max items set to ten", "a parameter called max_items set to ten"),
        ("name the file kebab case get started", "name the file get-started"),
        ("what does dunder init do", "what does __init__ do"),
        ("open dunder init dot py", "open __init__.py"),
        ("double underscore main double underscore", "__main__"),
        ("the variable spelled air bat cap", "the variable spelled abc"),
        ("name it spelled alfa bravo underscore charlie", "name it spelled ab_c"),
        ("set running sum equals five", "set running_sum = 5"),
        ("if running sum double equals twenty five", "if running_sum == 25"),
        ("call parse config open paren running sum comma 3 close paren", "call parse_config(running_sum, 3)"),
        ("does HTTP client arrow parse config work", "does HTTPClient -> parse_config work"),
    ],
)
def test_what_is_said_how_to_write_is_written_so(heard: str, written: str):
    assert write_out(heard, LEXICON).text == written


@pytest.mark.parametrize(
    "text",
    [
        "Use snake case for the names.",
        "My snake ate a mouse.",
        "The constant noise is bad.",
        "The function equals five plus two.",
        "It is five plus three.",
        "rm minus rf slash",
        "Set it to twenty five.",
        "Spell it for me.",
    ],
)
def test_formatters_and_operators_are_ordinary_words_in_prose(text: str):
    assert write_out(text, LEXICON).text == text


def test_words_that_sound_the_same_are_decided_by_the_names():
    lexicon = Lexicon((), {"cache_key": 1, "sync_root": 1, "write_queue": 1})
    text = "is the cash key or the sink route in the right cue"
    assert write_out(text, lexicon).text == "is the cache_key or the sync_root in the write_queue"


def test_a_number_is_never_taken_for_another():
    lexicon = Lexicon(("step_13.py",), {"get_page_13": 1})
    text = "What does the function get page 30 do in step 30 dot py?"
    assert write_out(text, lexicon).text == text


def test_a_tie_is_left_and_both_are_told():
    lexicon = Lexicon((), {"parse_config": 1, "purse_config": 1})
    written = write_out("What does the function pearse config do?", lexicon)
    assert written.text == written.raw
    assert written.question == "parse_config or purse_config?"
    assert set(written.readings()) == {
        "What does the function parse_config do?",
        "What does the function purse_config do?",
    }
    assert written.request == (
        'What does the function pearse config do? (This was spoken, and "pearse config" may be '
        "parse_config or purse_config.)"
    )


def test_what_the_conversation_is_about_decides_between_names_that_are_as_alike():
    lexicon = Lexicon((), {"parse_config": 1, "purse_config": 1})
    written = write_out("What does the function pearse config do?", lexicon, {"purse_config": 1.0})
    assert written.text == "What does the function purse_config do?"


def test_a_corrected_name_can_be_taken_back_by_its_reading():
    written = write_out("What does parts config do?", LEXICON)
    assert written.text == "What does parse_config do?"
    assert written.raw in written.readings()
    assert written.request == written.text


def test_a_name_that_is_too_unlikely_to_be_written_is_still_a_reading():
    text = "Find the callers of simplified bread."
    written = write_out(text, Lexicon((), {"simplify_branch": 1}))
    assert (written.text, written.request) == (text, text)
    assert written.readings() == ("Find the callers of simplify_branch.",)


@pytest.mark.parametrize(("likelier", "name"), [(-1.5, "simplify_branch"), (-14.0, "simplified bread")])
def test_the_audio_decides_what_the_words_leave_open(likelier: float, name: str):
    text = "Find the callers of simplified bread."
    evidence = {(20, 36, "simplify_branch"): likelier}
    written = write_out(text, Lexicon((), {"simplify_branch": 1}), evidence=evidence)
    assert written.text == f"Find the callers of {name}."


@pytest.mark.parametrize(
    ("text", "name"),
    [("One of them is a test.", "a_test"), ("Show me all tests.", "all_tests"), ("It is in use.", "in_use")],
)
def test_of_words_that_are_also_a_name_the_audio_says_nothing(text: str, name: str):
    lexicon = Lexicon((), {name: 1})
    evidence = {
        (one.start, one.end, one.written): 0.0 if one.text == text else -30.0
        for one in variants(text, lexicon)
    }
    assert write_out(text, lexicon, evidence=evidence).text == text


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda one: one.name)
def test_nothing_is_corrected_in_ordinary_sentences(vocabulary: Vocabulary):
    lexicon = lexicon_of(vocabulary)
    assert len(ORDINARY) == 200
    for text in ORDINARY:
        written = write_out(text, lexicon)
        assert (written.text, written.unsure) == (text, ())


def test_names_said_in_full_are_known():
    lexicon = Lexicon(("src/main.rs",), {"parse_expr": 1})
    text = "does parse expression work in source slash main dot rs"
    assert write_out(text, lexicon).text == "does parse_expr work in src/main.rs"


def test_names_are_taken_apart_at_case_digits_and_underscores():
    assert spoken_words("parseHTTPConfig_v2") == ("parse", "http", "config", "v", "2")
    assert path_keys("shelf/test_config.py") == ["testconfig.py", "shelf/testconfig.py"]


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("Show the function price total price.", "Show the function total_price."),
        ("Show the function lay late fee.", "Show the function late_fee."),
        ("Show the function net get user.", "Show the function get_user."),
    ],
)
def test_a_false_start_before_a_name_is_left_out(heard: str, written: str) -> None:
    assert write_out(heard, Lexicon((), {"total_price": 2, "late_fee": 2, "get_user": 2})).text == written


@pytest.mark.parametrize("at", [(8, 20), (5, 20), (8, 25)])
def test_a_name_takes_no_word_away_from_beside_it(at: tuple[int, int]) -> None:
    text = "What is a dictionary good for?"
    lexicon = Lexicon((), {"dictionary": 3})
    assert write_out(text, lexicon, evidence={(*at, "dictionary"): 6.0}).text == text


def test_a_misheard_name_goes_before_the_name_that_it_ends_with() -> None:
    lexicon = Lexicon((), {"parse_match_arm": 1, "MatchArm": 1, "close_match_arm": 1})
    text = "Show me parts match arm."
    evidence = {(8, 23, "parse_match_arm"): -3.5, (8, 23, "close_match_arm"): -4.7}
    assert write_out(text, lexicon, evidence=evidence).text == "Show me parse_match_arm."
    assert write_out("Show me match arm.", lexicon, evidence={}).text == "Show me MatchArm."


def test_where_a_slash_was_heard_a_path_may_be_unlikely_to_whisper() -> None:
    text = "What is impulsive slash expression?"
    evidence = {(8, 34, "parser/expr.rs"): -16.0}
    lexicon = Lexicon(("parser/expr.rs", "parser/mod.rs"), {})
    assert write_out(text, lexicon, evidence=evidence).text == "What is parser/expr.rs?"


def test_a_name_that_is_like_what_was_clearly_heard_is_not_written() -> None:
    text = "The function pop scope is too slow."
    evidence = {(13, 22, "push_scope"): -8.2}  # pop_scope is yet to be written
    assert write_out(text, Lexicon((), {"push_scope": 1}), evidence=evidence).text == text


def test_what_was_compared_with_the_audio_is_offered_before_what_was_not() -> None:
    lexicon = Lexicon((), {"encode_cursor": 1, "reset_contacts": 1, "set_contacts": 1})
    text = "What does it called cuss or do?"
    evidence = {(10, 27, "encode_cursor"): -9.0}
    written = write_out(text, lexicon, evidence=evidence)
    assert written.text == text and written.readings()[0] == "What does encode_cursor do?"


@pytest.mark.parametrize(
    "text",
    [
        "I changed the file. Config is wrong now.",
        "What do you think of the file. Server crashes.",
        "Fix the function. Retry is not needed.",
        "Rename load. User is not needed.",
    ],
)
def test_no_name_is_made_of_the_end_and_the_beginning_of_sentences(text: str) -> None:
    lexicon = Lexicon(("config.py", "server.py"), {"RETRY": 1, "load_user": 1})
    assert write_out(text, lexicon, evidence={}).text == text
    assert write_out(text, lexicon).text == text


def test_over_a_full_stop_the_audio_may_find_a_name() -> None:
    text = "Make sense. Welcome email log a warning."
    lexicon = Lexicon((), {"send_welcome_email": 1})
    heard = write_out(text, lexicon, evidence={(5, 25, "send_welcome_email"): -1.0})
    assert heard.text == "Make send_welcome_email log a warning."
    assert write_out(text, lexicon).text == text


def test_a_path_that_whisper_wrote_as_one_is_left_alone() -> None:
    text = "Create tests/utils.py please."
    evidence = {(7, 21, "tests/util.py"): -20.0}
    assert write_out(text, Lexicon(("tests/util.py",), {}), evidence=evidence).text == text


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("What is in window slash shadows dot ts?", "What is in render/shadows.ts?"),
        ("Open test slash collision dot ts.", "Open tests/collision.ts."),
        ("Open core slash shadows dot ts", "Open core slash shadows.ts"),  # is not like it
        ("Open tests slash shadows dot ts", "Open tests slash shadows.ts"),  # is a folder itself
        ("Create window slash shadows dot ts", "Create window slash shadows.ts"),  # to be made
        ("Open render slash index dot ts", "Open render slash index.ts"),  # in two folders
        ("Open rooms slash main dot ts", "Open rooms slash main.ts"),  # in the root too
        ("Look at window. Slash shadows dot ts", "Look at window. Slash shadows.ts"),
    ],
)
def test_a_file_behind_slash_goes_with_its_folder_if_that_was_said(heard: str, written: str):
    folders = ("render/shadows.ts", "tests/collision.ts", "a/index.ts", "b/index.ts", "routes/main.ts")
    evidence = {}  # the audio was asked, and speaks for no other name
    assert write_out(heard, Lexicon((*folders, "main.ts")), evidence=evidence).text == written
