"""`utter doctor`: is this machine ready, and if not, what mends it; with `--mic`, is the microphone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from agent.errors import UtterError
from voice.app import open_transcriber
from voice.audio.frames import SAMPLE_RATE
from voice.commands.context import Context, of
from voice.doctor import Finding, examine
from voice.hearing.endpoint import FRAME_S
from voice.hearing.transcribe import Heard
from voice.hearing.vad import VoiceDetector
from voice.microphone_check import judge, play_back, record, speech_in

_SENTENCE = "Run the tests, and read line forty of the readme."


def doctor(
    context: typer.Context,
    mic: Annotated[bool, typer.Option("--mic", help="Record, play back and judge the microphone.")] = False,
    seconds: Annotated[float, typer.Option(help="How long to record.", min=2.0, max=20.0)] = 6.0,
) -> None:
    """Look over Python, BLAS, GPU, audio, models and disk; each line says the mend."""
    made = of(context)
    findings = asyncio.run(_microphone(made, seconds)) if mic else examine(made.settings, made.store)
    wanting = _print(made.console, findings)
    if wanting:
        plural = "line needs" if wanting == 1 else "lines need"
        made.console.print(f"{wanting} {plural} mending.")
        raise typer.Exit(1)
    made.console.print("Everything is in order.")


def _print(console: Console, findings: Iterable[Finding]) -> int:
    """One line for each, and its mend; gives how many need mending."""
    wanting = 0
    for finding in findings:
        wanting += not finding.ok
        mark = "ok" if finding.ok else "MEND"
        console.print(f"{mark:4}  {finding.name}: {finding.detail}", markup=False)
        if finding.mend:
            console.print(f"      {finding.mend}", markup=False)
    return wanting


async def _microphone(made: Context, length_s: float) -> tuple[Finding, ...]:
    settings, loop = made.settings, asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as hearing:

        def tell() -> None:
            made.console.print(f"Recording for {length_s:g} seconds. Say, for example: {_SENTENCE}")

        try:
            recording = await record(settings.audio.input_device, length_s, tell)
        except UtterError as error:
            return (Finding("Microphone", False, "it could not be opened", str(error)),)
        is_speech = speech_in(recording, VoiceDetector(settings.hearing.vad_aggressiveness))
        found: list[Finding] = []
        if recording.any():
            made.console.print("Playing it back.")
            found.append(await play_back(recording, settings.audio.output_device))

        def transcribed() -> Heard:
            transcriber = open_transcriber(settings, made.store)
            longest = int(transcriber.max_audio_s * SAMPLE_RATE)
            return transcriber.transcribe(recording[:longest], sum(is_speech) * FRAME_S)

        heard: Heard | None = None
        try:
            heard = await loop.run_in_executor(hearing, transcribed) if np.any(is_speech) else None
        except UtterError as error:
            found.append(Finding("Words", False, "could not be tried", str(error)))
        return (*judge(recording, is_speech, heard), *found)
