"""What a request did to the files is taken back and done again, and nobody else's work is touched."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.undo import Limits, Restored, Timeline, Unable, Written
from agent.workspace import Workspace


@pytest.fixture(params=["git", "plain"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    root = tmp_path / "work"
    root.mkdir()
    if request.param == "git":
        git(root, "init", "-q")
    (root / "a.py").write_text("a = 1\n")
    (root / "pack").mkdir()
    (root / "pack/b.py").write_text("b = 1\n")
    return root


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Session:
    """Requests one after the other, each a change of the files."""

    def __init__(self, root: Path, limits: Limits | None = None) -> None:
        self.timeline = Timeline(Workspace(root), root.parent / "store", limits)

    def request(self, change: Callable[[], object], words: str = "change it") -> str:
        async def run() -> str:
            name = self.timeline.open(words)
            await self.timeline.before_change()
            change()
            self.timeline.close()
            await self.timeline.settled()
            return name

        return asyncio.run(run())

    def undo(self) -> Restored | Unable:
        return asyncio.run(self.timeline.undo())

    def redo(self) -> Restored | Unable:
        return asyncio.run(self.timeline.redo())


def looks(root: Path) -> dict[str, tuple[int, bytes]]:
    """All files but git's own: permissions and content, of a link where it leads."""
    found: dict[str, tuple[int, bytes]] = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for name in [*names, *(name for name in folders if (Path(folder) / name).is_symlink())]:
            place = Path(folder) / name
            mode = stat.S_IMODE(place.lstat().st_mode)
            data = os.fsencode(place.readlink()) if place.is_symlink() else place.read_bytes()
            found[place.relative_to(root).as_posix()] = (mode, data)
    return found


def test_what_a_command_changed_made_and_removed_is_taken_back_and_done_again(root: Path) -> None:
    session, before = Session(root), looks(root)

    def change() -> None:
        (root / "a.py").write_text("a = 2\n")
        (root / "pack/b.py").unlink()
        (root / "new/deep").mkdir(parents=True)
        (root / "new/deep/c.py").write_text("c\n")

    name = session.request(change, "Change everything")
    after = looks(root)
    undone = session.undo()
    assert undone == Restored(name, "Change everything", ("a.py",), ("new/deep/c.py",), ("pack/b.py",), ())
    assert looks(root) == before
    assert not (root / "new").exists()
    assert isinstance(session.redo(), Restored)
    assert looks(root) == after
    assert isinstance(session.redo(), Unable)


def test_requests_are_taken_back_one_by_one(root: Path) -> None:
    session, states = Session(root), [looks(root)]
    for number in range(3):
        session.request(lambda number=number: (root / "a.py").write_text(f"a = {number + 5}\n"))
        states.append(looks(root))
    for state in reversed(states[:-1]):
        assert isinstance(session.undo(), Restored)
        assert looks(root) == state
    assert isinstance(session.undo(), Unable)
    for state in states[1:]:
        assert isinstance(session.redo(), Restored)
        assert looks(root) == state


def test_a_new_change_ends_what_can_be_done_again(root: Path) -> None:
    session = Session(root)
    session.request(lambda: (root / "a.py").write_text("a = 2\n"))
    session.undo()
    session.request(lambda: (root / "a.py").write_text("a = 3\n"))
    assert isinstance(session.redo(), Unable)
    assert (root / "a.py").read_text() == "a = 3\n"


def test_what_changed_nothing_is_not_taken_back(root: Path) -> None:
    session = Session(root)
    session.request(lambda: (root / "a.py").write_text("a = 2\n"), "the change")
    session.request(lambda: None, "a question")
    undone = session.undo()
    assert isinstance(undone, Restored)
    assert undone.request == "the change"


@pytest.mark.parametrize("back", [True, False])
def test_the_users_own_later_edit_stays_and_nothing_else_is_touched(root: Path, back: bool) -> None:
    session = Session(root)

    def change() -> None:
        (root / "a.py").write_text("a = 2\n")
        (root / "pack/b.py").write_text("b = 2\n")
        (root / "c.py").write_text("c\n")

    session.request(change)
    if not back:
        session.undo()
    (root / "pack/b.py").write_text("mine\n")
    mine = looks(root)
    refusal = session.undo() if back else session.redo()
    assert isinstance(refusal, Unable)
    assert "pack/b.py has been changed since" in refusal.reason
    assert looks(root) == mine


