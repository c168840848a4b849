"""A style is searched for among shares of Kokoro's voices, and kept only if it is better in each respect."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from filelock import FileLock

from agent.errors import UtterError
from agent.models.store import ModelStore
from voice import fitting
from voice.cli import prepare
from voice.profiles.consent import standing_sentence
from voice.profiles.library import Library
from voice.profiles.profile import Consent, Kept, Voice, VoiceProfile, write_profile
from voice.speaking.matching.colour import N_MOVED, Colour, transport
from voice.speaking.matching.fit import Fitted
from voice.speaking.matching.likeness import SpeakerEncoder
from voice.speaking.matching.matched import Matching
from voice.speaking.matching.shift import Shift
from voice.speaking.matching.style import Judged, Shares, is_worth, search

NAMES = ("a", "b", "c", "d", "e")


def test_the_search_comes_near_a_mixture_that_scores_best_and_never_gets_worse() -> None:
    wanted: Shares = {"a": 0.1, "b": 0.6, "c": 0.3}

    def score(shares: Shares) -> float:
        assert math.isclose(sum(shares.values()), 1, abs_tol=0.01) and min(shares.values()) > 0
        return -sum((shares.get(name, 0) - wanted.get(name, 0)) ** 2 for name in NAMES)

    scores = [found for _, found in search(NAMES, {"a": 1.0}, score)]
    assert scores == sorted(scores)
    assert 40 <= len(scores) <= 65
    assert scores[-1] > -0.1 > scores[0]


def test_the_search_is_the_same_each_time_and_stops_when_it_is_left() -> None:
    asked: list[Shares] = []

    def score(shares: Shares) -> float:
        asked.append(shares)
        return shares.get("c", 0.0)

    first = search(NAMES, {"b": 1.0}, score)
    some = [next(first) for _ in range(5)]
    assert len(asked) == 5
    again = search(NAMES, {"b": 1.0}, score)
    assert [next(again) for _ in range(5)] == some


@pytest.mark.parametrize(
    ("new", "is_kept"),
    [
        (Judged(0.75, 0, 3.0), True),
        (Judged(0.72, 0, 3.0), False),
        (Judged(0.80, 1, 3.0), False),
        (Judged(0.80, 0, 2.8), False),
    ],
)
def test_a_style_is_kept_only_if_liker_and_as_clear_and_as_clean(new: Judged, is_kept: bool) -> None:
    assert is_worth(new, Judged(0.70, 0, 3.0)) is is_kept


REQUESTS = Path(__file__).resolve().parents[1] / "demo" / "requests"
STYLE: Shares = {"jf_alpha": 0.25, "jm_kumo": 0.75}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "own")


def matching(to_hz: float) -> Matching:
    colour = Colour(np.zeros(N_MOVED), np.eye(N_MOVED))
    return Matching(Shift(91, to_hz), transport(colour, colour))


def add(library: Library, engine: str = "kokoro", to_hz: float = 120) -> Voice:
    """The user of the demo, matched on one of Kokoro's voices."""
    with library.adding("anna") as folder:
        (folder / "consent.txt").write_text(standing_sentence("Anna"))
        clips = [sf.read(file, dtype="float32")[0] for file in sorted(REQUESTS.glob("*.flac"))[:3]]
        sf.write(folder / "reference.flac", np.concatenate(clips), 16_000)
        matching(to_hz).save(folder / "matching.npz")
        text = Kept.of(folder / "consent.txt")
        profile = VoiceProfile(
            engine=engine,  # pyright: ignore[reportArgumentType]
            model="kokoro",
            voice="jm_kumo",
            language="en",
            consent=Consent(name="Anna", date=datetime.date(2026, 11, 22), text=text),
            reference=Kept.of(folder / "reference.flac"),
            matching=Kept.of(folder / "matching.npz"),
        )
        write_profile(profile, folder)
    return library.load("anna")


