"""A whole conversation with the real models, through a microphone and a loudspeaker of PulseAudio.

The loudspeaker is open: a quarter of what it plays comes back to the microphone, 50 ms later. On a busy
machine sound breaks up, and what is said may be misheard: then the user says it again, a few times. What must
hold always is that only a yes allows, and that Utter does not talk to itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from rapidfuzz import fuzz
from virtual_sound import virtual_sound

from agent.models.store import ModelStore
from bench.live_talk import LiveTalk
from voice.conversation.answers import Meaning, meaning
from voice.demo import DEMO_FOLDER, copy_project

RECORDINGS = Path(__file__).parent / "recordings"
REQUESTS = DEMO_FOLDER / "requests"
ECHO_GAIN = 0.25
SAID = ("Run the tests.", "What files are in this project?", "Be quiet.", "No.", "Yes, please.")
ALIKE = 85.0  # per cent of the letters
TIMES, AGAIN_S = 4, 10.0
GAP_S = 1.5  # what is said has no longer ones, on a busy machine either
ANSWER_S = 0.5  # so much of an answer sounds before it is spoken into
QUESTION_S = 2.0  # so much of a question sounds at least; what comes before is a sound and a breath


@pytest.fixture
def talk(store: ModelStore, tmp_path: Path) -> Iterator[Callable[[Path], LiveTalk]]:
    talks: list[LiveTalk] = []
    with virtual_sound(tmp_path, echo_gain=ECHO_GAIN) as sound:

        def begin(project: Path) -> LiveTalk:
            talks.append(LiveTalk(sound, store, project, ("agent.mode=ask-first",)))
            return talks[-1]

        try:
            yield begin
        finally:
            for one in talks:
                one.close()


def test_a_conversation_from_the_first_request_to_an_unplugged_device(
    talk: Callable[[Path], LiveTalk], tmp_path: Path
) -> None:
    project = tmp_path / "project"
    copy_project(DEMO_FOLDER / "project", project)
    limits = project / "shelf" / "limits.py"
    limits.write_text("LOAN_DAYS = 21\n")
    user = talk(project)
    user.until("Listening")

    interrupt(user)
    user.until("utter: ")
    user.type("help")
    user.until_silent(for_s=0.0, after_s=QUESTION_S)  # it speaks
    user.say_until(RECORDINGS / "be-quiet.flac", "command: stop")

    answer(user, "no.flac", "not allowed, said no; heard: No", limits)
    answer(user, "yes-please.flac", "allowed; heard: Yes, please", limits)
    user.until("result")
    assert limits.read_text() == "LOAN_DAYS = 30\n"

    user.sound.unplug()
    user.until("note: The microphone and the loudspeaker are gone.")
    assert user.sound.plug_in(echo_gain=ECHO_GAIN)
    user.until("note: The sound is back, and I hear you.")
    user.listen_anew()
    user.until_silent()
    user.say_until(RECORDINGS / "what-is-going-on.flac", "command: status")
    assert user.end() == 0

    (log,) = tmp_path.rglob("transcript.jsonl")
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert any(row["type"] == "Interrupted" for row in rows)
    (allowed,) = (row for row in rows if row["type"] == "Answered" and row["is_allowed"])
    assert meaning(allowed["words"], ()) is Meaning.YES
    assert own_words(rows) == []
    (trace,) = tmp_path.rglob("trace.jsonl")
    turns = [json.loads(line) for line in trace.read_text().splitlines()]
    heard = [turn for turn in turns if turn["text"].startswith("Run the tests") and turn["first_audio_s"]]
    assert heard  # one that spoken words kept from sounding has no such time
    assert 0 < heard[0]["endpoint_s"] < heard[0]["first_audio_s"]


def interrupt(user: LiveTalk) -> None:
    """A request, and another one into its answer."""
    for _ in range(TIMES):
        user.say_until(REQUESTS / "3-run-tests.flac", "you: Run the tests")
        user.until("utter: Ten tests passed, one failed")
        before = len(user.log)
        with suppress(AssertionError):
            user.until_silent(for_s=0.0, after_s=ANSWER_S, limit_s=AGAIN_S)  # what has not sounded is not cut
            user.say_recording(REQUESTS / "1-list-files.flac")
            user.until("interrupted; heard until then: ", AGAIN_S)
            if any(line.startswith("you: What") for line in user.log[before:]):
                return
    raise AssertionError("no request was heard over an answer in:\n" + "\n".join(user.log))


def answer(user: LiveTalk, recording: str, wanted: str, limits: Path) -> None:
    """A question is answered, and all of it done again when the answer was refused as not understood."""
    for _ in range(TIMES):
        user.type("set LOAN_DAYS to 30")
        try:
            user.until("utter: I need your word for this: change", 3 * AGAIN_S)
        except AssertionError:  # a late "no" came before it
            assert limits.read_text() == "LOAN_DAYS = 21\n"
            continue
        with suppress(AssertionError):  # an answer into the question is one that does not count
            user.until_silent(for_s=GAP_S, after_s=QUESTION_S, limit_s=3 * AGAIN_S)
        line = user.say_until(RECORDINGS / recording, "action: `change")
        if wanted in line:
            return
        assert "`: not allowed" in line
        assert limits.read_text() == "LOAN_DAYS = 21\n"
    raise AssertionError(f"{recording} was not understood in:\n" + "\n".join(user.log))


def own_words(rows: list[dict[str, Any]]) -> list[str]:
    """What was heard, and is more like what Utter had said by then than like anything that the user said."""
    found: list[str] = []
    spoken: list[str] = []
    for row in rows:
        if row["type"] == "Saying" and not row["clause"].startswith("I heard:"):
            spoken.append(row["clause"])
        elif row["type"] == "UtteranceHeard":
            text = row["heard"]["text"]
            ours = max((fuzz.partial_ratio(text, clause) for clause in spoken), default=0.0)
            if ours >= ALIKE and ours > max(fuzz.partial_ratio(text, said) for said in SAID):
                found.append(text)
    return found