def test_the_users_edits_of_other_files_are_no_part_of_it(root: Path) -> None:
    session = Session(root)
    session.request(lambda: (root / "a.py").write_text("a = 2\n"))
    (root / "pack/b.py").write_text("mine\n")
    (root / "mine.py").write_text("mine\n")
    session.request(lambda: (root / "a.py").write_text("a = 3\n"))
    assert isinstance(session.undo(), Restored)
    assert isinstance(session.undo(), Restored)
    assert (root / "a.py").read_text() == "a = 1\n"
    assert (root / "pack/b.py").read_text() == (root / "mine.py").read_text() == "mine\n"


def test_a_file_that_was_made_again_by_the_user_is_a_conflict(root: Path) -> None:
    session = Session(root)
    session.request(lambda: (root / "a.py").unlink())
    (root / "a.py").write_text("mine\n")
    assert isinstance(session.undo(), Unable)
    assert (root / "a.py").read_text() == "mine\n"


def test_line_ends_modes_links_and_odd_names_survive(root: Path) -> None:
    odd = root / 'line\nend "quoted" \\ é.txt'
    odd.write_bytes(b"one\r\ntwo\rthree\n\xff\x00")
    (root / ".gitattributes").write_text("* text=auto eol=lf\n*.txt filter=evil\n")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "private").write_text("p\n")
    (root / "private").chmod(0o600)
    (root / "read-only").write_text("r\n")
    (root / "read-only").chmod(0o444)
    (root / "x").write_text("x\n")
    (root / "x").chmod(0o700)
    (root / "link").symlink_to("a.py")
    (root / "dangling").symlink_to("nowhere")
    (root / "folder-link").symlink_to("pack")
    session, before = Session(root), looks(root)

    def change() -> None:
        for name in ("link", "dangling", "folder-link", "read-only"):
            (root / name).unlink()
        (root / "link").write_text("a file now\n")
        (root / "folder-link").mkdir()
        (root / "folder-link/x").write_text("x")
        odd.write_bytes(b"one\ntwo\n")
        (root / "run.sh").chmod(0o644)
        for name in ("private", "x"):
            (root / name).chmod(0o644)

    session.request(change)
    after = looks(root)
    assert isinstance(session.undo(), Restored)
    assert looks(root) == before
    assert isinstance(session.redo(), Restored)
    assert looks(root) == after


def test_a_file_and_a_folder_change_places(root: Path) -> None:
    session, before = Session(root), looks(root)

    def change() -> None:
        (root / "pack/b.py").unlink()
        (root / "pack").rmdir()
        (root / "pack").write_text("a file\n")
        (root / "a.py").unlink()
        (root / "a.py").mkdir()
        (root / "a.py/inner").write_text("inner\n")

    session.request(change)
    after = looks(root)
    assert isinstance(session.undo(), Restored)
    assert looks(root) == before
    assert isinstance(session.redo(), Restored)
    assert looks(root) == after


def test_nothing_is_written_through_a_link_that_took_a_folders_place(root: Path) -> None:
    session = Session(root)
    session.request(lambda: (root / "pack/b.py").write_text("b = 2\n"))
    elsewhere = root.parent / "elsewhere"
    (root / "pack").rename(elsewhere)
    (root / "pack").symlink_to(elsewhere)
    assert isinstance(session.undo(), Unable)
    assert (elsewhere / "b.py").read_text() == "b = 2\n"
    session.request(lambda: (root / "a.py").write_text("a = 2\n"))
    assert isinstance(session.undo(), Restored)
    assert (elsewhere / "b.py").read_text() == "b = 2\n"


