"""Arguments become what the schema declares, or it is said what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from agent.toolcalls.coercion import BadValue, coerce
from agent.toolcalls.declared import Declared, declared, known_as
from agent.tools.registry import Outcome, Param, ParamKind, Tool

POINT = {
    "type": "object",
    "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
    "required": ["x"],
}

COERCED: list[tuple[Any, dict[str, Any], Any]] = [
    ("5", {"type": "integer"}, 5),
    (" 72.0000 ", {"type": "integer"}, 72),
    (5.0, {"type": "integer"}, 5),
    ("2.5", {"type": "number"}, 2.5),
    ("True", {"type": "boolean"}, True),
    ("no", {"type": "boolean"}, False),
    (0, {"type": "boolean"}, False),
    (7, {"type": "string"}, "7"),
    (True, {"type": "string"}, "true"),
    ({"a": 1}, {"type": "string"}, '{"a": 1}'),
    ('["a", "b"]', {"type": "array", "items": {"type": "string"}}, ["a", "b"]),
    ("['a']", {"type": "array"}, ["a"]),
    ("a", {"type": "array", "items": {"type": "string"}}, ["a"]),
    (["1", 2], {"type": "array", "items": {"type": "integer"}}, [1, 2]),
    ('{"x": "1", "z": 5}', POINT, {"x": 1}),
    ({"X": 1, "y": "2"}, POINT, {"x": 1, "y": 2}),
    ("3", {"anyOf": [{"type": "integer"}, {"type": "null"}]}, 3),
    (None, {"type": ["string", "null"]}, None),
    ("null", {"type": "null"}, None),
    ("3", {"type": ["integer", "string"]}, "3"),
    ("RED", {"enum": ["red", "green"]}, "red"),
    (
        {"p": {"x": "1"}},
        {"$defs": {"p": POINT}, "properties": {"p": {"$ref": "#/$defs/p"}}},
        {"p": {"x": "1"}},
    ),
    (
        {"p": {"x": "1"}},
        {"type": "object", "$defs": {"p": POINT}, "properties": {"p": {"$ref": "#/$defs/p"}}},
        {"p": {"x": 1}},
    ),
]


@pytest.mark.parametrize(("value", "schema", "wanted"), COERCED)
def test_a_value_is_read_as_it_was_meant(value: Any, schema: dict[str, Any], wanted: Any) -> None:
    got = coerce(value, schema)
    assert got == wanted
    assert type(got) is type(wanted)


REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    ("many", {"type": "integer"}, "a whole number, not 'many'"),
    (2.5, {"type": "integer"}, "a whole number"),
    (True, {"type": "integer"}, "a whole number"),
    (float("inf"), {"type": "number"}, "a number"),
    ("9" * 5_000, {"type": "integer"}, "a whole number"),
    (10**400, {}, "a number"),
    ("maybe", {"type": "boolean"}, "true or false"),
    (None, {"type": "string"}, "text, not null"),
    ("[1", {"type": "array"}, "no JSON"),
    (5, {"type": "object"}, "an object"),
    ({"y": 1}, POINT, "lacks x"),
    ("blue", {"enum": ["red", "green"]}, "one of"),
    ("b", {"const": "a"}, "one of"),
    (["a", {"b": float("nan")}], {}, "a number"),
]


@pytest.mark.parametrize(("value", "schema", "reason"), REFUSED)
def test_what_would_have_to_be_guessed_is_refused(value: Any, schema: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        coerce(value, schema)


def test_a_schema_that_refers_to_itself_comes_to_an_end() -> None:
    root = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}
    assert coerce("x", root) == "x"
    tree: dict[str, Any] = {"type": "array", "items": {"$ref": "#"}}
    deep: Any = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(BadValue, match="nested too deeply"):
        coerce(deep, tree)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("read_file", "read_file"),
        ("ReadFile", "read_file"),
        ("functions.read_file", "read_file"),
        ("default_api.read-file", "read_file"),
        ("read_fil", None),
        ("", None),
        ("Run", None),  # two it could be
    ],
)
def test_a_name_is_only_known_where_one_alone_is_meant(written: str, meant: str | None) -> None:
    assert known_as(written, ["read_file", "run", "RUN"]) == meant


async def _unused(arguments: object) -> Outcome:
    raise AssertionError


def test_a_tool_is_declared_with_its_parameters() -> None:
    params = (Param("path", ParamKind.PATH), Param("line", ParamKind.LINE_NUMBER, is_required=False))
    (tool,) = declared([Tool("show", "show a line", params, True, _unused, lambda arguments: None)])
    assert isinstance(tool, Declared)
    assert list(tool.properties) == ["path", "line"]
    assert tool.properties["line"]["type"] == "integer"
    assert tool.required == ("path",)
    assert tool.as_function()["function"]["name"] == "show"
