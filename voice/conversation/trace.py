"""When things happened in each turn, measured from the true end of the speech; one JSON line a turn."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.errors import UtterError
from voice.conversation.agent_turns import TurnTrace
from voice.conversation.turn_events import Transcribe

FILE = "trace.jsonl"
_PAUSE_S = 0.1  # of silence, before it is noticed


@dataclass(frozen=True)
class TraceRow:
    """One turn. Times in seconds after the end of the request's speech; None for what did not happen.

    `at_s` is that end in session time. `endpoint_s` is when the turn was taken as over, `prepared_s` when the
    words were known and the model began to read them.
    """

    number: int
    text: str
    at_s: float
    transcription_s: float
    prepared_s: float | None
    endpoint_s: float
    first_token_s: float | None
    first_clause_s: float | None
    first_audio_s: float | None
    over_s: float | None
    cached_tokens: int
    new_tokens: int


class Tracer:
    """Collects the moments of the turn at work."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._speech_end_s: float | None = None
        self._begun_s = self._end_s = 0.0
        self._turn = 0  # the turn at work, not yet told
        self._first_audio_s: float | None = None
        self._of_turn: dict[int, int] = {}  # items that are about to sound

    def pauses(self, asked: Transcribe, at_s: float) -> None:
        """The user has fallen silent, perhaps for good."""
        self._speech_end_s = at_s - _PAUSE_S

    def begins(self, turn: int) -> None:
        """The request is whole."""
        self._turn, self._begun_s, self._first_audio_s = turn, self._now(), None
        self._end_s = self._begun_s if self._speech_end_s is None else self._speech_end_s
        self._speech_end_s = None

    def says(self, item: int, turn: int) -> None:
        """`item`, of that turn, goes to the speaker."""
        self._of_turn[item] = turn

    def sounds(self, item: int) -> None:
        """`item` is heard from now on."""
        if self._of_turn.pop(item, 0) == self._turn and self._first_audio_s is None:
            self._first_audio_s = self._now()

    def row(self, trace: TurnTrace, transcription_s: float, *, is_ended: bool) -> TraceRow | None:
        """The turn's row, once: when it is over and has sounded, or `is_ended` by the user."""
        is_done = trace.over_s is not None and (
            self._first_audio_s is not None or trace.first_clause_s is None
        )
        if trace.number != self._turn or not (is_done or is_ended):
            return None
        self._turn = 0
        self._of_turn.clear()
        end_s, usage = self._end_s, trace.usage

        def after(at_s: float | None) -> float | None:
            return None if at_s is None else round(at_s - end_s, 3)

        return TraceRow(
            number=trace.number,
            text=trace.text,
            at_s=round(end_s, 3),
            transcription_s=round(transcription_s, 3),
            prepared_s=after(trace.prepared_s),
            endpoint_s=round(self._begun_s - end_s, 3),
            first_token_s=after(trace.first_token_s),
            first_clause_s=after(trace.first_clause_s),
            first_audio_s=after(self._first_audio_s),
            over_s=after(trace.over_s),
            cached_tokens=usage.cache_read_input_tokens,
            new_tokens=usage.cache_creation_input_tokens + usage.input_tokens,
        )


def append(path: Path, row: TraceRow) -> None:
    """Write one turn down. Raises `OSError`."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")


def read(path: Path) -> tuple[TraceRow, ...]:
    """The turns of a session. Raises `UtterError` when the file is no trace."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return tuple(TraceRow(**json.loads(line)) for line in lines)
    except (OSError, ValueError, TypeError) as error:
        raise UtterError(f"The trace {path} cannot be read: {error}.") from error