def test_the_users_repository_and_index_are_as_they_were(tmp_path: Path) -> None:
    root = tmp_path / "work"
    root.mkdir()
    git(root, "init", "-q")
    (root / "a.py").write_text("a = 1\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    (root / "a.py").write_text("staged\n")
    git(root, "add", "a.py")

    def own() -> dict[str, bytes]:
        files = (root / ".git").rglob("*")
        return {str(file): file.read_bytes() for file in files if file.is_file()}

    before, session = own(), Session(root)
    session.request(lambda: (root / "a.py").write_text("a = 2\n"))
    assert isinstance(session.undo(), Restored)
    assert own() == before


def test_a_detached_head_and_a_merge_in_progress_do_no_harm(tmp_path: Path) -> None:
    root = tmp_path / "work"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "a.py").write_text("a = 1\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    git(root, "checkout", "-q", "-b", "other")
    (root / "a.py").write_text("other\n")
    git(root, "commit", "-qam", "other")
    git(root, "checkout", "-q", "--detach", "main")
    (root / "a.py").write_text("main\n")
    git(root, "commit", "-qam", "main")
    with pytest.raises(subprocess.CalledProcessError):
        git(root, "merge", "-q", "other")
    conflicted, status, session = looks(root), git(root, "status", "--porcelain"), Session(root)
    session.request(lambda: (root / "a.py").write_text("resolved\n"))
    assert isinstance(session.undo(), Restored)
    assert looks(root) == conflicted
    assert git(root, "status", "--porcelain") == status
    assert (root / ".git/MERGE_HEAD").exists()


def test_a_commit_is_not_taken_back(tmp_path: Path) -> None:
    root = tmp_path / "work"
    root.mkdir()
    git(root, "init", "-q")
    (root / "a.py").write_text("a = 1\n")
    session = Session(root)

    def commit() -> None:
        git(root, "add", "-A")
        git(root, "commit", "-qm", "first")

    session.request(commit)
    head, refusal = git(root, "rev-parse", "HEAD"), session.undo()
    assert isinstance(refusal, Unable)
    assert "commits" in refusal.reason
    assert git(root, "rev-parse", "HEAD") == head


def test_what_git_ignores_is_left_alone_also_when_it_is_ignored_no_longer(tmp_path: Path) -> None:
    root = tmp_path / "work"
    (root / "data").mkdir(parents=True)
    git(root, "init", "-q")
    (root / ".gitignore").write_text("data/\n*.log\n")
    (root / "data/mine.txt").write_text("mine\n")
    (root / "mine.log").write_text("mine\n")
    session = Session(root)
    session.request(lambda: (root / ".gitignore").unlink())
    undone = session.undo()
    assert isinstance(undone, Restored)
    assert undone.returned == (".gitignore",)
    assert set(undone.left) == {"data/mine.txt", "mine.log"}
    assert (root / "data/mine.txt").read_text() == (root / "mine.log").read_text() == "mine\n"


def test_what_is_ignored_only_now_is_still_brought_back(tmp_path: Path) -> None:
    root = tmp_path / "work"
    root.mkdir()
    git(root, "init", "-q")
    (root / "notes.txt").write_text("mine\n")
    session = Session(root)

    def change() -> None:
        (root / ".gitignore").write_text("*.txt\n")
        (root / "notes.txt").write_text("changed\n")

    session.request(change)
    assert isinstance(session.undo(), Restored)
    assert looks(root) == {"notes.txt": (stat.S_IMODE((root / "notes.txt").stat().st_mode), b"mine\n")}


def test_what_is_too_large_is_left_and_named(root: Path) -> None:
    session = Session(root, Limits(file_bytes=1_000))
    for name in ("older.log", "untouched.log"):
        (root / name).write_bytes(b"y" * 3_000)

    def change() -> None:
        (root / "a.py").write_text("a = 2\n")
        (root / "huge.log").write_bytes(b"x" * 2_000)
        (root / "older.log").write_bytes(b"x" * 2_000)

    session.request(change)
    undone = session.undo()
    assert isinstance(undone, Restored)
    assert (undone.changed, undone.left) == (("a.py",), ("huge.log", "older.log"))
    assert (root / "huge.log").stat().st_size == 2_000


def test_a_log_of_a_gigabyte_is_not_read(root: Path) -> None:
    with (root / "big.log").open("wb") as stream:
        stream.truncate(1_000_000_000)
    session = Session(root)
    session.request(lambda: (root / "a.py").write_text("a = 2\n"))
    assert isinstance(session.undo(), Restored)
    stored = sum(file.stat().st_size for file in (root.parent / "store").rglob("*") if file.is_file())
    assert stored < 1_000_000


def test_secrets_are_not_copied(root: Path) -> None:
    (root / ".env").write_text("PASSWORD=hunter2\n")
    session = Session(root)
    session.request(lambda: (root / "a.py").write_text("a = 2\n"))
    git_folder = root.parent / "store/git"
    name = subprocess.run(
        ["git", "hash-object", str(root / ".env")], capture_output=True, text=True, check=True
    )
    there = subprocess.run(
        ["git", f"--git-dir={git_folder}", "cat-file", "-e", name.stdout.strip()], check=False
    )
    assert there.returncode != 0


def test_sockets_and_pipes_and_inner_repositories_are_passed_over(root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "inner").mkdir()
    git(root / "inner", "init", "-q")
    (root / "inner/x.py").write_text("x\n")
    session = Session(root)
    session.request(lambda: (root / "a.py").write_text("a = 2\n"))
    assert isinstance(session.undo(), Restored)
    assert (root / "inner/x.py").exists()


def test_another_session_takes_back_what_an_earlier_one_did(root: Path) -> None:
    before = looks(root)
    Session(root).request(lambda: (root / "a.py").write_text("a = 2\n"))
    assert isinstance(Session(root).undo(), Restored)
    assert looks(root) == before
    assert isinstance(Session(root).redo(), Restored)


def test_only_so_many_requests_are_kept(root: Path) -> None:
    session = Session(root, Limits(requests=2))
    for number in range(4):
        session.request(lambda number=number: (root / "a.py").write_text(f"a = {number + 5}\n"))
    assert [type(session.undo()) for _ in range(3)] == [Restored, Restored, Unable]
    assert (root / "a.py").read_text() == "a = 6\n"
    command = ["git", f"--git-dir={root.parent / 'store/git'}", "for-each-ref"]
    refs = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert len(refs.splitlines()) == 4


def test_a_store_over_its_size_forgets_the_oldest(root: Path) -> None:
    session = Session(root, Limits(store_bytes=200_000))
    for number in range(6):
        session.request(lambda: (root / "a.py").write_bytes(os.urandom(60_000)))
        session.request(lambda number=number: (root / "pack/b.py").write_text(f"{number}\n"))
    asyncio.run(session.timeline.warm())
    kept = 0
    while isinstance(session.undo(), Restored):
        kept += 1
    assert kept == 6


def test_a_spoiled_store_is_told_and_touches_nothing(root: Path) -> None:
    session = Session(root)
    session.request(lambda: (root / "a.py").write_text("a = 2\n"))
    for file in (root.parent / "store/git/objects").rglob("*"):
        if file.is_file():
            file.chmod(0o644)
            file.write_bytes(b"")
    changed = looks(root)
    assert isinstance(session.undo(), Unable)
    assert looks(root) == changed


def test_without_a_snapshot_the_earlier_request_is_not_taken_back_in_its_place(root: Path) -> None:
    session = Session(root)
    session.request(lambda: (root / "a.py").write_text("a = 2\n"))
    store, away = root.parent / "store", root.parent / "away"
    store.rename(away)
    store.write_text("in the way")
    session.request(lambda: (root / "pack/b.py").write_text("b = 2\n"))
    store.unlink()
    away.rename(store)
    refusal = session.undo()
    assert isinstance(refusal, Unable)
    assert refusal.reason.startswith("I could not keep what the last request changed")
    assert (root / "a.py").read_text() == "a = 2\n"


_NAMES = st.sampled_from(["a", "b", "d/a", "d/b", "d/e/a", "a b\n'", "é"])
_CHANGES = st.lists(
    st.tuples(_NAMES, st.sampled_from(["write", "remove", "link", "mode"]), st.binary(max_size=12)),
    max_size=6,
)


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes")
@settings(max_examples=12, deadline=None)
@given(st.lists(_CHANGES, min_size=1, max_size=3))
def test_any_series_of_changes_goes_back_and_forth(requests: list[list[tuple[str, str, bytes]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "work"
        root.mkdir()
        (root / "d").mkdir()
        (root / "d/a").write_text("first\n")
        session, states = Session(root), [looks(root)]
        for changes in requests:
            session.request(
                lambda changes=changes: [_change(root / name, how, data) for name, how, data in changes]
            )
            states.append(looks(root))
        distinct = [state for k, state in enumerate(states) if k == 0 or state != states[k - 1]]
        for state in reversed(distinct[:-1]):
            assert isinstance(session.undo(), Restored)
            assert looks(root) == state
        for state in distinct[1:]:
            assert isinstance(session.redo(), Restored)
            assert looks(root) == state


def _change(place: Path, how: str, data: bytes) -> None:
    if how == "remove":
        place.unlink(missing_ok=True)
    elif how == "mode" and place.is_file() and not place.is_symlink():
        place.chmod(0o600 if data else 0o755)
    elif how in ("write", "link"):
        place.unlink(missing_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        if how == "write":
            place.write_bytes(data)
        else:
            place.symlink_to(data.hex() or "empty")


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def while_at_work(session: Session, root: Path, ours: str, theirs: dict[str, str]) -> None:
    """A request that writes a.py, while the user saves other files."""

    async def run() -> None:
        session.timeline.open("change it")
        await session.timeline.before_change()
        (root / "a.py").write_text(ours)
        for name, text in theirs.items():
            (root / name).write_text(text)
        session.timeline.close({"a.py": Written(b"a = 1\n", digest(ours))})
        await session.timeline.settled()

    asyncio.run(run())


def test_what_the_user_saves_during_a_request_is_not_taken_back_with_it(root: Path) -> None:
    session = Session(root)
    while_at_work(session, root, "a = 2\n", {"pack/b.py": "b = 2\n", "notes.txt": "mine\n"})
    undone = session.undo()
    assert isinstance(undone, Restored)
    assert (undone.changed, undone.left) == (("a.py",), ("notes.txt", "pack/b.py"))
    assert (root / "a.py").read_text() == "a = 1\n"
    assert (root / "pack/b.py").read_text() == "b = 2\n"
    assert (root / "notes.txt").read_text() == "mine\n"
    assert isinstance(session.redo(), Restored)
    assert (root / "a.py").read_text() == "a = 2\n"


def test_a_file_that_the_user_saves_too_during_a_request_is_left_and_told(root: Path) -> None:
    session = Session(root)
    while_at_work(session, root, "a = 2\n", {"a.py": "a = 2\nmine = 1\n"})
    undone = session.undo()
    assert isinstance(undone, Unable)
    assert "a.py" in undone.reason
    assert (root / "a.py").read_text() == "a = 2\nmine = 1\n"


def test_a_request_in_which_only_the_user_saved_is_none_to_take_back(root: Path) -> None:
    session = Session(root)
    session.request(lambda: (root / "a.py").write_text("a = 2\n"), "the one before")

    async def run() -> None:
        session.timeline.open("run the tests")
        await session.timeline.before_change()
        (root / "pack/b.py").write_text("b = 2\n")
        session.timeline.close({})
        await session.timeline.settled()

    asyncio.run(run())
    undone = session.undo()
    assert isinstance(undone, Restored)
    assert undone.request == "the one before"
    assert (root / "pack/b.py").read_text() == "b = 2\n"


def test_what_the_user_saved_just_before_a_file_was_written_is_not_taken_back(root: Path) -> None:
    session = Session(root)

    async def run(told: Written) -> None:
        session.timeline.open("change it")
        await session.timeline.before_change()
        (root / "a.py").write_text("a = 2\nmine = 1\n")  # ours, over what the user has saved meanwhile
        session.timeline.close({"a.py": told})
        await session.timeline.settled()

    over = Written(b"a = 1\nmine = 1\n", digest("a = 2\nmine = 1\n"))
    between = Written(b"a = 1\n", digest("a = 2\nmine = 1\n"), is_alone=False)
    for told in (over, between):
        (root / "a.py").write_text("a = 1\n")
        asyncio.run(run(told))
        undone = session.undo()
        assert isinstance(undone, Unable)
        assert "a.py" in undone.reason
        assert (root / "a.py").read_text() == "a = 2\nmine = 1\n"


def test_an_ignored_file_that_was_written_is_told_and_no_other_request_is_taken_back(root: Path) -> None:
    (root / ".gitignore").write_text("out.txt\n")
    if not (root / ".git").exists():
        git(root, "init", "-q")
    session = Session(root)
    session.request(lambda: (root / "a.py").write_text("a = 2\n"), "the one before")

    async def run() -> None:
        session.timeline.open("write it out")
        await session.timeline.before_change()
        (root / "out.txt").write_text("a = 2\n")
        session.timeline.close({"out.txt": Written(None, digest("a = 2\n"))})
        await session.timeline.settled()

    asyncio.run(run())
    told = session.undo()
    assert isinstance(told, Unable)
    assert "out.txt" in told.reason
    assert (root / "a.py").read_text() == "a = 2\n"
    undone = session.undo()
    assert isinstance(undone, Restored)
    assert undone.request == "the one before"
