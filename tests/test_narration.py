"""Changes are told from the difference: what and where, the most important first, whatever the diff holds."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.code.definitions import defined_in
from agent.errors import UtterError
from voice.narration.asked import read_changes
from voice.narration.captions import Cue, webvtt
from voice.narration.runs import runs_of
from voice.narration.sections import Section, Status, bounded_lines, read_sections
from voice.narration.telling import Chapter, Level, chapters

Repo = Callable[..., Path]
IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")

CALC = "import os\n\n\ndef add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n    return a + b\n"


STACK = "class Stack:\n    def push(self, x):\n        pass\n\n    def pop(self):\n        pass\n"


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *IDENTITY, *arguments], cwd=root, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace")


def write(root: Path, files: dict[str, str | bytes | None]) -> None:
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            place.unlink()
        elif isinstance(content, bytes):
            place.write_bytes(content)
        else:
            place.write_text(content, encoding="utf-8")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with the given files in its first commit."""

    def made(**files: str | bytes | None) -> Path:
        root = tmp_path / "repo"
        root.mkdir()
        git(root, "init", "-q", "-b", "main")
        write(root, {"calc.py": CALC, **files})
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "First")
        return root

    return made


def told(root: Path, asked: str | None = None, *, staged: bool = False, level: Level = Level.NORMAL) -> str:
    return " ".join(
        clause for chapter in told_chapters(root, asked, staged, level) for clause in chapter.clauses
    )


def told_chapters(root: Path, asked: str | None, staged: bool, level: Level) -> list[Chapter]:
    read = read_changes(asked, root, staged=staged)
    with closing(read.sources) as sources:
        subjects = (read.subjects, read.commits)
        return list(
            chapters(read.sections, sources.texts_of, level, subjects=subjects, is_whole=read.is_whole)
        )


def of_diff(diff: str, level: Level = Level.NORMAL) -> str:
    sections, is_whole = read_sections(bounded_lines(io.BytesIO(diff.encode())))
    made = chapters(sections, lambda _: (None, None), level, is_whole=is_whole)
    return " ".join(clause for chapter in made for clause in chapter.clauses)


# ---------------------------------------------------------------------------------------- what a person says


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (CALC.replace("return a + b\n\n\ndef s", "return b + a\n\n\ndef s"),
         "In the file, calc dot py, line five, in the function, add: "
         "return a plus b became return b plus a."),
        (CALC[: CALC.rindex("a + b")] + "a - b\n",
         "In the file, calc dot py, line nine, in the function, subtract: "
         "return a plus b became return a minus b."),
        (CALC.replace("import os", "import os\nimport json"),
         "In the file, calc dot py: it now imports json."),
        (CALC.replace("import os\n", ""), "In the file, calc dot py: it no longer imports os."),
        (CALC.replace("def subtract", "def minus"),
         "In the file, calc dot py: added one line, and removed one line. "
         "The function, subtract, is now called: minus."),
        (f"{CALC}\n\n{STACK}",
         "In the file, calc dot py: added eight lines. New class: Stack with two methods, six lines."),
        (CALC[: CALC.index("def subtract")].rstrip() + "\n",
         "In the file, calc dot py: removed four lines. Subtract was removed."),
        (CALC.replace("return a + b\n\n", "a = 1\n    b = 2\n    c = 3\n    return c\n\n"),
         "In the file, calc dot py, in the function, add: added four lines, and removed one line."),
    ],
)  # fmt: skip
def test_a_change_is_told_by_the_function_it_lies_in(repo: Repo, after: str, expected: str) -> None:
    root = repo()
    write(root, {"calc.py": after})
    said = told(root)
    assert said.startswith("Changes in one file:")
    assert said.endswith(expected), said


