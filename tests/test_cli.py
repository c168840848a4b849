"""The command line: wrong input gets a clear sentence and the right status, and nothing hangs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from agent.models.store import ModelStore

REQUEST = Path(__file__).resolve().parents[1] / "demo" / "requests" / "3-run-tests.flac"


def utter(
    *arguments: str | Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "voice.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **(environment or {})},
    )


def test_help_names_every_command() -> None:
    shown = utter("--help").stdout
    for command in (
        "talk",
        "trace",
        "demo",
        "run",
        "hear",
        "say",
        "narrate",
        "ask",
        "models",
        "cache",
        "doctor",
    ):
        assert command in shown


def test_an_unknown_command_is_a_wrong_use() -> None:
    assert utter("sing").returncode == 2


def test_a_misspelt_setting_is_told_with_the_nearest_right_one() -> None:
    done = utter("--set", "engine.nam=mlx", "doctor")
    assert done.returncode == 1
    assert "Did you mean engine.name?" in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_where_an_error_came_from() -> None:
    assert "Traceback" in utter("--debug", "--set", "engine.nam=mlx", "doctor").stderr


def test_a_missing_model_says_how_to_fetch_it(tmp_path: Path) -> None:
    done = utter("hear", REQUEST, environment={"UTTER_CACHE": str(tmp_path)})
    assert done.returncode == 1
    assert "utter models fetch" in done.stderr


@pytest.mark.parametrize(
    ("repository", "words"),
    [("missing", "There is no folder"), ("file.txt", "is not a folder")],
)
def test_a_repository_that_cannot_be_used_is_told_before_models_are_loaded(
    tmp_path: Path, repository: str, words: str
) -> None:
    (tmp_path / "file.txt").write_text("x")
    for command in (
        ["ask", "Run the tests."],
        ["run", "--audio", str(REQUEST), "--out", str(tmp_path / "out")],
    ):
        done = utter(*command, "--repo", tmp_path / repository)
        assert done.returncode == 1
        assert words in done.stderr


def test_the_demo_of_an_empty_folder_says_that_there_is_nothing_to_work_on(tmp_path: Path) -> None:
    done = utter("demo", "--repo", tmp_path, "--out", tmp_path.parent / "out")
    assert done.returncode == 1
    assert "nothing to work on" in done.stderr


def test_what_was_heard_is_printed_with_its_times(store: ModelStore) -> None:
    done = utter("--set", f"models.folder={store.root}", "hear", REQUEST)
    assert done.returncode == 0
    assert "run the tests" in done.stdout.lower()
    assert " s: " in done.stdout


def test_silence_is_not_speech(tmp_path: Path, store: ModelStore) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000 * 3, np.float32), 16_000)
    done = utter("--set", f"models.folder={store.root}", "hear", tmp_path / "silence.wav")
    assert done.returncode == 0
    assert "No speech was heard" in done.stdout


@pytest.mark.parametrize("content", [b"", b"this is text, not sound\n" * 100])
def test_a_file_that_is_not_sound_is_an_error(tmp_path: Path, content: bytes, store: ModelStore) -> None:
    (tmp_path / "note.wav").write_bytes(content)
    done = utter("--set", f"models.folder={store.root}", "hear", tmp_path / "note.wav")
    assert done.returncode == 1
    assert "note.wav" in done.stderr
    assert "Traceback" not in done.stderr


def test_speech_is_written_to_a_file_and_heard_back(tmp_path: Path, store: ModelStore) -> None:
    folder = ("--set", f"models.folder={store.root}")
    said = utter(*folder, "say", "What files are in this project?", "-o", tmp_path / "said.wav")
    assert said.returncode == 0, said.stderr
    heard = utter(*folder, "hear", tmp_path / "said.wav").stdout.lower()
    assert "files" in heard and "project" in heard


def test_a_text_of_emoji_only_is_told(tmp_path: Path, store: ModelStore) -> None:
    done = utter("--set", f"models.folder={store.root}", "say", "🎉🎉", "-o", tmp_path / "said.wav")
    assert done.returncode == 0
    assert "nothing in this text" in done.stdout


def test_the_models_are_listed_with_licence_and_origin(store: ModelStore) -> None:
    shown = utter("--set", f"models.folder={store.root}", "models", "list").stdout
    assert "qwen2.5-coder-1.5b" in shown
    assert "Apache-2.0" in shown
    assert "\x1b" not in shown


def test_the_doctor_says_the_mend_of_what_is_missing(tmp_path: Path) -> None:
    done = utter("doctor", environment={"UTTER_CACHE": str(tmp_path)})
    assert done.returncode == 1
    assert "utter models fetch" in done.stdout
    assert "GFLOP/s" in done.stdout
