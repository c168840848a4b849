"""`utter talk` in real time on virtual devices: stops and commands with the model busy, and warm requests."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.conversation_ears import users
from bench.live_talk import LiveTalk
from bench.report import machine, table, write_section
from bench.synthetic import Voices
from bench.virtual_sound import NoPulseAudio, virtual_sound
from voice import config
from voice.audio.frames import SAMPLE_RATE, Samples
from voice.commands.context import store_of
from voice.demo import DEMO_FOLDER, copy_project

STOPS = ("Stop.", "Be quiet.", "Stop it.", "Silence.")
COMMANDS = {
    "Louder.": "louder", "Softer.": "softer", "Slower.": "slower", "What changed?": "what changed",
    "Where am I?": "where am i", "Are you there?": "status",
}  # fmt: skip
BUSY = "Explain in detail what every function in this project does."  # keeps the model at work for long
NO_TOOL = (
    "What does a return statement do?",
    "What is a dictionary good for?",
    "What is the difference between a list and a set?",
    "What does it mean that a test fails?",
)
ONE_TOOL = (
    "What files are in this project?",
    "Run the tests.",
    "Search for late fee.",
    "Show the last commit.",
)
ROUNDS = 3
ALONE_S = 90.0
ECHO_GAIN = 0.25
MOST_STOP_S, MOST_COMMAND_S = 0.15, 0.2
MOST_ANSWER_S, MOST_TOOL_S = 1.5, 3.0

_PEER = (
    "huggingface/speech-to-speech (1.1.0) is not measured beside it: from a package index alone it does not"
    " install, as its faster-qwen3-tts needs a qwentts-cpp-python that is not there; it takes its detector of"
    " speech (torch.hub) and its sentence splitter (NLTK) from GitHub when it starts."
)


@dataclass(frozen=True)
class Measured:
    """Seconds after the end of the word or of the request, of those that were heard as meant."""

    name: str
    seconds: tuple[float, ...]
    asked: int
    most_s: float
    percent: int

    @property
    def value_s(self) -> float:
        return float(np.percentile(self.seconds, self.percent)) if self.seconds else float("inf")

    @property
    def is_kept(self) -> bool:
        return self.value_s <= self.most_s


def main() -> bool:
    """Measure, print and write the section `conversation-live`; false when something takes too long."""
    voices = users()
    try:
        measured = [*while_busy(voices), *warm(voices)]
        taken = alone()
    except NoPulseAudio as missing:
        print(f"left out: {missing}")
        return True
    text = report(measured, taken)
    print(text)
    write_section("conversation-live", text)
    return all(one.is_kept for one in measured) and taken == 0


@contextmanager
def talking(*, echo_gain: float = 0.0) -> Iterator[tuple[LiveTalk, Path]]:
    """A session on the demo's project that has loaded and listens, and the folder of its files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_project(DEMO_FOLDER / "project", folder / "project")
        with virtual_sound(folder, echo_gain=echo_gain) as sound:
            talk = LiveTalk(sound, store_of(config.load()), folder / "project")
            try:
                talk.until("Listening")
                yield talk, folder
            finally:
                talk.close()


def while_busy(voices: Voices) -> list[Measured]:
    """Stops and other commands over a spoken notice, while the model works on a request."""
    silent_s, effect_s = list[float](), list[float]()
    names = voices.names[: len(voices.names) - 1]  # the last is Utter's own
    with talking() as (talk, _):
        ears = talk.sound.listen("ears")
        try:
            for number, text in enumerate(STOPS * 5):
                _be_busy(talk)
                end_s = _say(talk, ears.sounded_s, voices.say(text, names[number % len(names)]))
                if _told_s(talk, ("command: stop", "command: pause")) is not None:
                    silent_s.append(max(at for at in talk.mouth.sounded_s if at < end_s + 1.2) - end_s)
                _be_quiet(talk)
            for number, (text, name) in enumerate(list(COMMANDS.items()) * 3):
                _be_busy(talk)
                end_s = _say(talk, ears.sounded_s, voices.say(text, names[number % len(names)]))
                told_s = _told_s(talk, (f"command: {name}",))
                if told_s is not None:
                    effect_s.append(told_s - end_s)
                _be_quiet(talk)
        finally:
            ears.close()
    return [
        Measured("silence after a stop, model busy", tuple(silent_s), len(STOPS) * 5, MOST_STOP_S, 95),
        Measured("effect of a command, model busy", tuple(effect_s), len(COMMANDS) * 3, MOST_COMMAND_S, 95),
    ]


