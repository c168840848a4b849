"""The files that a session leaves behind, sound and text; the session outlives a full disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from agent.errors import UtterError
from voice.audio.frames import SAMPLE_RATE, Samples
from voice.audio.timeline import Timeline
from voice.conversation.record import SessionRecord
from voice.conversation.turns import Stamped


class SessionFiles:
    """`session.wav`, `transcript.md` and `transcript.jsonl` in one folder, each written as things happen.

    A file that fails while the session runs is given up, and `trouble` is told so once.
    """

    def __init__(self, folder: Path, trouble: Callable[[str], None]) -> None:
        """Raises `UtterError` when the folder cannot be written to."""
        self._record = SessionRecord(folder)
        self._sound_path = folder / "session.wav"
        self._sound: Timeline | None = None
        self._trouble = trouble

    def record_sound(self, sample_rate: int) -> None:
        """Begin `session.wav` at the rate of what Utter says, in Hz. Raises `UtterError`."""
        self._sound = Timeline(self._sound_path, sample_rate)

    def tell(self, stamped: Stamped) -> None:
        """Write one moment down."""
        try:
            self._record.tell(stamped)
        except UtterError as error:
            self._trouble(str(error))

    def user(self, samples: Samples, at_s: float) -> None:
        """What the user said, 16 kHz, and its session time."""
        if self._sound is not None:
            self._write(lambda sound: sound.user(round(at_s * SAMPLE_RATE), samples))

    def utter(self, samples: Samples, at_s: float) -> None:
        """What Utter said, at the rate of the recording, and its session time."""
        if self._sound is not None:
            self._write(lambda sound: sound.utter(round(at_s * sound.sample_rate), samples))

    def paths(self) -> tuple[Path, ...]:
        """The files."""
        return (self._sound_path, self._record.markdown_path, self._record.jsonl_path)

    def __enter__(self) -> SessionFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._record.__exit__(kind, error, trace)
        self._write(lambda sound: sound.close())

    def _write(self, write: Callable[[Timeline], None]) -> None:
        sound = self._sound
        if sound is None:
            return
        try:
            write(sound)
        except OSError as error:
            self._sound = None
            self._trouble(
                f"The recording {self._sound_path} stops here: {error.strerror}. "
                "The session goes on without it."
            )
