"""What is said: facts in natural words, code never raw, nothing twice, no claim without a fact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.events import (
    ApprovalNeeded,
    EndReason,
    Event,
    TextDelta,
    ToolCallStarted,
    ToolResult,
    TurnEnded,
)
from agent.facts import (
    ChangesShown,
    Committed,
    Fact,
    FileChange,
    FileEdited,
    FileRead,
    FilesListed,
    GitStatus,
    LineChange,
    Refused,
    SearchFound,
    TestFailure,
    TestsRun,
)
from voice.speaking.code_aloud import change, code, value
from voice.speaking.names_aloud import count, file_name, identifier, listed, number
from voice.speaking.script import Script
from voice.speaking.spoken_text import spoken

ENDED = TurnEnded(EndReason.ANSWERED)
SUBTRACT = (LineChange(7, "return a + b", "return a - b"),)
EDIT = FileEdited("calc.py", 1, 1, SUBTRACT, "subtract")
RED = TestsRun("pytest", 7, 1, failures=(TestFailure("test_subtract", "1", "5"),))
GREEN = TestsRun("pytest", 8, 0)


def said(*events: Event) -> str:
    script = Script()
    clauses = [clause for event in events for clause in script.feed(event)]
    return " ".join(clauses + script.finish())


def result(*facts: Fact, ok: bool = True) -> ToolResult:
    return ToolResult("1", ok, "", facts)


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (RED, "Seven tests passed, one failed: test subtract, expected one but got five."),
        (GREEN, "All eight tests passed."),
        (TestsRun("pytest", 1, 0), "The one test passed."),
        (TestsRun("pytest", 2, 0, skipped=1), "Both tests passed, one skipped."),
        (TestsRun("pytest", 130, 0), "All 130 tests passed."),
        (TestsRun("pytest", 0, 0), "No tests were run."),
        (TestsRun("pytest", 0, 0, errors=2), "No test passed, two could not run."),
        (
            TestsRun("pytest", 0, 5, failures=tuple(TestFailure(f"test_{c}") for c in "abcde")),
            "No test passed, five failed: test a. test b. test c. And two more.",
        ),
        (
            TestsRun("pytest", 3, 1, failures=(TestFailure("test_x", message="ValueError: no port"),)),
            "Three tests passed, one failed: test x, value error: no port.",
        ),
        (EDIT, "In calc dot py, line seven, in subtract: return a plus b became return a minus b."),
        (FileEdited("src/notes.md", 12, 0, created=True), "New file notes dot M D, twelve lines."),
        (FileEdited("calc.py", 30, 4, SUBTRACT, "Stack"),
         "In calc dot py, in Stack: 30 lines added and four lines removed."),
        (FileEdited("a.py", 1, 0, (LineChange(1, "", "import os"),)),
         "In a dot py, line one: import os was added."),
        (ChangesShown(()), "Nothing has changed."),
        (
            ChangesShown((FileChange("calc.py", 1, 1, changes=SUBTRACT, symbol="subtract"),)),
            "Changes in one file: "
            "In calc dot py, line seven, in subtract: return a plus b became return a minus b.",
        ),
        (
            ChangesShown((FileChange("a.py", 3, 0), FileChange("b.py", 0, 9, "deleted"))),
            "Changes in two files: In a dot py: three lines added. B dot py was deleted.",
        ),
        (
            ChangesShown(tuple(FileChange(f"m{i}.py", 1, 2) for i in range(9))),
            "Changes in nine files: m 0 dot py, m 1 dot py, m 2 dot py, m 3 dot py, m 4 dot py, m 5 dot py, "
            "m 6 dot py and two more. Nine lines added and 18 lines removed.",
        ),
        (FilesListed(".", ("README.md", "calc.py"), 2), "Two files: readme dot M D and calc dot py."),
        (FilesListed("src", (), 0), "There are no files in src."),
        (FilesListed(".", ("a/__init__.py", "b/__init__.py"), 2),
         "Two files: init dot py in a and init dot py in b."),
        (
            FilesListed(".", (".env", "tests/test_a.py", "core.py", "Makefile", "README.md", "LICENSE"), 42),
            "42 files, among them readme dot M D, Makefile, core dot py and license.",
        ),
        (SearchFound("parse_config", (), 0), "I found no parse config."),
        (SearchFound("x", (), 0, 2), "I found no x. Two large files were not searched."),
        (SearchFound("parse_config", (("config.py", 12),), 1),
         "I found parse config once: config dot py line twelve."),
        (
            SearchFound("TODO", (("a.py", 3), ("b.py", 40)), 5),
            "Five matches for TODO: a dot py line three, b dot py line 40 and three more.",
        ),
        (GitStatus("main", (), (), (), ()), "On branch main, nothing to commit."),
        (
            GitStatus("main", ("calc.py",), (), (), ("x.txt", "y.txt")),
            "On branch main: One file changed, calc dot py. "
            "Two files not tracked, x dot T X T and y dot T X T.",
        ),
        (Committed("a1b2c3d", "Fix `subtract`\n\nLong story.", 1), "Committed one file: Fix subtract."),
        (Refused("edit", "That file is outside the project"), "That file is outside the project."),
    ],
)  # fmt: skip
def test_a_fact_that_is_the_answer_is_said_in_words(fact: Fact, expected: str) -> None:
    assert said(result(fact), ENDED) == expected


def test_prose_comes_clause_by_clause_and_in_words() -> None:
    script = Script()
    assert script.feed(TextDelta("The function `parse_config` reads ")) == []
    assert script.feed(TextDelta("`config.py`, line")) == ["The function parse config reads config dot py,"]
    assert script.feed(TextDelta(" by line. It returns a dict.")) == ["line by line."]
    assert script.feed(ENDED) == ["It returns a dict."]
    assert script.finish() == []


def test_what_was_only_looked_up_is_silent_when_an_answer_follows() -> None:
    found = SearchFound("x", (("a.py", 1),), 1)
    listing = FilesListed(".", ("a.py",), 1)
    answer = TextDelta("It is a number.")
    assert said(result(listing), result(found), result(FileRead("a.py", 1, 9, 9)), answer, ENDED) == (
        "It is a number."
    )


def test_a_failing_run_that_work_follows_is_said_in_short() -> None:
    turn = [result(RED), ToolCallStarted("2", "edit"), result(EDIT), result(GREEN), ENDED]
    assert said(*turn) == (
        "One test failed. In calc dot py, line seven, in subtract: "
        "return a plus b became return a minus b. All eight tests passed."
    )


def test_a_failing_run_is_not_lost_to_a_search_after_it() -> None:
    assert said(result(RED), result(SearchFound("x", (), 0)), ENDED).startswith("Seven tests passed")


def test_a_failing_run_is_said_before_the_prose_about_it() -> None:
    spoken_turn = said(result(RED), TextDelta("It adds instead."), ENDED)
    assert spoken_turn.startswith("Seven tests passed") and spoken_turn.endswith("It adds instead.")


def test_the_same_result_is_not_said_twice_running() -> None:
    assert said(result(GREEN), result(GREEN), ENDED) == "All eight tests passed."
    assert said(result(GREEN), result(EDIT), result(GREEN), ENDED).count("All eight tests passed.") == 2


def test_a_refusal_that_was_got_round_is_not_said() -> None:
    assert said(result(Refused("edit", "Not now.")), result(GREEN), ENDED) == "All eight tests passed."


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([ENDED], "I have no answer to that."),
        ([], "I have no answer to that."),
        ([TextDelta(" 🙂 \n"), ENDED], "I have no answer to that."),
        ([result(ok=False), ENDED], "That did not work, and I have no answer."),
        ([result(FileRead("calc.py", 1, 9, 9)), ENDED], "I read calc dot py. I have no answer to that."),
        ([TurnEnded(EndReason.STEP_LIMIT)], "I stopped, because I had used up all my steps."),
        ([TurnEnded(EndReason.FAILED, "The model ran out of memory.")], "The model ran out of memory."),
        ([TurnEnded(EndReason.CANCELLED)], ""),
        ([TextDelta("Hm"), TurnEnded(EndReason.TIME_LIMIT, "I ran out of time.")], "Hm I ran out of time."),
    ],
)  # fmt: skip
def test_a_turn_without_an_answer_says_so_truthfully(events: list[Event], expected: str) -> None:
    assert said(*events) == expected


NAMES = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota"]


def test_of_a_long_list_the_first_items_are_said_and_the_rest_is_counted() -> None:
    items = [f"- the {name} module" for name in NAMES]
    items[7] += " fails"
    items[8] += " has 3 lines"
    script = Script()
    spoken_turn = [*script.feed(TextDelta("It has these parts:\n" + "\n".join(items) + "\n\nThat is all.")),
                   *script.feed(ENDED)]  # fmt: skip
    assert spoken_turn == [
        "It has these parts:", "the alpha module", "the beta module", "the gamma module", "the delta module",
        "the theta module fails", "the iota module has 3 lines", "And three more items.", "That is all.",
    ]  # fmt: skip
    assert script.left_out() == ["the epsilon module", "the zeta module", "the eta module"]
    assert script.left_out() == []


def test_a_short_list_is_said_whole() -> None:
    text = "\n".join(f"{number}. do the {name} step" for number, name in enumerate(NAMES[:6], 1))
    assert said(TextDelta(text), ENDED).count("step") == 6


def test_a_long_turn_ends_with_what_came_of_it() -> None:
    other = FileEdited("core/shelf.py", 3, 0)
    turn = [result(fact) for fact in (RED, EDIT, other, RED, EDIT, GREEN, Committed("a", "Mend it", 2))]
    assert said(*turn, ENDED).endswith(
        "In short: I changed two files, calc dot py and shelf dot py, and in the end all eight "
        "tests passed, and I made one commit."
    )
    assert "In short" not in said(result(RED), result(EDIT), result(GREEN), ENDED)
    assert "In short" not in said(*turn, TurnEnded(EndReason.CANCELLED))
    failing = [result(fact) for fact in (EDIT, EDIT, EDIT, EDIT, RED)]
    assert "one test failed in the end, seven passed." in said(
        *failing, TurnEnded(EndReason.STEP_LIMIT, "Enough.")
    )


def test_an_approval_is_asked_for_with_the_command_in_words() -> None:
    asked = said(ApprovalNeeded("1", "git push --force origin main"), TurnEnded(EndReason.CANCELLED))
    assert asked == "I need your word for this: git push force origin main. Shall I?"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("`parse_config` and HTTPClient", "parse config and HTTP client"),
        ("See https://example.com/a?b=c.", "See a link."),
        ("[the guide](https://example.com)", "the guide"),
        ("Use `calc.py` in src/deep/calc.py:7.", "Use calc dot py in calc dot py, line 7."),
        ("See calc.py:3-9 and lines 3-7.", "See calc dot py, lines 3 to 9 and lines 3 to 7."),
        ("It is -3, not 3.14 or 1,234.", "It is minus 3, not 3.14 or 1,234."),
        ("In commit 1a2b3c4d5e it broke.", "In commit it broke."),
        ("Pass --max-fail=1 to it.", "Pass max fail 1 to it."),
        ("Use -v or -rf, not x-y or -3.", "Use option v or option r f, not x-y or minus 3."),
        ("`a + b` -> `x == -3`", "a plus b to x equals minus 3"),
        ("# Title\n- one\n- two", "Title, one, two"),
        ("**bold**, *it* and snake_case", "bold, it and snake case"),
        ("```python\na = 1\nb = 2\n```", "Two lines of Python."),
        ("```\nx\ny\nz\n```\nand so", "Three lines of code. and so"),
        (
            "```python\nimport re\n\ndef parse_config(path):\n    def inner():\n        pass\n```",
            "Four lines of Python defining parse config.",
        ),
        (
            "```js\nclass Cart {\n  add() {\n  }\n}\nfunction pay() {\n}\n```",
            "Six lines of JavaScript defining Cart and pay.",
        ),
        ("Good \U0001f389 work ✓", "Good work"),
        ("50% of 5 and 6, i.e. half", "50 percent of 5 and 6, that is, half"),
        ("C++ and C#", "C plus plus and C sharp"),
        ("\x00\ud800", ""),
        ("***", ""),
    ],
)
def test_written_text_becomes_words(written: str, expected: str) -> None:
    assert spoken(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("return a + b", "return a plus b"),
        ("if x == -3:", "if x equals minus 3"),
        ("x != y and a <= b", "x is not equal to y and a is at most b"),
        ("total / count", "total divided by count"),
        ("total/count", "total divided by count"),
        ("pytest -x -q", "pytest x q"),
        ("return -x", "return minus x"),
        ("f(*args, **options)", "f of star args, star options"),
        ("def f() -> int:", "def f returns int"),
        ("x = []", "x set to an empty list"),
        ("raise ValueError('no port')", "raise value error of no port"),
        ("python tests/test_calc.py", "python test calc dot py"),
        ("a[0] = b.c", "a at 0 set to b dot c"),
    ],
)
def test_code_becomes_words(written: str, expected: str) -> None:
    assert code(written) == expected


def test_of_a_long_line_only_the_changed_part_is_said() -> None:
    before = "total = price * quantity + shipping_cost + handling_fee + tax"
    assert change(before, before.replace("*", "-")) == (
        "to price times quantity plus became to price minus quantity plus"
    )


def test_what_is_said_of_a_long_line_neither_begins_nor_ends_with_a_joining_word() -> None:
    before = 'return round(days + settings["fee_per_day"], 2)'
    said = change(before, before.replace("+", "*"))
    assert said == "days plus settings became days times settings"


def test_a_change_that_cannot_be_heard_is_not_claimed_to_be_one() -> None:
    assert change("x = 'a'", 'x = "a"') == ""
    silent = FileEdited("a.py", 1, 1, (LineChange(4, "x = 'a'", 'x = "a"'),))
    assert said(result(silent), ENDED) == "In a dot py: one line added and one line removed."


@pytest.mark.parametrize(
    ("name", "expected"),
    [("__init__", "init"), ("MAX_SIZE", "max size"), ("getHTTPSUrl", "get HTTPS URL"), ("utf8", "UTF 8")],
)
def test_identifiers_are_said_as_their_words(name: str, expected: str) -> None:
    assert identifier(name) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b/.gitignore", "dot gitignore"),
        ("Makefile", "Makefile"),
        ("x.tar.gz", "x dot tar dot G Z"),
        ("a\\b.cfg", "b dot C F G"),
        ("\U0001f389.py", "party popper dot py"),
        ("解析.py", "解析 dot py"),
        ("/", "the top folder"),
    ],
)
def test_paths_are_said_by_their_last_part(path: str, expected: str) -> None:
    assert file_name(path) == expected


def test_counts_and_lists_agree_in_number() -> None:
    assert [count(n, "match", "matches") for n in (0, 1, 2, 13)] == [
        "no matches",
        "one match",
        "two matches",
        "13 matches",
    ]
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b"], 2)] == ["a", "a and b", "a, b and two more"]
    assert (number(-3), value("-3"), value("''")) == ("minus three", "minus three", "an empty string")


@given(st.text(max_size=300))
def test_any_text_can_be_said_and_no_markup_is_read_out(text: str) -> None:
    aloud = spoken(text)
    assert not set(aloud) & set("`*_#<>|\\^~=@{}[]\x00")
    assert aloud == "" or any(character.isalnum() for character in aloud)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=6))
def test_numbers_survive(numbers: list[int]) -> None:
    aloud = spoken("There are " + " and ".join(map(str, numbers)) + " of them.")
    assert all(str(one) in aloud for one in numbers)


@pytest.mark.parametrize(
    ("line", "is_kept_quiet"),
    [
        ('API_KEY = "sk-abc123DEF456"', True),
        ('    "password": "hunter2",', True),
        ("db_password: hunter2", True),
        ("AUTH_TOKEN=abc123", True),
        ("password = input_password(2)", False),
        ("token = tokens[0]", False),
        ('token = ""', False),
        ("max_tokens = 512", False),
        ("def check(password: str) -> bool:", False),
    ],
)
def test_a_password_in_a_changed_line_is_not_read_out(line: str, is_kept_quiet: bool) -> None:
    for said in (change(line, "x = 1"), change("x = 1", line), change("", line)):
        assert (said == "a line that may hold a secret changed") == is_kept_quiet
