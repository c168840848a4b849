"""Whether code may be run in versions that nobody has thought of: an allow-list over its syntax trees. Pure.

A wrong value can travel to wherever it does harm, so that all code of a project is looked at, not a part.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Mapping
from pathlib import PurePosixPath

from agent.code.symbols import parse

_MODULES = frozenset(
    {
        *("__future__", "abc", "base64", "bisect", "calendar", "cmath", "collections"),
        *("contextlib", "copy", "csv", "dataclasses", "datetime", "decimal", "difflib", "enum"),
        *("fractions", "functools", "hashlib", "heapq", "itertools", "json", "math", "numbers"),
        *("operator", "pytest", "random", "re", "statistics", "string", "sys", "textwrap", "time"),
        *("types", "typing", "unicodedata", "unittest"),
    }
)
_OF_SYS = frozenset(
    {
        *("argv", "exit", "float_info", "maxsize", "platform", "stderr", "stdin", "stdout"),
        *("version_info",),
    }
)
# Ways to code, modules and methods by names that are put together at run time, and pytest's fixtures that
# hand out paths of the disk.
_NAMES = frozenset(
    {
        *("__builtins__", "__import__", "__loader__", "__spec__", "breakpoint", "compile"),
        *("delattr", "eval", "exec", "getattr", "globals", "locals", "monkeypatch", "pytester"),
        *("request", "setattr", "testdir", "tmp_path", "tmp_path_factory", "tmpdir"),
        *("tmpdir_factory", "vars"),
    }
)
_ATTRIBUTES = frozenset(
    {
        *("FileIO", "attrgetter", "builtins", "chmod", "connect", "execute", "hardlink_to"),
        *("import_module", "importorskip", "kill", "methodcaller", "mkdir", "modules", "open"),
        *("os", "popen", "rename", "rmdir", "rmtree", "send", "symlink_to", "sys", "system"),
        *("touch", "truncate", "unlink", "write", "write_bytes", "write_text", "writelines"),
        *("__builtins__", "__code__", "__dict__", "__getattribute__", "__globals__", "__import__"),
        *("__loader__", "__spec__", "__subclasses__"),
    }
)


def is_harmless(sources: Mapping[str, str]) -> bool:
    """Whether none of a project's code reaches out of its process. `sources` are its Python files by path.

    It may import what only computes, and itself; it may read files, and write none.
    """
    modules = {path: _dotted(path) for path in sources}
    for path, text in sources.items():
        tree = parse(text)
        if tree is None:
            return False
        near = PurePosixPath(path).parent.as_posix()
        own = {name for name in modules.values() if name}
        if f"{near}/__init__.py" not in sources:
            own |= {
                PurePosixPath(other).stem
                for other in sources
                if PurePosixPath(other).parent.as_posix() == near
            }
        own |= {name[: found.start()] for name in own for found in re.finditer(r"\.", name)}
        if not all(_is_harmless(node, own) for node in ast.walk(tree)) or not _opens_only_to_read(tree):
            return False
    return True


def _dotted(path: str) -> str:
    """The name that a file is imported by from the root or from `src`."""
    name = path.removeprefix("src/").removesuffix(".py").removesuffix("__init__")
    return name.strip("/").replace("/", ".")


def _is_harmless(node: ast.AST, own: set[str]) -> bool:
    if isinstance(node, ast.Import):
        return all(_may_import(alias.name, own) for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        names = {alias.name for alias in node.names}
        is_foreign = not node.level and (node.module or "").partition(".")[0] in _MODULES
        if names & (_NAMES | _ATTRIBUTES) or (is_foreign and any(name.startswith("_") for name in names)):
            return False
        if node.module == "sys":
            return names <= _OF_SYS
        return bool(node.level) or _may_import(node.module or "", own)
    if isinstance(node, ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id == "sys":
            return node.attr in _OF_SYS
        is_inner = (
            isinstance(node.value, ast.Name) and node.value.id in _MODULES and node.attr.startswith("_")
        )
        return node.attr not in _ATTRIBUTES and not is_inner
    if isinstance(node, ast.arg):
        return node.arg not in _NAMES
    return not isinstance(node, ast.Name) or node.id not in _NAMES


def _may_import(name: str, own: set[str]) -> bool:
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or top == "pytest":
        return top in _MODULES
    return name in own


def _opens_only_to_read(tree: ast.Module) -> bool:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_open(node.func)]
    return all(_reads(call) for call in calls) and len(calls) == sum(
        _is_open(node) for node in ast.walk(tree)
    )


def _is_open(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "open"


def _reads(call: ast.Call) -> bool:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    if None in named or "opener" in named or any(isinstance(value, ast.Starred) for value in call.args):
        return False
    mode = call.args[1] if len(call.args) > 1 else named.get("mode", ast.Constant("r"))
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and set(mode.value) <= set("rbt")