def _be_busy(talk: LiveTalk) -> None:
    """The model works on a request, and a page of help is being said."""
    talk.type(BUSY)
    talk.until("sound: heard")
    talk.type("help")
    talk.until_heard()
    time.sleep(0.7)


def _be_quiet(talk: LiveTalk) -> None:
    talk.type("stop stop stop")
    talk.until("note: Stopped")
    talk.until_silent(1.0)
    talk.lines()


def _say(talk: LiveTalk, sounded_s: list[float], samples: Samples) -> float:
    """The user says this; gives the moment at which its last sound reached the microphone."""
    before = len(sounded_s)
    talk.say(samples, SAMPLE_RATE)
    time.sleep(len(samples) / SAMPLE_RATE + 0.6)
    return sounded_s[-1] if len(sounded_s) > before else time.monotonic()


def _told_s(talk: LiveTalk, starts: tuple[str, ...]) -> float | None:
    """When a line came that begins so; None when none has come two seconds from now."""
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        for at_s, line in talk.stamped_lines():
            if line.startswith(starts):
                return at_s
        time.sleep(0.02)
    return None


def warm(voices: Voices) -> list[Measured]:
    """From the end of a spoken request to the first of the answer, by the session's own trace."""
    found: list[Measured] = []
    voice = voices.names[-2]
    for name, requests, most_s in (
        ("answer without a tool", NO_TOOL, MOST_ANSWER_S),
        ("answer after one tool call", ONE_TOOL, MOST_TOOL_S),
    ):
        with talking() as (talk, folder):
            for text in requests * ROUNDS:
                talk.say(voices.say(text, voice), SAMPLE_RATE)
                talk.until("utter: ")
                talk.until_silent(3.0)
            talk.end()
            rows = [
                json.loads(line)
                for path in folder.rglob("trace.jsonl")
                for line in path.read_text(encoding="utf-8").splitlines()
            ]
        first_s = tuple(row["first_audio_s"] for row in rows[1:] if row["first_audio_s"] is not None)
        found.append(Measured(name, first_s, len(requests) * ROUNDS - 1, most_s, 50))
    return found


def alone() -> int:
    """How often Utter answers itself in a minute and a half beside an open microphone."""
    with talking(echo_gain=ECHO_GAIN) as (talk, _):
        end, lines = time.monotonic() + ALONE_S, list[str]()
        while time.monotonic() < end:
            talk.type("help")
            talk.until_silent(1.0)
            lines += talk.log
            talk.log.clear()
        return sum(line.startswith("you:") for line in [*lines, *talk.lines()])


def report(measured: list[Measured], taken: int) -> str:
    rows = [
        [
            one.name,
            f"{'median' if one.percent == 50 else f'{one.percent} %'} {one.value_s:.2f} s",
            f"{one.most_s:.2f} s",
            f"{len(one.seconds)} of {one.asked}",
        ]
        for one in measured
    ]
    return (
        "`python -m bench.conversation live`: `utter talk` in its own process on virtual devices of "
        "PulseAudio, in real time. Stops and commands are said over a spoken page of help while the model "
        "works on a long request, and count from the last sound at the microphone to the last sound of the "
        "loudspeaker, or to the line that tells of the command. Requests count from the end of speech to "
        f"the first audio; each session's first is left out. {machine()}\n\n"
        + table(["what", "measured", "wanted at most", "heard as meant"], rows)
        + f"\n\nSelf-conversations in {ALONE_S:.0f} s of speech beside an open microphone, an echo of "
        f"{ECHO_GAIN:.2f}: {taken}."
        f"\n\n{_PEER}"
    )
