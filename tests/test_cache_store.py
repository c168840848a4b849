"""The prefix store on a real folder: what is found, what makes room, and what is never served."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.cache import store as store_module
from agent.cache.entry import Found, Retention, StoreError, StoreFull, StoreLimits, StoreNewer
from agent.cache.index import Index, Match
from agent.cache.keys import BLOCK_TOKENS, Seed
from agent.cache.store import PrefixStore

SEED = Seed("weights", "q4", "template", "float16", "mlx 1").digest()
OTHER_MODEL = Seed("other weights", "q4", "template", "float16", "mlx 1").digest()
ROOMY = StoreLimits(disk_bytes=1 << 30, free_bytes=0)


class Clock:
    """Seconds since 1970, as the test says."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> PrefixStore:
    return PrefixStore(tmp_path / "store", ROOMY, now=clock)


def prompt(n_tokens: int, first: int = 0) -> tuple[int, ...]:
    return tuple(range(first, first + n_tokens))


def content_of(tokens: Sequence[int]) -> bytes:
    return repr(tuple(tokens)).encode()


def put(
    store: PrefixStore,
    tokens: Sequence[int],
    retention: Retention = Retention.RECENT,
    *,
    seed: bytes = SEED,
) -> Path | None:
    """Save an entry whose content tells its tokens; gives its file."""
    content = content_of(tokens)
    pending = store.begin(seed, tokens, ".kv", len(content), retention)
    if pending is None:
        return None
    pending.path.write_bytes(content)
    store.commit(pending)
    return store.folder / pending.path.name.split("-", 2)[2]


def found(store: PrefixStore, tokens: Sequence[int], seed: bytes = SEED) -> Found | None:
    """What is found, after looking whether it is what it says."""
    result = store.find(seed, tokens)
    if result is not None:
        assert result.path.read_bytes() == content_of(result.tokens)
        assert tuple(tokens[: result.n_shared]) == result.tokens[: result.n_shared]
    return result


def shared(store: PrefixStore, tokens: Sequence[int], seed: bytes = SEED) -> int:
    result = found(store, tokens, seed)
    return result.n_shared if result is not None else 0


def names(store: PrefixStore) -> set[str]:
    return {path.name for path in store.folder.glob("*.kv")}


@pytest.mark.parametrize(
    ("asked", "n_shared"),
    [
        (prompt(100), 100),
        (prompt(120), 100),
        (prompt(70), 70),
        ((*prompt(50), *prompt(50, first=900)), 50),
        (prompt(BLOCK_TOKENS), BLOCK_TOKENS),
        (prompt(BLOCK_TOKENS - 1), 0),
        ((7, *prompt(99)), 0),
    ],
)
def test_the_longest_beginning_in_whole_blocks_is_found(
    store: PrefixStore, asked: tuple[int, ...], n_shared: int
) -> None:
    put(store, prompt(100))
    put(store, prompt(40, first=5_000))
    assert shared(store, asked) == n_shared


def test_of_several_the_one_that_shares_most_is_found_and_of_equals_the_smallest(store: PrefixStore) -> None:
    put(store, prompt(32), Retention.PINNED)
    put(store, (*prompt(48), *prompt(48, first=700)))
    put(store, (*prompt(80), *prompt(48, first=800)))
    assert shared(store, prompt(200)) == 80
    opening = found(store, prompt(32))
    assert opening is not None
    assert len(opening.tokens) == 32


def test_another_model_never_matches(store: PrefixStore) -> None:
    put(store, prompt(100))
    assert shared(store, prompt(100), OTHER_MODEL) == 0
    put(store, prompt(64), seed=OTHER_MODEL)
    assert (shared(store, prompt(100)), shared(store, prompt(100), OTHER_MODEL)) == (100, 64)


def test_a_longer_entry_takes_the_place_of_those_that_can_be_cut_from_it(store: PrefixStore) -> None:
    put(store, prompt(32), Retention.PINNED)
    put(store, prompt(60))
    put(store, (*prompt(50), *prompt(30, first=900)))
    put(store, prompt(90))
    assert sorted(entry.n_tokens for entry in store.entries()) == [32, 80, 90]
    assert len(names(store)) == 3
    assert put(store, prompt(90)) is None


