"""Writes a session down as it happens: `transcript.jsonl` for programs, `transcript.md` for people."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import TracebackType
from typing import Any

from agent.errors import UtterError
from agent.events import ToolCallReady, ToolResult, TurnEnded, Usage
from voice.conversation.turns import (
    AgentEvent,
    Answered,
    CommandDone,
    Interrupted,
    Moment,
    NotTaken,
    Replied,
    Saying,
    Stamped,
    Timings,
    Told,
    TurnDone,
    Understood,
    UtteranceHeard,
    Wrote,
)

_LOGGED_EVENTS = (
    ToolCallReady,
    ToolResult,
    Usage,
    TurnEnded,
)  # the deltas are in the calls and in what is said


class SessionRecord:
    """Appends each moment to both files and flushes at once, so that a crash loses nothing.

    A full disk is told once, through the exception of the first failing write; later moments are dropped.
    """

    def __init__(self, folder: Path) -> None:
        """Raises `UtterError` when the folder cannot be written to."""
        self.markdown_path = folder / "transcript.md"
        self.jsonl_path = folder / "transcript.jsonl"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # what was said is for its owner alone
            self._markdown = self.markdown_path.open("w", encoding="utf-8", errors="backslashreplace")
            self._jsonl = self.jsonl_path.open("w", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise UtterError(f"The transcript cannot be written to {folder}: {error.strerror}.") from error
        self._broken = False

    def __enter__(self) -> SessionRecord:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in (self._markdown, self._jsonl):
            try:
                file.close()
            except OSError:  # already told by `tell`
                self._broken = True

    def tell(self, stamped: Stamped) -> None:
        """Write one moment. Raises `UtterError` the first time that the disk refuses."""
        if self._broken:
            return
        row = as_row(stamped)
        try:
            if row is not None:
                self._jsonl.write(json.dumps(row, ensure_ascii=False) + "\n")
                self._jsonl.flush()
            lines = as_markdown(stamped)
            if lines:
                self._markdown.write(lines + "\n")
                self._markdown.flush()
        except OSError as error:
            self._broken = True
            where = self.jsonl_path.parent
            raise UtterError(
                f"The transcript in {where} stops here: {error.strerror}. The session goes on without it."
            ) from error


def as_row(stamped: Stamped) -> dict[str, Any] | None:
    """The moment as a JSON object, or None for one that is told by others."""
    moment = stamped.moment
    row: dict[str, Any] = {"at_s": round(stamped.at_s, 3)}
    if isinstance(moment, AgentEvent):
        if not isinstance(moment.event, _LOGGED_EVENTS):
            return None
        return {**row, "type": type(moment.event).__name__, **_plain(moment.event)}
    if isinstance(moment, TurnDone):
        timings = _plain(moment.timings)
        return {**row, "type": "TurnDone", "number": moment.number, "said": moment.said, "timings": timings}
    return {**row, "type": type(moment).__name__, **_plain(moment)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: _plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, float):
        return round(value, 4)
    return value


def as_markdown(stamped: Stamped) -> str:
    """The moment as lines of Markdown, or an empty string for one that people need not read."""
    moment = stamped.moment
    if isinstance(moment, UtteranceHeard):
        heard = moment.heard
        if heard.rejected is not None:
            return f"\n*{clock(stamped.at_s)} not taken as speech: {heard.rejected}*"
        return f"\n## {clock(stamped.at_s)} You: {heard.text}"
    if isinstance(moment, Wrote):
        return f"\n## {clock(stamped.at_s)} You, typed: {moment.text}"
    if isinstance(moment, Understood):
        written = moment.written
        return f"\nUnderstood: {written.text}" if written.text != written.raw else ""
    if isinstance(moment, AgentEvent) and isinstance(moment.event, ToolCallReady):
        return f"\nTool: `{moment.event.name} {json.dumps(dict(moment.event.arguments), ensure_ascii=False)}`"
    if isinstance(moment, AgentEvent) and isinstance(moment.event, ToolResult):
        return "\n" + "\n".join(f"    {line}" for line in moment.event.content.splitlines())
    if isinstance(moment, Saying):
        return f"\nUtter: {moment.clause}"
    if isinstance(moment, Replied) and "`" in moment.text:
        return f"\nReply as written:\n\n{moment.text}"
    if isinstance(moment, TurnDone):
        return f"\nTimings: {timing_line(moment.timings)}"
    return aside(moment)


def aside(moment: Moment) -> str:
    """What a live session tells beside the talk, as a line; empty for all else."""
    if isinstance(moment, NotTaken):
        return f"\nNot taken: {moment.why}{f', {moment.text!r}' if moment.text else ''}"
    if isinstance(moment, CommandDone):
        return f"\nCommand: {moment.name.replace('_', ' ')}"
    if isinstance(moment, Answered):
        answer = "allowed" if moment.is_allowed else f"not allowed, {moment.why.replace('_', ' ')}"
        return f"\nAction: `{moment.action}`: {answer}; heard: {moment.words or 'nothing'}"
    if isinstance(moment, Interrupted):
        return f"\nInterrupted; heard until then: {moment.heard or 'nothing'}"
    return f"\nNote: {moment.text}" if isinstance(moment, Told) else ""


def clock(at_s: float) -> str:
    """Session time as minutes and seconds, such as 1:07.3."""
    minutes, seconds = divmod(max(0.0, at_s), 60)
    return f"{int(minutes)}:{seconds:04.1f}"


def timing_line(timings: Timings) -> str:
    """The one line of a turn's timings."""
    parts = [
        f"speech {timings.speech_s:.1f} s",
        f"endpoint {timings.endpoint_s:.2f} s",
        f"transcription {timings.transcription_s:.2f} s",
        f"prompt tokens {timings.cached_tokens} cached / {timings.new_tokens} new",
        f"first token {_seconds(timings.first_token_s)}",
        f"first audio {_seconds(timings.first_audio_s)}",
        f"end of speech to first audio {_seconds(timings.response_s)}",
    ]
    return ", ".join(parts)


def _seconds(value_s: float | None) -> str:
    return "none" if value_s is None else f"{value_s:.2f} s"
