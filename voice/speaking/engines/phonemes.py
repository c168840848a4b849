"""English text as phonemes of espeak-ng, which Kokoro reads. Imports `piper-tts`, which is GPL-3.0."""

from __future__ import annotations

from functools import cache

from piper.phonemize_espeak import EspeakPhonemizer

from voice.speaking.pieces import respelled_for_espeak

_ACCENT = "en-us"


def phonemes_of(text: str) -> str:
    """`text` in the phonetic alphabet, with stress marks and the punctuation at the ends of clauses."""
    sentences = _phonemizer().phonemize(_ACCENT, respelled_for_espeak(text))
    return " ".join("".join(sentence) for sentence in sentences)


@cache
def _phonemizer() -> EspeakPhonemizer:
    return EspeakPhonemizer()
