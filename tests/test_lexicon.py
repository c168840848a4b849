"""The names of a repository: what is read, how it is weighed, what bounds it, and that it follows changes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from agent.workspace import Workspace
from voice.hearing.definitions import defined_in
from voice.hearing.repository_names import Bounds, RepositoryNames
from voice.hearing.spoken_code import write_out


def test_a_git_repository_gives_its_files_but_not_the_ignored_ones(tmp_path: Path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("secret.py\nbuild/\n")
    (tmp_path / "calc.py").write_text("def add_up(): pass\n")
    (tmp_path / "secret.py").write_text("def hidden_name(): pass\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "made.py").write_text("made_name = 1\n")
    lexicon = RepositoryNames(Workspace(tmp_path)).lexicon()
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
    lexicon = RepositoryNames(Workspace(tmp_path)).lexicon()
    assert lexicon.files == ("image.c", "shelf/books.py")
    assert set(lexicon.identifiers) == {"lend_book"}  # no keywords


def test_a_huge_file_is_named_but_never_read(tmp_path: Path):
    with (tmp_path / "huge.py").open("wb") as file:
        file.truncate(2 * 2**30)  # a hole, not 2 GB of disk
    lexicon = RepositoryNames(Workspace(tmp_path)).lexicon()
    assert lexicon.files == ("huge.py",)
    assert lexicon.identifiers == {}


def test_the_number_of_files_is_bounded(tmp_path: Path):
    for number in range(20):
        (tmp_path / f"f{number}.py").touch()
    assert len(RepositoryNames(Workspace(tmp_path), Bounds(files=5)).lexicon().files) == 5


def test_a_file_that_may_hold_secrets_is_named_but_never_read(tmp_path: Path):
    (tmp_path / "secrets.yaml").write_text("hunter_two_pass: 1\n")
    lexicon = RepositoryNames(Workspace(tmp_path)).lexicon()
    assert lexicon.files == ("secrets.yaml",)
    assert lexicon.identifiers == {}


def test_only_what_has_changed_is_read_again(tmp_path: Path):
    (tmp_path / "a.py").write_text("def first_name(): pass\n")
    (tmp_path / "b.py").write_text("def other_name(): pass\n")
    names = RepositoryNames(Workspace(tmp_path))
    before = names.lexicon()
    assert names.lexicon() is before
    (tmp_path / "a.py").write_text("def second_name(): pass\n")
    os.utime(tmp_path / "a.py", ns=(1, 1))
    (tmp_path / "b.py").unlink()
    after = names.lexicon()
    assert {"second_name"} == {name for name in after.identifiers if name.endswith("_name")}
    assert after.files == ("a.py",)


def test_what_time_did_not_suffice_for_is_read_the_next_time(tmp_path: Path):
    for number in range(3):
        (tmp_path / f"f{number}.py").write_text(f"def name_of_{number}(): pass\n")
    names = RepositoryNames(Workspace(tmp_path), Bounds(seconds=0.0))
    assert names.lexicon().identifiers == {}
    assert len(names.lexicon().files) == 3


def test_a_definition_weighs_more_than_a_mention(tmp_path: Path):
    (tmp_path / "a.py").write_text("def load_it(): pass\n\nmentioned_name = load_it()\nother(mentioned)\n")
    weights = RepositoryNames(Workspace(tmp_path)).lexicon().identifiers
    assert weights["load_it"] > weights["other"]


def test_branches_can_be_named(tmp_path: Path):
    subprocess.run(["git", "init", "-q", "-b", "main", tmp_path], check=True)
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *identity, "commit", "-q", "--allow-empty", "-m", "x"], cwd=tmp_path, check=True)
    subprocess.run(["git", "branch", "faster-startup"], cwd=tmp_path, check=True)
    (tmp_path / "a.py").write_text("x = 1\n")
    lexicon = RepositoryNames(Workspace(tmp_path)).lexicon()
    assert write_out("switch to the branch faster startup", lexicon).text.endswith("branch faster-startup")


def test_minified_code_and_very_long_lines_give_no_names(tmp_path: Path):
    (tmp_path / "app.min.js").write_text("var short_name=1;" * 5_000)
    (tmp_path / "line.json").write_text('"' + "long_value " * 1_000_000 + '"')
    lexicon = RepositoryNames(Workspace(tmp_path)).lexicon()
    assert lexicon.identifiers == {}
    assert len(lexicon.files) == 2


def test_names_in_other_scripts_and_with_emoji_do_no_harm(tmp_path: Path):
    (tmp_path / "解析.py").write_text("def 读取配置(): pass\ndef größe_lesen(): pass\n", encoding="utf-8")
    (tmp_path / "party \U0001f389.py").write_text("x_name = 1\n", encoding="utf-8")
    lexicon = RepositoryNames(Workspace(tmp_path)).lexicon()
    assert {"读取配置", "größe_lesen", "x_name"} <= set(lexicon.identifiers)
    assert write_out("what does grosse lesen do?", lexicon).raw == "what does grosse lesen do?"
    assert write_out("what does the function größe lesen do?", lexicon).text.endswith("größe_lesen do?")


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        ("a.py", "X = 1\ndef f(): pass\nclass C:\n    def m(self): y = 2\n", {"X", "f", "C", "m"}),
        ("a.js", "function f() {}\nclass C { m() {} }\nconst k = 1", {"f", "C", "m", "k"}),
        ("a.ts", "export const go = () => 1; interface A {}; enum E {X}", {"go", "A", "E"}),
        ("a.go", "package x\nfunc (a *T) Do() {}\ntype T struct{}\nconst Q = 1", {"Do", "T", "Q"}),
        ("a.rs", "fn a() {} impl X { pub fn b() {} } const C: i32 = 1;", {"a", "b", "C"}),
        ("a.java", "class A { void m() {} }", {"A", "m"}),
        ("a.c", "#define X 1\nint *f(int a) {}\nstruct s { int a; };\ntypedef int t;", {"X", "f", "s", "t"}),
        ("a.cpp", "class A { void m(); }; void A::m() {} namespace n {}", {"A", "m", "n"}),
        ("a.txt", "class A", set()),
        ("a.py", "def broken(:\n  pass\ndef whole(): pass", {"whole"}),
    ],
)
def test_definitions_are_found_by_syntax(path: str, text: str, names: set[str]):
    assert names <= defined_in(path, text)
    assert names or not defined_in(path, text)
