"""What a dialogue leaves for the next process: its transcript, what was done, where it stood. Pure values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from agent.transcript import Kind, Transcript


@dataclass(frozen=True)
class SessionRecord:
    """A conversation at the end of a turn. `memory` and `untold` are lines about what was done.

    `brief` is the project's brief that the model was last told.
    """

    transcript: Transcript
    is_reply_open: bool
    memory: tuple[str, ...]
    untold: tuple[str, ...]
    brief: str

    @property
    def opening(self) -> str:
        """The first text of the conversation."""
        return self.transcript.entries[0].text if self.transcript.entries else ""

    @property
    def opening_tokens(self) -> int:
        """How many tokens the whole opening has."""
        ends = [entry.token_end for entry in self.transcript.entries if entry.kind is Kind.OPENING]
        return ends[-1] if ends else 0

    def to_json(self) -> str:
        row = {
            "transcript": list(self.transcript.json_lines()),
            "is_reply_open": self.is_reply_open,
            "memory": self.memory,
            "untold": self.untold,
            "brief": self.brief,
        }
        return json.dumps(row)

    @staticmethod
    def from_json(text: str) -> SessionRecord:
        """The reverse of `to_json`. Raises `ValueError` for anything else."""
        try:
            row: dict[str, Any] = json.loads(text)
            return SessionRecord(
                Transcript.from_json_lines(row["transcript"]),
                row["is_reply_open"],
                tuple(row["memory"]),
                tuple(row["untold"]),
                row["brief"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the record of a session: {error}") from error
