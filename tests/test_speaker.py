"""Speaking a reply on session time: where each clause sounds, when the first one does, and falling silent."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from voice.audio.frames import Samples
from voice.conversation.clock import AudioClock
from voice.conversation.speaker import ClockedSink, Speaker

RATE = 1000


class Tone:
    """Speaks a clause of n letters as two pieces of n / 2 samples."""

    sample_rate = RATE

    def synthesise(self, clause: str) -> Iterator[Samples]:
        for _ in range(2):
            yield np.full(len(clause) // 2, 0.5, np.float32)


def speak(
    clauses: list[str], at_s: float = 0.0, break_off: bool = False
) -> tuple[Speaker, list[tuple[float, int]], AudioClock]:
    clock = AudioClock()
    heard: list[tuple[float, int]] = []

    async def session(worker: ThreadPoolExecutor) -> Speaker:
        speaker = Speaker(
            Tone(),
            lambda rate, on_heard: ClockedSink(rate, clock, on_heard),
            worker,
            clock,
            lambda samples, at_s: heard.append((at_s, len(samples))),
        )
        await clock.reach(at_s)
        async with speaker.reply() as say:
            for clause in clauses:
                say(clause)
            if break_off:
                raise KeyError
        await speaker.silence()
        return speaker

    with ThreadPoolExecutor(1) as worker:
        speaker = asyncio.run(session(worker))
    return speaker, heard, clock


def test_clauses_follow_each_other_without_a_gap_and_in_session_time() -> None:
    speaker, heard, clock = speak(["x" * 1000, "y" * 500], at_s=3.0)
    assert [round(at_s, 3) for at_s, _ in heard] == [3.0, 3.5, 4.0, 4.25]
    assert sum(n for _, n in heard) == 1500
    assert speaker.first_heard_s == 3.0
    assert clock.now() == pytest.approx(4.5)


def test_saying_nothing_takes_no_time() -> None:
    speaker, heard, clock = speak([], at_s=1.0)
    assert (speaker.first_heard_s, heard, clock.now()) == (None, [], 1.0)


def test_a_reply_that_is_broken_off_falls_silent() -> None:
    with pytest.raises(KeyError):
        speak(["x" * 1000], break_off=True)


def test_work_takes_real_time_and_audio_its_own_length() -> None:
    async def session() -> tuple[float, float]:
        clock = AudioClock()
        await clock.reach(5.0)
        await clock.reach(2.0)
        heard_s = clock.now()
        with clock.working():
            await asyncio.sleep(0.01)
        return heard_s, clock.now()

    heard_s, worked_s = asyncio.run(session())
    assert heard_s == 5.0
    assert worked_s >= 5.01
