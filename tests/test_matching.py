"""Matching moves a voice's pitch, melody and colour to another's, and keeps its words and its length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import UtterError
from agent.models.store import ModelStore
from voice.speaking.engines.piper import PiperSynthesiser
from voice.speaking.matching.colour import MAX_GAIN, N_MOVED, RATE, Colour, colour_of, coloured, transport
from voice.speaking.matching.fit import PROMPTS, Base, Fitted, Target, fit
from voice.speaking.matching.likeness import SpeakerEncoder, likeness
from voice.speaking.matching.matched import MatchedSynthesiser, Matching
from voice.speaking.matching.pitch import pitch_of
from voice.speaking.matching.shift import Shift, shifted
from voice.speaking.matching.stretches import CONTEXT_S, stretches
from voice.speaking.synthesis import Samples

REQUESTS = Path(__file__).resolve().parents[1] / "demo" / "requests"
ALL = " ".join(PROMPTS)


def voiced(hz: float, seconds: float = 1.0, rate: int = RATE, formant_hz: float = 700.0) -> Samples:
    """A buzz of that pitch through one resonance, as a vowel is."""
    t = np.arange(int(seconds * rate)) / rate
    partials = np.arange(1, int(0.45 * rate / hz))
    heights = 1 / (1 + ((partials * hz - formant_hz) / 300) ** 2) + 0.02
    return (0.2 * (heights[:, None] * np.cos(2 * np.pi * hz * np.outer(partials, t))).sum(axis=0)).astype(
        np.float32
    ) / np.float32(heights.sum())


@settings(max_examples=25, deadline=None)
@given(hz=st.floats(70, 400), rate=st.sampled_from([16_000, 22_050, 24_000]))
def test_the_pitch_of_a_buzz_is_found(hz: float, rate: int) -> None:
    pitch = pitch_of(voiced(hz, 0.5, rate), rate)
    assert pitch.is_voiced.mean() > 0.8
    assert pitch.median_hz == pytest.approx(hz, rel=0.01)


def test_noise_and_silence_have_no_pitch() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, RATE).astype(np.float32)
    assert pitch_of(noise, RATE).is_voiced.mean() < 0.1
    assert pitch_of(np.zeros(RATE, np.float32), RATE).median_hz == 0
    assert pitch_of(np.zeros(0, np.float32), RATE).median_hz == 0


@pytest.mark.parametrize("to_hz", [90.0, 150.0, 240.0])
@pytest.mark.parametrize("formants", [0.9, 1.2])
def test_a_shift_changes_the_pitch_and_not_the_length(to_hz: float, formants: float) -> None:
    buzz = voiced(130)
    moved = shifted(buzz, RATE, pitch_of(buzz, RATE), Shift(130, to_hz, 1.0, formants))
    assert len(moved) == len(buzz) and np.isfinite(moved).all()
    assert pitch_of(moved, RATE).median_hz == pytest.approx(to_hz, rel=0.03)


def test_formants_move_with_their_factor_and_not_with_the_pitch() -> None:
    buzz = voiced(100, formant_hz=800)
    pitch = pitch_of(buzz, RATE)

    def centre_hz(samples: Samples) -> float:
        power = np.abs(np.fft.rfft(samples[2000:-2000])) ** 2
        bins = np.fft.rfftfreq(len(samples) - 4000, 1 / RATE)
        return float((power * bins)[bins < 2000].sum() / power[bins < 2000].sum())

    same, higher = (shifted(buzz, RATE, pitch, Shift(100, 140, 1.0, factor)) for factor in (1.0, 1.2))
    assert centre_hz(same) == pytest.approx(centre_hz(buzz), rel=0.1)
    assert centre_hz(higher) > 1.08 * centre_hz(same)


def test_a_higher_voice_does_not_lay_one_period_over_the_next() -> None:
    """Of each old period only as much is left as there is room for in a new one."""
    period = RATE // 100
    late = period // 2  # a second click, further from both of its pulses than the new pulses are apart
    pulses, clicks = (np.zeros(RATE, np.float32) for _ in range(2))
    pulses[period::period] = 1.0
    clicks[period + late :: period] = 0.5
    both = np.convolve(pulses - clicks, np.hanning(24), mode="same").astype(np.float32)
    alone = np.convolve(pulses, np.hanning(24), mode="same").astype(np.float32)
    shift = Shift(100, 250)
    same, without = (shifted(one, RATE, pitch_of(alone, RATE), shift)[period:] for one in (both, alone))
    assert np.sum((same - without) ** 2) < 0.01 * np.sum(without**2)


def test_a_filter_makes_nothing_louder_than_it_may() -> None:
    buzz = voiced(120)
    pitch = pitch_of(buzz, RATE)
    own = colour_of(buzz, pitch)
    assert own is not None
    bright = Colour(own.mean + np.array([6.0] + [0.0] * (N_MOVED - 1)), own.covariance)
    moves = transport(own, bright)

    def loudest(most: float) -> float:
        matching = Matching(Shift(120, 120), moves, most_gain=most)
        louder, before = (np.abs(np.fft.rfft(one)) for one in (matching.applied(buzz, RATE), buzz))
        is_there = before > 0.1 * before.max()
        return float(np.log((louder / np.maximum(before, 1e-9))[is_there] ** 2).max())

    assert loudest(1.0) < 1.1 < 2.0 < loudest(3.5)


def test_a_livelier_melody_is_wider_about_the_same_middle() -> None:
    hz = np.array([0.0, 80.0, 100.0, 125.0])
    assert Shift(100, 200, 2.0).target_hz(hz) == pytest.approx([0.0, 128.0, 200.0, 312.5])


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_transport_gives_one_gaussian_the_shape_of_the_other(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def some() -> Colour:
        root = rng.normal(size=(N_MOVED, N_MOVED)) / 5
        return Colour(rng.normal(size=N_MOVED), root @ root.T + 0.1 * np.eye(N_MOVED))

    one, other = some(), some()
    moves = transport(one, other)
    ridge = [c.covariance + np.eye(N_MOVED) * 0.1 * np.trace(c.covariance) / N_MOVED for c in (one, other)]
    assert np.allclose(moves.matrix @ ridge[0] @ moves.matrix.T, ridge[1])
    assert np.allclose(moves.moved(one.mean[None]), other.mean)


def test_a_voice_moved_to_itself_stays_as_it_is() -> None:
    buzz = voiced(120)
    pitch = pitch_of(buzz, RATE)
    colour = Colour(np.zeros(N_MOVED), np.eye(N_MOVED))
    same = coloured(buzz, pitch, transport(colour, colour))
    assert np.abs(same - buzz)[600:-600].max() < 1e-4


def test_too_little_voice_has_no_colour() -> None:
    short = voiced(120, 0.3)
    assert colour_of(short, pitch_of(short, RATE)) is None


@pytest.fixture(scope="module")
def clips() -> list[Samples]:
    """The user of the demo; the last is held out."""
    return [soundfile.read(file, dtype="float32")[0] for file in sorted(REQUESTS.glob("*.flac"))]


@pytest.fixture(scope="module")
def target(clips: list[Samples], encoder: SpeakerEncoder) -> Target:
    made = Target.of(np.concatenate(clips[:-1]), 16_000, encoder)
    assert made is not None
    return made


@pytest.fixture(scope="module")
def base(piper: PiperSynthesiser) -> Base:
    return Base.of("joe", lambda text: np.concatenate(list(piper.synthesise(text))), piper.sample_rate)


@pytest.fixture(scope="module")
def short_base(piper: PiperSynthesiser) -> Base:
    say = PROMPTS[2:3]
    return Base.of("joe", lambda text: np.concatenate(list(piper.synthesise(text))), piper.sample_rate, say)


@pytest.fixture(scope="module")
def matching(
    piper: PiperSynthesiser, encoder: SpeakerEncoder, clips: list[Samples], target: Target, base: Base
) -> tuple[Matching, float, float]:
    """Piper matched to the user of the demo; how like them it was, and is, on a held-out sentence."""
    fitted = fit(target, [base], encoder, formants=(1.0,))
    assert fitted is not None
    plain = np.concatenate(list(piper.synthesise("I found three places where the file is read.")))
    held_out = encoder.embed(clips[-1], 16_000)
    matched = fitted.matching.applied(plain, piper.sample_rate)
    before = likeness(encoder.embed(plain, piper.sample_rate), held_out)
    return fitted.matching, before, likeness(encoder.embed(matched, RATE), held_out)


def test_a_matched_voice_is_liker_to_the_person_than_its_base(
    matching: tuple[Matching, float, float],
) -> None:
    _, before, after = matching
    assert after > before + 0.05


@pytest.mark.parametrize(
    ("heard", "taken"),
    [
        ([ALL, ALL], 0),  # the likest
        ([ALL, "The quick brown fox.", ALL], 1),  # it cannot be understood, the next one can
        ([ALL, "The quick brown fox.", "The fox."], 0),  # neither can
        (["The fox.", "The fox."], 0),  # nor can the base
    ],
)
def test_a_match_that_is_not_understood_is_not_taken(
    encoder: SpeakerEncoder, target: Target, short_base: Base, heard: list[str], taken: int
) -> None:
    """`heard`: of the base, then of the matches, the likest first; the tuned filter is not understood."""
    told = iter([*heard, 200 * "no "])
    found = fit(target, [short_base], encoder, formants=(1.0, 1.2), hear=lambda _: next(told))
    likest = fit(target, [short_base], encoder, formants=(1.0, 1.2))
    assert found is not None
    assert likest is not None
    factors = [found.matching.shift.formants, likest.matching.shift.formants]
    assert (factors[0] != factors[1]) == bool(taken)
    assert taken or np.array_equal(found.matching.moves.target, likest.matching.moves.target)
    assert next(told, None) is None


def test_the_filter_of_a_match_that_is_understood_is_tuned(
    encoder: SpeakerEncoder, clips: list[Samples], target: Target, base: Base, piper: PiperSynthesiser
) -> None:
    plain = fit(target, [base], encoder, formants=(1.0,))
    found = fit(target, [base], encoder, formants=(1.0,), hear=lambda _: ALL)
    assert plain is not None
    assert found is not None
    assert found.likeness > plain.likeness
    said = np.concatenate(list(piper.synthesise("I found three places where the file is read.")))
    held_out = encoder.embed(clips[-1], 16_000)

    def like(fitted: Fitted) -> float:
        return likeness(encoder.embed(fitted.matching.applied(said, piper.sample_rate), RATE), held_out)

    assert like(found) > like(plain)


def test_after_a_far_shift_the_filter_may_add_less(matching: tuple[Matching, float, float]) -> None:
    fitted = matching[0]
    octaves = abs(np.log2(fitted.shift.to_hz / fitted.shift.from_hz))
    assert (fitted.most_gain < MAX_GAIN) == (octaves >= 0.5)


def test_a_matching_is_kept_and_read_again(matching: tuple[Matching, float, float], tmp_path: Path) -> None:
    fitted = replace(matching[0], most_gain=1.25)
    fitted.save(tmp_path / "matching.npz")
    again = Matching.load(tmp_path / "matching.npz")
    buzz = voiced(110)
    assert np.array_equal(again.applied(buzz, RATE), fitted.applied(buzz, RATE))
    assert again.most_gain == 1.25


def test_a_matching_of_before_filters_as_it_did(
    matching: tuple[Matching, float, float], tmp_path: Path
) -> None:
    matching[0].save(tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz") as read:
        np.savez(tmp_path / "old.npz", **{name: read[name] for name in read if name != "most_gain"})
    assert Matching.load(tmp_path / "old.npz").most_gain == MAX_GAIN


def test_a_pitch_of_nothing_is_told(matching: tuple[Matching, float, float], tmp_path: Path) -> None:
    replace(matching[0], shift=Shift(0, 100)).save(tmp_path / "matching.npz")
    with pytest.raises(UtterError, match="Enrol the voice again"):
        Matching.load(tmp_path / "matching.npz")


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY nonsense", b"PK\x05\x06" + 18 * b"\0"])
def test_parameters_that_cannot_be_read_are_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "matching.npz").write_bytes(data)
    with pytest.raises(UtterError, match="Enrol the voice again"):
        Matching.load(tmp_path / "matching.npz")


def test_parameters_that_would_fill_the_memory_are_not_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "matching.npz", shift=np.zeros(4), matrix=np.zeros(10**6))
    with pytest.raises(UtterError, match="more numbers than there are"):
        Matching.load(tmp_path / "matching.npz")


def test_a_matched_voice_speaks_in_clean_pieces(
    piper: PiperSynthesiser, matching: tuple[Matching, float, float]
) -> None:
    voice = MatchedSynthesiser(piper, matching[0])
    pieces = list(voice.synthesise("All eight tests passed. Two files changed."))
    gap = int(0.1 * RATE)
    assert all(piece.dtype == np.float32 and np.abs(piece).max() < 1 for piece in pieces)
    assert sum(not piece[-gap:].any() for piece in pieces) == 2 and not pieces[-1][-gap:].any()
    assert pieces[0][0] == 0 and np.abs(np.concatenate(pieces)).max() > 0.1
    assert list(voice.synthesise("🙂")) == []


def test_two_people_are_told_apart(encoder: SpeakerEncoder, piper: PiperSynthesiser) -> None:
    import soundfile

    texts = (
        "I found three places where the file is read.",
        "All tests pass now, but for one, which is slow.",
    )
    one, again = (
        encoder.embed(np.concatenate(list(piper.synthesise(text))), piper.sample_rate) for text in texts
    )
    other, rate = soundfile.read(REQUESTS / "1-list-files.flac", dtype="float32")
    assert likeness(one, again) > 0.8 > 0.7 > likeness(one, encoder.embed(other, rate))


def test_several_recordings_at_once_are_judged_as_each_alone(
    encoder: SpeakerEncoder, piper: PiperSynthesiser
) -> None:
    long, short = (
        np.concatenate(list(piper.synthesise(text)))
        for text in ("All tests pass now, but for one, which is slow.", "Done.")
    )
    recordings = [long, np.zeros(16_000, np.float32), short]
    together = encoder.embed_all(recordings, piper.sample_rate)
    alone = [encoder.embed(one, piper.sample_rate) for one in recordings]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert likeness(*together[::2]) > 0.5 and not together[1].any()


def test_silence_is_like_nobody(encoder: SpeakerEncoder) -> None:
    assert not encoder.embed(np.zeros(16_000, np.float32), 16_000).any()


def test_a_damaged_encoder_is_an_error_for_the_user(store: ModelStore, tmp_path: Path) -> None:
    data = store.path("speaker-encoder").read_bytes()
    for size in (0, 10, 5_000, len(data) - 1_000):
        (tmp_path / "pretrained.pt").write_bytes(data[:size])
        with pytest.raises(UtterError, match="utter models"):
            SpeakerEncoder(tmp_path / "pretrained.pt")


class Recorded:
    """Says what was said before, in pieces of the lengths that it is given, again and again."""

    def __init__(self, samples: Samples, rate: int, lengths: tuple[int, ...]) -> None:
        self._samples, self.sample_rate, self._lengths = samples, rate, lengths
        self.given = 0

    def synthesise(self, clause: str) -> Iterator[Samples]:
        self.given = 0
        while self.given < len(self._samples):
            for length in self._lengths:
                start = self.given
                self.given = start + length
                if start < len(self._samples):
                    yield self._samples[start : self.given]


def test_a_voice_matched_as_it_comes_sounds_as_one_matched_whole(
    piper: PiperSynthesiser, matching: tuple[Matching, float, float]
) -> None:
    text = "Nobody has changed this branch since Thursday, so it should be safe to merge it today."
    plain, rate = np.concatenate(list(piper.synthesise(text))), piper.sample_rate
    base = Recorded(plain, rate, (int(0.4 * rate), int(0.7 * rate)))
    pieces = list(MatchedSynthesiser(base, matching[0]).synthesise(text))
    streamed, whole = np.concatenate(pieces), matching[0].applied(plain, rate)
    assert len(pieces) >= 3
    assert abs(len(streamed) - len(whole)) < 0.002 * RATE

    def power(samples: Samples) -> np.ndarray:
        frames = samples[: len(samples) // 1024 * 1024].reshape(-1, 1024) * np.hanning(1024)
        return (np.abs(np.fft.rfft(frames)) ** 2).mean(axis=0)[4:300].reshape(37, -1).sum(axis=1)

    assert np.abs(10 * np.log10(power(streamed) / power(whole))).max() < 2.0
    for seam in np.cumsum([len(piece) for piece in pieces])[:-1]:
        across, near = slice(seam, seam + RATE // 100), slice(seam - 300, seam + 300)
        assert np.abs(whole[across]).max() < 0.2 * np.abs(whole).max()  # there is little to hear
        assert np.abs(np.diff(streamed[near])).max() < 2 * np.abs(np.diff(whole[near])).max() + 0.002
        assert np.abs(streamed[near]).max() < 2 * np.abs(whole[near]).max() + 0.002


def test_a_matched_voice_begins_before_its_base_is_done(matched: MatchedSynthesiser) -> None:
    pause = np.full(int(0.05 * RATE), 1e-4, np.float32)
    plain = np.concatenate([voiced(110, 0.6), pause] * 5)
    base = Recorded(plain, RATE, (RATE // 10,))
    pieces = MatchedSynthesiser(base, matched._matching).synthesise("x")
    assert len(next(pieces)) and base.given < 0.4 * len(plain)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([0.0, 1e-4, 0.3]), st.floats(0.02, 0.6)), max_size=8))
def test_stretches_are_all_of_the_speech_in_order(parts: list[tuple[float, float]]) -> None:
    rng = np.random.default_rng(len(parts))
    rate = 8_000
    pieces = [(level * rng.uniform(-1, 1, int(rate * s))).astype(np.float32) for level, s in parts]
    own: list[Samples] = []
    for one in stretches(pieces, rate):
        own += [one.samples[one.before : len(one.samples) - one.after], np.zeros(one.gap, np.float32)]
        assert one.before in (0, int(CONTEXT_S * rate)) and one.after in (0, int(CONTEXT_S * rate))
        assert not (one.after and one.gap)
    whole = np.concatenate([np.zeros(0, np.float32), *pieces])
    assert np.array_equal(np.concatenate([np.zeros(0, np.float32), *own]), whole)
