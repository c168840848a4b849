"""A spoken session: audio in, one agent turn for each utterance, speech out, each moment told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

import numpy as np

from agent.events import Event, TurnEnded, Usage
from agent.loop import Agent
from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.conversation.clock import SessionClock
from voice.conversation.speaker import Speaker
from voice.conversation.turns import (
    AgentEvent,
    Moment,
    Replied,
    Saying,
    Stamped,
    Timings,
    TurnDone,
    Understood,
    UtteranceHeard,
    written_reply,
)
from voice.hearing.lexicon import Lexicon
from voice.hearing.segment import Utterance, UtteranceSegmenter
from voice.hearing.spoken_code import Written, write_out
from voice.hearing.transcribe import Heard, Transcriber
from voice.speaking.script import Script

_TAIL_S = 1.5  # silence after a recording, so that its last utterance ends like any other


@dataclass
class Ears:
    """All that hearing needs; `worker` is the one thread that the transcriber's model lives on."""

    segmenter: Callable[[], UtteranceSegmenter]
    transcriber: Transcriber
    lexicon: Callable[[], Lexicon]
    worker: Executor


@dataclass
class _Turn:
    """One turn while it runs; times in seconds of the session."""

    number: int
    heard: Heard
    written: Written
    speech_s: float
    speech_end_s: float
    endpoint_s: float
    began_s: float
    events: list[Event] = field(default_factory=list[Event])
    said: list[str] = field(default_factory=list[str])
    first_token_s: float | None = None


class SpokenSession:
    """Takes recordings one after another; each utterance in them is one turn of the same conversation.

    `tell` gets every moment as it comes; `hear_user` gets the user's audio and its session time in seconds.
    """

    def __init__(
        self,
        ears: Ears,
        agent: Agent,
        speaker: Speaker,
        clock: SessionClock,
        tell: Callable[[Stamped], None],
        hear_user: Callable[[Samples, float], Awaitable[None]],
    ) -> None:
        self._ears = ears
        self._agent = agent
        self._speaker = speaker
        self._clock = clock
        self._tell_stamped = tell
        self._hear_user = hear_user
        self._turns = 0
        self._names: asyncio.Future[Lexicon]  # read ahead, so that no answer waits for it

    async def listen(self, frames: Iterable[Samples]) -> list[TurnDone]:
        """Hear one recording to its end and answer every utterance in it, in order.

        `frames` are float32 of `FRAME_SAMPLES` samples at 16 kHz. Memory does not grow with their number.
        """
        done: list[TurnDone] = []
        segmenter = self._ears.segmenter()
        self._read_names()
        offset_s = self._clock.now()  # session time of the recording's first sample
        samples = 0
        for frame in chain(frames, _silence(_TAIL_S)):
            await self._hear_user(frame, offset_s + samples / SAMPLE_RATE)
            samples += len(frame)
            if samples % SAMPLE_RATE == 0:
                await asyncio.sleep(0)  # once a second of audio, let cancellation in
            await self._clock.reach(offset_s + samples / SAMPLE_RATE)
            utterance = segmenter.process(frame)
            if utterance is not None:
                turn = await self._answer(utterance, offset_s)
                done += [turn] if turn else []
                # What follows in the recording is heard after the answer.
                offset_s = self._clock.now() - samples / SAMPLE_RATE
        utterance = segmenter.finish()
        turn = await self._answer(utterance, offset_s) if utterance is not None else None
        return [*done, turn] if turn else done

    async def _answer(self, utterance: Utterance, offset_s: float) -> TurnDone | None:
        with self._clock.working():
            turn = await self._hear(utterance, offset_s)
            if turn is None:
                return None
            await self._reply(turn)
        await self._speaker.silence()
        self._read_names()  # the turn may have changed them
        done = TurnDone(
            number=turn.number,
            heard=turn.heard,
            written=turn.written,
            events=tuple(turn.events),
            said=tuple(turn.said),
            timings=_timings(turn, self._speaker.first_heard_s),
        )
        self._tell(done)
        return done

    async def _hear(self, utterance: Utterance, offset_s: float) -> _Turn | None:
        ears = self._ears
        speech_s = utterance.speech_s
        ears.transcriber.expect(await self._names)
        transcribe = partial(ears.transcriber.transcribe, utterance.samples, speech_s)
        heard = await asyncio.get_running_loop().run_in_executor(ears.worker, transcribe)
        self._tell(UtteranceHeard(heard, speech_s))
        if heard.rejected is not None:
            return None
        written = write_out(heard.text, await self._names, evidence=heard.names)
        self._tell(Understood(written))
        self._turns += 1
        return _Turn(
            number=self._turns,
            heard=heard,
            written=written,
            speech_s=speech_s,
            speech_end_s=offset_s + utterance.speech_end / SAMPLE_RATE,
            endpoint_s=offset_s + utterance.endpoint / SAMPLE_RATE,
            began_s=self._clock.now(),
        )

    async def _reply(self, turn: _Turn) -> None:
        """Let the agent work and the speaker speak at the same time."""
        script = Script()
        async with self._speaker.reply() as say, aclosing(self._agent.turn(turn.written.request)) as events:

            def say_all(clauses: Iterable[str]) -> None:
                for clause in clauses:
                    turn.said.append(clause)
                    self._tell(Saying(clause))
                    say(clause)

            async for event in events:
                if turn.first_token_s is None and not isinstance(event, (Usage, TurnEnded)):
                    turn.first_token_s = self._clock.now() - turn.began_s
                turn.events.append(event)
                self._tell(AgentEvent(event))
                say_all(script.feed(event))
            say_all(script.finish())
        self._tell(Replied(written_reply(turn.events)))

    def _read_names(self) -> None:
        self._names = asyncio.ensure_future(asyncio.to_thread(self._ears.lexicon))

    def _tell(self, moment: Moment) -> None:
        self._tell_stamped(Stamped(self._clock.now(), moment))


def _timings(turn: _Turn, first_audio_s: float | None) -> Timings:
    usage = next((event for event in turn.events if isinstance(event, Usage)), Usage())
    return Timings(
        speech_s=turn.speech_s,
        endpoint_s=turn.endpoint_s - turn.speech_end_s,
        transcription_s=turn.heard.transcription_s,
        cached_tokens=usage.cache_read_input_tokens,
        new_tokens=usage.cache_creation_input_tokens + usage.input_tokens,
        first_token_s=turn.first_token_s,
        first_audio_s=None if first_audio_s is None else first_audio_s - turn.began_s,
        response_s=None if first_audio_s is None else first_audio_s - turn.speech_end_s,
    )


def _silence(length_s: float) -> Iterator[Samples]:
    for _ in range(int(length_s * SAMPLE_RATE) // FRAME_SAMPLES):
        yield np.zeros(FRAME_SAMPLES, np.float32)
