"""Speech in a cloned voice by the models of `mlx-audio`, on Apple silicon: an extra, `utter[mlx-audio]`.

Qwen3-TTS and CSM continue a recording whose words they are told; Chatterbox needs the recording alone. What a
model makes of the recording is computed when the voice is opened and not again.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
import soxr

from voice.speaking.pieces import GAP_S, fade_in, limited, pieces_within, speakable_pieces
from voice.speaking.synthesis import Samples, SynthesisError

MODELS = ("qwen3-tts", "chatterbox", "csm")
REFERENCE_S = 12.0
"""Of the recording, at most; a longer one leaves the models no room for what they are to say."""

_SPOKEN = {
    "en": "english", "zh": "chinese", "ja": "japanese", "ko": "korean", "de": "german", "fr": "french",
    "ru": "russian", "pt": "portuguese", "es": "spanish", "it": "italian",
}  # fmt: skip
LANGUAGES = tuple(_SPOKEN)
"""What Qwen3-TTS speaks; the other two speak English."""

_INTERVAL_S = 0.5  # of speech in one streamed piece
_MOST_CHARS = 300
_MOST_S_PER_CHAR = 0.25  # a model that does not come to an end is stopped
_PAUSE_S = 0.2
_CODES_PER_S = 12.5  # of the speech codes that all three models speak in, at most twice as many


class MlxAudioSynthesiser:
    """One cloned voice, loaded. Used by one worker at a time."""

    def __init__(self, weights: Path, reference: Path, words: str, language: str = "en") -> None:
        """`weights`: a folder that mlx-audio reads; `words`: what is said in `opening_of(reference)`.

        Raises `SynthesisError` when the package or its weights are not there, or when the model cannot clone
        from this recording: no other voice is used in its place.
        """
        try:
            import mlx.core as mx
            from mlx_audio.tts.utils import load_model  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise SynthesisError(
                f"This voice needs the package mlx-audio ({error}): "
                "`.venv/bin/python -m pip install '.[mlx-audio]'` in Utter's folder."
            ) from error
        try:
            with muted():
                self._model: Any = load_model(weights)
        except Exception as error:  # the package raises whatever MLX, its hub and its parsers do
            raise SynthesisError(
                f"The weights in {weights} could not be loaded ({error}). Fetch them again: `utter models`."
            ) from error
        self.sample_rate: int = int(self._model.sample_rate)
        try:
            sound, rate = sf.read(reference, dtype="float32", always_2d=True)
            audio = soxr.resample(sound.mean(axis=1), rate, self.sample_rate).astype(np.float32)
            given = mx.array(opening_of(audio, self.sample_rate))
            self._voice = _voice_of(self._model, given, words, language)
            list(self._streamed("Ready, then."))  # encodes the recording
        except SynthesisError:
            raise
        except Exception as error:
            raise SynthesisError(
                f"The voice could not be taken from {reference} ({error}). "
                "Use a recording of one person who speaks for ten seconds or more."
            ) from error
        self._language = language

    def synthesise(self, clause: str) -> Iterator[Samples]:
        """Yield mono float32 pieces as they are made; leaving the iteration stops the model.

        Chatterbox does not stream: its pieces are sentences.
        """
        for sentence in speakable_pieces(clause, self._language):
            for part in pieces_within(sentence, _MOST_CHARS):
                yield from self._streamed(part)

    def _streamed(self, text: str) -> Iterator[Samples]:
        longest_s = max(4.0, _MOST_S_PER_CHAR * len(text))
        results = self._model.generate(
            text=text,
            stream=True,
            streaming_interval=_INTERVAL_S,
            max_tokens=int(longest_s * 2 * _CODES_PER_S),
            max_audio_length_ms=1_000 * longest_s,
            verbose=False,
            **self._voice,
        )
        is_first = True
        try:
            while (result := _next(results)) is not None:
                samples = np.nan_to_num(np.array(result.audio, np.float32).reshape(-1))
                if is_first and len(samples):
                    samples = fade_in(samples, self.sample_rate)
                    is_first = False
                yield limited(samples)
        finally:
            results.close()
        yield np.zeros(int(GAP_S * self.sample_rate), np.float32)


class _Muted:
    """`stream` without what the thread that made this writes to it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._thread = threading.get_ident()

    def write(self, text: str) -> int:
        return len(text) if threading.get_ident() == self._thread else self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def muted() -> Generator[None]:
    """The package prints its progress; both streams are the whole process's, so only this thread is mute."""
    out: Any = _Muted(sys.stdout)
    errors: Any = _Muted(sys.stderr)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        yield


def _next(results: Iterator[Any]) -> Any:
    """None at the end. What asks for the pieces is not muted between them."""
    with muted():
        return next(results, None)


def opening_of(samples: Samples, rate: int) -> Samples:
    """The first part of a recording, to the quietest moment before `REFERENCE_S`: no word is cut."""
    most, pause = int(REFERENCE_S * rate), int(_PAUSE_S * rate)
    if len(samples) <= most:
        return samples
    starts = range(int(0.6 * most), most - pause, pause // 4)
    quietest = min(starts, key=lambda start: float(np.sum(samples[start : start + pause] ** 2)))
    return samples[: quietest + pause // 2]


def _voice_of(model: Any, given: Any, words: str, language: str) -> dict[str, Any]:
    """What makes `model` speak as in `given`: arguments for its `generate`. Raises `SynthesisError`."""
    kind = type(model).__module__.split(".")[-2]
    if kind == "chatterbox":
        if model._s3_tokenizer is None:
            raise SynthesisError("Chatterbox cannot clone without its S3Tokenizer. Fetch it again.")
        conditionals = model.prepare_conditionals(given, int(model.sample_rate))
        return {"conds": conditionals, "exaggeration": 0.5, "lang_code": language}
    if not words.strip():
        raise SynthesisError(
            "The words of the recording are not known, and this model needs them. Enrol it again."
        )
    if kind == "qwen3_tts":
        if getattr(model, "speaker_encoder", None) is None or not model.speech_tokenizer.has_encoder:
            raise SynthesisError("These weights of Qwen3-TTS cannot clone. Use those called Base.")
        model.extract_speaker_embedding = _once(model.extract_speaker_embedding)
        spoken = _SPOKEN.get(language, "auto")
        return {"ref_audio": given, "ref_text": words, "lang_code": spoken}
    if kind == "sesame":
        model._tokenize_audio = _once(model._tokenize_audio)
        return {"ref_audio": given, "ref_text": words}
    raise SynthesisError(
        f"The model {kind} of mlx-audio is not known to clone. Use one of {', '.join(MODELS)}."
    )


def _once(compute: Callable[..., Any]) -> Callable[..., Any]:
    """`compute`, which always gets the same recording here, run a single time."""
    found: list[Any] = []

    def remembered(*arguments: Any, **named: Any) -> Any:
        if not found:
            found.append(compute(*arguments, **named))
        return found[0]

    return remembered
