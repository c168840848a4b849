"""The end-of-turn model on recorded requests: whole ones are complete, broken-off ones are not."""

from __future__ import annotations

from pathlib import Path

import mlx_whisper.audio
import numpy as np
import pytest

from agent.models.store import ModelStore
from voice.audio.files import read_frames
from voice.audio.frames import SAMPLE_RATE
from voice.conversation.turn_taking import TurnSettings
from voice.hearing.smart_turn import SmartTurn, TurnModelError, turn_features
from voice.hearing.whisper.mel import mel_filters

REQUESTS = sorted((Path(__file__).parent.parent / "demo" / "requests").glob("*.flac"))
PAUSE = np.zeros(round(0.2 * SAMPLE_RATE), np.float32)


def speech(path: Path) -> np.ndarray:
    """A request from its first to its last sound."""
    samples = np.concatenate(list(read_frames(path)))
    loud = np.flatnonzero(np.abs(samples) > 0.02)
    return samples[loud[0] : loud[-1] + 1]


@pytest.fixture(scope="module")
def smart_turn(store: ModelStore) -> SmartTurn:
    return SmartTurn(store.path("smart-turn"))


@pytest.mark.parametrize("request_audio", REQUESTS, ids=lambda path: path.stem)
def test_a_whole_request_is_complete_after_a_while(smart_turn: SmartTurn, request_audio: Path):
    assert (
        smart_turn.completeness(np.concatenate((speech(request_audio), PAUSE, PAUSE, PAUSE)))
        > TurnSettings().complete
    )


@pytest.mark.parametrize(("request_audio", "said"), [(1, 0.7), (2, 0.5), (3, 0.7)])
def test_a_request_broken_off_in_the_middle_is_not(smart_turn: SmartTurn, request_audio: int, said: float):
    whole = speech(REQUESTS[request_audio])
    assert smart_turn.completeness(np.concatenate((whole[: int(len(whole) * said)], PAUSE))) < 0.3


def test_only_the_last_eight_seconds_count(smart_turn: SmartTurn):
    said = np.concatenate((speech(REQUESTS[0]), PAUSE))
    long = np.concatenate((np.tile(said, 10), said))
    assert smart_turn.completeness(long) == smart_turn.completeness(long[-8 * SAMPLE_RATE :])


def test_features_have_the_shape_of_the_model_however_short_the_speech_is():
    for length in (1, 160, 8 * SAMPLE_RATE, 9 * SAMPLE_RATE):
        features = turn_features(np.full(length, 0.1, np.float32), mel_filters(80))
        assert (features.shape, features.dtype) == ((80, 800), np.float32)
        assert np.isfinite(features).all()


@pytest.mark.parametrize("n_mels", [80, 128])
def test_the_filters_are_whispers_own(n_mels: int):
    with np.load(Path(mlx_whisper.audio.__file__).parent / "assets" / "mel_filters.npz") as stored:
        np.testing.assert_allclose(mel_filters(n_mels), stored[f"mel_{n_mels}"], atol=1e-6)


def test_a_damaged_model_says_what_to_do(tmp_path: Path):
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(TurnModelError, match="models fetch smart-turn"):
        SmartTurn(tmp_path / "model.onnx")
