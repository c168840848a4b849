"""Asks for a sentence aloud and records it until the reader is done, for enrolment without keys."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from voice import config
from voice.audio.devices import AudioDeviceError
from voice.audio.frames import Samples
from voice.audio.microphone import Microphone
from voice.commands.playing import play
from voice.hearing.endpoint import EndpointSettings
from voice.hearing.segment import UtteranceSegmenter
from voice.hearing.vad import VoiceDetector
from voice.speaking.clauses import Clauses
from voice.speaking.synthesis import Synthesiser

_POLL_S = 0.02
_BEGIN_S = 30.0  # in which somebody must begin to read
_PAUSE_S = 1.2  # that ends a reading; within a sentence readers pause for less
_MAX_READING_S = 28.0


class AskingAloud:
    """One voice, one microphone. Everything that is said is printed, too."""

    def __init__(self, voice: Synthesiser, audio: config.Audio, show: Callable[[str], None]) -> None:
        self._voice = voice
        self._audio = audio
        self._show = show

    def tell(self, text: str) -> None:
        """Say and show it."""
        self._show(text)
        clauses = Clauses()
        for clause in [*clauses.feed(text), *clauses.finish()]:
            play(self._voice.synthesise(clause), self._voice.sample_rate, self._audio.output_device)

    def ask(self, text: str) -> Samples:
        """Say the text, then record the reader's; mono float32 at 16 kHz, empty when nobody begins.

        Raises `AudioDeviceError`.
        """
        self.tell("Please say after me.")
        self.tell(text)
        settings = EndpointSettings(end_silence_s=_PAUSE_S, max_utterance_s=_MAX_READING_S)
        segmenter = UtteranceSegmenter(VoiceDetector(), settings)
        microphone = Microphone(self._audio.input_device)
        try:
            began_s = time.monotonic()
            while time.monotonic() - began_s < _BEGIN_S + _MAX_READING_S:
                for captured in microphone.frames():
                    utterance = segmenter.process(captured.samples)
                    if utterance is not None:
                        return utterance.samples
                if not microphone.is_alive:
                    raise AudioDeviceError("The microphone fell silent for good. Plug it in and begin again.")
                time.sleep(_POLL_S)
            last = segmenter.finish()
            return np.zeros(0, np.float32) if last is None else last.samples
        finally:
            microphone.close()
