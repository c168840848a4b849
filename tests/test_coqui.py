"""XTTS on small random weights in the real layout: clone, stream, leave, come back from the cached latents.

It needs coqui-tts and torchaudio, whose wheel wants the CUDA build of torch (several gigabytes), so it is
skipped where `TTS` does not import. `sh scripts/prove_coqui.sh` makes a throwaway environment that has them
and runs it. Random weights say nothing that can be understood; what is shown is the way through the code.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from agent.errors import UtterError

pytest.importorskip("TTS", reason="the extra `coqui` is not in this run", exc_type=ImportError)

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from TTS.tts.configs.xtts_config import XttsArgs, XttsConfig
from TTS.tts.models.xtts import Xtts

from voice.speaking.engines.coqui import LANGUAGES, CoquiSynthesiser

SENTENCE = "All tests passed, every one."
COUNTED = {
    "en": "3 files.", "es": "3 archivos.", "fr": "3 fichiers.", "de": "3 Dateien.", "it": "3 file.",
    "pt": "3 arquivos.", "pl": "3 pliki.", "tr": "3 dosya.", "ru": "3 файла.", "nl": "3 bestanden.",
    "cs": "Soubory 3.", "ar": "3 ملفات.", "zh": "改了3个文件。", "hu": "3 fájl.", "ko": "파일 3개.",
    "ja": "ファイルが3つあります。", "hi": "3 फ़ाइलें।",
}  # fmt: skip


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with config.json, vocab.json and model.pth, as the publisher's, only smaller inside."""
    folder = tmp_path_factory.mktemp("xtts")
    marks = ["[UNK]", "[START]", "[STOP]", "[SPACE]", *(f"[{one}]" for one in XttsConfig().languages)]
    letters = list("abcdefghijklmnopqrstuvwxyz0123456789.,!?'-:; абвгдежзийклмнопрстуфхцчшщъыьэюя")
    tokenizer = Tokenizer(models.BPE({c: n for n, c in enumerate([*marks, *letters])}, [], unk_token="[UNK]"))
    tokenizer.add_special_tokens(marks)
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.save(str(folder / "vocab.json"))
    size = tokenizer.get_vocab_size()
    config = XttsConfig(
        model_args=XttsArgs(
            gpt_layers=2, gpt_n_model_channels=64, gpt_n_heads=2, decoder_input_dim=64,
            gpt_num_audio_tokens=66, gpt_start_audio_token=64, gpt_stop_audio_token=65,
            gpt_max_audio_tokens=50, gpt_use_perceiver_resampler=True, gpt_number_text_tokens=size,
            gpt_start_text_token=1, gpt_stop_text_token=2, tokenizer_file="",
        )
    )  # fmt: skip
    torch.manual_seed(3)
    made = Xtts(config)
    with torch.no_grad():
        for weight in made.gpt.gpt.parameters():
            weight.mul_(8)  # as they are made, neither the voice nor the text makes a difference
        made.gpt.mel_head.bias[65] = -20  # each sentence goes on to the most that it may have
    torch.save({"model": made.state_dict()}, folder / "model.pth")
    config.save_json(str(folder / "config.json"))
    assert json.loads((folder / "config.json").read_text())["model"] == "xtts"
    return folder


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    t = np.arange(8 * 24_000) / 24_000
    file = tmp_path / "reference.flac"
    sf.write(file, (0.3 * np.sin(2 * np.pi * 150 * t) * np.sin(3 * t)).astype(np.float32), 24_000)
    return file


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "xtts.safetensors"


def test_a_voice_is_cloned_streams_and_comes_back_from_its_latents(
    weights: Path, reference: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    voice = CoquiSynthesiser(weights, reference, state)
    assert state.is_file() and voice.sample_rate == 24_000
    pieces = list(voice.synthesise(SENTENCE))
    assert len(pieces) > 3 and sum(map(len, pieces)) > 2 * voice.sample_rate
    for piece in pieces:
        assert piece.dtype == np.float32 and np.isfinite(piece).all() and np.abs(piece).max(initial=0) < 1

    def encode(*_: object, **__: object) -> None:
        raise AssertionError("the reference was encoded again")

    monkeypatch.setattr(Xtts, "get_gpt_cond_latents", encode)
    monkeypatch.setattr(Xtts, "get_speaker_embedding", encode)
    list(voice.synthesise("Two files changed."))
    torch.manual_seed(1)
    again = list(CoquiSynthesiser(weights, reference, state).synthesise(SENTENCE))
    assert np.allclose(np.concatenate(again), np.concatenate(pieces), atol=1e-4)


def test_leaving_a_clause_stops_the_model(
    weights: Path, reference: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = CoquiSynthesiser(weights, reference, state)
    made: list[int] = []
    decode = Xtts.handle_chunks

    def counted(*arguments: object, **named: object) -> object:
        made.append(1)
        return decode(*arguments, **named)

    monkeypatch.setattr(Xtts, "handle_chunks", counted)
    pieces = voice.synthesise("This is a long sentence that nobody will ever hear to its end. " * 3)
    next(pieces)
    pieces.close()
    assert len(made) == 1
    assert next(iter(voice.synthesise("And another one."))).size > 0


def test_the_latents_of_another_recording_are_not_used(weights: Path, reference: Path, state: Path) -> None:
    CoquiSynthesiser(weights, reference, state)
    kept = state.read_bytes()
    sound, rate = sf.read(reference)
    sf.write(reference, sound[::-1] * np.linspace(0, 1, len(sound)), rate)
    CoquiSynthesiser(weights, reference, state)
    assert state.read_bytes() != kept
    state.write_bytes(b"damaged")
    CoquiSynthesiser(weights, reference, state)
    assert len(state.read_bytes()) > 100


def test_another_script_is_said_in_its_own_language(weights: Path, reference: Path, state: Path) -> None:
    voice = CoquiSynthesiser(weights, reference, state, "ru")
    assert sum(map(len, voice.synthesise("Все тесты прошли."))) > 0
    assert list(voice.synthesise("🙂🎉")) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_number_is_said_in_each_language(
    weights: Path, reference: Path, state: Path, language: str
) -> None:
    voice = CoquiSynthesiser(weights, reference, state, language)
    assert len(next(voice.synthesise(COUNTED[language]))) > 10_000


def test_numbers_that_are_too_much_for_the_model_are_said_in_parts(
    weights: Path, reference: Path, state: Path
) -> None:
    longest = CoquiSynthesiser(weights, reference, state, "es").synthesise(f"Son {10**60} archivos.")
    assert sum(map(len, longest)) > 48_000
    many = CoquiSynthesiser(weights, reference, state).synthesise("1777777 " * 6)
    assert sum(map(len, many)) > 2 * 48_000


def test_every_language_that_is_promised_is_the_models(weights: Path) -> None:
    own = {language.split("-")[0] for language in XttsConfig().languages}
    assert set(LANGUAGES) == own and len(LANGUAGES) == 17


@pytest.mark.parametrize("told", ["no 'sv'", "could not be taken", "could not be loaded"])
def test_what_cannot_be_done_is_an_error_for_the_user(
    weights: Path, reference: Path, state: Path, told: str, tmp_path: Path
) -> None:
    language = "sv" if "sv" in told else "en"
    if "taken" in told:
        reference.write_bytes(b"no sound")
    with pytest.raises(UtterError, match=told):
        CoquiSynthesiser(tmp_path if "loaded" in told else weights, reference, state, language)
    assert not state.exists()
