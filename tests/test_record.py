"""The session's record: every moment is on disk at once, and a full disk is told once."""

import json
from pathlib import Path

import pytest

from agent.errors import UtterError
from agent.events import TextDelta, ToolCallReady, ToolResult
from agent.facts import TestsRun
from voice.conversation.record import SessionRecord, clock
from voice.conversation.turns import AgentEvent, Saying, Stamped, UtteranceHeard, Wrote
from voice.hearing.transcribe import Heard

HEARD = Heard(
    text="Run the tests.",
    words=(),
    avg_logprob=-0.2,
    no_speech_prob=0.01,
    compression_ratio=1.0,
    rejected=None,
    audio_s=1.2,
    transcription_s=0.3,
)
CALL = ToolCallReady("1", "run_tests", {"note": "näh"})
RESULT = ToolResult("1", True, "1 passed", (TestsRun("unittest", 1, 0),))


def rows(record: SessionRecord) -> list[dict[str, object]]:
    return [json.loads(line) for line in record.jsonl_path.read_text(encoding="utf-8").splitlines()]


def test_each_moment_is_on_disk_before_the_next(tmp_path: Path) -> None:
    record = SessionRecord(tmp_path / "new" / "folder")
    record.tell(Stamped(1.0, UtteranceHeard(HEARD, 1.2)))
    assert [row["type"] for row in rows(record)] == ["UtteranceHeard"]
    record.tell(Stamped(2.0, AgentEvent(CALL)))
    record.tell(Stamped(2.5, AgentEvent(RESULT)))
    assert record.jsonl_path.parent.stat().st_mode & 0o077 == 0  # nobody else reads it
    assert rows(record)[1]["arguments"] == {"note": "näh"}
    assert rows(record)[2]["summary_facts"][0]["passed"] == 1  # type: ignore[index]
    assert "You: Run the tests." in record.markdown_path.read_text(encoding="utf-8")


def test_text_deltas_are_left_to_what_is_said(tmp_path: Path) -> None:
    with SessionRecord(tmp_path) as record:
        record.tell(Stamped(1.0, AgentEvent(TextDelta("One"))))
        record.tell(Stamped(1.1, Saying("One passed.")))
    assert [row["type"] for row in rows(record)] == ["Saying"]
    assert "Utter: One passed." in record.markdown_path.read_text(encoding="utf-8")


def test_what_was_typed_is_in_the_transcript_as_what_was_said_is(tmp_path: Path) -> None:
    with SessionRecord(tmp_path) as record:
        record.tell(Stamped(3.0, Wrote("run the tests")))
    assert rows(record) == [{"at_s": 3.0, "type": "Wrote", "text": "run the tests"}]
    assert "## 0:03.0 You, typed: run the tests" in record.markdown_path.read_text(encoding="utf-8")


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs /dev/full")
def test_a_full_disk_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "transcript.jsonl").symlink_to("/dev/full")
    record = SessionRecord(tmp_path)
    with pytest.raises(UtterError, match="No space left"):
        record.tell(Stamped(1.0, Saying("Hello.")))
    record.tell(Stamped(2.0, Saying("Still here.")))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UtterError, match="transcript cannot be written"):
        SessionRecord(tmp_path / "file" / "below")


def test_times_read_as_minutes_and_seconds() -> None:
    assert [clock(0), clock(67.25), clock(3600)] == ["0:00.0", "1:07.2", "60:00.0"]
