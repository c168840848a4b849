"""What a request speaks of: names, "it", what is to be added, and the places where a project is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.code.breakage import Breakage, breakage_of
from agent.code.index import CodeIndex
from agent.code.mentions import mentioned, spelled
from agent.facts import FileEdited
from agent.guard import compare
from agent.guided.clauses import clauses
from agent.guided.constants import setting
from agent.guided.context import for_failure, for_new_function, for_new_method
from agent.guided.naming import new_name
from agent.guided.reference import resolved, subject_of
from agent.guided.removing import removal
from agent.guided.restraint import restrained
from agent.guided.routing import NewCode, Route, new_code, route, split
from agent.intents import direct
from agent.tools.syntax_repairs import name_repairs, syntax_repairs
from agent.tools.testreport import Outcome, TestCase, TestReport
from agent.workspace import Workspace

FILES = {
    "pkg/purse.py": "LIMIT = 5\nRATE = 0.5\n\n\ndef is_full(count):\n    return count > LIMIT\n\n\n"
    "class Purse:\n    def total(self):\n        return 1\n",
    "route.js": "export function climbTime(metres) {\n  return metres / 600;\n}\n\nexport class Route {\n"
    "  last() {\n    return 1;\n  }\n}\n",
    "ledger/ledger.go": "package ledger\n\ntype Ledger struct{}\n\n"
    "func (b *Ledger) Len() int {\n\treturn 0\n}\n\nfunc Line(text string) string {\n\treturn text\n}\n",
    "tests/test_purse.py": "def test_full():\n    assert is_full(6)\n",
}


@pytest.fixture
def index(tmp_path: Path) -> CodeIndex:
    return indexed(tmp_path, {})


def indexed(root: Path, changed: dict[str, str]) -> CodeIndex:
    for name, text in {**FILES, **changed}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    found = CodeIndex(Workspace(root))
    found.refresh()
    return found


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ("Is full should be true from five on.", "is_full should be true from five on."),
        ("Line must end with a dot.", "Line must end with a dot."),
        ("Explain climb time, please.", "Explain climbTime, please."),
        ("Add a new line to the end.", "Add a new line to the end."),
    ],
)
def test_names_that_are_spoken_are_written_as_in_the_code(
    index: CodeIndex, request_: str, expected: str
) -> None:
    assert spelled(request_, index) == expected


def test_a_common_word_is_a_name_where_it_does_something(index: CodeIndex) -> None:
    assert [item.symbol.name for item in mentioned("Line should be shorter", index).symbols] == ["Line"]
    assert mentioned("Print a line for each", index).symbols == ()


def test_a_file_named_as_a_place_is_where_new_code_goes(index: CodeIndex) -> None:
    given = for_new_function("Add a function net price to purse that takes a price", index)
    assert given.files == ("pkg/purse.py",)
    assert given.heads == {"pkg/purse.py": "def net_price"}
    assert given.is_named


@pytest.mark.parametrize(
    ("request_", "place", "head"),
    [
        ("Add a method is empty to Purse", "pkg/purse.py:Purse", "def is_empty"),
        ("Add a method stop count to the class Route.", "route.js:Route", "stopCount"),
        (
            "I need a method on Ledger called clear all",
            "ledger/ledger.go:Ledger",
            "func (b *Ledger) ClearAll",
        ),
    ],
)
def test_a_new_method_begins_with_its_name(index: CodeIndex, request_: str, place: str, head: str) -> None:
    given = for_new_method(request_, index)
    assert (given.heads[place], given.is_named) == (head, True)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ("Add a function called net price to pricing", "net price"),
        ("Write a function heaviest in packing that returns one", "heaviest"),
        ("Add a method to Shelf called is empty.", "is empty"),
        ("Add a function to format dates", ""),
        ("Write a helper function that adds", ""),
        ("Create a function that is called once", ""),
    ],
)
def test_the_name_of_what_is_new_is_heard_only_where_there_is_one(request_: str, expected: str) -> None:
    assert new_name(request_) == expected


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ("Add a docstring to it.", "Add a docstring to is_full."),
        ("It should return zero.", "is_full should return zero."),
        ("Rename it to too many", "Rename is_full to too many"),
        ("Delete that function", "Delete is_full"),
        ("What are its parameters?", "What are is_full's parameters?"),
        ("Is it possible to go faster?", "Is it possible to go faster?"),
        ("Make it so that all is well", "Make it so that all is well"),
        ("Rename climbTime and add a test for it", "Rename climbTime and add a test for it"),
    ],
)
def test_it_is_what_was_spoken_of_last(index: CodeIndex, request_: str, expected: str) -> None:
    assert resolved(request_, "is_full", index) == expected


def test_it_means_nothing_once_that_is_gone(index: CodeIndex) -> None:
    assert resolved("Add a docstring to it.", "was_there", index) == "Add a docstring to it."


def test_what_was_changed_is_spoken_of_rather_than_what_was_named(index: CodeIndex) -> None:
    edits = [
        FileEdited("tests/test_purse.py", 1, 0, symbol="test_full"),
        FileEdited("pkg/purse.py", 1, 1, symbol="is_full"),
    ]
    assert subject_of("Rename climb time", edits, index) == "is_full"
    assert subject_of("What does climb time do?", [], index) == "climbTime"
    assert subject_of("Run the tests", [], index) == ""
    assert subject_of("Run the tests", [], index, "is_full") == "is_full"
    # After a new file of words, "delete it" is not about a function.
    assert subject_of("Write some notes", [FileEdited("notes.md", 1, 0)], index, "is_full") == ""


def test_a_state_and_an_order_are_two_clauses() -> None:
    assert clauses("Slugify keeps the marks, make it drop them.") == [
        "Slugify keeps the marks",
        "make it drop them",
    ]
    assert clauses("Why is it red? Can you fix it?") == ["Why is it red?", "fix it"]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ("Why is a test failing? Fix it.", Route.FIX_TESTS),
        ("One of the tests is failing, fix it please.", Route.FIX_TESTS),
        ("The build is broken. Can you repair it?", Route.FIX_TESTS),
        ("It doesn't compile any more, please fix that.", Route.FIX_TESTS),
        ("There's a syntax error somewhere, fix it.", Route.FIX_TESTS),
        ("The test about weights is red. Put that right, please.", Route.FIX_TESTS),
        ("The ledger package doesn't compile. Can you see to that?", Route.FIX_TESTS),
        ("Make it all green again.", Route.FIX_TESTS),
        ("The colours are fine. See to that.", Route.UNCLEAR),
        ("What is making the test fail?", Route.EXPLAIN_FAILURE),
        ("is_full should only be true below minus one hundred.", Route.CHANGE),
        ("Largest panics on an empty slice, make it return zero instead.", Route.CHANGE),
        ("I need a method that empties it", Route.CHANGE),
        ("The class Route needs a method that removes a stop.", Route.CHANGE),
        ("Nothing compiles, there must be a typo. Repair that please.", Route.FIX_TESTS),
        ("Explain is_full in a docstring", Route.CHANGE),
        ("Can we get rid of is_full?", Route.QUESTION),
        ("Should we just drop the purse file?", Route.QUESTION),
        ("Can you get rid of is_full?", Route.CHANGE),
        ("Could we please remove the purse file?", Route.CHANGE),
        ("I'd like to know what total returns", Route.QUESTION),
        ("Let me know what total does", Route.QUESTION),
        ("Have a look at total", Route.QUESTION),
        ("Give me an overview of this project", Route.QUESTION),
        ("Never mind.", Route.UNCLEAR),
        ("That should do it.", Route.UNCLEAR),
        ("The colour of the button, maybe", Route.UNCLEAR),
    ],
)
def test_a_request_is_what_its_clauses_are(request_: str, expected: Route) -> None:
    assert route(request_) is expected


def test_a_question_and_an_order_are_two_requests_but_not_why_and_fix_it() -> None:
    assert split("What does total do? Add a docstring to it.") == (
        "What does total do?",
        "Add a docstring to it.",
    )
    assert split("Why is a test failing? Fix it.") == ("Why is a test failing? Fix it.",)
    assert split("Rename a to b. Then add a comment to it.") == ("Rename a to b.", "add a comment to it.")


def test_a_comment_on_a_part_of_a_function_is_no_description_of_it() -> None:
    assert new_code("Add a comment to total") is NewCode.COMMENT
    assert new_code("total needs a docstring") is NewCode.COMMENT
    assert new_code("Put a comment above the loop in total that explains it") is None


def test_what_was_said_last_of_a_value_counts(index: CodeIndex) -> None:
    for request, new in (
        ("Set the limit to a dozen, I mean ten.", "LIMIT = 10"),
        ("The limit should be twenty.", "LIMIT = 20"),
        ("The rate must be point two five", "RATE = 0.25"),
    ):
        call = setting(request, index)
        assert call is not None
        assert call.arguments["new"] == new
    assert setting("The limit should be raised when it rains", index) is None


def test_a_function_that_is_named_is_taken_out_without_the_model(index: CodeIndex) -> None:
    call = removal("Please delete the function is full.", index)
    assert call is not None
    assert (call.tool, call.arguments) == ("remove", {"name": "pkg/purse.py:is_full"})
    assert removal("Delete the unused import in purse", index) is None
    assert removal("Remove the check from is_full", index) is None


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ("Remove last.", ""),
        ("Remove the last.", ""),
        ("Remove is_full from the tests.", ""),
        ("Remove is_full from route.js.", ""),
        ("Remove is_full?", ""),
        ("Could you delete is_full?", "pkg/purse.py:is_full"),
        ("Remove is_full from purse.", "pkg/purse.py:is_full"),
        ("Remove the method last.", "route.js:Route.last"),
        ("Delete last from the class Route.", ""),
        ("Delete total from Purse.", "pkg/purse.py:Purse.total"),
    ],
)
def test_only_what_is_named_is_taken_out_and_only_from_where_it_is_said_to_be(
    index: CodeIndex, request_: str, name: str
) -> None:
    call = removal(request_, index)
    assert (call.arguments.get("name", "") if call else "") == name


@pytest.mark.parametrize(
    "request_",
    [
        *(
            "Can we remove is_full?",
            "Should I just delete is full?",
            "Remove is_full?",
            "Could we drop is_full.",
        ),
        *("Utter, can we delete is_full?", "Right, can we delete is_full?", "Hi, can we remove is_full?"),
        *("Now could we delete is_full?", "Great, can we get rid of is full?", "Will we delete is_full?"),
        "Thanks. Can we remove is_full now?",
    ],
)
def test_whether_something_may_be_taken_out_is_answered_and_nothing_is_changed(
    index: CodeIndex, request_: str
) -> None:
    call = removal(request_, index)
    assert call is not None
    assert call.tool == "say"
    assert call.arguments["text"] == (
        "is_full is used in tests/test_purse.py. I changed nothing. To delete it, say: delete is_full."
    )


@pytest.mark.parametrize(
    "request_",
    [
        "Don't delete is full.",
        "No, don't remove it.",
        "Never rename climb time.",
        "Do not change the limit to nine.",
        "I would not rename it.",
        "I don't want you to delete is_full.",
        "I'd prefer not to touch the rate.",
        "You shouldn't remove is_full yet.",
        "Let's not change anything.",
        "There's no need to rename Purse.",
        "The limit must not be changed.",
        "is_full should stay as it is.",
        "Please leave is_full alone.",
        "Don't commit yet.",
        "Don't add a test for is_full.",
        "Set the limit to nine. No wait, don't.",
        "Delete is_full, never mind.",
        "Rename is_full to full and commit it. Actually, forget it.",
    ],
)
def test_what_is_to_be_left_is_left_without_asking_the_model(index: CodeIndex, request_: str) -> None:
    assert split(request_) == (request_,)
    call = restrained(request_, index)
    assert call is not None
    assert call.tool == "say"


@pytest.mark.parametrize(
    "request_",
    [
        "Don't remove blank names in is_full.",
        "Don't let is_full be true for zero.",
        "is_full should not return None.",
        "The last stop should stay in the list.",
        "Don't add the tax twice.",
        "Rename is_full to full, but don't change anything else.",
        "Shouldn't we delete is_full?",
        "Set the limit to five, no wait, leave it, set the rate to three.",
        "Why should I forget it?",
    ],
)
def test_what_code_is_not_to_do_is_no_such_restraint(index: CodeIndex, request_: str) -> None:
    assert restrained(request_, index) is None


@pytest.mark.parametrize(
    "request_",
    [
        *("Should I remove is_full?", "What if we set LIMIT to 9?", "Can I delete is_full?"),
        *("Delete is_full?", "Rename is_full to full?", "Set LIMIT to 9?", "Commit the changes?"),
        *("You should not delete the parser.", "The parser must not be renamed.", "No need to rename that."),
        *("Don't fix the failing test.", "Don't run the tests.", "Stop deleting functions.", "Stop."),
        *("I have to go.", "I need a break.", "This must be a joke.", "That should not matter."),
        *("I need help understanding is_full.", "I want an explanation of total.", "Let me think."),
        *("You have to tell me what total does.", "The tests should pass now.", "There must be a bug."),
        *("Maybe is_full should be removed, what do you think?", "Imagine the limit should be nine."),
        *("Is is_full used? If not, remove it.", "Should there be a test for total?", "Delete everything."),
        *("Undo the last commit.", "Delete that."),
        *("There should be a test for total, right?", "Delete is_full if it is unused.", "Undo everything."),
        *("Rename is_full to full later.", "Delete climbTime later.", "Would it help to delete is_full?"),
    ],
)
def test_nothing_that_may_be_no_wish_makes_the_model_change_something(
    index: CodeIndex, request_: str
) -> None:
    names = {item.symbol.bare_name for item in index.located()}
    for part in split(request_):
        assert direct(part, names) is None
        assert setting(part, index) is None
        call = removal(part, index)
        assert call is None or call.tool == "say"
        assert route(spelled(part, index)) not in (Route.CHANGE, Route.FIX_TESTS)


@pytest.mark.parametrize(
    "new",
    ["something better", "whatever you like", "full or filled", "what", "soon as you can", "full later"],
)
def test_a_name_that_is_yet_to_be_found_is_none(new: str) -> None:
    assert direct(f"Rename is_full to {new}", ["is_full"]) is None
    assert direct("Rename is_full to what is full", ["is_full"]) is None
    assert direct("Rename is_full to whatsoever", ["is_full"]) is not None


def test_the_tests_are_run_where_nothing_is_to_be_changed_beside() -> None:
    for request in ("Run the tests, but don't fix anything.", "Run the tests without changing anything."):
        call = direct(request, ())
        assert call is not None
        assert call.tool == "run_tests"


def test_a_name_that_a_test_lacks_is_missing_in_the_code_and_the_test_stays(tmp_path: Path) -> None:
    test = "from pkg.purse import is_ful\n\n\ndef test_full():\n    assert is_ful(6)\n"
    index = indexed(tmp_path, {"tests/test_purse.py": test})
    message = "ImportError: cannot import name 'is_ful' from 'pkg.purse'"
    case = TestCase("tests.test_purse", "t", Outcome.ERROR, message, (("tests/test_purse.py", 1),))
    assert breakage_of([case], index) is None
    assert "tests/test_purse.py" not in for_failure(case, message, index, tests_too=False).files


BROKEN = {
    "pkg/purse.py": ("def is_full(count)\n    return count > 5\n", "def is_full(count):"),
    "route.js": (
        "export function climbTime(metres) {\n  return (metres / 600;\n}\n",
        "  return (metres / 600);",
    ),
    "ledger/ledger.go": (
        "package ledger\n\nfunc Line(text string) string \n\treturn text\n}\n",
        "func Line(text string) string {",
    ),
}


@pytest.mark.parametrize("path", list(BROKEN))
def test_the_line_that_a_file_breaks_in_is_found_shown_and_mended(tmp_path: Path, path: str) -> None:
    text, mended = BROKEN[path]
    index = indexed(tmp_path, {path: text})
    case = TestCase("x", "x", Outcome.ERROR, "SyntaxError: no")
    found = breakage_of([case], index)
    assert found is not None
    assert found.path == path
    given = for_failure(case, "no", index, tests_too=False)
    assert (given.files, given.symbols) == ((path,), ())
    assert path in given.text
    assert mended in [repair.after for repair in syntax_repairs(path, text, found.line)][:4]


def test_a_name_that_is_not_known_becomes_the_one_most_like_it() -> None:
    source = "func Largest(entries []int) int {\n\treturn entry[0]\n}\n"
    (first, *_) = name_repairs("a.go line 2: undefined: entry", source, 2, {"entries", "Largest"})
    assert (first.line, first.after) == (2, "\treturn entries[0]")
    assert name_repairs("expected 1, got 2", source, 2, {"entries"}) == []


@pytest.mark.parametrize(
    ("message", "line", "after"),
    [
        ("a.go line 1: undefined: sum", "\tsum = 0", "\tsum := 0"),
        ("a.go line 1: no new variables on left side of :=", "\tsum := 0", "\tsum = 0"),
        ("ReferenceError: total is not defined", "  total = 0;", "  let total = 0;"),
    ],
)
def test_a_variable_that_is_not_declared_is(message: str, line: str, after: str) -> None:
    assert name_repairs(message, line, 1, {"sum", "summed"})[0].after == after


def test_a_misspelt_name_on_the_left_may_be_meant_too() -> None:
    repairs = name_repairs("undefined: totl", "\ttotl = total + 1", 1, {"total"})
    assert [repair.after for repair in repairs] == ["\ttotl := total + 1", "\ttotal = total + 1"]


def test_what_could_not_be_run_is_mended_when_its_tests_pass() -> None:
    error = TestCase("tests.test_a", "test_a", Outcome.ERROR, "SyntaxError: no")
    passed = TestCase("tests.test_a.test_one", "test_one", Outcome.PASSED)
    before, after = TestReport("pytest", (error,)), TestReport("pytest", (passed,))
    assert compare(before, after).mended
    assert not compare(before, after).is_harmful
    assert not compare(before, before).mended


def test_a_crash_is_told_from_another_result() -> None:
    before = TestReport("pytest", (TestCase("a", "a", Outcome.PASSED),))

    def after(message: str) -> TestReport:
        return TestReport("pytest", (TestCase("a", "a", Outcome.FAILED, message),))

    assert compare(before, after("ValueError: not enough values")).error == "ValueError: not enough values"
    assert compare(before, after("AssertionError: 1 != 2")).error == ""
    assert compare(before, after("Expected values to be strictly equal:")).error == ""


def test_a_place_that_a_compiler_names_is_shown_with_its_line(tmp_path: Path) -> None:
    index = indexed(tmp_path, {})
    case = TestCase(
        "p", "ledger", Outcome.ERROR, "ledger/ledger.go line 10: undefined: x", (("ledger/ledger.go", 10),)
    )
    assert breakage_of([case], index) == Breakage("ledger/ledger.go", 10, "undefined: x")
    assert "in the line: return text" in for_failure(case, "undefined: x", index, tests_too=False).text
