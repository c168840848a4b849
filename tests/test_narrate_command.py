"""`utter narrate` itself: a file to listen to with captions and chapters, and a clean end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import soundfile

from voice.audio.files import is_marked_synthetic

COMMAND = [sys.executable, "-m", "voice.cli", "narrate"]
DIFF = """diff --git a/calc.py b/calc.py
--- a/calc.py
+++ b/calc.py
@@ -6,3 +6,3 @@ def add(a, b):
 def subtract(a, b):
-    return a + b
+    return a - b
 
"""


def test_a_narration_is_saved_with_captions_chapters_and_its_mark(tmp_path: Path) -> None:
    (tmp_path / "x.diff").write_text(DIFF)
    command = [*COMMAND, str(tmp_path / "x.diff"), "-o", str(tmp_path / "x.ogg")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    sentence = (
        "In the file, calc dot py, line seven, in the function, subtract: "
        "return a plus b became return a minus b."
    )
    assert sentence in done.stdout
    captions = (tmp_path / "x.vtt").read_text()
    assert captions.startswith("WEBVTT\n") and sentence in captions
    assert "calc.py" in (tmp_path / "x.chapters.vtt").read_text()
    assert is_marked_synthetic(tmp_path / "x.ogg")
    sound = soundfile.info(tmp_path / "x.ogg")
    last_s = captions.rpartition("--> 00:00:")[2][:6]
    assert abs(sound.duration - float(last_s)) < 0.1


def test_ctrl_c_stops_at_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "x.diff").write_text("".join(DIFF.replace("calc.py", f"m{n}.py") for n in range(60)))
    command = [*COMMAND, str(tmp_path / "x.diff"), "-o", str(tmp_path / "x.wav"), "--level", "full"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has the signal ignored, also in what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "Changes in 60 files:\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130 and "Traceback" not in errors
    assert [path.name for path in tmp_path.iterdir()] == ["x.diff"]
