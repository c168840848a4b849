"""What was heard, with the names of a project that changes and a conversation that goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agent.workspace import Workspace
from voice.hearing.lexicon import Lexicon
from voice.hearing.repository_names import RepositoryNames
from voice.hearing.topic import Topic
from voice.hearing.understanding import Understanding


def test_a_name_that_is_new_in_the_project_is_known_at_the_next_request(tmp_path: Path):
    async def talk() -> list[str]:
        understanding = Understanding(RepositoryNames(Workspace(tmp_path)))
        before = await understanding.written("what does load shelf do?", {})
        (tmp_path / "a.py").write_text("def load_shelf(): pass\n")
        understanding.read_ahead()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
        now = await understanding.written("what does load shelf do?", {})
        return [before.text, now.text]

    assert asyncio.run(talk()) == ["what does load shelf do?", "what does load_shelf do?"]


def test_the_users_own_words_are_names_too(tmp_path: Path):
    understanding = Understanding(RepositoryNames(Workspace(tmp_path)))
    written = asyncio.run(understanding.written("open the charge bee client", {"ChargeBee": 1000.0}))
    assert written.text == "open the ChargeBee client"


def test_what_came_up_last_is_what_the_conversation_is_about():
    lexicon = Lexicon(("shelf/books.py",), {"load_shelf": 1, "close_shelf": 1, "shelf": 9})
    topic = Topic().after("I opened shelf/books.py and changed load_shelf.", lexicon)
    assert topic.weights == {"shelf/books.py": 1.0, "load_shelf": 1.0}
    topic = topic.after("Nothing of note.", lexicon).after("Now close_shelf, please, on the shelf.", lexicon)
    assert topic.weights["close_shelf"] == 1.0
    assert 0.0 < topic.weights["load_shelf"] < 1.0
    assert "shelf" not in topic.weights


def test_the_topic_does_not_grow_for_ever():
    names = {f"get_item_{letter}{other}": 1.0 for letter in "abcdefgh" for other in "abcdefgh"}
    lexicon = Lexicon((), names)
    topic = Topic()
    for name in names:
        topic = topic.after(f"What does {name} do?", lexicon)
    assert len(topic.weights) < 10