def test_content_and_name_are_on_the_disk_before_the_index_knows_of_them(
    store: PrefixStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, prompt(64))  # the index is open
    did = list[str]()
    names = {store.folder.stat().st_ino: "folder"}
    fsync, replace, commit = os.fsync, Path.replace, Index.writing

    def flushed(handle: int) -> None:
        fsync(handle)
        at = os.fstat(handle)
        did.append(f"flush {names.get(at.st_ino, f'{at.st_size} bytes')}")

    def renamed(path: Path, target: Path) -> Path:
        did.append(f"rename {path.suffix}")
        return replace(path, target)

    @contextmanager
    def committed(index: Index) -> Iterator[None]:
        with commit(index):
            yield
        did.append("commit")

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(Path, "replace", renamed)
    monkeypatch.setattr(Index, "writing", committed)
    tokens = prompt(64, first=900)
    put(store, tokens)
    written = did.index("rename .kv")
    assert did[written - 2 :] == [
        f"flush {len(content_of(tokens))} bytes",
        "commit",  # of what makes room
        "rename .kv",
        "flush folder",
        "commit",
    ]
    assert shared(store, tokens) == 64


def test_too_few_tokens_are_not_kept(store: PrefixStore) -> None:
    assert put(store, prompt(BLOCK_TOKENS - 1)) is None
    assert store.entries() == []


def test_the_least_recently_used_makes_room(tmp_path: Path, clock: Clock) -> None:
    size_bytes = len(content_of(prompt(100, first=10_000)))
    store = PrefixStore(tmp_path, StoreLimits(3 * size_bytes, 0), now=clock)
    for first in (10_000, 20_000, 30_000):
        clock.now_s += 1
        put(store, prompt(100, first))
    clock.now_s += 1
    assert shared(store, prompt(100, 10_000)) == 100
    clock.now_s += 1
    put(store, prompt(100, 40_000))
    kept = [first for first in (10_000, 20_000, 30_000, 40_000) if shared(store, prompt(100, first))]
    assert kept == [10_000, 30_000, 40_000]
    assert len(names(store)) == 3
    assert sum(entry.size_bytes for entry in store.entries()) <= store.limits.disk_bytes


def test_what_is_pinned_makes_no_room_and_the_error_says_what_to_do(tmp_path: Path) -> None:
    size_bytes = len(content_of(prompt(100, first=10_000)))
    store = PrefixStore(tmp_path, StoreLimits(size_bytes, 0))
    put(store, prompt(100, 10_000), Retention.PINNED)
    with pytest.raises(StoreFull, match=r"cache\.disk_gib"):
        put(store, prompt(100, 20_000))
    assert shared(store, prompt(100, 10_000)) == 100


def test_what_was_pinned_long_ago_makes_room_for_what_is_pinned_now(tmp_path: Path, clock: Clock) -> None:
    size_bytes = len(content_of(prompt(100, first=10_000)))
    store = PrefixStore(tmp_path, StoreLimits(4 * size_bytes, 0), now=clock)
    for first in range(10_000, 70_000, 10_000):
        clock.now_s += 1
        put(store, prompt(100, first), Retention.PINNED)
    pinned = [entry.used_s - 1_000_000 for entry in store.entries() if entry.retention is Retention.PINNED]
    assert pinned == [5, 6]
    kept = [first for first in range(10_000, 70_000, 10_000) if shared(store, prompt(100, first))]
    assert kept == [30_000, 40_000, 50_000, 60_000]
    put(store, prompt(100, 80_000))
    assert shared(store, prompt(100, 80_000)) == 100


def test_the_disk_is_never_filled_beyond_the_floor(tmp_path: Path) -> None:
    store = PrefixStore(tmp_path, StoreLimits(1 << 30, free_bytes=1 << 60))
    with pytest.raises(StoreFull, match="not saved"):
        put(store, prompt(100))
    assert store.entries() == []


@pytest.mark.parametrize(("retention", "life_s"), [(Retention.FIVE_MINUTES, 300), (Retention.ONE_HOUR, 3600)])
def test_a_time_to_live_begins_again_at_each_use_and_ends(
    store: PrefixStore, clock: Clock, retention: Retention, life_s: float
) -> None:
    put(store, prompt(64), retention)
    clock.now_s += life_s - 1
    assert shared(store, prompt(64)) == 64
    clock.now_s += life_s - 1
    assert shared(store, prompt(64)) == 64
    clock.now_s += life_s + 1
    assert shared(store, prompt(64)) == 0


@pytest.mark.parametrize("harm", ["cut", "longer", "bit", "gone", "exchanged"])
def test_a_harmed_file_is_set_aside_and_the_next_best_is_served(store: PrefixStore, harm: str) -> None:
    put(store, prompt(48), Retention.PINNED)
    file = put(store, prompt(100))
    assert file is not None
    content = file.read_bytes()
    match harm:
        case "cut":
            file.write_bytes(content[:-1])
        case "longer":
            file.write_bytes(content + b"\0")
        case "bit":
            file.write_bytes(content[:50] + bytes([content[50] ^ 1]) + content[51:])
        case "gone":
            file.unlink()
        case _:
            file.write_bytes(content_of(prompt(100, first=1))[: len(content)].ljust(len(content)))
    assert shared(store, prompt(100)) == 48
    assert [trouble.file for trouble in store.troubles()] == [file.name]
    assert not file.exists()
    assert (store.folder / "quarantine" / file.name).exists() == (harm != "gone")
    put(store, prompt(100))
    assert shared(store, prompt(100)) == 100


