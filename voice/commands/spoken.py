"""Holds a spoken session from recordings for `utter demo` and `utter run`: shown, written down, summed up."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import psutil

from voice.audio.files import read_frames
from voice.commands.context import Context
from voice.conversation.files import SessionFiles
from voice.conversation.turns import Ready, Stamped, TurnDone
from voice.display import Display
from voice.recorded import recorded_session


async def answered(
    made: Context,
    recordings: Sequence[Path],
    repository: Path,
    files: SessionFiles,
    display: Display,
    *,
    play: bool,
) -> AsyncGenerator[list[TurnDone]]:
    """The turns of each recording in turn, as soon as they are done."""

    def tell(stamped: Stamped) -> None:
        display.tell(stamped)
        files.tell(stamped)

    for recording in recordings:
        read_frames(recording)  # a file that cannot be heard is told before models are loaded
    async with recorded_session(made.settings, made.store, repository, files, tell, play=play) as session:
        tell(Stamped(0.0, Ready(time.time() - psutil.Process().create_time())))
        for recording in recordings:
            frames = read_frames(recording, lambda flaw: display.trouble(flaw.message))
            yield await session.listen(frames)
