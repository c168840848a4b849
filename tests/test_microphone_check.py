"""`utter doctor --mic`: what it says of recordings good and bad, and all of it on a virtual microphone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from virtual_sound import VirtualSound, virtual_sound

from agent.models.store import ModelStore
from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.doctor import Finding
from voice.hearing.transcribe import Heard
from voice.hearing.vad import VoiceDetector
from voice.microphone_check import judge, speech_in

REQUEST = Path(__file__).resolve().parents[1] / "demo" / "requests" / "3-run-tests.flac"
HEARD = Heard("Run the tests.", (), -0.2, 0.01, 1.0, None, 1.2, 0.3)
RNG = np.random.default_rng(3)
TIMES = 3  # on a busy machine sound breaks up, and the check rightly complains
MARKS = tuple([False] * 60 + [True] * 100 + [False] * 60)


def recording(speech_db: float = -25.0, noise_db: float = -65.0) -> Samples:
    """Speech in the frames of `MARKS`, noise in all."""
    speech = np.repeat(np.array(MARKS, np.float32), FRAME_SAMPLES) * 10 ** (speech_db / 20)
    noise = 10 ** (noise_db / 20) * RNG.standard_normal(len(speech))
    return (speech * RNG.standard_normal(len(speech)) + noise).astype(np.float32)


def wanting(findings: tuple[Finding, ...]) -> list[str]:
    assert all(bool(finding.mend) is not finding.ok for finding in findings)
    return [finding.name for finding in findings if not finding.ok]


def test_a_good_microphone_needs_no_mending() -> None:
    findings = judge(recording(), MARKS, HEARD)
    assert wanting(findings) == []
    told = {finding.name: finding.detail for finding in findings}
    assert told == {
        "Noise": "floor at -65 dB, 40 dB below your speech",
        "Speech": "2.0 s of 4.4 s sound like speech",
        "Level": "your speech is at -25 dB",
        "Clipping": "0.0% of your speech is cut off",
        "Words": "heard surely: Run the tests.",
    }


@pytest.mark.parametrize(
    ("samples", "marks", "heard", "names", "mend"),
    [
        (np.zeros(SAMPLE_RATE, np.float32), (False,) * 50, None, ["Sound"], "Unmute"),
        (np.zeros(0, np.float32), (), None, ["Sound"], "Unmute"),
        (recording(speech_db=-50), MARKS, HEARD, ["Level"], "closer"),
        (np.clip(recording(speech_db=6), -1, 1), MARKS, HEARD, ["Clipping"], "Move back"),
        (recording(noise_db=-30), MARKS, HEARD, ["Noise"], "fans"),
        (recording(speech_db=-40, noise_db=-45), MARKS, HEARD, ["Noise"], "fans"),
        (recording(), (False,) * 220, None, ["Speech"], "Speak towards it"),
        (recording(), MARKS, replace(HEARD, avg_logprob=-0.9), ["Words"], "a yes"),
        (recording(), MARKS, replace(HEARD, text="", rejected="no words"), ["Words"], "hearing.language"),
    ],
    ids=["dead", "nothing", "faint", "clipped", "noisy", "drowned", "no speech", "unsure", "no words"],
)
def test_what_hurts_is_named_with_its_mend(
    samples: Samples, marks: tuple[bool, ...], heard: Heard | None, names: list[str], mend: str
) -> None:
    findings = judge(samples, marks, heard)
    assert wanting(findings) == names
    assert any(mend in finding.mend for finding in findings)


def test_speech_is_found_in_a_real_recording() -> None:
    samples, _ = soundfile.read(REQUEST, dtype="float32")
    is_speech = speech_in(samples, VoiceDetector(2))
    findings = judge(np.pad(samples, SAMPLE_RATE), (False,) * 50 + is_speech + (False,) * 50, HEARD)
    told = {finding.name: finding.ok for finding in findings}
    assert told["Speech"] and told["Level"] and told["Clipping"]


def test_the_whole_of_it_on_a_virtual_microphone(tmp_path: Path, store: ModelStore) -> None:
    command = (sys.executable, "-m", "voice.cli", "--set", f"models.folder={store.root}", "doctor", "--mic")
    with virtual_sound(tmp_path) as sound:
        for _ in range(TIMES):
            status, told = checked((*command, "--seconds", "4"), sound)
            if status == 0:
                break
    assert (status, told.splitlines()[-1]) == (0, "Everything is in order.")
    assert "ok    Words: heard surely: Run the tests." in told
    assert "ok    Speech: " in told and "ok    Playback: " in told


def checked(command: tuple[str, ...], sound: VirtualSound) -> tuple[int, str]:
    """Someone says the request when asked to; the status, and what the microphone is said to be."""
    samples, _ = soundfile.read(REQUEST, dtype="float32")
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**sound.environment, "PYTHONUNBUFFERED": "1"}
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Recording for 4 seconds.")
    player = sound.say(np.pad(samples, (SAMPLE_RATE // 4, 0)), SAMPLE_RATE)
    told = process.stdout.read()
    player.wait()
    return process.wait(), told