def test_tokens_that_changed_in_the_index_are_not_served(store: PrefixStore) -> None:
    put(store, prompt(100))
    store.close()
    changed = (*prompt(99), 1234)
    with sqlite3.connect(store.folder / "index.sqlite") as index:
        index.execute("UPDATE entries SET tokens = ?", (b"".join(t.to_bytes(4, "little") for t in changed),))
    index.close()
    assert shared(store, changed) == 0


def test_files_that_nobody_knows_are_set_aside_and_left_ones_removed(store: PrefixStore) -> None:
    put(store, prompt(100))
    (store.folder / "holiday.jpg").write_bytes(b"not ours")
    (store.folder / f"{'a' * 32}.kv").write_bytes(b"renamed, but never vouched for")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (store.folder / f"tmp-{dead.pid}-{'b' * 32}.kv").write_bytes(b"half a sa")
    ours = store.folder / f"tmp-{os.getpid()}-{'c' * 32}.kv"
    ours.write_bytes(b"being written")
    store.sweep()
    assert len(names(store)) == 2
    assert ours.exists()
    assert [trouble.file for trouble in store.troubles()] == ["holiday.jpg"]
    assert shared(store, prompt(100)) == 100


def test_of_many_troubles_the_latest_are_told_and_the_latest_files_kept(
    store: PrefixStore, clock: Clock
) -> None:
    put(store, prompt(100))
    for number in range(40):
        (store.folder / f"{number}.jpg").write_bytes(b"not ours")
        clock.now_s += 1
        store.sweep()
    assert [trouble.file for trouble in store.troubles()] == [f"{number}.jpg" for number in range(8, 40)]
    assert len(list((store.folder / "quarantine").iterdir())) == 3


def test_a_store_of_a_later_version_is_left_alone(store: PrefixStore) -> None:
    put(store, prompt(100))
    store.close()
    index = sqlite3.connect(store.folder / "index.sqlite")
    index.execute("PRAGMA user_version = 99")
    index.close()
    before = sorted(path.name for path in store.folder.iterdir())
    for _ in range(2):
        with pytest.raises(StoreNewer, match="later version"):
            store.find(SEED, prompt(100))
        with pytest.raises(StoreNewer):
            put(store, prompt(200))
    assert sorted(path.name for path in store.folder.iterdir()) == before
    store.clear()
    put(store, prompt(100))
    assert shared(store, prompt(100)) == 100


@pytest.mark.parametrize("harm", ["no index", "not an index", "torn pages"])
def test_a_damaged_index_is_set_aside_and_the_store_goes_on(store: PrefixStore, harm: str) -> None:
    for first in range(0, 50_000, 1_000):
        put(store, prompt(200, first))
    store.close()
    path = store.folder / "index.sqlite"
    content = path.read_bytes()
    match harm:
        case "no index":
            path.unlink()
        case "not an index":
            path.write_bytes(b"all is lost " * 1_000)
        case _:
            path.write_bytes(content[:4096] + os.urandom(len(content) - 4096))
    try:
        assert shared(store, prompt(200)) == 0
    except StoreError as error:
        assert "computed anew" in str(error)
    put(store, prompt(200))
    assert shared(store, prompt(200)) == 200
    store.sweep()
    assert len(names(store)) == 1


def test_two_stores_in_one_folder_see_what_the_other_does(store: PrefixStore, clock: Clock) -> None:
    other = PrefixStore(store.folder, ROOMY, now=clock)
    file = put(store, prompt(100))
    assert shared(other, prompt(100)) == 100
    put(other, prompt(150))
    assert shared(store, prompt(150)) == 150
    assert file is not None
    assert not file.exists()
    other.clear()
    assert shared(store, prompt(150)) == 0
    put(store, prompt(64))
    assert shared(other, prompt(64)) == 64


def test_what_another_process_drops_while_it_is_looked_at_is_no_trouble(
    store: PrefixStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, prompt(100))
    other = PrefixStore(store.folder, ROOMY)
    look = store_module._harm

    def late(path: Path, match: Match) -> str | None:
        if len(match.tokens) == 100:
            put(other, prompt(150))
        return look(path, match)

    monkeypatch.setattr(store_module, "_harm", late)
    assert shared(store, prompt(150)) == 150
    assert store.troubles() == []


