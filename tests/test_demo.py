"""The whole, as a user runs it: `utter demo` in a network that has only loopback."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from agent.models.store import ModelStore
from voice.hearing.transcribe import Transcriber

# Runs a command in a network namespace of its own, whose loopback is brought up by ioctl(SIOCSIFFLAGS).
ONLY_LOOPBACK = """
import ctypes, fcntl, os, socket, struct, sys
if ctypes.CDLL(None, use_errno=True).unshare(0x40000000 | (0x10000000 if os.getuid() else 0)):
    sys.exit("unshare: " + os.strerror(ctypes.get_errno()))
with socket.socket() as probe:
    fcntl.ioctl(probe, 0x8914, struct.pack("16sH14x", b"lo", 0x1))
os.execv(sys.argv[1], sys.argv[1:])
"""


def alone(*command: str) -> list[str]:
    """`command` in a network namespace that has only loopback, where the system allows one."""
    wrapped = [sys.executable, "-c", ONLY_LOOPBACK, *command]
    probe = subprocess.run(
        [sys.executable, "-c", ONLY_LOOPBACK, "/bin/true"], capture_output=True, check=False
    )
    return wrapped if probe.returncode == 0 else list(command)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, store: ModelStore) -> Path:
    """The folder that one demonstration wrote; the demonstration checks its five requests itself."""
    out = tmp_path_factory.mktemp("demo")
    utter = [sys.executable, "-m", "voice.cli", "--set", f"models.folder={store.root}"]
    done = subprocess.run(
        alone(*utter, "demo", "--out", str(out)), capture_output=True, text=True, check=False, timeout=600
    )
    (out / "output.txt").write_text(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def rows(session: Path, kind: str) -> list[dict[str, object]]:
    lines = (session / "transcript.jsonl").read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if row["type"] == kind]


def test_all_five_requests_are_heard_understood_and_answered(session: Path) -> None:
    heard = [row["heard"]["text"] for row in rows(session, "UtteranceHeard")]  # type: ignore[index]
    assert len(heard) == 5
    understood = [row["written"]["text"] for row in rows(session, "Understood")]  # type: ignore[index]
    assert "parse_config" in understood[1]
    assert len(rows(session, "TurnDone")) == 5


def test_every_turn_has_its_timings_and_they_add_up(session: Path) -> None:
    for row in rows(session, "TurnDone"):
        times = row["timings"]
        assert isinstance(times, dict)
        assert times["speech_s"] > 0.3
        assert times["response_s"] > times["endpoint_s"] + times["transcription_s"]
        assert times["first_audio_s"] >= times["first_token_s"] >= 0


def test_the_output_shows_each_step_and_the_difference(session: Path) -> None:
    output = (session / "output.txt").read_text()
    for words in ("you: ", "understood: ", "tool: ", "result: ", "utter: ", "timings: ", "written: "):
        assert f"\n{words}" in output
    assert "\n+++ b/" in output
    assert "All 5 requests were carried out." in output
    assert "\x1b" not in output


def test_the_recording_holds_both_sides_in_turn(session: Path, store: ModelStore) -> None:
    audio, rate = soundfile.read(session / "session.wav", dtype="float32")
    assert audio.shape[1] == 2
    user, utter = audio[:, 0], audio[:, 1]
    assert len(audio) / rate > 10
    assert 0.05 < np.abs(user).max() <= 1.0
    assert 0.05 < np.abs(utter).max() < 1.0
    assert utter[: int(0.5 * rate)].max() == 0.0  # nothing is said before the first request
    both = (np.abs(user) > 0.05) & (np.abs(utter) > 0.05)
    assert both.mean() < 0.001


def test_what_utter_said_can_be_heard_back(session: Path, store: ModelStore) -> None:
    audio, rate = soundfile.read(session / "session.wav", dtype="float32")
    done = rows(session, "TurnDone")[2]
    said = [row["at_s"] for row in rows(session, "TurnDone")]
    piece = audio[int(said[1] * rate) : int(said[2] * rate), 1]  # type: ignore[operator]
    heard = Transcriber(store.path("whisper-base-mlx")).transcribe(
        soxr.resample(piece, rate, 16_000).astype(np.float32)[: 28 * 16_000]
    )
    assert "failed" in heard.text.lower(), (heard.text, done["said"])


def test_the_transcript_for_people_reads_in_order(session: Path) -> None:
    text = (session / "transcript.md").read_text(encoding="utf-8")
    assert text.count("\n## ") == 5
    assert text.index("You: What files") < text.index("You: Run the tests") < text.index("You: What changed")


def test_where_the_session_ran_nothing_but_loopback_can_be_reached() -> None:
    program = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"
    command = alone(sys.executable, "-c", program)
    if command[0] == sys.executable and ONLY_LOOPBACK not in command:
        pytest.skip("this system allows no network namespace of one's own; the session ran without one")
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Network is unreachable" in tried.stderr
