"""What a live session keeps of the microphone, and which words it listens for harder than others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from simulated_session import Burst, Speak, World

from voice.audio.echo import Cleaned
from voice.audio.frames import FRAME_SAMPLES
from voice.audio.level import ADVICE, Complaint
from voice.conversation.command_table import Name, Tier
from voice.conversation.commands import Situation, commands_in
from voice.conversation.kept_audio import KeptAudio
from voice.conversation.listening import Listening, Models
from voice.conversation.live import LiveSession, Parts
from voice.conversation.player import InPrint
from voice.conversation.session_settings import SessionSettings
from voice.conversation.short_words import DENIALS, HARMLESS, STOPS, is_command, listened_for, short_word_or
from voice.conversation.signals import Glimpsed, Judged, Offered, Transcribed
from voice.conversation.turn_events import Glimpse, Judge, Transcribe
from voice.conversation.turns import Stamped, Told
from voice.hearing.transcribe import Heard
from voice.hearing.vad import VoiceDetector

LONG = "One two three four five six seven eight nine ten"


def frame(number: int) -> np.ndarray:
    return np.full(FRAME_SAMPLES, number / 100, np.float32)


def test_frames_are_found_by_their_number_until_they_are_forgotten() -> None:
    kept = KeptAudio()
    for number in range(10):
        kept.keep(frame(number), is_speech=number in (3, 6))
    kept.forget(2)
    samples, speech_s = kept.between(2, 8)
    assert samples[::FRAME_SAMPLES] == pytest.approx([n / 100 for n in range(2, 8)])
    assert speech_s == pytest.approx(0.08)  # from the first frame with speech to the last
    assert len(kept.between(0, 3)[0]) == FRAME_SAMPLES
    assert not kept.between(20, 30)[0].any()


class Recorder:
    """Stands for Whisper: says how many frames it was given, and from which on."""

    max_audio_s = 29.0

    def transcribe(
        self, samples: np.ndarray, speech_s: float, words: tuple[str, ...], **_looks: Any
    ) -> Heard:
        text = f"{len(samples) // FRAME_SAMPLES} from {round(float(samples[0]) * 100)}"
        return Heard(text, (), -0.1, 0.0, 1.0, None, 1.0, 0.1, tuple(-9.0 for _ in words))

    def glimpse(self, samples: np.ndarray, _is_wanted: Callable[[], bool]) -> str:
        if not samples.any():
            raise RuntimeError("out of memory")
        return f"{len(samples) // FRAME_SAMPLES} so far"


def test_words_are_not_lost_when_they_are_transcribed_late() -> None:
    """While Whisper is at work on something else, the session goes on and forgets what it has asked for."""

    async def listen() -> list[str]:
        with ThreadPoolExecutor(1) as worker:
            unused = cast(Any, None)
            models = Models(VoiceDetector(), cast(Any, Recorder()), worker, unused, worker)
            answers: list[str] = []
            done = asyncio.Event()

            def answer(given: Any) -> None:
                answers.append(given.text)
                if len(answers) == 2:
                    done.set()

            listening = Listening(models, cast(Callable[[Any], None], answer))
            for number in range(50):
                listening.take(Cleaned(frame(number), False))
            listening.transcribe(Transcribe(1, 1, 5, 20))
            listening.transcribe(Transcribe(2, 1, 20, 45))
            listening.forget(45)
            running = asyncio.create_task(listening.run())
            await done.wait()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return answers

    assert asyncio.run(listen()) == ["15 from 5", "25 from 20"]


def test_a_glimpse_is_for_when_nothing_else_is_asked() -> None:
    async def listen() -> list[object]:
        with ThreadPoolExecutor(1) as worker:
            unused = cast(Any, None)
            models = Models(VoiceDetector(), cast(Any, Recorder()), worker, unused, worker)
            answers = asyncio.Queue[object]()
            listening = Listening(models, answers.put_nowait)
            for number in range(50):
                listening.take(Cleaned(frame(number), False))
            running = asyncio.create_task(listening.run())
            listening.glimpse(Glimpse(1, 0, 1))  # which fails, and nobody minds
            await asyncio.sleep(0.05)
            listening.glimpse(Glimpse(1, 5, 30))
            found = [await answers.get()]
            listening.glimpse(Glimpse(1, 5, 40))
            listening.transcribe(Transcribe(1, 1, 5, 45))
            found.append(await answers.get())
            listening.glimpse(Glimpse(2, 5, 50))
            found.append(await answers.get())
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return found

    heard = [Glimpsed(1, "25 so far"), Transcribed(1, 1, "40 from 5", -0.1), Glimpsed(2, "45 so far")]
    assert asyncio.run(listen()) == heard


def test_what_is_said_of_the_microphone_does_not_mix_up_what_was_heard() -> None:
    """To say it is to listen for what has come meanwhile; that comes after what is being looked at."""
    batches = [[Cleaned(frame(0), False)] * 500, [Cleaned(frame(7), False)] * 5]  # none is too quiet for 8 s
    seen: list[float] = []

    def is_speech(samples: np.ndarray) -> bool:
        seen.append(float(samples[0]))
        return False

    ends = SimpleNamespace(
        frames=lambda: batches.pop(0) if batches else [],
        is_muted=False,
        present=SimpleNamespace(microphone=True),
    )
    models = SimpleNamespace(detector=SimpleNamespace(is_speech=is_speech))
    nobody = SimpleNamespace(connect=lambda _: None, verbosity=None)
    parts = Parts(*cast(Any, (ends, models, None, nobody, nobody, None)))
    told: list[Stamped] = []
    session = LiveSession(parts, SessionSettings(), told.append)
    session.player = InPrint(session)
    session.give(Offered(is_open=False))
    assert [one.moment for one in told if isinstance(one.moment, Told)] == [Told(ADVICE[Complaint.DEAD])]
    assert seen == sorted(seen) and len(seen) == 505


def test_a_judge_of_turns_that_fails_is_no_end_of_the_session() -> None:
    class Broken:
        def completeness(self, samples: np.ndarray) -> float:
            raise RuntimeError("out of memory")

    async def listen() -> object:
        with ThreadPoolExecutor(1) as worker:
            models = Models(VoiceDetector(), cast(Any, Recorder()), worker, cast(Any, Broken()), worker)
            answered = asyncio.get_running_loop().create_future()
            listening = Listening(models, answered.set_result)
            listening.take(Cleaned(frame(1), False))
            listening.judge(Judge(1, 1, 0, 1))
            running = asyncio.create_task(listening.run())
            await asyncio.wait([answered, running], return_when=asyncio.FIRST_COMPLETED)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return answered.result()

    assert asyncio.run(listen()) == Judged(1, 1, 0.0)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("Stop.", True),
        ("Louder.", True),
        ("What change?", True),
        ("Read lines 40 to 50.", False),  # a number is easily misheard,
        ("I said rename parse config.", False),  # and so are words
        ("Undo that.", False),
        ("Goodbye.", False),  # after these nobody listens
        ("Go to sleep.", False),
        ("Mute.", False),
        ("Stop the server.", False),
        ("Yes.", False),
    ],
)
def test_a_command_that_costs_little_if_misheard_is_not_looked_at_again(text: str, is_one: bool) -> None:
    assert is_command(text) is is_one


def likelihoods(**likely: float) -> list[float]:
    return [likely.get(word.lower().replace(" ", "_"), -10.0) for word in STOPS]


@pytest.mark.parametrize(
    ("heard", "likely", "speech_s", "taken"),
    [
        ("", {"stop": -3.0}, 0.4, "Stop."),  # not believed, but it may well have been
        ("Start.", {"stop": -3.0}, 0.4, "Stop."),
        ("Start.", {"stop": -7.0}, 0.4, "Start."),
        ("", {"stop": -3.0, "be_quiet": -1.0}, 0.5, "Be quiet."),
        ("Stop, stop, stop.", {"stop": -0.5}, 1.0, "Stop, stop, stop."),  # is more than one
        ("Yes.", {"stop": -4.0}, 0.4, "Yes."),
        ("Stop the server", {"stop": -1.0}, 1.2, "Stop the server"),
        ("", {"stop": -6.5}, 0.4, ""),  # a murmur is none
        ("Start.", {"stop": -1.0}, 2.0, "Start."),
    ],
)
def test_a_fair_chance_is_enough_for_a_stop(
    heard: str, likely: dict[str, float], speech_s: float, taken: str
) -> None:
    assert short_word_or(heard, STOPS, likelihoods(**likely), speech_s) == taken


@pytest.mark.parametrize(
    ("heard", "likely", "taken"),
    [
        ("", {"Louder": -4.0}, "Louder."),  # not believed, but it may well have been
        ("", {"Louder": -8.0}, ""),
        ("Vastu.", {"Faster": -2.0}, "Faster."),  # other words were, but it is far likelier
        ("Vastu.", {"Faster": -5.0}, "Vastu."),
        ("and do that", {"Undo": -2.0, "Undo that": -3.0}, "Undo that."),
        ("Slower.", {"Louder": -1.0}, "Slower."),  # is a command
        ("Tests.", {"Next": -3.5, "Stop": -5.0}, "Stop."),  # a stop comes first
        ("Run the tests", {"Next": -1.0}, "Run the tests"),
    ],
)
def test_a_command_is_taken_for_words_that_were_not_believed(
    heard: str, likely: dict[str, float], taken: str
) -> None:
    words = listened_for(Situation(), is_sounding=True)
    assert short_word_or(heard, words, [likely.get(word, -10.0) for word in words], 0.5, -2.0) == taken


def test_a_command_that_is_far_less_likely_than_the_words_is_not_taken() -> None:
    words = listened_for(Situation(), is_sounding=True)
    likely = [-3.5 if word == "Next" else -5.0 if word == "Stop" else -10.0 for word in words]
    assert short_word_or("Text.", words, likely, 0.5, -0.2) == "Stop."  # a fair chance is enough for that
    assert short_word_or("Skip.", words, likely, 0.5, -0.2) == "Skip."  # but is a command already
    commands = listened_for(Situation(), is_sounding=False)
    assert short_word_or("Text.", commands, likely[len(STOPS) :], 0.5, -0.2) == "Text."


def test_no_command_is_listened_for_in_place_of_an_answer_or_of_what_is_taken_down() -> None:
    assert listened_for(Situation(question=True), is_sounding=False) == DENIALS
    assert listened_for(Situation(question=True), is_sounding=True) == (*DENIALS, *STOPS)
    assert listened_for(Situation(dictation=True), is_sounding=False) == ()
    assert listened_for(Situation(asleep=True), is_sounding=False) == ()
    assert listened_for(Situation(choice=True), is_sounding=False) == ()
    assert listened_for(Situation(), is_sounding=True, is_alone=False) == STOPS


def test_what_is_listened_for_makes_silent_or_denies_or_can_be_taken_back() -> None:
    for word in HARMLESS:
        assert commands_in(word, Situation())[0].command.tier in (Tier.HARMLESS, Tier.CONFIRM)
    for word in STOPS:
        assert commands_in(word, Situation())[0].name in (Name.STOP, Name.PAUSE)
    for word in DENIALS:
        assert commands_in(word, Situation(question=True))[0].name is Name.NO
    assert short_word_or("Stop", (), (), 0.4) == "Stop"


def test_stops_are_listened_for_only_while_utter_speaks() -> None:
    world = World(
        [Burst(1.0, 1.0, "Explain the cart"), Burst(4.0, 0.4, "Stop."), Burst(9.0, 0.5, "Run it")],
        [(Speak(LONG),)],
    ).run(14)
    asked = {one.utterance: one.listens_for for one in world.decisions(Transcribe)}
    assert asked == {1: HARMLESS, 2: STOPS, 3: HARMLESS}  # over a loudspeaker, which may say "next" itself
