"""Ten minutes of speech from an open loudspeaker, and nobody else there: Utter must not answer itself."""

from __future__ import annotations

from dataclasses import dataclass

from bench.conversation_ears import SPOKEN, ears
from bench.report import machine, table, write_section
from bench.room import Ears, Room, RoomTalk
from voice.conversation.machine import State
from voice.conversation.signals import PausePlayback, Taken, Took, Typed

EACH_S = 150.0
ROOMS: dict[str, Room] = {
    "-20 dB after 30 ms": Room(-20.0, delay_s=0.03),
    "-10 dB after 80 ms": Room(-10.0, delay_s=0.08),
    "-3 dB after 150 ms, overdriven": Room(-3.0, delay_s=0.15, drive=2.0),
    "0 dB: the microphone hears the output itself": Room(0.0, delay_s=0.04, reverb_s=0.0, noise_db=-90.0),
}
_ACTED_ON = (Taken.REQUEST, Taken.COMMAND, Taken.ANSWER, Taken.LATER, Taken.DICTATED)


@dataclass(frozen=True)
class Alone:
    """What happened in one room: seconds of speech, times that Utter broke off, and answered itself."""

    spoken_s: float
    paused: int
    conversations: int


def main() -> bool:
    """Measure, print and write the section `conversation-alone`; false when it talked to itself."""
    models = ears()
    found = {name: alone(models, room, EACH_S) for name, room in ROOMS.items()}
    rows = [
        [name, f"{one.spoken_s:.0f} s", str(one.paused), str(one.conversations)]
        for name, one in found.items()
    ]
    minutes = sum(one.spoken_s for one in found.values()) / 60
    text = (
        f"`python -m bench.conversation alone`: {minutes:.1f} minutes of speech from an open loudspeaker in "
        "simulated rooms, faster than real time: real canceller, detector and Whisper. No self-conversation "
        f"is wanted. {machine()}\n\n"
        + table(["echo at the microphone", "speech", "broke off for its echo", "answered itself"], rows)
    )
    print(text)
    write_section("conversation-alone", text)
    return not any(one.conversations for one in found.values())


def alone(models: Ears, room: Room, for_s: float) -> Alone:
    """Answer after answer until Utter has spoken for `for_s`."""
    talk = RoomTalk(models, room, answer=lambda _: SPOKEN)
    while sum(talk.sounded) * 0.02 < for_s:
        if talk.machine.state is not State.SPEAKING:
            talk.give(Typed("go on"))
        talk.run(1.0)
    taken = [decision for _, decision in talk.log if isinstance(decision, Took)]
    return Alone(
        sum(talk.sounded) * 0.02,
        len(talk.decisions(PausePlayback)),
        sum(took.taken in _ACTED_ON for took in taken),
    )
