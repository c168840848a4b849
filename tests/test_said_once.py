"""Nobody must say it twice: what was not understood stays in memory, and on a disk only when asked."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import soundfile

from agent.errors import UtterError
from voice.audio.echo import Cleaned
from voice.audio.frames import FRAME_SAMPLES, Samples
from voice.conversation.listening import Listening, Models
from voice.conversation.signals import Transcribed
from voice.conversation.turn_events import Transcribe
from voice.hearing.guards import IT_WAS_SPEECH, Evidence, Limits, rejection
from voice.hearing.transcribe import Heard
from voice.hearing.vad import VoiceDetector
from voice.talking import audio_keeper

HEARD = Heard("Run the tests.", (), -0.2, 0.01, 1.0, None, 1.0, 0.1)
UNSURE = replace(HEARD, text="", avg_logprob=-1.4, rejected="too unsure")
NOISE = replace(UNSURE, no_speech_prob=0.9)


class Whisper:
    """Stands for the model where it fails or is unsure: gives or raises what it is told, in turn."""

    max_audio_s = 29.0

    def __init__(self, *outcomes: Heard | Exception) -> None:
        self._outcomes = list(outcomes)
        self.given: list[tuple[int, Limits | None]] = []

    def transcribe(
        self,
        samples: Samples,
        speech_s: float,
        words: tuple[str, ...] = (),
        limits: Limits | None = None,
        **_looks: Any,
    ) -> Heard:
        self.given.append((len(samples) // FRAME_SAMPLES, limits))
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Room:
    """Somebody speaks; `asked` transcribes an utterance of so many frames."""

    def __init__(self, whisper: Whisper, keep: Any = None) -> None:
        self.answers: list[Transcribed] = []
        self.told: list[str] = []
        self.has_told = asyncio.Event()
        self._has_answered, self._has_kept = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def kept(number: int, samples: Samples) -> None:
            try:
                keep(number, samples)
            finally:
                loop.call_soon_threadsafe(self._has_kept.set)

        def answer(given: Transcribed) -> None:
            self.answers.append(given)
            self._has_answered.set()

        def tell(text: str) -> None:
            self.told.append(text)
            self.has_told.set()

        self._keep = kept if keep is not None else None
        self._worker = ThreadPoolExecutor(1)
        models = Models(VoiceDetector(), cast(Any, whisper), self._worker, cast(Any, None), self._worker)
        self.listening = Listening(models, cast(Any, answer), tell, self._keep)
        speech, _ = soundfile.read(
            Path(__file__).parent.parent / "demo" / "requests" / "3-run-tests.flac", dtype="float32"
        )
        for start in range(0, len(speech) - FRAME_SAMPLES, FRAME_SAMPLES):
            self.listening.take(Cleaned(speech[start : start + FRAME_SAMPLES], False))
        self._running = asyncio.create_task(self.listening.run())

    async def asked(self, utterance: int, revision: int = 1, frames: tuple[int, int] = (0, 80)) -> None:
        self._has_answered.clear()
        self._has_kept.clear()
        self.listening.transcribe(Transcribe(utterance, revision, *frames))
        await self._has_answered.wait()
        if self._keep is not None and not self.has_told.is_set():
            await self._has_kept.wait()

    async def close(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        self._worker.shutdown()


def test_after_an_error_of_the_model_the_session_goes_on_and_the_sound_is_still_there() -> None:
    async def session() -> None:
        whisper = Whisper(RuntimeError("out of memory"), HEARD, HEARD)
        room = Room(whisper)
        await room.asked(1)
        assert [answer.text for answer in room.answers] == [""]
        assert room.told == [
            'I could not listen to that: out of memory. I have kept it; say "try that again".'
        ]
        room.listening.forget(200)  # the session needs none of it any more
        await room.asked(2, frames=(200, 220))  # "try that again"
        assert await room.listening.again() == "Run the tests."
        assert whisper.given[-1] == (80, IT_WAS_SPEECH)
        assert await room.listening.again() is None  # once is enough
        await room.close()

    asyncio.run(session())


def test_an_error_in_listening_again_loses_nothing_either() -> None:
    async def session() -> None:
        room = Room(Whisper(RuntimeError("first"), RuntimeError("second"), UNSURE, HEARD))
        await room.asked(1)
        with pytest.raises(RuntimeError, match="second"):
            await room.listening.again()
        assert await room.listening.again() == ""
        assert await room.listening.again() == "Run the tests."
        await room.close()

    asyncio.run(session())


@pytest.mark.parametrize(
    ("outcomes", "is_kept"),
    [
        ((UNSURE,), True),
        ((NOISE,), False),
        ((HEARD,), False),
        ((UNSURE, HEARD), False),  # the same utterance was understood when it was whole
        ((HEARD, UNSURE), True),
    ],
)
def test_what_may_have_been_speech_is_kept_until_it_is_understood(
    outcomes: tuple[Heard, ...], is_kept: bool
) -> None:
    async def session() -> None:
        room = Room(Whisper(*outcomes, HEARD))
        for revision, _ in enumerate(outcomes, 1):
            await room.asked(1, revision)
        assert (await room.listening.again() is not None) is is_kept
        await room.close()

    asyncio.run(session())


def test_a_request_that_was_taken_ends_it() -> None:
    async def session() -> None:
        room = Room(Whisper(UNSURE))
        await room.asked(1)
        room.listening.understood()
        assert await room.listening.again() is None
        await room.close()

    asyncio.run(session())


def test_what_the_user_says_was_speech_is_believed_but_not_what_no_one_can_have_said() -> None:
    unsure = Evidence("ran the toasts", 1.0, -1.6, 0.9, 1.1)
    assert rejection(unsure, Limits()) is not None and rejection(unsure, IT_WAS_SPEECH) is None
    assert rejection(replace(unsure, text="tests " * 9), IT_WAS_SPEECH) is not None


def test_sound_is_written_only_when_asked(tmp_path: Path) -> None:
    async def session(keep: Any) -> list[str]:
        room = Room(Whisper(HEARD, HEARD, HEARD), keep)
        await room.asked(1)
        await room.asked(1, 2, (0, 90))
        await room.asked(2)
        await room.close()
        return room.told

    asyncio.run(session(None))
    assert audio_keeper(tmp_path, is_kept=False) is None
    assert list(tmp_path.iterdir()) == []
    asyncio.run(session(audio_keeper(tmp_path, is_kept=True)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["utterance-1.wav", "utterance-2.wav"]
    samples, rate = soundfile.read(tmp_path / "utterance-1.wav", dtype="float32")
    assert (len(samples), rate) == (90 * FRAME_SAMPLES, 16_000)


def test_a_disk_that_is_full_is_told_once_and_hearing_goes_on() -> None:
    def refuse(number: int, samples: Samples) -> None:
        raise UtterError("The disk is full.")

    async def session() -> None:
        room = Room(Whisper(HEARD, HEARD), refuse)
        await room.asked(1)
        await room.has_told.wait()
        await room.asked(2)
        assert [answer.text for answer in room.answers] == ["Run the tests."] * 2
        assert room.told == ["What you say is not kept any longer. The disk is full."]
        await room.close()

    asyncio.run(session())
