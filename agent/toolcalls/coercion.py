"""Turns what a model wrote for an argument into the declared type, or says what is wrong. Pure.

Models write numbers and booleans as strings, integers as 72.0000, lists as JSON in a string: all that is read
as meant. What would have to be guessed is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from agent.errors import UtterError
from agent.toolcalls.declared import known_as, resolved
from agent.toolcalls.literals import parse
from agent.toolcalls.source import Malformed

_MAX_DEPTH = 32
_MAX_SHOWN = 60
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_NOTHING = ("null", "none")


class BadValue(UtterError):
    """A value that does not fit its schema; the message says what is wanted."""


def coerce(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any] | None = None, depth: int = 0
) -> Any:
    """`value` as `schema` wants it; `root` is where its references lead. Raises `BadValue`."""
    schema, root = resolved(schema, root or schema), root or schema
    if depth > _MAX_DEPTH:
        raise BadValue("it is nested too deeply")
    choices = schema.get("anyOf") or schema.get("oneOf")
    kinds = schema.get("type")
    if isinstance(choices, Sequence) and not isinstance(choices, str):
        return _first_fit(value, [resolved(choice, root) for choice in choices], root, depth)
    if isinstance(kinds, Sequence) and not isinstance(kinds, str):
        return _first_fit(value, [{**schema, "type": kind} for kind in kinds], root, depth)
    return _allowed(_typed(value, str(kinds or ""), schema, root, depth), schema)


def loose(text: str) -> Any:
    """JSON or a Python literal in a string; `BadValue` for anything else."""
    try:
        return parse(text)
    except Malformed as error:
        raise BadValue(f"it is no JSON ({error}): {_shown(text)}") from error


def _first_fit(value: Any, schemas: Sequence[Mapping[str, Any]], root: Mapping[str, Any], depth: int) -> Any:
    """The first schema whose very type it has, else the first that it can be turned into."""
    ordered = sorted(schemas, key=lambda schema: not _has_type(value, schema.get("type")))
    problems: list[str] = []
    for schema in ordered:
        try:
            return coerce(value, schema, root, depth + 1)
        except BadValue as problem:
            problems.append(str(problem))
    raise BadValue(problems[0] if problems else "no value is allowed")


def _typed(value: Any, kind: str, schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    if kind == "string":
        return _string(value)
    if kind == "integer":
        number = _number(value, "a whole number")
        if isinstance(number, float) and not number.is_integer():
            raise BadValue(f"it must be a whole number, not {_shown(value)}")
        return int(number)
    if kind == "number":
        return _number(value, "a number")
    if kind == "boolean":
        return _boolean(value)
    if kind == "null":
        if value is None or (isinstance(value, str) and value.strip().lower() in _NOTHING):
            return None
        raise BadValue(f"it must be null, not {_shown(value)}")
    if kind == "array":
        return _array(value, schema, root, depth)
    if kind == "object":
        return _object(value, schema, root, depth)
    return _finite(value, depth)


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        raise BadValue("it must be text, not null")
    if isinstance(value, (bool, dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _number(value: Any, wanted: str) -> int | float:
    if isinstance(value, str):
        text = value.strip()
        try:
            value = int(text)
        except ValueError:
            try:
                value = float(text)
            except ValueError:
                value = None
        if value is None:
            raise BadValue(f"it must be {wanted}, not {_shown(text)}")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(_size(value)):
        raise BadValue(f"it must be {wanted}, not {_shown(value)}")
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _size(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _boolean(value: Any) -> bool:
    word = str(value).strip().lower() if isinstance(value, (str, bool, int)) else ""
    if word in _YES or word in _NO:
        return word in _YES
    raise BadValue(f"it must be true or false, not {_shown(value)}")


def _array(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> list[Any]:
    items = resolved(schema.get("items") or {}, root)
    if isinstance(value, str) and value.strip().startswith("["):
        value = loose(value)
    elif isinstance(value, (str, int, float)) and items.get("type") not in ("array", "object"):
        value = [value]  # one thing where several may stand
    if not isinstance(value, list):
        raise BadValue(f"it must be a list, not {_shown(value)}")
    return [coerce(item, items, root, depth + 1) for item in value]


def _object(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    if isinstance(value, str):
        value = loose(value)
    if not isinstance(value, dict):
        raise BadValue(f"it must be an object, not {_shown(value)}")
    properties: Mapping[str, Any] = schema.get("properties") or {}
    keeps_any = not properties or bool(schema.get("additionalProperties"))
    names, found = list(properties), dict[str, Any]()
    for key, item in value.items():
        name = known_as(key, names)
        if name is not None and name not in found:
            found[name] = coerce(item, properties[name], root, depth + 1)
        elif name is None and keeps_any:
            found[key] = _finite(item, depth + 1)
    missing = [name for name in schema.get("required") or () if name in properties and name not in found]
    if missing:
        raise BadValue(f"it lacks {', '.join(missing)}")
    return found


def _finite(value: Any, depth: int) -> Any:
    """A value of no declared type; only numbers that JSON cannot hold are refused."""
    if depth > _MAX_DEPTH:
        raise BadValue("it is nested too deeply")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(value, "a number")
    if isinstance(value, list):
        return [_finite(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {key: _finite(item, depth + 1) for key, item in value.items()}
    return value


def _allowed(value: Any, schema: Mapping[str, Any]) -> Any:
    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    if not isinstance(allowed, list) or value in allowed:
        return value
    meant = (
        known_as(value, [item for item in allowed if isinstance(item, str)])
        if isinstance(value, str)
        else None
    )
    if meant is None:
        raise BadValue(f"it must be one of {_shown(allowed)}, not {_shown(value)}")
    return meant


def _has_type(value: Any, kind: Any) -> bool:
    types = {"string": str, "boolean": bool, "array": list, "object": dict, "null": type(None)}
    if kind in ("integer", "number"):
        return isinstance(value, int if kind == "integer" else (int, float)) and not isinstance(value, bool)
    return kind in types and isinstance(value, types[kind])


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str) if not isinstance(value, str) else repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
