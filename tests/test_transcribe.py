"""Whisper on real speech, on noise and on nothing; its parts against mlx-whisper's own."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx_whisper.audio import log_mel_spectrogram
from noises import LEVELS_DB, NOISES, at_level, frames

from agent.models.store import ModelStore
from voice.audio.files import read_frames
from voice.conversation.short_words import HARMLESS, is_command, short_word_or
from voice.hearing.guards import Evidence, Limits, compression_ratio, rejection
from voice.hearing.lexicon import Lexicon
from voice.hearing.segment import UtteranceSegmenter
from voice.hearing.spoken_code import write_out
from voice.hearing.transcribe import Transcriber
from voice.hearing.vad import VoiceDetector
from voice.hearing.whisper.biasing import Bias
from voice.hearing.whisper.constrained import continued
from voice.hearing.whisper.decoding import Decoded, Vocabulary, decode, mask_timestamps, opened
from voice.hearing.whisper.loading import TranscriberError, load
from voice.hearing.whisper.mel import log_mel
from voice.hearing.whisper.mlx_network import MlxNetwork
from voice.hearing.whisper.numpy_network import NumpyNetwork, gelu
from voice.hearing.whisper.word_times import token_starts

REQUESTS = Path(__file__).parent.parent / "demo" / "requests"


def speech(name: str) -> np.ndarray:
    return np.concatenate(list(read_frames(REQUESTS / f"{name}.flac")))


@pytest.fixture(scope="session")
def transcriber(store: ModelStore) -> Transcriber:
    transcriber = Transcriber(store.path("whisper-base-mlx"))
    transcriber.warm_up()
    return transcriber


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("1-list-files", "what files are in this project"),
        ("3-run-tests", "run the tests"),
        ("4-fix-test", "fix the failing test"),
        ("5-what-changed", "what changed"),
    ],
)
def test_requests_are_heard_word_for_word(transcriber: Transcriber, name: str, text: str):
    heard = transcriber.transcribe(speech(name))
    assert heard.text.lower().strip(".?! ") == text
    assert heard.rejected is None
    assert heard.avg_logprob > -0.7


def test_names_that_are_expected_are_compared_with_the_audio(transcriber: Transcriber):
    lexicon = Lexicon((), {"parse_config": 1, "pars_conflict": 1, "stop_parsing": 1})
    transcriber.expect(lexicon)
    try:
        heard = transcriber.transcribe(speech("2-parse-config"))
    finally:
        transcriber.expect(Lexicon())
    assert write_out(heard.text, lexicon, evidence=heard.names).text == "What does parse_config do?"
    assert transcriber.heard_as(heard.text) == heard
    assert transcriber.heard_as("What was never said.") is None


def test_names_that_look_like_marks_of_the_model_are_text(transcriber: Transcriber):
    transcriber.expect(Lexicon(("docs/<|en|>.md", "<|endoftext|>.py"), {"sort_<|0.00|>": 1}))
    try:
        heard = transcriber.transcribe(speech("1-list-files"))
    finally:
        transcriber.expect(Lexicon())
    assert heard.text == "What files are in this project?"


def test_nothing_but_text_an_end_and_times_are_ever_heard(store: ModelStore):
    vocabulary = load(store.path("whisper-base-mlx"), "en").vocabulary
    assert {*range(vocabulary.end + 1, vocabulary.first_timestamp)} <= {*vocabulary.never}
    assert vocabulary.end not in vocabulary.never


def test_words_that_an_expected_name_makes_unsure_are_heard_without_it(transcriber: Transcriber):
    said = speech("2-parse-config")
    noise = np.random.default_rng(0).standard_normal(len(said)).astype(np.float32)
    noisy = said + noise * np.sqrt(np.square(said).mean() / 10)
    sure = transcriber.transcribe(noisy)
    try:
        transcriber.expect(Lexicon((), {"parts_config": 1}))
        guessed = transcriber.transcribe(noisy)
        assert guessed.avg_logprob < sure.avg_logprob - 0.1
        limits = Limits(unsure_logprob=(guessed.avg_logprob + sure.avg_logprob) / 2)
        heard = transcriber.transcribe(noisy, limits=limits)
    finally:
        transcriber.expect(Lexicon())
    assert heard.rejected is None
    assert heard.text == sure.text
    assert guessed.text in heard.others


@pytest.mark.parametrize("name", sorted(NOISES))
def test_noise_does_not_become_names_or_commands_that_are_expected(transcriber: Transcriber, name: str):
    transcriber.expect(Lexicon((), {"brake_now": 1, "parse_config": 1, "load_shelf": 1}))
    try:
        noise = at_level(NOISES[name], -30.0)[:24_000]
        heard = transcriber.transcribe(noise, phrases=HARMLESS, is_enough=is_command)
    finally:
        transcriber.expect(Lexicon())
    assert heard.text == ""
    assert short_word_or("", HARMLESS, heard.likelihoods, 0.8) == ""


def test_a_text_that_is_enough_is_not_looked_at_again(transcriber: Transcriber):
    clear = speech("4-fix-test")
    noisy = clear + (0.08 * np.random.default_rng(0).standard_normal(len(clear))).astype(np.float32)
    seen: list[str] = []

    def is_enough(text: str) -> bool:
        seen.append(text)
        return True

    assert transcriber.transcribe(noisy).others != ()  # a beam has looked for other words
    heard = transcriber.transcribe(noisy, is_enough=is_enough)
    assert heard.others == () and heard.text in ("", *seen)


def test_a_glimpse_gives_the_words_so_far(transcriber: Transcriber):
    samples = speech("1-list-files")
    assert transcriber.transcribe(samples).text == "What files are in this project?"
    begun = transcriber.glimpse(samples[: len(samples) // 2]).split()
    assert begun[:2] == ["What", "files"] and "project?" not in begun
    assert transcriber.glimpse(samples, lambda: False) == ""
    assert transcriber.glimpse(np.zeros(32_000, np.float32)) == ""
    with pytest.raises(ValueError, match="at most"):
        transcriber.glimpse(np.zeros(40 * 16_000, np.float32))


def test_an_unsure_request_is_believed_for_the_name_in_it(store: ModelStore):
    doubting = Transcriber(store.path("whisper-base-mlx"), limits=Limits(unsure_logprob=0.0))
    assert doubting.transcribe(speech("2-parse-config")).rejected == "too unsure"
    doubting.expect(Lexicon((), {"parse_config": 1, "run_tests": 1}))
    named = doubting.transcribe(speech("2-parse-config"))
    assert (named.text, named.rejected) == ("What does parse config do?", None)
    assert doubting.transcribe(speech("4-fix-test")).rejected == "too unsure"  # names nothing
    limits = Limits(unsure_logprob=0.0)  # asked for, these hold
    assert doubting.transcribe(speech("2-parse-config"), limits=limits).rejected == "too unsure"


def test_every_word_has_a_time_inside_the_speech_and_in_order(transcriber: Transcriber):
    samples = speech("1-list-files")
    heard = transcriber.transcribe(samples)
    assert " ".join(word.text for word in heard.words) == heard.text
    ends = [word.end_s for word in heard.words]
    starts = [word.start_s for word in heard.words]
    assert starts == sorted(starts)
    assert all(start < end for start, end in zip(starts, ends, strict=True))
    loud = np.flatnonzero(np.abs(samples) > 0.02) / 16_000
    assert ends[0] > loud[0]
    assert ends[-1] == pytest.approx(loud[-1], abs=0.3)


@pytest.mark.parametrize("level", LEVELS_DB)
@pytest.mark.parametrize("name", ["music", "brown noise", "typing", "clicks of 50 ms"])
def test_noise_never_reaches_the_agent_as_words(transcriber: Transcriber, name: str, level: float):
    utterances = UtteranceSegmenter(VoiceDetector()).run(frames(at_level(NOISES[name], level)))
    assert [transcriber.transcribe(utterance.samples).text for utterance in utterances] in (
        [],
        [""],
        ["", ""],
    )


@pytest.mark.parametrize("name", sorted(NOISES))
def test_noise_is_rejected_by_the_transcriber_even_without_the_detector(transcriber: Transcriber, name: str):
    heard = transcriber.transcribe(at_level(NOISES[name], -30.0)[:24_000])
    assert heard.text == ""
    assert heard.rejected


@pytest.mark.parametrize("length", [0, 1, 100, 800])
def test_almost_nothing_gives_no_text(transcriber: Transcriber, length: int):
    assert transcriber.transcribe(np.zeros(length, np.float32)).text == ""


def test_longer_audio_than_whisper_takes_is_an_error_of_the_caller(transcriber: Transcriber):
    with pytest.raises(ValueError, match="at most 29"):
        transcriber.transcribe(np.zeros(30 * 16_000, np.float32))


def test_nothing_is_fetched(store: ModelStore, transcriber: Transcriber, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    fresh = Transcriber(store.path("whisper-base-mlx"))
    assert fresh.transcribe(speech("3-run-tests")).text == transcriber.transcribe(speech("3-run-tests")).text


def test_a_model_that_is_not_there_or_damaged_is_an_error_that_says_what_to_do(
    store: ModelStore, tmp_path: Path
):
    with pytest.raises(TranscriberError, match=r"config\.json.*utter models fetch"):
        Transcriber(tmp_path)
    config = store.path("whisper-base-mlx") / "config.json"
    (tmp_path / "config.json").write_bytes(config.read_bytes())
    (tmp_path / "weights.safetensors").write_bytes(b"not weights")
    with pytest.raises(TranscriberError, match="utter models verify"):
        Transcriber(tmp_path)


def test_an_unknown_language_is_an_error_that_names_the_setting(store: ModelStore):
    with pytest.raises(TranscriberError, match=r"hearing\.language"):
        load(store.path("whisper-base-mlx"), "xx")


# The parts


def test_the_spectrogram_is_mlx_whispers(store: ModelStore):
    samples = speech("3-run-tests")
    filters = load(store.path("whisper-base-mlx"), "en").filters
    theirs = np.array(log_mel_spectrogram(samples[: len(samples) // 160 * 160]))
    assert log_mel(samples, filters) == pytest.approx(theirs, abs=1e-3)


def test_numpy_and_mlx_compute_the_same_network(store: ModelStore):
    from mlx_whisper.load_models import load_model

    model = load_model(str(store.path("whisper-base-mlx")), dtype=mx.float32)
    mel = np.random.default_rng(0).standard_normal((200, 80)).astype(np.float32) * 0.3
    by_numpy, by_mlx = NumpyNetwork(model).encode(mel), MlxNetwork(model).encode(mel)
    for tokens in ([50258], [50259, 50359, 50364], [440]):
        (logits, attention), (mlx_logits, mlx_attention) = by_numpy.feed(tokens), by_mlx.feed(tokens)
        assert logits == pytest.approx(mlx_logits, abs=0.02)
        assert attention == pytest.approx(mlx_attention, abs=1e-3)
    tokens = [50258, 50259, 50359, 50364, 440, 441, 1000]
    ours, theirs = NumpyNetwork(model).encode(mel), MlxNetwork(model).encode(mel)
    assert ours.logprobs(tokens) == pytest.approx(theirs.logprobs(tokens), abs=0.02)
    # A copy goes on by itself: the two that were copied still agree with each other.
    for decoding in (by_numpy, by_mlx):
        decoding.copy().feed([1000, 2000])
    # Those that are fed together, however long each is, hear what each would hear by itself.
    ahead, behind = by_numpy.copy(), by_numpy.copy()
    ahead.feed([441])
    apart = [ahead.copy().feed([2000]), *(behind.copy().feed([token]) for token in (441, 440, 1, 7, 9))]
    alike = [ahead.copy(), *(behind.copy() for _ in range(5))]
    logits, attention = by_numpy.feed_each(alike, [2000, 441, 440, 1, 7, 9])
    for n, (alone, alone_attention) in enumerate(apart):
        assert logits[n] == pytest.approx(alone, abs=1e-3)
        assert attention[n] == pytest.approx(alone_attention, abs=1e-5)
    by_two, _ = by_mlx.feed_each([by_mlx.copy(), by_mlx.copy()], [441, 440])
    assert by_two == pytest.approx(logits[1:3], abs=0.02)
    assert by_numpy.feed([441])[0] == pytest.approx(by_mlx.feed([441])[0], abs=0.02)


def test_gelu_is_within_its_stated_error_of_the_exact_one():
    x = np.linspace(-12, 12, 20_001, dtype=np.float32).reshape(-1, 1)
    exact = 0.5 * x * (1 + np.array(mx.erf(mx.array(x / np.sqrt(np.float32(2))))))
    assert np.abs(gelu(x.copy()) - exact).max() < 4e-5


VOCABULARY = Vocabulary(
    prompt=(10, 12), end=9, no_speech=11, first_timestamp=12, never=(10, 11), not_first=(9,)
)


def decoded_by(network: Any, **limits: int) -> Decoded:
    return decode(opened(network, VOCABULARY), VOCABULARY, **limits)


def fed_each(_one: Any, decodings: Sequence[Any], tokens: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    fed = [decoding.feed([token]) for decoding, token in zip(decodings, tokens, strict=True)]
    return np.stack([logits for logits, _ in fed]), np.stack([attention for _, attention in fed])


class ScriptedDecoding:
    """Likes one token after another, whatever it is fed."""

    def __init__(self, *tokens: int) -> None:
        self.likes = [10, *tokens]
        self.fed: list[int] = []

    def feed(self, tokens: list[int]) -> tuple[np.ndarray, np.ndarray]:
        self.fed += tokens
        logits = np.zeros(40, np.float32)
        logits[self.likes.pop(0)] = 20.0
        return logits, np.full((2, 6), len(self.fed), np.float32)

    def copy(self) -> ScriptedDecoding:
        return self

    feed_each = fed_each


def test_decoding_takes_the_text_and_stops_at_the_end():
    decoding = ScriptedDecoding(3, 4, 17, 9)
    decoded = decoded_by(decoding, max_tokens=20, speech_end=20)
    assert (decoded.tokens, decoded.finished) == ((3, 4), True)
    assert decoded.attention.shape == (2, 3, 6)
    assert decoded.avg_logprob == pytest.approx(0.0, abs=1e-6)


def test_a_timestamp_behind_the_speech_ends_it_without_another_step():
    decoding = ScriptedDecoding(3, 17, 12, 3)
    decoded = decoded_by(decoding, max_tokens=20, speech_end=4)
    assert (decoded.tokens, decoded.finished) == ((3,), True)
    assert decoding.fed == [10, 12, 3]


class Sentences:
    """A network that knows how likely each next token is after what it was fed: {so far: {token: share}}."""

    def __init__(self, shares: dict[tuple[int, ...], dict[int, float]], fed: tuple[int, ...] = ()) -> None:
        self.shares = shares
        self.fed = fed

    def feed(self, tokens: list[int]) -> tuple[np.ndarray, np.ndarray]:
        self.fed += tuple(tokens)
        logits = np.full(40, -30.0, np.float32)
        for token, share in self.shares.get(self.fed[2:], {9: 1.0}).items():
            logits[token] = np.log(share)
        return logits, np.full((2, 6), len(self.fed), np.float32)

    def copy(self) -> Sentences:
        return Sentences(self.shares, self.fed)

    feed_each = fed_each


UNSURE_FIRST_WORD = {(): {3: 0.5, 4: 0.4, 5: 0.1}, (3,): {6: 0.3, 7: 0.3, 8: 0.4}, (4,): {7: 0.95, 8: 0.05}}


def test_a_beam_finds_the_likelier_sentence_behind_a_less_likely_first_word():
    greedy = decoded_by(Sentences(UNSURE_FIRST_WORD), max_tokens=20, speech_end=20)
    wide = decoded_by(Sentences(UNSURE_FIRST_WORD), max_tokens=20, speech_end=20, width=3)
    assert (greedy.tokens, wide.tokens) == ((3, 8), (4, 7))
    assert wide.avg_logprob == pytest.approx(np.log(0.4 * 0.95) / 2, abs=1e-4)
    assert wide.attention[0, :, 0].tolist() == [2, 3, 4]


def test_a_text_is_not_thought_unlikely_because_its_time_is_unsure():
    times = dict.fromkeys(range(16, 36), 0.045)
    shares = {(): {3: 0.6, 4: 0.4}, (3,): {**times, 5: 0.02}, (4,): {9: 0.7, 5: 0.3}}
    decoded = decoded_by(Sentences(shares), max_tokens=20, speech_end=2, width=3)
    assert decoded.tokens == (3,)


def test_it_is_told_that_the_bias_chose_a_token():
    names = Bias([(4, 8)], 1.0, 2.0)
    plain = decoded_by(Sentences(UNSURE_FIRST_WORD), max_tokens=20, speech_end=20)
    bent = decoded_by(Sentences(UNSURE_FIRST_WORD), max_tokens=20, speech_end=20, bias=names)
    assert (plain.tokens, plain.is_bent) == ((3, 8), False)
    assert (bent.tokens, bent.is_bent) == ((4, 8), True)
    as_before = decoded_by(
        Sentences(UNSURE_FIRST_WORD), max_tokens=20, speech_end=20, bias=Bias([(3, 8)], 1.0, 2.0)
    )
    assert (as_before.tokens, as_before.is_bent) == ((3, 8), False)


NAMES = Bias([(4, 7), (4, 6), (5,), (3, 7, 8)], 1.0, 2.0)


def spelled_by(
    shares: dict[tuple[int, ...], dict[int, float]], *prefix: int, least: float = -9.0
) -> list[Any]:
    network: Any = Sentences(shares)
    begun = opened(network, VOCABULARY)
    return continued(begun, VOCABULARY, prefix, NAMES, least, 20, speech_end=20)


def test_only_names_are_spelled_in_one_place_and_then_the_rest_as_it_was_said():
    shares = {(): {3: 0.6, 4: 0.3, 5: 0.1}, (4,): {8: 0.9, 7: 0.1}, (4, 7): {2: 1.0}}
    assert spelled_by(shares) == [(5,), (4, 7, 2)]
    shares = {(6,): {5: 0.9}, (6, 5): {1: 0.7, 2: 0.3}}
    assert spelled_by(shares, 6) == [(6, 5, 1)]


def test_what_is_less_likely_than_the_least_is_given_up():
    shares = {(): {4: 0.5, 5: 0.1, 3: 0.4}, (4,): {7: 0.05, 6: 0.95}, (5,): {2: 0.1, 9: 0.9}}
    assert {*spelled_by(shares)} == {(4, 7), (4, 6), (5,)}
    assert {*spelled_by(shares, least=float(np.log(0.04)))} == {(4, 6), (5,)}


def test_words_behind_a_pause_are_not_lost():
    at_a_pause = {(): {5: 1.0}, (5,): {18: 0.9, 2: 0.1}, (5, 18): {19: 1.0}, (5, 18, 19): {1: 1.0}}
    assert spelled_by(at_a_pause) == [(5, 1)]
    at_the_end = {(): {5: 1.0}, (5,): {33: 0.9, 2: 0.1}}
    assert spelled_by(at_the_end) == [(5,)]


def test_a_loop_behind_a_name_is_cut():
    shares = {(): {5: 1.0}, **{(5, *[2] * n): {2: 1.0} for n in range(60)}}
    assert spelled_by(shares) == []


def test_a_loop_is_cut_at_the_most_tokens_and_told():
    decoded = decoded_by(ScriptedDecoding(*[3] * 50), max_tokens=5, speech_end=20)
    assert (decoded.tokens, decoded.finished) == ((3,) * 5, False)


@pytest.mark.parametrize(
    ("chosen", "allowed"),
    [
        ([12], {*range(12)}),  # after the first timestamp: text
        ([12, 3], {*range(12), *range(13, 20)}),  # after text: text, or a later timestamp
        ([12, 3, 15], {*range(9, 12), *range(15, 20)}),  # after a closing one: the end, or one not before it
        ([12, 3, 15, 15], {*range(12)}),  # after an opening one: text
    ],
)
def test_timestamps_come_in_pairs_and_do_not_go_back(chosen: list[int], allowed: set[int]):
    logits = np.zeros(20, np.float32)
    logits[3] = logits[10] = 10.0  # so that the timestamps do not win together
    mask_timestamps(logits, chosen, VOCABULARY)
    assert set(np.flatnonzero(np.isfinite(logits)).tolist()) == allowed


def test_timestamps_that_are_likelier_together_than_any_text_win():
    logits = np.zeros(20, np.float32)
    logits[3] = 1.0
    mask_timestamps(logits, [12, 4], VOCABULARY)
    assert not np.isfinite(logits[:12]).any()


def test_tokens_start_where_their_attention_moves_on():
    attention = np.full((2, 3, 60), 0.01, np.float32)
    for token, span in enumerate((slice(0, 20), slice(20, 35), slice(35, 60))):
        attention[:, token, span] = 1.0
    assert token_starts(attention) == [0, 20, 35]


def test_more_tokens_than_positions_have_no_times():
    assert token_starts(np.ones((1, 5, 4), np.float32)) == []


def evidence(text: str, **known: float) -> Evidence:
    values = {"speech_s": 2.0, "avg_logprob": -0.2, "no_speech_prob": 0.1, **known}
    return Evidence(text=text, compression_ratio=compression_ratio(text), **values)


@pytest.mark.parametrize(
    "heard",
    [
        evidence("Run the tests."),
        evidence("Thank you.", speech_s=0.6),
        evidence("Yes.", speech_s=0.4, avg_logprob=-0.5),
        evidence("Stop, stop, stop!", speech_s=1.0),
        evidence("No, no, no.", speech_s=0.8),
        evidence("Open calc.py", avg_logprob=-0.4, no_speech_prob=0.69),  # heard so in one voice
    ],
    ids=lambda heard: heard.text,
)
def test_what_was_really_said_is_believed(heard: Evidence):
    assert rejection(heard, Limits()) is None


@pytest.mark.parametrize(
    ("heard", "reason"),
    [
        (evidence(""), "no words"),
        (evidence("..."), "no words"),
        (evidence("Thank you.", avg_logprob=-1.08, no_speech_prob=0.69), "no speech"),
        (evidence("Thank you.", avg_logprob=-0.8), "noise is often taken for"),
        (evidence("I'm going to use the", avg_logprob=-1.88, no_speech_prob=0.3), "too unsure"),
        (evidence("brake " * 12, speech_s=9.0), "over and over"),
        (evidence("a little bit of " * 5, speech_s=9.0), "over and over"),
        (evidence("one two three four five six seven eight nine ten", speech_s=0.5), "more words than"),
    ],
)
def test_what_was_not_said_is_rejected_with_the_reason(heard: Evidence, reason: str):
    assert reason in (rejection(heard, Limits()) or "")


def test_a_transcript_without_an_end_is_rejected():
    heard = Evidence("and so on and on", 3.0, -0.1, 0.0, 1.0, cut_short=True)
    assert "more words than" in (rejection(heard, Limits()) or "")
