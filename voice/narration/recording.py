"""A narration as sound: chapter by chapter, and when each sentence sounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from agent.errors import UtterError
from voice.audio.files import write_sound
from voice.audio.frames import Samples
from voice.audio.watermark import Watermark
from voice.narration.captions import Cue, webvtt
from voice.narration.telling import Chapter
from voice.speaking.synthesis import Synthesiser


class Recording:
    """Speaks chapters, and remembers what sounded when. Time is counted in samples."""

    def __init__(self, voice: Synthesiser, chapters: Iterable[Chapter], tell: Callable[[str], None]) -> None:
        """`tell` gets each sentence before it is spoken."""
        self._voice = voice
        self._chapters = chapters
        self._tell = tell
        self._samples = 0
        self.sample_rate = voice.sample_rate
        self.captions: list[Cue] = []
        self.titles: list[Cue] = []

    def pieces(self) -> Iterator[Samples]:
        """The sound, as it is made."""
        for chapter in self._chapters:
            began_s = self._now_s()
            for clause in chapter.clauses:
                self._tell(clause)
                start_s = self._now_s()
                for piece in self._voice.synthesise(clause):
                    self._samples += len(piece)
                    yield piece
                self.captions.append(Cue(start_s, self._now_s(), clause))
            self.titles.append(Cue(began_s, self._now_s(), chapter.title))

    def _now_s(self) -> float:
        return self._samples / self.sample_rate


def write_recording(
    path: Path, recording: Recording, voice: str, mark: Watermark | None = None
) -> tuple[Path, Path]:
    """Write the sound, marked as synthetic, and beside it captions and chapters; gives their paths.

    Raises `AudioFileError`, or `UtterError` when the texts cannot be written.
    """
    write_sound(path, recording.pieces(), recording.sample_rate, synthetic=voice, mark=mark)
    captions, titles = path.with_suffix(".vtt"), path.with_suffix(".chapters.vtt")
    try:
        captions.write_text(webvtt(recording.captions), encoding="utf-8")
        titles.write_text(webvtt(recording.titles), encoding="utf-8")
    except OSError as error:
        raise UtterError(f"The captions cannot be written beside {path}: {error.strerror}.") from error
    return captions, titles
