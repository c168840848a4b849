"""Where new code goes in a file: at its end, before what has to stay last, or inside a class. Pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from agent.code import trees
from agent.code.languages import Language, language_of
from agent.code.outline import symbols_of
from agent.code.symbols import Symbol, SymbolKind, parse
from agent.tools import script_imports
from agent.tools.definition import dedented
from agent.tools.matching import in_style_of, reindent
from agent.tools.renaming import renamed


def prepared(path: str, text: str, new: str) -> str:
    """The new code at no indentation, in the style of the file, without what only heads a whole file."""
    if language_of(path) is Language.PYTHON:
        return dedented(new)
    code = in_style_of(text, dedented(new) if not new.startswith(("\t", " ")) else _flush(new))
    if language_of(path) is Language.GO and text.strip():
        code = re.sub(r"\A(?:\s*(?:package \w+|import \"[^\"]*\"|import \([^)]*\))[ \t]*\n)+", "", code)
    return code.strip("\n")


def in_project_style(path: str, new: str, known: Sequence[Symbol]) -> str:
    """The new code with functions named `averageSpeed`, not `average_speed`, where none has underscores."""
    language = language_of(path)
    has_underscores = any("_" in symbol.bare_name for symbol in known if symbol.is_callable)
    if language in (None, Language.PYTHON, Language.RUST) or has_underscores or not _parses(path, new):
        return new
    for symbol in symbols_of(path, new):
        first, *rest = symbol.bare_name.split("_")
        is_snake = symbol.is_callable and first and all(rest) and bool(rest)
        if is_snake and not symbol.bare_name.startswith("Test"):
            humped = first + "".join(part[:1].upper() + part[1:] for part in rest)
            new = renamed(path, new, symbol.bare_name, humped)
    return new


def _parses(path: str, code: str) -> bool:
    language = language_of(path)
    return language is not None and not trees.syntax_error(language, code)


def defined(path: str, code: str) -> set[str]:
    """The names that a piece of code defines at its top."""
    return {s.name for s in symbols_of(path, code) if s.kind is not SymbolKind.CONSTANT}


def appended(path: str, text: str, new: str) -> str:
    """`text` with `new` after its last definition."""
    language = language_of(path)
    if language is Language.PYTHON:
        return _in_python(text, new)
    if language is not None and language.is_script:
        return script_imports.appended(path, text, new)
    if language is None:
        gap = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{gap}{new}\n"
    body = text.rstrip("\n")
    return f"{body}\n\n{new}\n" if body else f"{new}\n"


def in_class(path: str, text: str, owner: Symbol, known: Sequence[Symbol], new: str) -> str:
    """`text` with the members `new` at the end of the class `owner`."""
    lines = text.split("\n")
    if language_of(path) is Language.GO:
        methods = [item.last_line for item in known if item.name.startswith(f"{owner.name}.")]
        last = max([owner.last_line, *methods])
        return "\n".join([*lines[:last], "", *new.split("\n"), *lines[last:]])
    members = [item for item in known if item.name.startswith(f"{owner.name}.")]
    first = lines[(members[0].def_line if members else owner.def_line + 1) - 1 :][:1]
    body = re.match(r"\s+(?=\S)", first[0]) if first else None
    indent = body[0] if body else "    "
    added = reindent(new, indent, language=language_of(path)).split("\n")
    if language_of(path) is Language.PYTHON:
        place = owner.last_line
        return "\n".join([*lines[:place], "", *added, *lines[place:]])
    # The closing brace, which may stand on the line of the opening one.
    if owner.last_line == owner.def_line:
        head, _, tail = lines[owner.last_line - 1].rpartition("}")
        return "\n".join(
            [*lines[: owner.last_line - 1], head.rstrip(), *added, "}" + tail, *lines[owner.last_line :]]
        )
    place = owner.last_line - 1
    return "\n".join([*lines[:place], *([""] if members else []), *added, *lines[place:]])


def _flush(code: str) -> str:
    lines = code.split("\n")
    indent = min(
        (line[: len(line) - len(line.lstrip())] for line in lines if line.strip()), key=len, default=""
    )
    return "\n".join(line.removeprefix(indent) for line in lines)


def _in_python(text: str, new: str) -> str:
    lines = text.rstrip("\n").split("\n") if text.strip() else []
    tree = parse(text)
    place = len(lines)
    if tree is not None:
        for node in tree.body:
            if isinstance(node, ast.If) and "__name__" in ast.dump(node.test):
                place = node.lineno - 1
    head, tail = lines[:place], lines[place:]
    while head and not head[-1].strip():
        head.pop()
    parts = [*head, *(["", ""] if head else []), *new.split("\n"), *(["", "", *tail] if tail else [])]
    return "\n".join(parts) + "\n"
