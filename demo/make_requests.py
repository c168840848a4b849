"""Makes the demo's spoken requests with Kokoro voices: `python demo/make_requests.py [FOLDER]`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from voice import config
from voice.audio.frames import SAMPLE_RATE
from voice.commands.context import store_of
from voice.speaking.engines.kokoro import KokoroSynthesiser

LEAD_IN_S = 0.3
TAIL_S = 0.5
SPEECH_DBFS = -24.0  # root mean square of the speech, as of a person half a metre from a microphone
NOISE_DBFS = -60.0  # a quiet room


@dataclass(frozen=True)
class SpokenRequest:
    """One request; `speed` 1.0 is the voice's own."""

    name: str
    text: str
    voice: str
    speed: float


# Each with a voice and a speed at which Whisper base hears every word.
REQUESTS = (
    SpokenRequest("1-list-files", "What files are in this project?", "jm_kumo", 1.0),
    SpokenRequest("2-parse-config", "What does parse config do?", "jf_gongitsune", 0.8),
    SpokenRequest("3-run-tests", "Run the tests.", "jm_kumo", 1.0),
    SpokenRequest("4-fix-test", "Fix the failing test.", "jf_gongitsune", 1.0),
    SpokenRequest("5-what-changed", "What changed?", "jm_kumo", 1.0),
)


def make(request: SpokenRequest, kokoro: Path, seed: int) -> NDArray[np.float32]:
    """The request as 16 kHz mono float32, over faint room noise so that no part of it is digital silence."""
    synthesiser = KokoroSynthesiser(kokoro, request.voice, request.speed)
    speech = np.concatenate(list(synthesiser.synthesise(request.text)))
    speech = soxr.resample(speech, synthesiser.sample_rate, SAMPLE_RATE).astype(np.float32)
    speech *= 10 ** (SPEECH_DBFS / 20) / np.sqrt(np.mean(speech**2))
    audio = np.pad(speech, (int(LEAD_IN_S * SAMPLE_RATE), int(TAIL_S * SAMPLE_RATE)))
    noise = np.random.default_rng(seed).standard_normal(len(audio))
    # One pole at 1 kHz: rooms hum more than they hiss, and it packs better.
    noise = np.convolve(noise, np.exp(-2 * np.pi * 1000 / SAMPLE_RATE * np.arange(64)), "same")
    noise *= 10 ** (NOISE_DBFS / 20) / np.sqrt(np.mean(noise**2))
    return (audio + noise).astype(np.float32)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "requests"
    folder.mkdir(parents=True, exist_ok=True)
    kokoro = store_of(config.load()).path("kokoro")
    for seed, request in enumerate(REQUESTS):
        path = folder / f"{request.name}.flac"
        audio = make(request, kokoro, seed)
        soundfile.write(path, audio, SAMPLE_RATE, subtype="PCM_16")
        print(f"{path.name}: {len(audio) / SAMPLE_RATE:.2f} s, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
