"""Requests with thinking pauses of up to 1.5 s inside: none may be cut in two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.conversation_ears import ears, users, without_silence
from bench.report import machine, table, write_section
from bench.room import Ears, Room, RoomTalk
from bench.synthetic import REQUESTS
from voice.audio.frames import SAMPLE_RATE, Samples
from voice.conversation.signals import Begin, Say, Withdraw

N_REQUESTS = 50
PAUSES_S = (0.5, 0.8, 1.0, 1.2, 1.5)
_EARLIEST, _LATEST = 0.25, 0.75  # of the speech, where the pause may be
_SOFT, _FADE = 400, 80  # samples, on either side of it


@dataclass(frozen=True)
class Heard:
    """One request: whether it was taken for two, and whether Utter had begun to answer before it was over."""

    pause_s: float
    is_cut: bool
    was_answered: bool
    taken_s: float  # from the end of the speech until the request was taken


def main() -> bool:
    """Measure, print and write the section `conversation-pauses`; false when a turn was cut."""
    models, voices = ears(), users()
    found: list[Heard] = []
    for number in range(N_REQUESTS):
        text = REQUESTS[number % len(REQUESTS)]
        voice = voices.names[(number + number // len(REQUESTS) + 1) % len(voices.names)]
        pause_s = PAUSES_S[number % len(PAUSES_S)]
        found.append(hear(models, with_pause(voices.say(text, voice), pause_s), pause_s))
    text = report(found)
    print(text)
    write_section("conversation-pauses", text)
    return not any(heard.is_cut for heard in found)


def with_pause(samples: Samples, pause_s: float) -> Samples:
    """The request with silence where its voice is softest in the middle, which is between two words.

    So the voice before the pause is that of a sentence that goes on.
    """
    samples = without_silence(samples)
    places = range(int(_EARLIEST * len(samples)), int(_LATEST * len(samples)), _FADE)
    at = min(places, key=lambda place: float(np.square(samples[place - _SOFT : place + _SOFT]).sum()))
    ramp = np.linspace(0, 1, _FADE, dtype=np.float32)
    before, after = (without_silence(part).copy() for part in (samples[:at], samples[at:]))
    before[-_FADE:] *= ramp[::-1]
    after[:_FADE] *= ramp
    return np.concatenate((before, np.zeros(int(pause_s * SAMPLE_RATE), np.float32), after))


def hear(models: Ears, samples: Samples, pause_s: float) -> Heard:
    """One request in a quiet room, until it has been answered."""
    talk = RoomTalk(models, Room(None))
    talk.run(0.5)
    end_s = talk.say(samples)
    talk.run(len(samples) / SAMPLE_RATE + 5.0)
    withdrawn = {decision.turn for _, decision in talk.log if isinstance(decision, Withdraw)}
    begun = [
        (at_s, decision.text)
        for at_s, decision in talk.log
        if isinstance(decision, Begin) and decision.turn not in withdrawn
    ]
    if not begun:
        return Heard(pause_s, True, False, 0.0)
    last_s, whole = begun[-1]
    was_answered = any(isinstance(decision, Say) and at_s < end_s for at_s, decision in talk.log)
    is_cut = not all(whole.startswith(text) for _, text in begun)
    return Heard(pause_s, is_cut, was_answered, last_s - end_s)


def report(found: list[Heard]) -> str:
    rows = [
        [
            f"{pause_s:.1f} s",
            str(len(of_pause)),
            str(sum(heard.is_cut for heard in of_pause)),
            str(sum(heard.was_answered for heard in of_pause)),
            f"{float(np.median([heard.taken_s for heard in of_pause])):.2f} s",
        ]
        for pause_s in PAUSES_S
        for of_pause in [[heard for heard in found if heard.pause_s == pause_s]]
    ]
    return (
        f"`python -m bench.conversation pauses`: {len(found)} spoken requests, each with one thinking pause "
        "between two words; real detector, Whisper and Smart Turn, and the session machine, faster "
        "than real time on a clock that counts frames, and an agent that answers 0.2 s after it was asked. A "
        "turn is cut when the request that is worked on in the end is not the whole of it; zero are wanted. "
        f"{machine()}\n\n"
        + table(
            ["pause", "requests", "cut", "answer had begun", "taken after the end of speech, median"], rows
        )
        + f"\n\nCut in all: {sum(heard.is_cut for heard in found)} of {len(found)}."
    )
