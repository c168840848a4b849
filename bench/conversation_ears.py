"""What the sections in the simulated room share: the models, and what Utter says there."""

from __future__ import annotations

from functools import cache

import numpy as np
import soxr

from bench.room import Ears
from bench.synthetic import Voices
from voice import config
from voice.audio.frames import SAMPLE_RATE, Samples
from voice.commands.context import store_of
from voice.hearing.smart_turn import SmartTurn
from voice.hearing.transcribe import Transcriber
from voice.speaking.engines.piper import PiperSynthesiser

SPOKEN = (
    "The function parse config reads config dot py, line by line.",
    "It splits each line at the first equals sign, and it strips the spaces on both sides.",
    "What it returns is a dictionary of strings, which is empty when there is no such file.",
    "Seven tests passed and one failed, in the file test calc.",
    "The failing test expects a minus b, but subtract returns a plus b, so the sign is wrong.",
    "There are four files in the folder shelf, and two of them hold tests for the loans.",
    "Stop listening is a command, and so is stop: say help for the others.",
    "Line twelve: if days is greater than zero, return fee times days.",
)


def ears() -> Ears:
    """Whisper, Smart Turn, and Utter's voice at 16 kHz, each sentence made once."""
    store = store_of(config.load())
    transcriber = Transcriber(store.path("whisper-base-mlx"))
    transcriber.warm_up()
    piper = PiperSynthesiser(store.path("piper-joe-split"))

    @cache
    def voice(text: str) -> Samples:
        spoken = np.concatenate(list(piper.synthesise(text)))
        return soxr.resample(spoken, piper.sample_rate, SAMPLE_RATE).astype(np.float32)

    return Ears(transcriber, SmartTurn(store.path("smart-turn")), voice)


def users() -> Voices:
    """The voices of those who talk to Utter."""
    store = store_of(config.load())
    return Voices(store.path("kokoro"), store.path("piper-joe"))


def without_silence(samples: Samples) -> Samples:
    """From the first sound to the last."""
    loud = np.flatnonzero(np.abs(samples) > 0.02)
    return samples[loud[0] : loud[-1] + 1]
