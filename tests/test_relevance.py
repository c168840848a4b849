"""The code that a question is about, though no name in it is spoken exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
from indexed import indexed

from agent.code.index import CodeIndex
from agent.guided.context import for_question
from agent.guided.relevance import beside, related

FILES = {
    "barn/barn.go": 'package barn\n\nimport "errors"\n\nvar ErrCrowded = errors.New("no stall is free")\n\n'
    "// Where animals stand.\ntype Barn struct {\n\tstalls []string\n}\n\n"
    "func (b *Barn) Lead(animal string) error {\n\tif len(b.stalls) > 9 {\n\t\treturn ErrCrowded\n\t}\n"
    "\tb.stalls = append(b.stalls, animal)\n\treturn nil\n}\n\n"
    "func Milk(litres int) int {\n\treturn litres\n}\n",
    "animals.py": "class Animal:\n    name: str\n    age: int = 1\n\n\nclass Herd:\n"
    '    """Animals, each with its age."""\n\n    def __init__(self):\n        self.animals = []\n\n'
    "    def oldest(self):\n        age = max(animal.age for animal in self.animals)\n"
    "        return [animal for animal in self.animals if animal.age == age]\n",
}


@pytest.fixture
def index(tmp_path: Path) -> CodeIndex:
    return indexed(tmp_path, FILES)


def test_what_a_question_says_beside_a_name_is_looked_for_too(index: CodeIndex) -> None:
    given = for_question("Which error comes when no stall of the barn is free?", index)
    assert "type Barn struct" in given.text
    assert 'errors.New("no stall is free")' in given.text
    assert "func Milk" not in given.text.partition("```")[0]


def test_nothing_is_added_where_the_named_code_has_all_the_words(index: CodeIndex) -> None:
    named = [item for item in index.located() if item.symbol.name == "Milk"]
    likest = related("What does milk do with the litres?", index, tests_too=False)
    assert beside("What does milk do with the litres?", named, likest, index) == []


def test_a_short_definition_is_not_lost_among_long_ones(index: CodeIndex) -> None:
    assert "age: int = 1" in for_question("Which age has one that's new?", index).text
