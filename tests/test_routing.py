"""Requests by their words: what needs no model, what is a question, a change, or two requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.code.index import CodeIndex
from agent.guided.constants import number, setting
from agent.guided.routing import Route, asks_more_than_a_run, is_run_asked_in, route, split
from agent.intents import direct
from agent.permissions import Action, Deny, Kind, decide, is_git_internal, is_secret
from agent.workspace import Workspace

NAMES = ("parse_config", "Catalogue", "LIMIT", "total", "load_data")


@pytest.mark.parametrize(
    ("request_", "tool"),
    [
        ("Run the tests.", "run_tests"),
        ("Please run all of my unit tests again", "run_tests"),
        ("Could you re-run the test suite?", "run_tests"),
        ("Do the tests pass?", "run_tests"),
        ("Are all the tests still green?", "run_tests"),
        ("Which tests are failing?", "run_tests"),
        ("Check whether the tests pass", "run_tests"),
        ("Is every test okay at the moment?", "run_tests"),
        ("Please run the tests of the parser package.", "run_tests"),
        ("Do the tests for parse config pass at present?", "run_tests"),
        ("Run the parser tests.", "run_tests"),
        ("Are there any failing tests?", "run_tests"),
        ("I'd like to know if the tests pass.", "run_tests"),
        ("What's the status of the tests?", "run_tests"),
        ("How are the tests doing?", "run_tests"),
        ("Give the tests another try.", "run_tests"),
        ("Tell me which test fails, but don't change anything.", "run_tests"),
        ("What changed?", "git_diff"),
        ("What has changed so far?", "git_diff"),
        ("What did you change?", "git_diff"),
        ("Show me the diff.", "git_diff"),
        ("Okay, what have you done?", "git_diff"),
        ("What's the git status?", "git_status"),
        ("Which branch am I on?", "git_status"),
        ("What files are in this project?", "list_files"),
        ("Which files are there?", "list_files"),
        ("List all the files", "list_files"),
        ("Show me all of the files in this repository, please.", "list_files"),
        ("What's in this folder?", "list_files"),
        ("Find the to-dos.", "search"),
    ],
)
def test_a_request_that_names_a_tool_needs_no_model(request_: str, tool: str) -> None:
    call = direct(request_, NAMES)
    assert call is not None
    assert call.tool == tool


@pytest.mark.parametrize(
    ("request_", "tool", "arguments"),
    [
        ("Rename parse_config to read_config.", "rename", {"old": "parse_config", "new": "read_config"}),
        (
            "rename the function parse config to read settings",
            "rename",
            {"old": "parse_config", "new": "read_settings"},
        ),
        ("Rename catalogue to book index everywhere", "rename", {"old": "Catalogue", "new": "BookIndex"}),
        ("rename limit to upper limit", "rename", {"old": "LIMIT", "new": "UPPER_LIMIT"}),
        ("Rename the class Catalogue to index.", "rename", {"old": "Catalogue", "new": "Index"}),
        ("rename limit to maximum", "rename", {"old": "LIMIT", "new": "MAXIMUM"}),
        ("Rename total to Sum.", "rename", {"old": "total", "new": "Sum"}),
        ("Rename Catalogue to catalogue.", "rename", {"old": "Catalogue", "new": "catalogue"}),
        ("Rename Catalogue to book_index.", "rename", {"old": "Catalogue", "new": "book_index"}),
        ("Commit this with the message fix the fee", "git_commit", {"message": "Fix the fee"}),
        ("commit everything", "git_commit", {"message": "Update"}),
        ("Commit.", "git_commit", {"message": "Update"}),
        ("Please commit all of my changes", "git_commit", {"message": "Update"}),
        ("Commit: fix the fee", "git_commit", {"message": "Fix the fee"}),
        ("commit that as tidy up", "git_commit", {"message": "Tidy up"}),
        ("Commit the changes saying Handle empty input", "git_commit", {"message": "Handle empty input"}),
        ("Where is parse_config used?", "search", {"pattern": r"\bparse_config\b"}),
        ("Who calls load data?", "search", {"pattern": r"\bload_data\b"}),
        ("Which file defines load data?", "search", {"pattern": "load_data", "where": "definition"}),
        ("What module is total in?", "search", {"pattern": "total", "where": "definition"}),
        ("Where is parse_config defined?", "search", {"pattern": "parse_config", "where": "definition"}),
    ],
)
def test_the_words_give_the_arguments_too(request_: str, tool: str, arguments: dict[str, str]) -> None:
    call = direct(request_, NAMES)
    assert call is not None
    assert (call.tool, call.arguments) == (tool, arguments)


@pytest.mark.parametrize(
    ("request_", "names", "new"),
    [
        ("Rename slugify to make slug", ("slugify", "formatHours", "Route"), "makeSlug"),
        ("Rename format hours to show hours", ("formatHours", "a_b", "c_d"), "showHours"),
        ("Rename is overdrawn to in debt", ("IsOverdrawn",), "InDebt"),
        ("Rename load to load data", ("load", "parse_config"), "load_data"),
        ("I'd rather have parse text called read text, also in the tests.", ("parseText",), "readText"),
        ("Could you call the method last final stop from now on?", ("last", "aB"), "finalStop"),
        ("Line count should be named rows.", ("line_count",), "rows"),
        ("Please change the name of slugify to make slug", ("slugify", "aB"), "makeSlug"),
    ],
)
def test_a_new_name_is_written_as_the_project_writes_names(
    request_: str, names: tuple[str, ...], new: str
) -> None:
    call = direct(request_, names)
    assert call is not None
    assert call.arguments["new"] == new


@pytest.mark.parametrize(
    "request_",
    [
        "What does parse_config do?",
        "Fix the failing test.",
        "Why do the tests fail?",
        "Run the tests and tell me why they fail.",
        "How do I run the tests?",
        "How many tests are there?",
        "Which tests cover parse_config?",
        "What does the test for total expect?",
        "What happens if the tests fail?",
        "Is parse_config broken?",
        "Run the linter on the tests.",
        "Rename the moon to cheese",
        "Where is the entrance used?",
        "Add a test for parse_config",
        "What changed my mind about total?",
        "List the files that parse_config reads and explain them",
        "Change the status line to green",
        "Total should be called with two lists.",
        "Have total called once.",
        "Call total from parse_config",
        "I want a function called total",
        "Could total be called sum?",
        "Call the total method.",
        "Call the total function in parse_config",
        "Call total immediately",
        "Call total then close",
        "Call total once per order",
        "Call parse config before total",
        "Call parse config",
        "Total must be called exactly once.",
        "I want total called whenever the file changes.",
        "Get the total called Bob",
        "I'd rather not have total called sum.",
        "Commit history please.",
        "Commit nothing yet.",
        "Commit only the parser.",
        "Commit messages should be shorter.",
        "Commit as soon as the tests pass.",
        "Commit this with a message that explains why.",
        "Commit this and then run the tests.",
        "Commit this saying tidy and then run the tests.",
    ],
)
def test_anything_else_is_for_the_model(request_: str) -> None:
    assert direct(request_, NAMES) is None


def test_a_name_is_taken_as_it_is_written_before_one_that_only_sounds_like_it() -> None:
    names = ("Loan", "loan", "LOAN")
    exact, unclear = direct("Rename loan to debt", names), direct("Rename lOan to debt", names)
    assert exact is not None
    assert exact.arguments == {"old": "loan", "new": "debt"}
    assert unclear is not None
    assert unclear.arguments == {"old": "lOan", "new": "debt"}  # the tool names what fits


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ("What does parse_config do?", Route.QUESTION),
        ("Explain how fees are computed", Route.QUESTION),
        ("Is there a default for the port?", Route.QUESTION),
        ("Can you tell me what total does?", Route.QUESTION),
        ("Fix the failing test.", Route.FIX_TESTS),
        ("Please fix the test", Route.FIX_TESTS),
        ("Make the tests pass", Route.FIX_TESTS),
        ("Can you get the tests green again?", Route.FIX_TESTS),
        ("Why does the test fail?", Route.EXPLAIN_FAILURE),
        ("What's wrong with the failing test?", Route.EXPLAIN_FAILURE),
        ("Add a docstring to total", Route.CHANGE),
        ("Could you change the default port to 9000?", Route.CHANGE),
        ("Put a limit on the retries", Route.CHANGE),
        ("Use a set instead of a list in total", Route.CHANGE),
        ("total should return zero for an empty list", Route.CHANGE),
        ("The limit must be ten", Route.CHANGE),
        ("Print a message when the book is missing.", Route.UNCLEAR),
        ("Search should ignore case.", Route.CHANGE),
        ("Show the author in the overdue report.", Route.UNCLEAR),
        ("Read the settings from a YAML file instead.", Route.UNCLEAR),
        ("Find should ignore accents.", Route.CHANGE),
        ("Show me the parser", Route.QUESTION),
        ("Read notes.txt", Route.QUESTION),
        ("Find where the fee is computed", Route.QUESTION),
        ("Show the author where?", Route.QUESTION),
    ],
)
def test_requests_are_told_apart(request_: str, expected: Route) -> None:
    assert route(request_) is expected


@pytest.mark.parametrize(
    ("request_", "parts"),
    [
        ("Add a docstring to total and then run the tests", ("Add a docstring to total", "run the tests")),
        (
            "Rename total to sum_up and add a docstring to it",
            ("Rename total to sum_up", "add a docstring to it"),
        ),
        ("Add salt and pepper", ("Add salt and pepper",)),
        ("What does total do and return?", ("What does total do and return?",)),
        (
            "Commit this with the message tidy and fix things",
            ("Commit this with the message tidy and fix things",),
        ),
    ],
)
def test_two_requests_in_one_sentence_are_split(request_: str, parts: tuple[str, ...]) -> None:
    assert split(request_) == parts


def test_how_the_tests_go_may_be_asked_in_a_part_of_a_request() -> None:
    assert is_run_asked_in("Before I go home, are all the tests green?")
    assert not asks_more_than_a_run("Before I go home, are all the tests green?")
    assert is_run_asked_in("Do the tests pass? What does total do?")
    assert asks_more_than_a_run("Do the tests pass? What does total do?")
    assert not is_run_asked_in("What does the test of total check?")


@pytest.mark.parametrize("path", [".git/config", "a/.GIT/hooks/pre-commit", ".Git", ".g\u200cit/config"])
def test_the_files_of_git_are_known_however_they_are_spelled(path: str) -> None:
    assert is_git_internal(path)
    assert isinstance(decide(Action(Kind.WRITE, path), "write it"), Deny)


@pytest.mark.parametrize("path", [".gitignore", ".github/ci.yml", "git/config", "docs/.gitkeep"])
def test_files_about_git_are_not_files_of_git(path: str) -> None:
    assert not is_git_internal(path)


@pytest.mark.parametrize("path", [".ENV", "a/.Env.local", "ID_RSA", ".SSH/config"])
def test_secrets_are_known_however_they_are_spelled(path: str) -> None:
    assert is_secret(path)


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("five", "5"),
        ("4.5", "4.5"),
        ("two hundred and fifty", "250"),
        ("ninety-nine", "99"),
        ("a thousand and one", "1001"),
        ("three hundred thousand", "300000"),
        ("four point two five", "4.25"),
        ("minus three", "-3"),
        ("and", None),
        ("one minute", None),
        ("twice as much", None),
        ("", None),
    ],
)
def test_numbers_are_read_as_they_are_spoken(words: str, digits: str | None) -> None:
    assert number(words) == digits


CONSTANTS = {
    "a.py": 'LIMIT = 10  # books\nNAME = "shelf"\nIS_OPEN = True\nWIDE = LIMIT * 2\nTWICE = 1\n',
    "b.js": "export const maxStops = 8;\nconst TWICE = 2;\n",
    "c.go": "package c\n\nconst Rate float64 = 0.2\n",
}


@pytest.mark.parametrize(
    ("request_", "path", "new"),
    [
        ("Set the limit to twelve.", "a.py", "LIMIT = 12  # books"),
        ("Please change NAME to rack", "a.py", 'NAME = "rack"'),
        ("Set is open to false", "a.py", "IS_OPEN = False"),
        ("Raise max stops from eight to twenty one.", "b.js", "export const maxStops = 21;"),
        ("Change the rate to zero point three", "c.go", "const Rate float64 = 0.3"),
        ("Set wide to four", "", ""),  # it is computed
        ("Set twice to three", "", ""),  # there are two
        ("Set the limit to ten books a year", "", ""),
        ("Change NAME to two words", "", ""),
        ("Set the moon to five", "", ""),
        ("Set the limit to five and run the tests", "", ""),
    ],
)
def test_a_constant_is_set_where_nothing_is_left_to_judge(
    tmp_path: Path, request_: str, path: str, new: str
) -> None:
    for name, text in CONSTANTS.items():
        (tmp_path / name).write_text(text)
    index = CodeIndex(Workspace(tmp_path))
    index.refresh()
    call = setting(request_, index)
    assert (call is None) == (not path)
    if call is not None:
        assert (call.tool, call.arguments["path"], call.arguments["new"]) == ("edit_file", path, new)
