"""Writing out spoken names: what Whisper base wrote for synthetic voices and what should become of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.workspace import Workspace
from voice.hearing.lexicon import Bounds, Lexicon
from voice.hearing.names import path_keys, spoken_words
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
        "What does parse, config do?",
        "What does run do?",
        "What does it do?",
        "What is in the file config?",  # there are two
        "RunningSum is wrong",
        "Run it on pyproject.toml.",
        "Use 2.5 or v1.2 instead.",
        "What is in kitchen.com?",
        "the function / x",
        "",
        "...",
    ],
)
def test_what_is_right_or_uncertain_stays_as_it_was_heard(text: str):
    written = write_out(text, LEXICON)
    assert written.text == text
    assert written.changes == ()


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


def test_names_are_taken_apart_at_case_digits_and_underscores():
    assert spoken_words("parseHTTPConfig_v2") == ("parse", "http", "config", "v", "2")
    assert path_keys("shelf/test_config.py") == ["testconfig.py", "shelf/testconfig.py"]


def test_a_git_repository_gives_its_files_but_not_the_ignored_ones(tmp_path: Path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("secret.py\nbuild/\n")
    (tmp_path / "calc.py").write_text("def add_up(): pass\n")
    (tmp_path / "secret.py").write_text("def hidden_name(): pass\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "made.py").write_text("made_name = 1\n")
    lexicon = Lexicon.of(Workspace(tmp_path))
    assert set(lexicon.files) == {".gitignore", "calc.py"}
    assert "add_up" in lexicon.identifiers
    assert "hidden_name" not in lexicon.identifiers


def test_a_plain_folder_is_walked_without_environments_and_binaries(tmp_path: Path):
    for name, data in {
        "shelf/books.py": b"def lend_book(): pass",
        "node_modules/x/index.js": b"var vendored_name",
        ".venv/lib/y.py": b"installed_name = 1",
        "image.c": b"\0\1\2binary_name",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    lexicon = Lexicon.of(Workspace(tmp_path))
    assert lexicon.files == ("image.c", "shelf/books.py")
    assert set(lexicon.identifiers) == {"def", "lend_book", "pass"}


def test_a_huge_file_is_named_but_never_read(tmp_path: Path):
    with (tmp_path / "huge.py").open("wb") as file:
        file.truncate(2 * 2**30)  # a hole, not 2 GB of disk
    lexicon = Lexicon.of(Workspace(tmp_path))
    assert lexicon.files == ("huge.py",)
    assert lexicon.identifiers == {}


def test_the_number_of_files_is_bounded(tmp_path: Path):
    for number in range(20):
        (tmp_path / f"f{number}.py").touch()
    assert len(Lexicon.of(Workspace(tmp_path), Bounds(files=5)).files) == 5


def test_a_file_that_may_hold_secrets_is_named_but_never_read(tmp_path: Path):
    (tmp_path / "secrets.yaml").write_text("hunter_two_pass: 1\n")
    lexicon = Lexicon.of(Workspace(tmp_path))
    assert lexicon.files == ("secrets.yaml",)
    assert lexicon.identifiers == {}
