"""Judges a microphone by a few seconds of it, for `utter doctor --mic`: each line also says the mend."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from voice.audio.devices import AudioDeviceError
from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.audio.level import ADVICE, Complaint, Levels, LevelSettings, complaints, levels_of
from voice.audio.microphone import Microphone
from voice.audio.speaker import DeviceSink
from voice.doctor import Finding
from voice.hearing.endpoint import FRAME_S
from voice.hearing.transcribe import Heard
from voice.hearing.vad import VoiceDetector

_POLL_S = 0.02
_LEAST_SPEECH_S = 0.6  # of it; less cannot be judged
_SURE_LOGPROB = -0.7  # below it a yes does not count; see conversation/approvals.py

_MENDS = {
    Complaint.DEAD: (
        "Unmute it, choose another one with `audio.input_device`, or let the terminal use the microphone"
        " (macOS: System Settings, Privacy and Security, Microphone; Windows: Settings, Privacy, Microphone)."
    ),
    **{one: ADVICE[one] for one in (Complaint.CLIPPING, Complaint.TOO_QUIET, Complaint.TOO_NOISY)},
}
_NO_SPEECH = "Speak towards it during the recording. If you did, turn its level up or choose another one."
_NO_WORDS = "Speak a whole sentence, closer to the microphone; `hearing.language` must be your language."
_UNSURE = "Move closer, or away from noise: a yes that is heard so unsurely does not count as one."


async def record(device: int | str | None, length_s: float, began: Callable[[], None]) -> Samples:
    """What the microphone hears in `length_s`, at 16 kHz; less when it falls silent for good.

    `began` is called when it is open, which may take a second or two. Raises `AudioDeviceError` when it
    cannot be opened.
    """
    microphone = Microphone(device)
    try:
        began()
        frames: list[Samples] = []
        while len(frames) * FRAME_S < length_s and microphone.is_alive:
            await asyncio.sleep(_POLL_S)
            frames += [captured.samples for captured in microphone.frames()]
    finally:
        microphone.close()
    return np.concatenate(frames or [np.zeros(0, np.float32)])[: int(length_s * SAMPLE_RATE)]


async def play_back(recording: Samples, device: int | str | None) -> Finding:
    """Let the user hear what the microphone heard."""
    try:
        sink = DeviceSink(SAMPLE_RATE, device)
        try:
            await sink.write(recording)
            await sink.drain()
        finally:
            sink.close()
    except AudioDeviceError as error:
        return Finding("Playback", False, "the recording could not be played", str(error))
    return Finding("Playback", True, "that was you, as the microphone hears you")


def speech_in(recording: Samples, detector: VoiceDetector) -> tuple[bool, ...]:
    """One decision for each frame of 20 ms."""
    frames = recording[: len(recording) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return tuple(detector.is_speech(frame) for frame in frames)


def judge(
    recording: Samples,
    is_speech: tuple[bool, ...],
    heard: Heard | None,
    settings: LevelSettings | None = None,
) -> tuple[Finding, ...]:
    """What there is to say of a recording at 16 kHz. Pure.

    `is_speech` has a decision for each frame; `heard` is what was understood, None where nothing could try.
    """
    settings = settings or LevelSettings()
    if not recording.any():
        detail = "no sound at all arrives" if len(recording) else "it delivers nothing"
        return (Finding("Sound", False, detail, _MENDS[Complaint.DEAD]),)
    levels = levels_of(recording, is_speech, settings)
    hurts = complaints(levels, settings)
    speech_s = sum(is_speech) * FRAME_S
    has_speech = speech_s >= _LEAST_SPEECH_S
    findings = [_noise(levels, hurts)]
    speech = f"{speech_s:.1f} s of {len(recording) / SAMPLE_RATE:.1f} s sound like speech"
    findings.append(Finding("Speech", has_speech, speech, "" if has_speech else _NO_SPEECH))
    if has_speech:
        findings += _level(levels, hurts)
    if heard is not None and has_speech:
        findings.append(_words(heard))
    return tuple(findings)


def _noise(levels: Levels, hurts: list[Complaint]) -> Finding:
    if levels.noise_db is None:
        return Finding("Noise", True, "none between the words")
    detail = f"floor at {levels.noise_db:.0f} dB"
    if levels.speech_db is not None:
        detail += f", {levels.speech_db - levels.noise_db:.0f} dB below your speech"
    return _finding("Noise", Complaint.TOO_NOISY, hurts, detail)


def _level(levels: Levels, hurts: list[Complaint]) -> list[Finding]:
    return [
        _finding("Level", Complaint.TOO_QUIET, hurts, f"your speech is at {levels.speech_db:.0f} dB"),
        _finding(
            "Clipping", Complaint.CLIPPING, hurts, f"{levels.clipped_share:.1%} of your speech is cut off"
        ),
    ]


def _finding(name: str, complaint: Complaint, hurts: list[Complaint], detail: str) -> Finding:
    ok = complaint not in hurts
    return Finding(name, ok, detail, "" if ok else _MENDS[complaint])


def _words(heard: Heard) -> Finding:
    if heard.rejected is not None:
        return Finding("Words", False, f"none were understood: {heard.rejected}", _NO_WORDS)
    is_sure = heard.avg_logprob >= _SURE_LOGPROB
    how = "surely" if is_sure else "unsurely"
    return Finding("Words", is_sure, f"heard {how}: {heard.text}", "" if is_sure else _UNSURE)
