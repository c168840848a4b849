"""Questions that no code of the project would help to answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from indexed import indexed

from agent.code.index import CodeIndex
from agent.guided.general import is_general, may_be_general
from bench.agent_requests import KNOWN, UNSEEN
from bench.agent_tasks import PROJECTS

FILES = {
    "README.md": "# Library\n\nLends books, and knows what is overdue.\n",
    "loans.py": "class Loan:\n    def late_fee(self, days):\n        return days * 2\n",
    "templates/page.py": "WIDTH = 3\n",
    "waiting.py": "class Queues:\n    pass\n",
    "text/parser.py": "class Parser:\n    pass\n\n\nclass ResponseCache:\n    pass\n",
    "text/test_parser.py": "class ListTest:\n    def test_lock(self):\n        pass\n",
    "reader.py": "def find_reader(name):\n    return name\n",
}


GENERAL = (
    "What is a dictionary good for?",
    "What does a return statement do?",
    "What is the difference between a list and a set?",
    "How does a generator work?",
)


@pytest.fixture
def index(tmp_path: Path) -> CodeIndex:
    return indexed(tmp_path, FILES)


@pytest.mark.parametrize(
    "question",
    [
        "What is a dictionary good for?",
        "What does a return statement do?",
        "What is the difference between a list and a set?",
        "What does it mean that a test fails?",
        "Can you tell me what a closure is?",
        "So, explain what a decorator is.",
        "How do I reverse a list in Python?",
        "How does a closure work?",
        "When do people use a generator?",
        "When should I use a tuple instead of a list?",
        "How does garbage collection work in Go?",
        "What's the purpose of a lock?",
    ],
)
def test_what_holds_everywhere_is_general(question: str, index: CodeIndex) -> None:
    assert is_general(question, index)


@pytest.mark.parametrize(
    "question",
    [
        "What is a loan?",  # a class of the project
        "What is a late fee?",  # one of its functions
        "What is a book?",  # a word of its readme
        "What does a reader do?",
        "What does this function return?",
        "What does a loan do here?",
        "What is the dictionary good for?",
        "Is there a test missing?",
        "What is in loans.py?",
        "What does find_reader do?",
        "What does it do?",
        "Explain the tests.",
        "What is overdue?",
        "What does a parser do?",  # a term, but a class of the project as well
        "How does a cache work?",
        "What is a decorator? Where do I use one?",
        "What is a list? It confuses me.",
        "What is a stack? Does anything use one?",
        "How does a template work?",
        "What is a queue?",
        "What would an empty list return?",
        "What does an empty list return?",
        "What would a good test be?",
        "Why does an error occur?",
        "When does a division fail?",
        "When should I run a test?",
        "Why is a dictionary used?",
        "How do I run a test?",
        "How do we test a function?",
        "How is a string parsed?",
        "Add a decorator.",
        "Write a function that reverses a list in Python.",
    ],
)
def test_any_doubt_makes_it_one_about_the_project(question: str, index: CodeIndex) -> None:
    assert not is_general(question, index)


def test_a_large_picture_hides_no_code(index: CodeIndex) -> None:
    index.large = {"logo.png": 600_000}
    assert is_general("What is a dictionary good for?", index)
    index.large = {"all.py": 600_000}
    assert not is_general("What is a dictionary good for?", index)


@pytest.mark.parametrize("project", ["python", "go", "javascript"])
def test_no_request_of_the_benches_is_general(project: str) -> None:
    index = indexed(PROJECTS / project, {})
    requests = [text for of, _, text in (*KNOWN, *UNSEEN) if of == project]
    assert requests and [text for text in requests if is_general(text, index)] == []


@pytest.mark.parametrize("question", GENERAL)
def test_a_general_question_is_known_before_its_last_words(question: str, index: CodeIndex) -> None:
    words = question.split()
    assert may_be_general(" ".join(words[:-1]), index) or may_be_general(" ".join(words[:-2]), index)


@pytest.mark.parametrize(
    "begun",
    [
        "What",
        "What is",
        "What does this",
        "Why is the",
        "Where do",
        "Add a test for a list",
        "What is a loan",
    ],
)
def test_what_may_be_about_the_project_is_not_begun_as_general(begun: str, index: CodeIndex) -> None:
    assert not may_be_general(begun, index)
