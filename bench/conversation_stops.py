"""How often a stop over Utter's own voice is heard, how soon it is silent, and what else is taken for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.conversation_ears import SPOKEN, ears, users, without_silence
from bench.report import machine, table, write_section
from bench.room import Ears, Room, RoomTalk
from bench.synthetic import Voices
from voice.audio.frames import Samples
from voice.conversation.command_table import Name
from voice.conversation.commands import Situation, commands_in
from voice.conversation.signals import PausePlayback, Perform, Pressed, Typed

STOPS = (
    "Stop.", "Stop!", "Stop it.", "Be quiet.", "Quiet.", "Shut up.", "Silence.", "Wait.", "Pause.",
    "Hold on.",
)  # fmt: skip
OTHERS = (
    "Start.", "Top.", "Store.", "Step.", "Yes.", "No.", "Okay.", "Tests.", "Run it.", "Skip.", "Faster.",
    "Slower.", "Next.", "Back.", "Shop.", "What?", "Spot.", "Sorry?", "Continue.", "Repeat.", "Status.",
    "Start the tests.", "Stop the server.", "Stop at line ten.", "What stops?", "Weight.", "Paws.", "Right.",
    "Mm-hm.", "Hold the door.",
)  # fmt: skip
VOICES_OF_OTHERS = 2
ROOMS: dict[str, Room] = {
    "headphones": Room(None),
    "echo at -20 dB": Room(-20.0),
    "echo at -12 dB": Room(-12.0),
    "echo at -3 dB, overdriven": Room(-3.0, drive=2.0),
}
LOUDNESS = 0.8  # of the user's peak, 0.5, which is about 10 dB above Utter's voice at -12 dB
MOST_S = 0.15
_SILENCING = (Name.STOP, Name.PAUSE, Name.ABORT)


@dataclass(frozen=True)
class Said:
    """One word over Utter's voice. `silent_s` from its end to the last of Utter; below 0, that was first."""

    text: str
    is_stop: bool
    by_canceller: bool  # Whisper wrote a stop for what WebRTC's canceller leaves
    by_filter: bool  # and for what the linear filter leaves
    obeyed: bool
    silent_s: float


def main() -> bool:
    """Measure, print and write the section `conversation-stops`; false when silence comes too late."""
    models, voices = ears(), users()
    spoken = [(text, True, voices.say(text, voice)) for text in STOPS for voice in voices.names]
    for number, text in enumerate(OTHERS):
        for turn in range(VOICES_OF_OTHERS):
            voice = voices.names[(number + 3 * turn) % len(voices.names)]
            spoken.append((text, False, voices.say(text, voice)))
    results = {name: in_room(models, room, spoken) for name, room in ROOMS.items()}
    text = report(results, voices)
    print(text)
    write_section("conversation-stops", text)
    return all(_late_s(said) <= MOST_S for said in results.values())


def in_room(models: Ears, room: Room, spoken: Sequence[tuple[str, bool, Samples]]) -> list[Said]:
    """Each word over the middle of an answer."""
    talk = RoomTalk(models, room, answer=lambda _: SPOKEN)
    talk.give(Typed("go"))
    talk.run(4.0)
    random, found = np.random.default_rng(0), list[Said]()
    for text, is_stop, samples in spoken:
        talk.give(Typed("go"))
        talk.run(1.0 + float(random.random()))
        n_log, n_heard, began_s = len(talk.log), len(talk.heard), talk.now_s
        end_s = talk.say(without_silence(samples) * LOUDNESS)
        talk.run(len(samples) / 16_000 + 1.6)
        done = [decision for _, decision in talk.log[n_log:] if isinstance(decision, Perform)]
        by_canceller = [
            models.transcriber.transcribe(np.concatenate(talk.cancelled[first:end])).text
            for first, end in talk.spans[n_heard:]
        ]
        is_paused = any(isinstance(decision, PausePlayback) for _, decision in talk.log[n_log:])
        found.append(
            Said(
                text,
                is_stop,
                any(map(_is_stop, by_canceller)),
                any(_is_stop(heard.text) for heard in talk.heard[n_heard:]),
                any(one.spoken.name in _SILENCING for one in done),
                talk.silent_from(began_s) - end_s if is_paused else 1.6,
            )
        )
        talk.give(Pressed("S"))
        talk.run(0.6)
    return found


def _is_stop(text: str) -> bool:
    return any(spoken.name in _SILENCING for spoken in commands_in(text, Situation()))


def _late_s(said: Sequence[Said]) -> float:
    return float(np.percentile([one.silent_s for one in said if one.is_stop], 95))


def report(results: dict[str, list[Said]], voices: Voices) -> str:
    rows: list[list[str]] = []
    for name, said in results.items():
        stops, others = [one for one in said if one.is_stop], [one for one in said if not one.is_stop]

        def share(among: Sequence[Said], which: str) -> str:
            return f"{sum(bool(getattr(one, which)) for one in among)} of {len(among)}"

        rows.append(
            [
                name,
                share(stops, "by_canceller"),
                share(stops, "by_filter"),
                share(stops, "obeyed"),
                f"{1000 * float(np.median([one.silent_s for one in stops])):.0f}",
                f"{1000 * _late_s(said):.0f}",
                share(others, "obeyed"),
            ]
        )
    false = sorted({one.text for said in results.values() for one in said if one.obeyed and not one.is_stop})
    return (
        f"`python -m bench.conversation stops`: {len(STOPS)} ways to say stop in {len(voices.names)} voices, "
        f"and {len(OTHERS)} other words in {VOICES_OF_OTHERS} voices each, over Utter's own voice in a "
        "simulated room with the real models; the clock counts frames, with 80 ms in the loudspeaker and "
        f"350 ms for Whisper. {machine()}\n\n"
        "Stops heard: as Whisper writes what WebRTC's canceller leaves; as it writes what the linear filter "
        "leaves; and by likelihood, which is what Utter goes by. Silence in milliseconds after the end of "
        "the word; below zero it comes before that. At most "
        f"{1000 * MOST_S:.0f} ms are wanted in 95 of 100.\n\n"
        + table(
            [
                "room",
                "canceller",
                "filter",
                "likelihood",
                "silent, median",
                "95 %",
                "other words taken",
            ],
            rows,
        )
        + f"\n\nOther words that were taken for a stop somewhere: {', '.join(false) or 'none'}."
    )
