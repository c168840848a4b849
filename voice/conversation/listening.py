"""The ears of a live session: keeps the frames, transcribes and judges them as the session asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from agent.errors import UtterError
from voice.audio.echo import Cleaned
from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.conversation.kept_audio import KeptAudio
from voice.conversation.short_words import LONGEST_S, is_command, is_no_command, short_word_or
from voice.conversation.signals import Frame, Glimpsed, Judged, Transcribed
from voice.conversation.turn_events import Glimpse, Judge, Transcribe
from voice.hearing.guards import IT_WAS_SPEECH
from voice.hearing.smart_turn import SmartTurn
from voice.hearing.transcribe import Heard, Transcriber
from voice.hearing.vad import VoiceDetector

_SILENCE: Samples = np.zeros(FRAME_SAMPLES, np.float32)
_LEAST_SPEECH_S = 0.4  # less was a noise
_NO_SPEECH = 0.6  # likelier none than this, and it was one too
_LONGEST_GLIMPSE_S = 0.5  # where the last one took longer, the words that count would come late for the next


@dataclass(frozen=True)
class Models:
    """What hears; each executor has one worker, the thread on which its model was made."""

    detector: VoiceDetector
    transcriber: Transcriber
    transcribing: Executor
    turn_model: SmartTurn
    judging: Executor


@dataclass(frozen=True)
class _Unheard:
    """An utterance that was not understood: its samples, and how much of them is speech, in seconds."""

    number: int
    samples: Samples
    speech_s: float


def _nobody(_text: str) -> None: ...


def _never(_text: str) -> bool:
    return False


class Listening:
    """`answer` gets what was heard and judged, on the event loop."""

    def __init__(
        self,
        models: Models,
        answer: Callable[[Transcribed | Glimpsed | Judged], None],
        trouble: Callable[[str], None] = _nobody,
        keep: Callable[[int, Samples], None] | None = None,
    ) -> None:
        """`trouble` gets what to tell the user; `keep` the number and the sound of each utterance."""
        self._models = models
        self._answer = answer
        self._trouble = trouble
        self._keep = keep
        self._unheard: _Unheard | None = None  # so that nobody must say it twice
        self._kept = KeptAudio()
        # By utterance, the newest revision. Its audio is taken at once: by the time that there is a model
        # for it, its frames may be forgotten.
        self._asked: dict[int, tuple[Transcribe, Samples, float]] = {}
        self._glimpsed: tuple[int, Samples] | None = None  # an utterance that goes on
        self._glimpse_s = 0.0  # what the last one took
        self._judged: tuple[Judge, Samples] | None = None
        self._has_work = asyncio.Event()
        self._has_judgement = asyncio.Event()
        self.heard: Heard | None = None
        """The last transcription, rejected or not."""

    def take(self, frame: Cleaned | None) -> Frame:
        """The next 20 ms of the microphone; None while there is none."""
        if frame is None:
            # The detector does not see it: after perfect silence it would take the room's noise for speech.
            self._kept.keep(_SILENCE, is_speech=False)
            return Frame(False)
        is_speech = self._models.detector.is_speech(frame.samples)
        self._kept.keep(frame.words, is_speech and not frame.is_own_voice)
        return Frame(is_speech, frame.is_own_voice, frame.may_be_echo)

    def forget(self, before: int) -> None:
        """Frames with a number below `before` are not asked for any more."""
        self._kept.forget(before)

    def transcribe(self, asked: Transcribe) -> None:
        """Answered by `Transcribed`, unless a newer revision is asked for first."""
        self._asked[asked.utterance] = (asked, *self._audio(asked))
        self._has_work.set()

    def glimpse(self, asked: Glimpse) -> None:
        """Answered by `Glimpsed`, unless something else is asked for before that, or it would take long."""
        if self._glimpse_s > _LONGEST_GLIMPSE_S:
            self._glimpse_s /= 2  # so that it is tried again
            return
        self._glimpsed = (asked.utterance, self._audio(asked)[0])
        self._has_work.set()

    def judge(self, asked: Judge) -> None:
        """Answered by `Judged`, unless a newer one is asked for first."""
        self._judged = (asked, self._audio(asked)[0])
        self._has_judgement.set()

    def understood(self) -> None:
        """What was said has been taken: nothing before it needs to be listened to again."""
        self._unheard = None

    async def again(self) -> str | None:
        """The words that were not understood last, believed this time; None when there are no such."""
        unheard = self._unheard
        if unheard is None:
            return None
        work = partial(
            self._models.transcriber.transcribe, unheard.samples, unheard.speech_s, limits=IT_WAS_SPEECH
        )
        heard = await asyncio.get_running_loop().run_in_executor(self._models.transcribing, work)
        self._unheard = None if heard.text else unheard
        return heard.text

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.gather(self._transcribe_all(), self._judge_all())

    async def _transcribe_all(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while not self._asked:
                if self._glimpsed is not None:
                    await self._take_glimpse(*self._glimpsed)
                    continue
                self._has_work.clear()
                await self._has_work.wait()
            self._glimpsed = None
            asked, samples, speech_s = self._asked.pop(min(self._asked))
            unheard = _Unheard(asked.utterance, samples, speech_s)
            words = asked.listens_for if speech_s <= LONGEST_S else ()
            transcribe = self._models.transcriber.transcribe
            may_change = _never if asked.is_answer else is_no_command
            work = partial(transcribe, samples, speech_s, words, is_enough=is_command, may_change=may_change)
            try:
                heard = await loop.run_in_executor(self._models.transcribing, work)
            except Exception as error:  # whatever the library throws, the conversation goes on
                self.heard, self._unheard = None, unheard
                self._answer(Transcribed(asked.utterance, asked.revision, "", 0.0))
                self._trouble(f'I could not listen to that: {error}. I have kept it; say "try that again".')
                await self._write_down(unheard)
                continue
            text = short_word_or(heard.text, words, heard.likelihoods, speech_s, heard.text_logprob)
            self._remember(unheard, heard, text)
            self.heard = heard if text == heard.text else _taken_for(heard)
            self._answer(Transcribed(asked.utterance, asked.revision, text, heard.avg_logprob))
            await self._write_down(unheard)

    async def _take_glimpse(self, utterance: int, samples: Samples) -> None:
        self._glimpsed, began_s = None, time.monotonic()
        glimpse = self._models.transcriber.glimpse
        work = partial(glimpse, samples, lambda: not self._asked)
        try:
            text = await asyncio.get_running_loop().run_in_executor(self._models.transcribing, work)
        except Exception:  # whatever the library throws: the words come at the next pause
            return
        self._glimpse_s = time.monotonic() - began_s
        if text:
            self._answer(Glimpsed(utterance, text))

    async def _write_down(self, utterance: _Unheard) -> None:
        if self._keep is None:
            return
        try:
            await asyncio.to_thread(self._keep, utterance.number, utterance.samples)
        except UtterError as error:
            self._keep = None
            self._trouble(f"What you say is not kept any longer. {error}")

    def _remember(self, utterance: _Unheard, heard: Heard, text: str) -> None:
        may_be_speech = utterance.speech_s >= _LEAST_SPEECH_S and heard.no_speech_prob < _NO_SPEECH
        if (not text or text != heard.text) and may_be_speech:
            self._unheard = utterance
        elif text and self._unheard is not None and self._unheard.number == utterance.number:
            self._unheard = None

    async def _judge_all(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while self._judged is None:
                self._has_judgement.clear()
                await self._has_judgement.wait()
            (asked, samples), self._judged = self._judged, None
            work = partial(self._models.turn_model.completeness, samples)
            try:
                completeness = await loop.run_in_executor(self._models.judging, work)
            except Exception:  # whatever the library throws: a longer silence then ends the turn
                completeness = 0.0
            self._answer(Judged(asked.utterance, asked.revision, completeness))

    def _audio(self, asked: Transcribe | Glimpse | Judge) -> tuple[Samples, float]:
        """The samples that are asked for, and how much of them is speech, in seconds."""
        samples, speech_s = self._kept.between(asked.first_frame, asked.end_frame)
        return samples[: int(self._models.transcriber.max_audio_s * SAMPLE_RATE)], speech_s


def _taken_for(heard: Heard) -> Heard:
    """What was heard where a short word was taken in its place: that is another reading of it then."""
    others = (heard.text, *heard.others) if heard.text else heard.others
    return replace(heard, words=(), others=others)
