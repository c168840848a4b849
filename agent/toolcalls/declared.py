"""A tool as a model in a native dialect is told of it: name, description, JSON schema of its arguments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rapidfuzz import fuzz, process

from agent.tools.registry import ParamKind, Tool

_MAX_REFERENCES = 16
_NAMESPACES = re.compile(r"^(?:functions|default_api|tools?|api)[.:/]")

_PARAMS = {
    ParamKind.PATH: {"type": "string", "description": "path of a file, relative to the project"},
    ParamKind.NEW_PATH: {"type": "string", "description": "path of the new file, relative to the project"},
    ParamKind.SYMBOL: {"type": "string", "description": "name of a function, method or class"},
    ParamKind.LINES: {"type": "string", "description": "whole lines as they stand in the file"},
    ParamKind.CODE: {"type": "string", "description": "the code, whole lines"},
    ParamKind.WORDS: {"type": "string"},
    ParamKind.SENTENCE: {"type": "string", "description": "one sentence"},
    ParamKind.LINE_NUMBER: {"type": "integer", "description": "number of a line, from 1"},
}


@dataclass(frozen=True)
class Declared:
    """`schema` is the JSON schema of an object. Only what it declares is handed on, see `keeps_any_key`."""

    name: str
    description: str
    schema: Mapping[str, Any]

    @cached_property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        """The schema of each parameter, in the order in which they are declared."""
        found: Mapping[str, Any] = self.schema.get("properties") or {}
        return {name: resolved(schema, self.schema) for name, schema in found.items()}

    @cached_property
    def required(self) -> tuple[str, ...]:
        return tuple(name for name in self.schema.get("required") or () if name in self.properties)

    @property
    def keeps_any_key(self) -> bool:
        """Whether arguments that are not declared are welcome."""
        return not self.properties or bool(self.schema.get("additionalProperties"))

    def as_function(self) -> dict[str, Any]:
        """As chat templates take it (the layout of OpenAI's chat completions)."""
        function = {"name": self.name, "description": self.description, "parameters": dict(self.schema)}
        return {"type": "function", "function": function}


def declared(tools: Iterable[Tool]) -> tuple[Declared, ...]:
    """The tools of a registry that are the model's to call."""
    return tuple(
        Declared(
            tool.name,
            tool.description,
            {
                "type": "object",
                "properties": {param.name: _PARAMS[param.kind] for param in tool.params},
                "required": [param.name for param in tool.params if param.is_required],
            },
        )
        for tool in tools
        if tool.for_model
    )


def resolved(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """`schema` with a reference into `root` followed; no demands where it leads nowhere."""
    for _ in range(_MAX_REFERENCES):
        if not isinstance(schema, Mapping):
            return {}
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        schema = root if reference.startswith("#") else None
        for part in reference.lstrip("#").strip("/").split("/"):
            schema = schema.get(part) if isinstance(schema, Mapping) else None
    return {}


def known_as(name: str, names: Sequence[str]) -> str | None:
    """Which of `names` is meant: itself, or the only one that differs in case, marks or a namespace alone."""
    if name in names:
        return name
    for spelling in (name, _NAMESPACES.sub("", name)):
        fits = [known for known in names if _bare(known) == _bare(spelling)]
        if len(fits) == 1 and _bare(spelling):
            return fits[0]
    return None


def nearest(name: str, names: Sequence[str]) -> str:
    """A hint at the names that look most like `name`, as a sentence; all of them when none does."""
    close = [match[0] for match in process.extract(name, names, scorer=fuzz.ratio, limit=3, score_cutoff=60)]
    if close:
        return f"Did you mean {' or '.join(close)}?"
    return f"There is: {', '.join(names)}." if names else "There is none."


def _bare(name: str) -> str:
    return re.sub(r"[\s_\-]", "", name).lower()