def test_without_the_files_the_hunks_tell_as_much(repo: Repo, tmp_path: Path) -> None:
    root = repo()
    write(
        root, {"calc.py": CALC[: CALC.rindex("a + b")] + "a - b\n\n\ndef divide(a, b):\n    return a / b\n"}
    )
    (tmp_path / "x.diff").write_text(git(root, "diff"))
    said = told(tmp_path, str(tmp_path / "x.diff"))
    assert "New function: divide" in said
    assert "In the function, subtract, line nine: return a plus b became return a minus b." in said


def test_code_comes_first_then_tests_settings_prose_and_what_nobody_wrote(repo: Repo) -> None:
    root = repo(**{"README.md": "a\n", "test_calc.py": "x = 1\n", "uv.lock": "a\n", "pyproject.toml": "a\n"})
    write(root, {
        "README.md": "b\n", "uv.lock": "b\n" * 50, "pyproject.toml": "b\n", "calc.py": CALC + "X = 1\n",
        "test_calc.py": "x = 1\n\n\ndef test_add():\n    assert True\n",
        "web/app.min.js": "x" * 9_000,
    })  # fmt: skip
    order = [chapter.title for chapter in told_chapters(root, None, False, Level.NORMAL)]
    assert order == ["Overview", "calc.py", "test_calc.py", "pyproject.toml", "README.md", "Left out"]
    said = told(root)
    assert "One of them is a test." in said
    assert "New test: add, two lines." in said
    assert said.endswith("Two generated files are left out: uv dot lock and app dot min dot J S, 52 lines.")


def test_files_that_went_from_folder_to_folder_are_told_together(repo: Repo) -> None:
    names = ["one", "two", "three", "four", "five"]
    root = repo(**{f"core/{name}.py": f"{name} = 1\n" * 9 for name in names})
    git(root, "mv", "core", "engine")
    git(root, "mv", "calc.py", "arithmetic.py")
    said = told(root, staged=True)
    assert "Calc dot py is now called arithmetic dot py." in said
    assert "Five files moved from core to engine:" in said


def test_a_range_tells_what_its_commits_say(repo: Repo) -> None:
    root = repo()
    for number in (1, 2):
        write(root, {"calc.py": CALC + f"X = {number}\n"})
        git(root, "commit", "-q", "-am", f"Set `x` to {number}")
    assert "Two commits say: Set x to 2. Set x to 1." in told(root, "HEAD~2..HEAD")
    assert "The commit says: Set x to 2." in told(root, "HEAD~1..HEAD")


@pytest.mark.parametrize(
    ("level", "least", "most"), [(Level.BRIEF, 5, 9), (Level.NORMAL, 60, 66), (Level.FULL, 180, 200)]
)
def test_the_level_bounds_how_much_is_said(repo: Repo, level: Level, least: int, most: int) -> None:
    body = "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(12))
    root = repo(**{f"m{n:02d}.py": body for n in range(14)})
    write(root, {f"m{n:02d}.py": re.sub(r"return (\d+)", r"return 1\1", body) for n in range(14)})
    said = told_chapters(root, None, False, level)
    assert least <= sum(len(chapter.clauses) for chapter in said) <= most
    assert ("More files" in {chapter.title for chapter in said}) == (level is not Level.FULL)


# ------------------------------------------------------------------------------------------------- bad input


def test_staged_and_unstaged_changes_are_kept_apart(repo: Repo) -> None:
    root = repo()
    write(root, {"calc.py": CALC + "X = 1\n"})
    git(root, "add", "-A")
    write(root, {"calc.py": CALC + "X = 1\n", "fresh.py": "y = 1\n"})
    assert "fresh" not in told(root, staged=True)
    assert "New file: fresh dot py, one line." in told(root)
    git(root, "reset", "-q")
    assert told(root, staged=True) == "Nothing has changed."


def test_of_new_files_that_are_huge_or_secret_only_the_name_is_told(repo: Repo) -> None:
    root = repo()
    write(root, {"huge.csv": "1,2\n" * 400_000, ".env.local": "KEY=hunter2\n", "one.bin": b"\0\1"})
    said = told(root)
    assert "New file: huge dot C S V." in said
    assert "which may hold secrets, is new." in said and "hunter" not in said
    assert "The binary file one dot bin is new." in said


