"""Spoken coding requests made on the spot: Kokoro and Piper voices, and noise at a known level, at 16 kHz."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import soxr
from numpy.typing import NDArray
from piper import PiperVoice
from piper.phonemize_espeak import EspeakPhonemizer

from voice.audio.frames import SAMPLE_RATE

Samples = NDArray[np.float32]

KOKORO_RATE = 24_000  # Hz, of the model's output
PIPER_VOICE = "joe"

# What a person says to Utter; about four seconds each.
REQUESTS = (
    "What files are in this project, and which of them are tests?",
    "What does the function parse config do when a line is empty?",
    "Please run all the tests and tell me which ones are failing.",
    "Fix the failing test, but do not change the test itself.",
    "What has changed in the working tree since the last commit?",
    "Open the main module and show me the first twenty lines.",
    "Rename the variable total to running sum in this function.",
    "Add a new test that checks what happens with a negative number.",
    "Find every place where we read a file without closing it.",
    "Why does the server return an error when the list is empty?",
    "Undo the last change and run the tests again, please.",
    "Write a short function that returns the average of a list.",
    "Which functions in this file are never called from anywhere?",
    "Search the project for the word timeout and list the places.",
    "Make the default timeout thirty seconds instead of ten.",
    "Explain the loop in the middle of this function to me.",
    "Commit the changes with the message fix division by zero.",
    "Delete the print statement at the end of the main function.",
    "Is there any code here that could divide by zero?",
    "Create a new file called helpers and move the parser into it.",
    "How many lines of code are there in the whole project?",
    "Show me the difference between these two branches, please.",
    "Add a docstring to each public function in this module.",
    "The last test is too slow, can you find out why?",
    "Replace the global variable with an argument of the function.",
    "Check whether the readme still matches the command line options.",
    "Stop after the first failing test and read me the message.",
    "What type does this method return, and can it be none?",
    "Sort the imports at the top of the file by name.",
    "Tell me what the class account does in two sentences.",
    "Use a dictionary instead of the long chain of conditions.",
    "Go back to the previous version of the settings file.",
    "Make this function raise a value error for an empty string.",
    "Which tests cover the code that I changed this morning?",
    "Switch to a new branch and name it faster startup.",
    "Read me the error message from the last run once more.",
)


@dataclass(frozen=True)
class Clip:
    """One spoken request. `snr_db` is None without noise; `samples` is mono float32 at 16 kHz."""

    text: str
    voice: str
    snr_db: float | None
    samples: Samples


class Voices:
    """The Kokoro voices and Piper's, fed with the phonemes that espeak gives for American English."""

    def __init__(self, kokoro: Path, piper: Path) -> None:
        """`kokoro` is the folder of model.onnx, voices.npz and vocab.json, `piper` the voice's .onnx file."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = 2
        self._kokoro = ort.InferenceSession(
            kokoro / "model.onnx", options, providers=["CPUExecutionProvider"]
        )
        with np.load(kokoro / "voices.npz") as voices:
            self._styles: dict[str, Samples] = {name: voices[name] for name in voices}
        self._vocab: dict[str, int] = json.loads((kokoro / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        self._phonemizer = EspeakPhonemizer()
        self._piper = PiperVoice.load(piper)
        self.names = (*sorted(self._styles), PIPER_VOICE)

    def say(self, text: str, voice: str) -> Samples:
        """`text` as mono float32 at 16 kHz, peak 0.5, with 0.3 s of silence before and 0.7 s after."""
        if voice == PIPER_VOICE:
            chunks = [chunk.audio_float_array for chunk in self._piper.synthesize(text)]
            audio, rate = np.concatenate(chunks), self._piper.config.sample_rate
        else:
            audio, rate = self._say_kokoro(text, voice), KOKORO_RATE
        audio = soxr.resample(audio, rate, SAMPLE_RATE).astype(np.float32)
        audio *= 0.5 / max(float(np.abs(audio).max()), 1e-6)
        return np.pad(audio, (int(0.3 * SAMPLE_RATE), int(0.7 * SAMPLE_RATE)))

    def _say_kokoro(self, text: str, voice: str) -> Samples:
        phonemes = " ".join("".join(sentence) for sentence in self._phonemizer.phonemize("en-us", text))
        ids = [self._vocab[phoneme] for phoneme in phonemes if phoneme in self._vocab]
        inputs = {
            "tokens": np.array([[0, *ids, 0]], np.int64),
            "style": self._styles[voice][len(ids)].astype(np.float32),
            "speed": np.ones(1, np.float32),
        }
        return np.asarray(self._kokoro.run(None, inputs)[0], np.float32).reshape(-1)


def with_noise(samples: Samples, snr_db: float | None, seed: int) -> Samples:
    """`samples` plus pink noise, `snr_db` below the mean power of the parts that are not silent."""
    if snr_db is None:
        return samples
    voiced = samples[np.abs(samples) > 1e-3]
    level = np.sqrt(float(np.mean(voiced**2))) * 10 ** (-snr_db / 20)
    return samples + np.float32(level) * pink_noise(len(samples), seed)


def pink_noise(n_samples: int, seed: int) -> Samples:
    """Noise of power 1/f above 20 Hz and root mean square 1."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n_samples))
    frequency = np.fft.rfftfreq(n_samples, 1 / SAMPLE_RATE)
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(frequency, 20)), n_samples)
    return (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)


def clips(voices: Voices, snr_levels_db: tuple[float | None, ...] = (None, 20.0, 10.0)) -> Iterator[Clip]:
    """Every request in two voices at each noise level; the voices take turns."""
    for number, text in enumerate(REQUESTS):
        for turn in (number, number + 2):
            voice = voices.names[turn % len(voices.names)]
            clean = voices.say(text, voice)
            for snr_db in snr_levels_db:
                seed = zlib.crc32(f"{text} {voice} {snr_db}".encode())
                yield Clip(text, voice, snr_db, with_noise(clean, snr_db, seed))