def test_two_processes_that_find_the_index_damaged_set_it_aside_once(store: PrefixStore) -> None:
    put(store, prompt(100))
    other = PrefixStore(store.folder, ROOMY)
    other.entries()
    damage = sqlite3.DatabaseError("malformed")
    with pytest.raises(StoreError, match="computed anew"), other._index():
        with pytest.raises(StoreError, match="computed anew"), store._index():
            raise damage
        put(store, prompt(64))
        raise damage
    assert shared(store, prompt(64)) == shared(other, prompt(64)) == 64
    assert len(store.troubles()) == 1


def test_an_index_that_finds_no_room_takes_nothing_in_and_goes_on_when_there_is_some(
    store: PrefixStore,
) -> None:
    put(store, prompt(100))
    with store._index() as index:
        (n_pages,) = index._db.execute("PRAGMA page_count").fetchone()
        index._db.execute(f"PRAGMA max_page_count = {n_pages}")
    with pytest.raises(StoreError, match="full"):
        put(store, prompt(9_000, first=500))
    assert shared(store, prompt(100)) == 100
    assert len(names(store)) == 1
    with store._index() as index:
        index._db.execute("PRAGMA max_page_count = 1000000")
    put(store, prompt(9_000, first=500))
    assert shared(store, prompt(9_000, first=500)) == 9_000


def test_a_short_life_takes_nothing_with_it(store: PrefixStore, clock: Clock) -> None:
    put(store, prompt(60))
    put(store, prompt(90), Retention.FIVE_MINUTES)
    clock.now_s += 301
    assert shared(store, prompt(90)) == 60


def test_what_has_expired_goes_when_the_folder_is_tidied(store: PrefixStore, clock: Clock) -> None:
    file = put(store, prompt(60), Retention.FIVE_MINUTES)
    put(store, prompt(60, first=500))
    clock.now_s += 301
    store.sweep()
    assert file is not None
    assert not file.exists()
    assert [entry.n_tokens for entry in store.entries()] == [60]
    assert store.troubles() == []


def test_a_shorter_life_takes_nothing_from_a_longer_one(store: PrefixStore, clock: Clock) -> None:
    put(store, prompt(60), Retention.ONE_HOUR)
    put(store, prompt(60), Retention.FIVE_MINUTES)
    clock.now_s += 3_000
    assert shared(store, prompt(60)) == 60


def test_the_speed_of_each_model_is_remembered_also_in_a_store_from_before_it_was(store: PrefixStore) -> None:
    put(store, prompt(100))
    store.close()
    index = sqlite3.connect(store.folder / "index.sqlite")
    index.execute("DROP TABLE rates")
    index.close()
    assert store.prefill_rate(SEED, 0.0) == 0.0
    assert store.prefill_rate(SEED, 68.0) == 68.0
    again = PrefixStore(store.folder, ROOMY)
    assert (again.prefill_rate(SEED, 0.0), again.prefill_rate(OTHER_MODEL, 0.0)) == (68.0, 0.0)
    assert shared(again, prompt(100)) == 100


def test_a_place_whose_name_is_not_utf_8_harms_nothing(store: PrefixStore) -> None:
    put(store, prompt(100))
    place = os.fsdecode(b"/projects/caf\xe9")
    store.keep_session(place, SEED, prompt(30), "there")
    assert store.last_session(place, SEED) == (prompt(30), "there")
    store.forget_session(place, SEED)
    assert store.last_session(place, SEED) is None
    assert shared(store, prompt(100)) == 100


def test_the_last_session_of_a_place_is_remembered_for_its_model(store: PrefixStore) -> None:
    store.keep_session("/projects/a", SEED, prompt(30), "first")
    store.keep_session("/projects/a", SEED, prompt(40), "second\n\u00e9")
    store.keep_session("/projects/b", SEED, prompt(5), "elsewhere")
    again = PrefixStore(store.folder, ROOMY)
    assert again.last_session("/projects/a", SEED) == (prompt(40), "second\n\u00e9")
    assert again.last_session("/projects/a", OTHER_MODEL) is None
    again.forget_session("/projects/a", SEED)
    assert store.last_session("/projects/a", SEED) is None
    assert store.last_session("/projects/b", SEED) is not None


_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from test_cache_store import *
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = PrefixStore(Path(sys.argv[1]), ROOMY)
put(store, prompt(64))
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    put(store, prompt(9_000, first=10))
except OSError:
    pass
else:
    sys.exit("nothing was full")
store.close()
"""


def test_a_disk_that_fills_while_saving_loses_nothing_older(tmp_path: Path) -> None:
    folders = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
    subprocess.run([sys.executable, "-c", _FULL_DISK, str(tmp_path), *folders], check=True)
    store = PrefixStore(tmp_path, ROOMY)
    store.sweep()
    assert shared(store, prompt(64)) == 64
    assert shared(store, prompt(9_000, first=10)) == 0
    assert len(names(store)) == 1
    assert not list(tmp_path.glob("tmp-*"))