def test_what_held_secrets_under_its_name_before_is_told_by_name_alone(repo: Repo, tmp_path: Path) -> None:
    secrets = "".join(f"KEY_{number} = 'hunter{number}'\n" for number in range(9))
    root = repo(**{".env": secrets})
    write(root, {"settings.py": secrets.replace("hunter7", "hunter77")})
    (root / ".env").unlink()
    git(root, "add", "-A")
    said = told(root, staged=True)
    assert "Settings dot py, which may hold secrets, was dot env before." in said
    (tmp_path / "x.diff").write_text("--- .env\n+++ plain.txt\n@@ -1 +1 @@\n-KEY=hunter2\n+KEY=hunter3\n")
    said += told(root, str(tmp_path / "x.diff"))
    assert "Plain dot T X T, which may hold secrets, changed." in said
    assert "hunter" not in said


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_new_files_with_names_that_are_no_text_can_be_told_and_written(repo: Repo) -> None:
    root = repo()
    for name in (b"odd\xffname.py", b"two\nlines.py", b"-rf.py"):
        (root / os.fsdecode(name)).write_text("x = 1\n")
    changes = read_changes(None, root, staged=False)
    captions = webvtt([Cue(0, 1, section.path) for section in changes.sections])
    assert "odd\N{REPLACEMENT CHARACTER}name.py" in captions.encode().decode()
    said = told(root)
    for name in ("odd name", "two lines", "rf"):
        assert f"New file: {name} dot py, one line." in said


def test_an_indentation_that_changed_beside_something_else_is_told(repo: Repo) -> None:
    loop = "def total(xs):\n    found = 0\n    for x in xs:\n        found += x\n        return found\n"
    root = repo(**{"loop.py": loop})
    write(root, {"loop.py": loop.replace("= 0", "= 1").replace("        return", "    return")})
    assert told(root).endswith("found set to 0 became found set to 1. One line changed in white space alone.")


def test_short_functions_are_renamed_only_when_they_are_the_same(repo: Repo) -> None:
    kept = "def keep(a):\n    pass\n"
    root = repo(**{"a.py": f"def is_on(x):\n    return x\n\n\n{kept}"})
    write(root, {"a.py": f"{kept}\n\ndef first(y):\n    return y\n"})
    assert told(root).endswith("New function: first, two lines. Is on was removed.")
    write(root, {"a.py": f"{kept}\n\ndef first(x):\n    return x\n"})
    assert told(root).endswith("The function, is on, is now called: first.")


def test_a_diff_without_its_files_shows_what_was_renamed_and_whose_arguments_changed(tmp_path: Path) -> None:
    (tmp_path / "x.diff").write_text(
        "--- a/m.py\n+++ b/m.py\n@@ -1,4 +1,5 @@\n import os\n \n-def load(path):\n+def read_all(path):\n"
        "+    check(path)\n     found = []\n@@ -20,3 +21,3 @@\n \n-def keep(a):\n+def keep(a, b):\n \n"
    )
    assert told(tmp_path, str(tmp_path / "x.diff")).endswith(
        "The function, load, is now called: read all. "
        "In the function, keep, line 22: def keep of a became def keep of a, b."
    )


def test_an_empty_range_says_so(repo: Repo) -> None:
    assert told(repo(), "HEAD..HEAD") == "Nothing has changed."


def test_a_repository_without_a_commit_tells_all_it_holds(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert told(tmp_path) == "Nothing has changed."
    write(tmp_path, {"calc.py": CALC})
    assert "New file: calc dot py, nine lines." in told(tmp_path)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("nowhere..main", "no revision, range or file"),
        ("--output=x", "no revision"),
        ("x.diff", "cannot be read"),
    ],
)
def test_what_is_not_there_is_named(repo: Repo, asked: str, words: str) -> None:
    root = repo()
    with pytest.raises(UtterError, match=words):
        told(root, asked)
    assert not (root / "x").exists()