@pytest.mark.parametrize("is_better", [True, False])
def test_a_voice_gets_its_style_whole_or_stays_as_it_was(
    library: Library,
    store: ModelStore,
    encoder: SpeakerEncoder,
    monkeypatch: pytest.MonkeyPatch,
    is_better: bool,
) -> None:
    """What the search finds and how both sound is given here."""
    voice = add(library)
    told: list[str] = []
    monkeypatch.setattr(fitting, "search", lambda *_: iter([(STYLE, 0.5)]))
    monkeypatch.setattr(fitting, "matched_on", lambda *_: Fitted("", matching(130), 0.81))
    heard = iter([Judged(0.7, 0, 3.0), Judged(0.8 if is_better else 0.71, 0, 3.0)])
    monkeypatch.setattr(fitting, "_judged", lambda *_: next(heard))
    kept = fitting.fit_style(voice, library, store, encoder, lambda _: "", told.append)
    assert kept is is_better and "word errors 0 to 0" in told[-1]
    after = library.load("anna")
    files = {"consent.txt", "reference.flac", "voice.yaml", "style.npz" if is_better else "matching.npz"}
    assert {file.name for file in after.folder.iterdir()} == files
    if is_better:
        assert after.profile.voice == STYLE and after.profile.likeness == 0.81
    else:
        assert after.profile == voice.profile


def test_a_voice_that_is_removed_meanwhile_stops_the_search(
    library: Library, store: ModelStore, encoder: SpeakerEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = add(library)

    def search(*_: object):
        library.remove("anna")
        yield STYLE, 0.5
        raise AssertionError("it went on")

    monkeypatch.setattr(fitting, "search", search)
    assert not fitting.fit_style(voice, library, store, encoder, lambda _: "", lambda _: None)
    assert "anna" not in library.names()


def test_a_voice_that_is_removed_and_enrolled_again_meanwhile_is_left_alone(
    library: Library, store: ModelStore, encoder: SpeakerEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = add(library)

    def again() -> None:
        library.remove("anna")
        add(library, to_hz=140)

    def search(*_: object):
        again()
        yield STYLE, 0.5
        raise AssertionError("it went on")

    monkeypatch.setattr(fitting, "search", search)
    assert not fitting.fit_style(voice, library, store, encoder, lambda _: "", lambda _: None)
    with pytest.raises(UtterError, match="changed or removed"):
        library.change(voice, voice.profile)
    after = library.load("anna")  # whole
    assert after.profile.matching != voice.profile.matching and after.profile.voice == "jm_kumo"


def test_while_another_voice_is_fitted_this_one_waits(
    library: Library, store: ModelStore, encoder: SpeakerEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = add(library)
    other = FileLock(library.own / ".fitting.lock")
    other.acquire()
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        other.release()

    monkeypatch.setattr(fitting, "search", lambda *_: iter(()))
    monkeypatch.setattr(fitting, "matched_on", lambda *_: None)
    assert not fitting.fit_style(voice, library, store, encoder, lambda _: "", tell)
    assert told == ["Another voice is being fitted; this one is next."]


def test_a_fit_for_later_is_begun_with_the_same_settings_and_a_full_disk_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[list[str]] = []
    monkeypatch.setattr(fitting.subprocess, "Popen", lambda words, **_: begun.append(words))
    log = tmp_path / "fitting.log"
    log.write_text("before\n")
    assert fitting.fit_later("anna", ("--config=mine.yaml", "--set=speaking.speed=1.5"), log)
    assert begun[0][-5:] == ["--config=mine.yaml", "--set=speaking.speed=1.5", "voices", "fit", "anna"]
    assert log.read_text() == "before\n"
    assert not fitting.fit_later("anna", (), tmp_path / "missing" / "fitting.log")


def test_a_voice_that_is_not_kokoros_has_no_style(
    library: Library, store: ModelStore, encoder: SpeakerEncoder
) -> None:
    with pytest.raises(UtterError, match="not matched on Kokoro"):
        fitting.fit_style(add(library, "piper"), library, store, encoder, lambda _: "", lambda _: None)


def test_the_options_of_the_command_line_are_there_to_hand_on(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("speaking:\n  speed: 1.2\n")
    context: Any = SimpleNamespace(obj=None, invoked_subcommand="voices")
    prepare(context, ["speaking.voice=anna"], [mine])
    assert context.obj.settings.speaking.speed == 1.2
    assert context.obj.options == (f"--config={mine}", "--set=speaking.voice=anna")
