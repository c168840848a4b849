"""Settings: the shipped file is the defaults, and every mistake names its line and the nearest right key."""

from pathlib import Path

import pytest
import yaml

from voice.config import SHIPPED_FILE, Settings, SettingsError, load


def test_the_shipped_file_lists_every_setting_with_its_default() -> None:
    assert yaml.safe_load(SHIPPED_FILE.read_text()) == Settings().model_dump()


def test_every_line_of_the_shipped_file_that_sets_something_has_a_comment() -> None:
    settings = [line for line in SHIPPED_FILE.read_text().splitlines() if line.startswith("  ")]
    assert settings and all("#" in line for line in settings)


def test_a_later_source_overrides_an_earlier_one(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("hearing:\n  endpoint_silence_s: 1\n  language: de\n")
    settings = load([file], ["hearing.language=fr"])
    assert (settings.hearing.endpoint_silence_s, settings.hearing.language) == (1.0, "fr")
    assert settings.speaking == Settings().speaking


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hearing:\n  endpont_silence_s: 1\n", ("line 2", "Did you mean hearing.endpoint_silence_s?")),
        ("hering:\n  language: en\n", ("line 2", "Did you mean hearing?")),
        ("engine:\n  threads: many\n", ("line 2", "engine.threads", "'many'")),
        ("engine:\n  name: torch\n", ("line 2", "engine.name", "'llamacpp'")),
        ("engine:\n  threads: true\n", ("line 2", "engine.threads")),
        ("# one\n\nhearing:\n  language: en\n  language: de\n", ("line 5", "line 4")),
        ("hearing: {\n", ("line 2",)),
        ("- hearing\n", ("line 1",)),
        ("hearing: 3\n", ("line 1", "hearing")),
        ("hearing:\n  language: [a, b]\n", ("line 2", "hearing.language")),
        ("engine:\n  threads: !!python/object:os.system x\n", ("line 2",)),
    ],
)
def test_a_mistake_names_its_line(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load([file])
    assert all(word in str(caught.value) for word in (str(file), *words)), str(caught.value)


@pytest.mark.parametrize(
    "override", ["hearing", "=1", "hearing.language=[", "no.such=1", "engine.threads=-1"]
)
def test_a_bad_override_is_named(override: str) -> None:
    with pytest.raises(SettingsError, match="--set"):
        load(overrides=[override])


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("hearing:\n# nothing yet\n")
    assert load([file]) == load()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.yaml"):
        load([tmp_path / "none.yaml"])