def test_no_repository_and_no_diff_are_named(tmp_path: Path) -> None:
    with pytest.raises(UtterError, match="in no git repository"):
        told(tmp_path)
    (tmp_path / "notes.txt").write_text("nothing of the kind\n")
    with pytest.raises(UtterError, match="is no diff"):
        told(tmp_path, str(tmp_path / "notes.txt"))


def test_binary_files_links_modules_modes_and_secrets_are_told_by_name_alone(repo: Repo) -> None:
    root = repo(**{"logo.png": b"\0\1", "run.sh": "echo\n", ".env": "KEY=hunter2\n", "old.bin": b"\0"})
    write(root, {"logo.png": b"\0\2", ".env": "KEY=hunter3\n", "old.bin": None, "empty.py": ""})
    (root / "run.sh").chmod(0o755)
    (root / "short").symlink_to("calc.py")
    inner = root / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    git(inner, "commit", "-q", "--allow-empty", "-m", "Inner")
    git(root, "-c", "advice.addEmbeddedRepo=false", "add", "-A")
    said = told(root, staged=True)
    for sentence in (
        "The binary file logo dot P N G changed.",
        "The binary file old dot bin was removed.",
        "Run dot S H can be run as a program now.",
        "The link short is new.",
        "The submodule inner is new.",
        "Dot env, which may hold secrets, changed.",
        "New file: empty dot py, empty.",
    ):
        assert sentence.lower() in said.lower(), said
    assert "hunter" not in said


def test_a_merge_with_conflicts_is_told_first(repo: Repo, tmp_path: Path) -> None:
    root = repo(**{"a.py": "x = 1\n"})
    for branch, value in (("topic", "2"), ("main", "3")):
        git(root, "checkout", "-q", *(["-b", branch] if branch == "topic" else [branch]))
        write(root, {"calc.py": CALC.replace("a + b", f"a + {value}")})
        git(root, "commit", "-q", "-am", branch)
    subprocess.run(["git", *IDENTITY, "merge", "-q", "topic"], cwd=root, capture_output=True, check=False)
    write(root, {"a.py": "x = 2\n"})
    said = told_chapters(root, None, False, Level.NORMAL)[1]
    assert said.clauses[0] == "Calc dot py has one conflict that is not resolved, in line five."
    (tmp_path / "combined.diff").write_text(git(root, "diff"))
    assert "has one conflict" in told(tmp_path, str(tmp_path / "combined.diff"))
    assert "conflict that is not resolved" in told(root, staged=True)


def test_white_space_and_a_missing_line_end_are_no_news(repo: Repo) -> None:
    root = repo()
    write(root, {"calc.py": CALC.rstrip("\n").replace("import os", "import os\n")})
    assert told(root).endswith("In the file, calc dot py: only white space changed.")
    write(root, {"calc.py": CALC.rstrip("\n").replace("import os", "import re")})
    assert told(root).endswith("In the file, calc dot py: it now imports re and it no longer imports os.")


@pytest.mark.parametrize(
    "name", ["设置.py", "🎉 party.py", 'we "quote".py', "two words.py", "tab\there.py", "a b/c.py"]
)
def test_names_in_any_script_can_be_told(repo: Repo, name: str) -> None:
    root = repo(**{name: CALC})
    write(root, {name: CALC.replace("def subtract(a, b):\n    return a + b", "def 解析(a):\n    return a")})
    said = told(root)
    assert "In the file, " in said and "dot py" in said and "解析" in said
    git(root, "add", "-A")
    git(root, "mv", name, f"new {name.replace('/', ' ')}")
    assert told_chapters(root, None, True, Level.FULL)[1].title == f"new {name.replace('/', ' ')}"


