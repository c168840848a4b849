"""Endpointing on scripted speech decisions: one character a frame of 20 ms, `#` speech and `.` silence."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.audio.frames import FRAME_SAMPLES
from voice.hearing.endpoint import Decision, Endpointer, EndpointSettings, Span
from voice.hearing.segment import Utterance, UtteranceSegmenter

SETTINGS = EndpointSettings()


def run(script: str, settings: EndpointSettings = SETTINGS) -> list[tuple[int, Decision]]:
    """The decisions that are not NONE, with the number of the frame after which each was made."""
    endpointer = Endpointer(settings)
    decisions = [(number, endpointer.process(mark == "#")) for number, mark in enumerate(script, 1)]
    decisions.append((len(script), endpointer.finish()))
    return [(number, decision) for number, decision in decisions if decision is not Decision.NONE]


def spans(script: str, settings: EndpointSettings = SETTINGS) -> list[Span]:
    endpointer = Endpointer(settings)
    found: list[Span] = []
    steps = [lambda mark=mark: endpointer.process(mark == "#") for mark in script]
    for step in [*steps, endpointer.finish]:
        if step() in (Decision.SPEECH_ENDED, Decision.SPEECH_SPLIT):
            assert endpointer.span is not None
            found.append(endpointer.span)
    return found


class Scripted:
    """Speech where the frame is not zero."""

    def is_speech(self, frame: np.ndarray) -> bool:
        return bool(frame.any())


def segment(script: str, settings: EndpointSettings = SETTINGS) -> list[Utterance]:
    """Utterances of a stream whose frame i holds the value i + 1 where there is speech."""
    frames = [np.full(FRAME_SAMPLES, (i + 1) * (mark == "#"), np.float32) for i, mark in enumerate(script)]
    return list(UtteranceSegmenter(Scripted(), settings).run(frames))  # type: ignore[arg-type]


def test_an_utterance_starts_after_160_ms_of_speech_pauses_after_200_ms_and_ends_after_600_ms():
    assert run("." * 50 + "#" * 40 + "." * 60) == [
        (58, Decision.SPEECH_STARTED),
        (100, Decision.SPEECH_PAUSED),
        (120, Decision.SPEECH_ENDED),
    ]


def test_a_pause_shorter_than_the_end_silence_is_told_and_taken_back():
    assert run("#" * 20 + "." * 15 + "#" * 20 + "." * 40) == [
        (8, Decision.SPEECH_STARTED),
        (30, Decision.SPEECH_PAUSED),
        (36, Decision.SPEECH_RESUMED),
        (65, Decision.SPEECH_PAUSED),
        (85, Decision.SPEECH_ENDED),
    ]


def test_a_click_of_50_ms_is_discarded_and_starts_nothing():
    assert run("." * 30 + "###" + "." * 60) == [(63, Decision.DISCARDED)]


def test_speech_that_barely_starts_is_discarded_at_its_end():
    assert run("#" * 8 + "." * 60)[-1] == (38, Decision.DISCARDED)


def test_broken_speech_starts_when_enough_of_it_falls_into_the_window():
    assert run("##..##..##..##" + "#" * 10 + "." * 40)[0] == (14, Decision.SPEECH_STARTED)


def test_an_utterance_reaches_back_over_a_broken_first_word():
    assert spans("." * 30 + "###" + "." * 14 + "#" * 20 + "." * 40)[0].speech_start == 30


def test_the_pre_roll_reaches_300_ms_before_the_first_speech():
    assert spans("." * 50 + "#" * 20 + "." * 40) == [Span(35, 50, 70, 100)]


def test_the_pre_roll_never_reaches_into_the_utterance_before():
    first, second = spans("#" * 20 + "." * 30 + "." * 5 + "#" * 20 + "." * 40)
    assert first.end == 50
    assert second.start == 50
    assert second.speech_start == 55


@pytest.mark.parametrize("silence", [0, 1, 29])
def test_an_utterance_that_the_stream_cuts_off_is_not_lost(silence: int):
    assert spans("." * 20 + "#" * 20 + "." * silence) == [Span(5, 20, 40, 40 + silence)]


def test_speech_without_a_pause_is_split_at_the_longest_utterance_and_goes_on():
    script = "#" * 3000 + "." * 40
    found = spans(script)
    assert [span.end - span.start for span in found] == [1400, 1400, 230]
    assert [span.start for span in found[1:]] == [span.end for span in found[:-1]]


def test_the_last_word_after_a_split_is_kept_however_short():
    assert spans("#" * 1402 + "." * 40)[-1] == Span(1400, 1400, 1402, 1432)


def test_after_twenty_seconds_a_short_pause_is_enough():
    assert spans("#" * 1010 + "." * 10 + "#" * 50 + "." * 40)[0].end == 1020


def test_the_segmenter_hands_over_the_frames_of_the_span():
    (utterance,) = segment("." * 50 + "#" * 20 + "." * 40)
    assert len(utterance.samples) == (100 - 35) * FRAME_SAMPLES
    assert utterance.samples[15 * FRAME_SAMPLES] == 51
    assert (utterance.speech_start, utterance.speech_end, utterance.endpoint) == (16000, 22400, 32000)


def test_the_segmenter_keeps_no_more_than_the_present_utterance():
    segmenter = UtteranceSegmenter(Scripted())  # type: ignore[arg-type]
    silence, speech = np.zeros(FRAME_SAMPLES, np.float32), np.ones(FRAME_SAMPLES, np.float32)
    kept = 0
    for number in range(20_000):
        segmenter.process(speech if number % 500 < 100 else silence)
        kept = max(kept, len(segmenter._kept))
    assert kept <= 15 + 100 + 30 + 30


@given(st.text(alphabet="#.", max_size=400), st.integers(2, 60))
def test_utterances_never_overlap_and_no_long_speech_is_lost(script: str, longest: int):
    settings = EndpointSettings(max_utterance_s=longest * 0.02, patience_s=longest * 0.01)
    found = spans(script, settings)
    for before, after in pairwise(found):
        assert before.end <= after.start
    for span in found:
        assert span.start <= span.speech_start < span.speech_end <= span.end <= len(script)
    for run_start in (i for i in range(len(script)) if script[i : i + 12] == "#" * 12):
        assert any(span.start <= run_start + 6 < span.end for span in found)
