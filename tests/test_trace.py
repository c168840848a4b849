"""The times of the turns are kept, shown in lines and drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import UtterError
from agent.events import Usage
from voice.commands.trace import line
from voice.conversation.agent_turns import TurnTrace
from voice.conversation.trace import Tracer, TraceRow, append, read
from voice.conversation.turn_events import Transcribe
from voice.waterfall import as_html, stages

ROW = TraceRow(2, "what does <b> do?", 5.0, 0.4, 0.5, 0.6, 1.0, 1.5, None, 2.0, 800, 12)


def test_a_turn_is_measured_from_the_end_of_its_speech_once() -> None:
    now_s = 10.0
    tracer = Tracer(lambda: now_s)
    tracer.pauses(Transcribe(1, 1, 0, 10), 10.0)
    now_s = 10.5
    tracer.begins(1)
    tracer.says(7, 1)
    trace = TurnTrace(1, "run the tests", begun_s=10.5, first_token_s=11.0, first_clause_s=11.2)
    assert tracer.row(trace, 0.3, is_ended=False) is None
    now_s = 11.4
    tracer.sounds(7)
    trace.over_s, trace.usage = 11.5, Usage(0, 20, 700, 9)
    row = tracer.row(trace, 0.3, is_ended=False)
    assert row is not None
    assert (row.at_s, row.endpoint_s, row.first_audio_s) == pytest.approx((9.9, 0.6, 1.5))
    assert (row.cached_tokens, row.new_tokens) == (700, 20)
    assert tracer.row(trace, 0.3, is_ended=True) is None


def test_a_trace_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    append(path, ROW)
    append(path, ROW)
    assert read(path) == (ROW, ROW)
    path.write_text("no trace\n")
    with pytest.raises(UtterError, match=r"trace\.jsonl cannot be read"):
        read(path)


def test_a_turn_without_a_sound_has_no_bar_for_it() -> None:
    assert stages(ROW) == ((0.0, 0.5), (0.5, 0.6), (0.6, 1.0), (1.0, 1.5), (1.5, 1.5))
    assert "first audio" not in line(ROW) and "first clause 1.50 s" in line(ROW)
    assert "transcription 0.40 s, words 0.50 s, turn over 0.60 s" in line(ROW)


def test_the_chart_is_a_table_too_and_words_are_no_markup() -> None:
    page = as_html([ROW])
    assert "&lt;b&gt;" in page and "<b>" not in page
    assert page.count("<rect") == 5 and "<td>1.50</td>" in page