def test_settings_of_a_repository_start_nothing_and_change_nothing(repo: Repo, tmp_path: Path) -> None:
    root = repo(**{".gitattributes": "*.py diff=evil filter=evil\n"})
    mark = tmp_path / "ran"
    command = f"touch {mark}; cat"
    for key, value in (
        ("diff.external", command), ("diff.evil.textconv", command), ("diff.evil.command", command),
        ("filter.evil.clean", command), ("core.fsmonitor", command), ("core.pager", command),
        ("diff.noprefix", "true"), ("diff.mnemonicPrefix", "true"), ("diff.context", "0"),
        ("color.diff", "always"), ("diff.submodule", "log"), ("diff.renames", "false"),
        ("diff.suppressBlankEmpty", "true"), ("diff.wsErrorHighlight", "all"), ("diff.orderFile", "no"),
    ):  # fmt: skip
        git(root, "config", key, value)
    write(root, {"calc.py": CALC[: CALC.rindex("a + b")] + "a - b\n"})
    environment = {"GIT_EXTERNAL_DIFF": command, "GIT_PAGER": command, "GIT_DIFF_OPTS": "--unified=0"}
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        said = told(root)
    finally:
        for key in environment:
            os.environ.pop(key)
        os.environ.update(before)
    assert (
        "In the file, calc dot py, line nine, in the function, subtract: "
        "return a plus b became return a minus b." in said
    )
    assert not mark.exists()


