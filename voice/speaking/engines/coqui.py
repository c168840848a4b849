"""Speech in a cloned voice by XTTS-v2 through the package `coqui-tts`, an extra: `utter[coqui]`.

The model's weights are under the CPML, which forbids commercial use; see agent/models/hub.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
import soxr

from voice.speaking.pieces import GAP_S, fade_in, limited, pieces_within, speakable_pieces
from voice.speaking.synthesis import Samples, SynthesisError

STATE_FILE = "xtts.safetensors"
LANGUAGES = (
    *("en", "es", "fr", "de", "it", "pt", "pl", "tr", "ru", "nl", "cs", "ar", "zh", "hu", "ko", "ja", "hi"),
)
"""What XTTS-v2 speaks, as profiles name them; the model calls Chinese zh-cn."""

_INSTALL = "`.venv/bin/python -m pip install '.[coqui]'` in Utter's folder."
_REFERENCE_RATE = 22_050  # that of the recordings it was trained on
_CHUNK_TOKENS = 20  # in one streamed piece, nearly a second
_MOST_CHARS = 250  # for languages whose limit the package does not tell
_DIGITS = {"hi": ("शून्य", "एक", "दो", "तीन", "चार", "पाँच", "छह", "सात", "आठ", "नौ")}
"""Where the package has no words even for these."""


class CoquiSynthesiser:
    """One cloned voice, loaded, on the GPU where torch sees one. Used by one worker at a time."""

    def __init__(
        self, weights: Path, reference: Path, state: Path, language: str = "en", speed: float = 1.0
    ) -> None:
        """`weights`: a folder with config.json, vocab.json and model.pth.

        What makes up the voice is computed from the sound file `reference` once and kept in `state`, which is
        read instead as long as it belongs to that recording. Raises `SynthesisError` when the package or the
        weights are not there, when they do not speak `language`, or when `reference` cannot be used: no other
        voice is used in its place.
        """
        try:
            import torch  # pyright: ignore[reportMissingImports]
            from TTS.tts.configs.xtts_config import XttsConfig  # pyright: ignore[reportMissingImports]
            from TTS.tts.models.xtts import Xtts  # pyright: ignore[reportMissingImports]
        except (ImportError, OSError) as error:  # the latter where torchaudio is for another build of torch
            raise SynthesisError(f"This voice needs the package coqui-tts ({error}): {_INSTALL}") from error
        self._torch: Any = torch
        device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            self._config: Any = XttsConfig()
            self._config.load_json(str(weights / "config.json"))
            self._model: Any = Xtts(self._config)
            self._model.load_checkpoint(self._config, checkpoint_dir=str(weights), eval=True)
            self._model.to(device)
        except Exception as error:  # the package raises whatever torch and its parsers do
            raise SynthesisError(
                f"The weights of XTTS in {weights} could not be loaded ({error}). "
                "Fetch them again with `utter models fetch xtts-v2`."
            ) from error
        self._language = "zh-cn" if language == "zh" else language
        if self._language not in self._config.languages:
            known = ", ".join(self._config.languages)
            raise SynthesisError(f"XTTS speaks no {language!r}. Set the voice's language to one of {known}.")
        try:
            self._model.tokenizer.encode("a", self._language)
        except Exception as error:  # Chinese and Japanese are read by packages of their own
            raise SynthesisError(f"What reads {language!r} is missing ({error}): {_INSTALL}") from error
        self._own_language = language
        self._speed = speed
        self.sample_rate: int = int(self._config.audio.output_sample_rate)
        limits: dict[str, int] = self._model.tokenizer.char_limits
        self._limit = limits.get(language, _MOST_CHARS)
        self._latents: dict[str, Any] = self._kept(state, reference) or self._taken(reference, state)

    def synthesise(self, clause: str) -> Iterator[Samples]:
        """Yield mono float32 pieces of nearly a second as they are made; leaving stops the model."""
        for sentence in speakable_pieces(clause, self._own_language):
            for part in self._readable(sentence, self._limit):
                yield from self._streamed(part)

    def _readable(self, text: str, limit: int) -> Iterator[str]:
        """`text` in parts of at most `limit` characters, and of fewer tokens than the model refuses.

        The package writes numbers out in words, which makes them longer, and raises at those that it cannot.
        """
        for part in pieces_within(text, limit):
            for reading in _readings(part, self._own_language):
                try:
                    tokens = self._model.tokenizer.encode(reading.strip().lower(), self._language)
                except (NotImplementedError, ArithmeticError, LookupError):
                    continue
                if len(tokens) < self._model.args.gpt_max_text_tokens:
                    yield reading
                else:
                    yield from self._readable(part, len(part) // 2)
                break

    def _streamed(self, text: str) -> Iterator[Samples]:
        config = self._config
        stream = self._model.inference_stream(
            text,
            self._language,
            self._latents["gpt_cond_latent"],
            self._latents["speaker_embedding"],
            stream_chunk_size=_CHUNK_TOKENS,
            temperature=config.temperature,
            length_penalty=config.length_penalty,
            repetition_penalty=config.repetition_penalty,
            top_k=config.top_k,
            top_p=config.top_p,
            speed=self._speed,
        )
        is_first = True
        try:
            for chunk in stream:
                samples = np.nan_to_num(chunk.detach().float().cpu().numpy().reshape(-1).astype(np.float32))
                if is_first and len(samples):
                    samples = fade_in(samples, self.sample_rate)
                    is_first = False
                yield limited(samples)
        finally:
            stream.close()  # the model is a generator that runs only while it is asked
        yield np.zeros(int(GAP_S * self.sample_rate), np.float32)

    def _taken(self, reference: Path, state: Path) -> dict[str, Any]:
        """What makes up the voice of `reference`, computed and kept."""
        from safetensors.torch import save

        config = self._config
        try:
            sound, rate = sf.read(reference, dtype="float32", always_2d=True)
            audio = soxr.resample(sound.mean(axis=1), rate, _REFERENCE_RATE).astype(np.float32)
            heard = self._torch.from_numpy(audio[None, : _REFERENCE_RATE * config.max_ref_len].copy())
            conditioning = self._model.get_gpt_cond_latents(
                heard, _REFERENCE_RATE, length=config.gpt_cond_len, chunk_length=config.gpt_cond_chunk_len
            )
            speaker = self._model.get_speaker_embedding(heard, _REFERENCE_RATE)
            latents = {"gpt_cond_latent": conditioning, "speaker_embedding": speaker}
            plain = {name: value.detach().float().cpu().contiguous() for name, value in latents.items()}
            if not all(bool(self._torch.isfinite(value).all()) for value in plain.values()):
                raise ValueError("the model finds no voice in it")
            kept = save(plain, metadata={"reference": _sha256(reference)})
        except Exception as error:
            raise SynthesisError(
                f"The voice could not be taken from {reference} ({error}). "
                "Use a recording of one person who speaks for ten seconds or more."
            ) from error
        keep_state(kept, state)
        return plain

    def _kept(self, state: Path, reference: Path) -> dict[str, Any] | None:
        """What was computed before; None where that was of another recording, or cannot be read."""
        from safetensors import safe_open

        if not state.is_file():
            return None
        try:
            with safe_open(state, "pt") as file:
                known = (file.metadata() or {}).get("reference")
                found = {name: file.get_tensor(name) for name in ("gpt_cond_latent", "speaker_embedding")}
        except Exception:  # damaged: it is made anew, which is what it saves
            return None
        width = self._config.model_args.gpt_n_model_channels
        is_whole = found["gpt_cond_latent"].shape[-1] == width and known == _sha256(reference)
        return found if is_whole else None


def _readings(text: str, language: str) -> Iterator[str]:
    """`text`, then with ever less of its numbers for num2words to get wrong.

    It knows no ordinals in Czech, which are numbers before a full stop, no numbers in Hindi, and in most
    languages none of many digits.
    """
    yield text
    yield re.sub(r"(?<=[0-9])\.(?=\s|$)", " .", text)
    words = _DIGITS.get(language, "0123456789")
    yield re.sub("[0-9]", lambda digit: f" {words[int(digit[0])]} ", text)


def keep_state(data: bytes, state: Path) -> None:
    """Keep what was computed, whole or not at all: on a full disk it is computed anew the next time."""
    partial = state.with_name(f".{state.name}")
    try:
        partial.write_bytes(data)
        partial.replace(state)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
