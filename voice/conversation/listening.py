"""The ears of a live session: keeps the frames, transcribes and judges them as the session asks."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import numpy as np

from voice.audio.echo import Cleaned
from voice.audio.frames import SAMPLE_RATE, Samples
from voice.conversation.signals import Frame, Judged, Transcribed
from voice.conversation.turn_taking import Judge, Transcribe
from voice.hearing.endpoint import FRAME_S
from voice.hearing.smart_turn import SmartTurn
from voice.hearing.transcribe import Heard, Transcriber
from voice.hearing.vad import VoiceDetector


@dataclass(frozen=True)
class Models:
    """What hears; each executor has one worker, the thread on which its model was made."""

    detector: VoiceDetector
    transcriber: Transcriber
    transcribing: Executor
    turn_model: SmartTurn
    judging: Executor


class Listening:
    """`answer` gets what was heard and judged, on the event loop."""

    def __init__(self, models: Models, answer: Callable[[Transcribed | Judged], None]) -> None:
        self._models = models
        self._answer = answer
        self._kept: deque[tuple[Samples, bool]] = deque()
        self._first_kept = 0  # number of the first frame in `_kept`
        self._asked: dict[int, Transcribe] = {}  # by utterance: the newest revision
        self._judged: Judge | None = None
        self._has_work = asyncio.Event()
        self._has_judgement = asyncio.Event()
        self.heard: Heard | None = None
        """The last transcription, rejected or not."""

    def take(self, frame: Cleaned) -> Frame:
        """The next 20 ms of the microphone."""
        is_speech = self._models.detector.is_speech(frame.samples)
        self._kept.append((frame.samples, is_speech and not frame.is_own_voice))
        return Frame(is_speech, frame.is_own_voice)

    def forget(self, before: int) -> None:
        """Frames with a number below `before` are not asked for any more."""
        while self._first_kept < before and self._kept:
            self._kept.popleft()
            self._first_kept += 1

    def transcribe(self, asked: Transcribe) -> None:
        """Answered by `Transcribed`, unless a newer revision is asked for first."""
        self._asked[asked.utterance] = asked
        self._has_work.set()

    def judge(self, asked: Judge) -> None:
        """Answered by `Judged`, unless a newer one is asked for first."""
        self._judged = asked
        self._has_judgement.set()

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.gather(self._transcribe_all(), self._judge_all())

    async def _transcribe_all(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while not self._asked:
                self._has_work.clear()
                await self._has_work.wait()
            asked = self._asked.pop(min(self._asked))
            samples, speech_s = self._audio(asked)
            work = partial(self._models.transcriber.transcribe, samples, speech_s)
            self.heard = heard = await loop.run_in_executor(self._models.transcribing, work)
            self._answer(Transcribed(asked.utterance, asked.revision, heard.text, heard.avg_logprob))

    async def _judge_all(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while self._judged is None:
                self._has_judgement.clear()
                await self._has_judgement.wait()
            asked, self._judged = self._judged, None
            samples, _ = self._audio(asked)
            work = partial(self._models.turn_model.completeness, samples)
            completeness = await loop.run_in_executor(self._models.judging, work)
            self._answer(Judged(asked.utterance, asked.revision, completeness))

    def _audio(self, asked: Transcribe | Judge) -> tuple[Samples, float]:
        """The samples that are asked for, and how much of them is speech, in seconds."""
        frames = list(self._kept)[
            max(0, asked.first_frame - self._first_kept) : max(0, asked.end_frame - self._first_kept)
        ]
        spoken = [number for number, (_, is_speech) in enumerate(frames) if is_speech]
        speech_s = (spoken[-1] - spoken[0] + 1) * FRAME_S if spoken else 0.0
        longest = int(self._models.transcriber.max_audio_s * SAMPLE_RATE)
        silence: list[Samples] = [np.zeros(SAMPLE_RATE // 10, np.float32)]
        return np.concatenate([samples for samples, _ in frames] or silence)[:longest], speech_s