def diff_of(name: str, lines: int, width: int = 20) -> str:
    body = "".join(f"-old {n:0{width}d}\n+new {n:0{width}d}\n" for n in range(lines // 2))
    header = f"diff --git a/{name} b/{name}\n--- a/{name}\n+++ b/{name}\n"
    return f"{header}@@ -1,{lines // 2} +1,{lines // 2} @@\n{body}"


def test_of_a_diff_of_two_hundred_thousand_lines_little_is_kept() -> None:
    diff = diff_of("m.py", 2_000)
    lines = (
        line.replace("/m.py", f"/m{n}.py") for n in range(100) for line in diff.splitlines(keepends=True)
    )
    sections, is_whole = read_sections(lines)
    assert is_whole and sum(section.lines for section in sections) == 200_000
    assert sum(len(section.patch) for section in sections) < 2e6
    made = list(chapters(sections, lambda _: (None, None), Level.BRIEF))
    assert made[0].clauses[:2] == ("Changes in 100 files:", "added 100000 lines, and removed 100000 lines.")


def test_a_line_of_ten_megabytes_is_cut_and_its_file_is_not_read_out() -> None:
    diff = f"--- a/app.js\n+++ b/app.js\n@@ -1 +1 @@\n-{'x' * 10_000_000}\n+{'y' * 10_000_000}\n"
    tracemalloc.start()
    said = of_diff(diff)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert said.endswith("One generated file is left out: app dot J S, two lines.")
    assert peak_bytes < 30e6  # the text itself, encoded, and little more


def test_a_diff_that_breaks_off_is_told_as_far_as_it_goes() -> None:
    said = of_diff(diff_of("calc.py", 40)[:-200])
    assert "is damaged" in said and "calc dot py" in said


def test_hunks_whose_lines_look_like_headers_stay_whole() -> None:
    diff = "--- a/x.sql\n+++ b/x.sql\n@@ -1,3 +1,3 @@\n context\n--- dropped comment\n+++ plus\n context\n"
    sections, _ = read_sections(bounded_lines(io.BytesIO(diff.encode())))
    assert [(one.path, one.added, one.removed, one.is_damaged) for one in sections] == [
        ("x.sql", 1, 1, False)
    ]


PIECES = """diff --git a/x b/x
--- a/x
+++ b/x
@@ -1,2 +1,3 @@ def f():
 a
+b
-c
\\ No newline at end of file

@@@ -1 -1 +1 @@@
diff --cc y
Binary files a/x and b/x differ
rename from x
rename to y
* Unmerged path z
+<<<<<<< a
new file mode 160000
\x00é
"""
WRITTEN = st.lists(st.sampled_from(PIECES.splitlines(keepends=True)), max_size=30)


@given(WRITTEN)
def test_no_diff_however_broken_breaks_the_teller(lines: Sequence[str]) -> None:
    assert of_diff("".join(lines), Level.FULL)


@given(WRITTEN)
def test_the_lines_of_the_kept_hunks_are_those_that_were_counted(lines: Sequence[str]) -> None:
    sections, _ = read_sections(lines)
    for section in sections:
        if section.patch and section.is_whole and not section.conflicts:
            runs = runs_of(section)
            assert sum(len(run.added) for run in runs) <= section.added
            assert sum(len(run.removed) for run in runs) <= section.removed


# --------------------------------------------------------------------------------------- nothing is invented


PLAIN = """two file files changes changed lines line added and removed one of them is a test dot py
in new function constant the now called outside functions zero three four five six seven eight nine ten eleven
twelve"""


def test_every_name_and_number_that_is_said_stands_in_the_diff(repo: Repo) -> None:
    root = repo(**{"shelf/books.py": CALC, "test_shelf.py": "def test_a():\n    pass\n"})
    fee = "\n\nLIMIT = 41\n\n\ndef fee(days):\n    return days * 3\n"
    write(root, {
        "shelf/books.py": CALC.replace("def add", "def append") + fee,
        "test_shelf.py": "def test_a():\n    pass\n\n\ndef test_fee():\n    assert 1\n",
    })  # fmt: skip
    git(root, "add", "-A")
    diff, said = git(root, "diff", "--cached"), told(root, staged=True, level=Level.FULL).lower()
    for word in re.findall(r"[a-z]+", said):
        assert word in diff.lower() or word in PLAIN.split(), word
    per_file = [row.split()[:2] for row in git(root, "diff", "--cached", "--numstat").splitlines()]
    counts = [list(map(int, side)) for side in zip(*per_file, strict=True)]
    known = {str(count) for side in counts for count in (*side, sum(side))}
    assert set(re.findall(r"\d+", said)) <= known | set(re.findall(r"\d+", diff))
    assert sum(counts[0]) == 12 and "added twelve lines, and removed one line" in said


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("    async def load(self):", "load"), ("export default class Cart {", "Cart"),
        ("func (s *Server) Start() error {", "Start"), ("pub fn parse(text: &str) -> u8 {", "parse"),
        ("public static int add(int a, int b) {", "add"), ("void reset(void)", "reset"),
        ("    return add(a, b)", None), ("if (x) {", None), ("x = f(1)", None), ("", None),
    ],
)  # fmt: skip
def test_definitions_are_known_in_most_languages(line: str, name: str | None) -> None:
    found = defined_in(line)
    assert (found and found[0]) == name


# ---------------------------------------------------------------------------------------- captions and sound


def test_captions_are_well_formed() -> None:
    text = webvtt([Cue(0, 1.5, "a < b & c --> d"), Cue(1.5, 1.5, "silent"), Cue(3661.0004, 3662, "next")])
    assert text == (
        "WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.500\na &lt; b &amp; c --&gt; d\n\n"
        "2\n01:01:01.000 --> 01:01:02.000\nnext\n"
    )


def test_status_and_names_are_read_from_the_header() -> None:
    diff = (
        "diff --git a/one two.py b/three four.py\nsimilarity index 90%\nrename from one two.py\n"
        "rename to three four.py\ndiff --git a/a b/a b/a b/a\nold mode 100644\nnew mode 100755\n"
    )
    sections, _ = read_sections(bounded_lines(io.BytesIO(diff.encode())))
    assert sections == [
        Section("three four.py", "one two.py", Status.RENAMED),
        Section("a b/a", "a b/a", Status.MODIFIED, old_mode="100644", new_mode="100755"),
    ]
