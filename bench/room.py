"""A conversation in a simulated room: the real ears and the session machine, on a clock of 20 ms frames.

The loudspeaker reaches the microphone late, softer and from several walls; the user speaks when told to. What
is simulated: the air, the devices' delays, the agent, and how long the models take. What is real: the echo
canceller, the detector, Whisper, Smart Turn, Piper, and every decision.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from voice.audio.echo import Cleaned, EchoCanceller
from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.conversation.kept_audio import KeptAudio
from voice.conversation.machine import SessionMachine
from voice.conversation.session_settings import SessionSettings
from voice.conversation.short_words import is_command, short_word_or
from voice.conversation.signals import (
    Begin,
    Clause,
    CutPlayback,
    CutTurn,
    Decision,
    Frame,
    Input,
    ItemHeard,
    Judged,
    PausePlayback,
    ResumePlayback,
    Say,
    Transcribed,
    TurnOver,
    Withdraw,
)
from voice.conversation.turn_events import Judge, Transcribe
from voice.hearing.smart_turn import SmartTurn
from voice.hearing.transcribe import Heard, Transcriber
from voice.hearing.vad import VoiceDetector

FRAME_S = FRAME_SAMPLES / SAMPLE_RATE
_IN_DEVICE_FRAMES = 4  # given to the loudspeaker and not yet heard: 80 ms, as `DeviceSink` asks for
_TRANSCRIBING_S = 0.35  # what Whisper takes for a word or two with the model busy
_JUDGING_S = 0.08
_WALLS = 8
_AUDIBLE = 1e-3


@dataclass(frozen=True)
class Room:
    """How the loudspeaker reaches the microphone. With `gain_db` None it does not: headphones."""

    gain_db: float | None = -12.0
    delay_s: float = 0.05
    noise_db: float = -65.0  # white, below full scale
    reverb_s: float = 0.06  # until the last wall is heard
    drive: float = 0.0  # how far the loudspeaker is overdriven: 2 bends its loud sounds well out of shape

    def taps(self) -> list[tuple[int, float]]:
        """Delays in samples and gains: the direct way, then the walls."""
        if self.gain_db is None:
            return []
        random, gain = np.random.default_rng(5), 10 ** (self.gain_db / 20)
        late = [
            (int((self.delay_s + after) * SAMPLE_RATE), gain * float(random.normal()) * 0.5 * (1 - share))
            for share, after in ((n / _WALLS, self.reverb_s * n / _WALLS) for n in range(1, _WALLS))
        ]
        return [(int(self.delay_s * SAMPLE_RATE), gain), *late]


@dataclass(frozen=True)
class Ears:
    """The models."""

    transcriber: Transcriber
    turn_model: SmartTurn
    voice: Callable[[str], Samples]  # what Utter says, at 16 kHz


@dataclass
class RoomTalk:
    """`answer` gives the clauses that the agent says to a request."""

    ears: Ears
    room: Room
    answer: Callable[[str], Sequence[str]] = lambda text: ("All right.",)
    settings: SessionSettings = field(default_factory=SessionSettings)
    half_duplex: bool = False

    def __post_init__(self) -> None:
        self.machine = SessionMachine(self.settings)
        self.now_s = 0.0
        self.log: list[tuple[float, Decision]] = []
        self.heard: list[Heard] = []
        self.sounded: list[bool] = []  # for each frame: was Utter audible at the loudspeaker?
        self.cancelled: list[Samples] = []  # each frame as WebRTC's canceller left it
        self.spans: list[tuple[int, int]] = []  # in frames, of each of `heard`
        self._echo = EchoCanceller(half_duplex=self.half_duplex)
        self._detector = VoiceDetector()
        self._kept = KeptAudio()
        self._due: list[tuple[float, int, int, Input]] = []
        self._order = count()
        self._queue: list[tuple[int, Samples]] = []  # what is still to be played of each item
        self._is_held = False
        self._in_device = [np.zeros(FRAME_SAMPLES, np.float32)] * _IN_DEVICE_FRAMES
        self._taps = self.room.taps()
        reach = max((delay for delay, _ in self._taps), default=0) + FRAME_SAMPLES
        self._air = np.zeros(reach, np.float32)
        self._user = np.zeros(0, np.float32)  # what the user says from now on
        self._random = np.random.default_rng(3)

    def say(self, samples: Samples, after_s: float = 0.0) -> float:
        """The user says this at 16 kHz, `after_s` from now; gives the session time of its end."""
        start = round(after_s * SAMPLE_RATE)
        length = max(len(self._user), start + len(samples))
        self._user = np.pad(self._user, (0, length - len(self._user)))
        self._user[start : start + len(samples)] += samples
        return self.now_s + (start + len(samples)) / SAMPLE_RATE

    def give(self, given: Input) -> None:
        """Something happens now."""
        for decision in self.machine.step(given, self.now_s):
            self.log.append((self.now_s, decision))
            self._carry_out(decision)

    def run(self, for_s: float) -> None:
        """Let time go by."""
        for _ in range(round(for_s / FRAME_S)):
            self.now_s += FRAME_S
            far = self._play()
            while self._due and self._due[0][0] <= self.now_s:
                self.give(heapq.heappop(self._due)[3])
            cleaned = self._echo.process(self._near(far), far)
            self._hear(cleaned)
            self._kept.forget(self.machine.needed_from)

    def decisions(self, kind: type) -> list[tuple[float, Decision]]:
        """Those of one kind, with their times."""
        return [(at_s, decision) for at_s, decision in self.log if isinstance(decision, kind)]

    def silent_from(self, after_s: float) -> float:
        """When Utter fell silent: the first moment from `after_s` on at which it is not to be heard."""
        frame = round(after_s / FRAME_S)
        while frame < len(self.sounded) and any(self.sounded[frame : frame + 10]):
            frame += 1
        return frame * FRAME_S

    # --------------------------------------------------------------------------------------- the devices

    def _play(self) -> Samples:
        """The next frame that the loudspeaker gives, and what is heard of it to the end."""
        frame = np.zeros(FRAME_SAMPLES, np.float32)
        if self._queue and not self._is_held:
            number, samples = self._queue[0]
            frame[: len(samples[:FRAME_SAMPLES])] = samples[:FRAME_SAMPLES]
            self._queue[0] = (number, samples[FRAME_SAMPLES:])
            if len(samples) <= FRAME_SAMPLES:
                self._queue.pop(0)
                self._later(_IN_DEVICE_FRAMES * FRAME_S, ItemHeard(number))
        self._in_device.append(frame)
        far = self._in_device.pop(0)
        self.sounded.append(float(np.abs(far).max()) > _AUDIBLE)
        return far

    def _near(self, far: Samples) -> Samples:
        """What the microphone gives while the loudspeaker gives `far`."""
        drive = self.room.drive
        loud = np.tanh(drive * far) / drive if drive else far
        self._air = np.concatenate((self._air[FRAME_SAMPLES:], loud.astype(np.float32)))
        near = self._random.standard_normal(FRAME_SAMPLES) * 10 ** (self.room.noise_db / 20)
        end = len(self._air)
        for delay, gain in self._taps:
            near += gain * self._air[end - delay - FRAME_SAMPLES : end - delay]
        said, self._user = self._user[:FRAME_SAMPLES], self._user[FRAME_SAMPLES:]
        near[: len(said)] += said
        return np.clip(near, -1, 1).astype(np.float32)

    def _hear(self, cleaned: Cleaned) -> None:
        is_speech = self._detector.is_speech(cleaned.samples)
        self.cancelled.append(cleaned.samples)
        self._kept.keep(cleaned.words, is_speech and not cleaned.is_own_voice)
        self.give(Frame(is_speech, cleaned.is_own_voice, cleaned.may_be_echo))

    # --------------------------------------------------------------------------------------- the effects

    def _carry_out(self, decision: Decision) -> None:
        if isinstance(decision, Transcribe):
            samples, speech_s = self._kept.between(decision.first_frame, decision.end_frame)
            words = decision.listens_for
            heard = self.ears.transcriber.transcribe(samples, speech_s, words, is_enough=is_command)
            self.heard.append(heard)
            self.spans.append((decision.first_frame, decision.end_frame))
            text = short_word_or(heard.text, words, heard.likelihoods, speech_s, heard.text_logprob)
            answer = Transcribed(decision.utterance, decision.revision, text, heard.avg_logprob)
            self._later(_TRANSCRIBING_S, answer)
        elif isinstance(decision, Judge):
            samples, _ = self._kept.between(decision.first_frame, decision.end_frame)
            score = self.ears.turn_model.completeness(samples)
            self._later(_JUDGING_S, Judged(decision.utterance, decision.revision, score))
        elif isinstance(decision, Begin):
            for clause in self.answer(decision.text):
                self._later(0.2, Clause(decision.turn, clause), decision.turn)
            self._later(0.3, TurnOver(decision.turn), decision.turn)
        elif isinstance(decision, (CutTurn, Withdraw)):
            self._due = [due for due in self._due if due[2] != decision.turn]
            heapq.heapify(self._due)
        elif isinstance(decision, Say):
            self._queue.append((decision.item, self.ears.voice(decision.text)))
        elif isinstance(decision, (PausePlayback, ResumePlayback)):
            self._is_held = isinstance(decision, PausePlayback)
        elif isinstance(decision, CutPlayback):
            self._queue.clear()
            self._due = [due for due in self._due if not isinstance(due[3], ItemHeard)]
            heapq.heapify(self._due)
            self._is_held = False

    def _later(self, after_s: float, given: Input, turn: int = 0) -> None:
        heapq.heappush(self._due, (self.now_s + after_s, next(self._order), turn, given))
