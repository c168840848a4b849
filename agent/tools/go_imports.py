"""Keeps the imports of a Go file right: what a change needs is added, what it left unused goes. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tree_sitter import Node

from agent.code import trees
from agent.code.languages import Language
from agent.code.trees import text_of

_STANDARD = {
    path.rpartition("/")[2]: path
    for path in (
        *("bufio", "bytes", "cmp", "context", "errors", "fmt", "io", "log", "maps", "math", "os", "regexp"),
        *("reflect", "slices", "sort", "strconv", "strings", "sync", "testing", "time", "unicode"),
        *("encoding/csv", "encoding/hex", "encoding/json", "math/rand", "net/http", "net/url"),
        *("path/filepath", "sync/atomic", "unicode/utf8"),
    )
}


@dataclass(frozen=True)
class _Import:
    name: str
    path: str
    line: int  # counted from 1


def repaired(before: str, after: str, packages: Mapping[str, str]) -> str:
    """`after` with the imports that its change calls for. `packages` are the module's own, path by name."""
    old, new = trees.root_of(Language.GO, before), trees.root_of(Language.GO, after)
    imports = _imports(new)
    used, bound = _used(new), _bound(new)
    there = {item.name for item in imports}
    known = {**_STANDARD, **packages}
    missing = sorted(known[name] for name in (used - _used(old)) - there - bound if name in known)
    stale = {item.line for item in imports if item.name in _used(old) - used}
    if not missing and not stale:
        return after
    kept = sorted({*(item.path for item in imports if item.line not in stale), *missing})
    return _with_imports(after, new, imports, kept, missing, stale)


def tidied(source: str, packages: Mapping[str, str]) -> str:
    """`source` with all the imports that it uses, and no others."""
    root = trees.root_of(Language.GO, source)
    imports, used = _imports(root), _used(root)
    known = {**_STANDARD, **packages}
    missing = sorted(known[n] for n in used - {item.name for item in imports} - _bound(root) if n in known)
    stale = {item.line for item in imports if item.name not in {*used, "_", "."}}
    if not missing and not stale:
        return source
    kept = sorted({*(item.path for item in imports if item.line not in stale), *missing})
    return _with_imports(source, root, imports, kept, missing, stale)


def _with_imports(
    after: str, root: Node, imports: list[_Import], kept: list[str], missing: list[str], stale: set[int]
) -> str:
    lines = after.split("\n")
    declarations = [node for node in root.children if node.type == "import_declaration"]
    blocks = [node for node in declarations if "(" in text_of(node).partition('"')[0]]
    if blocks and kept:
        last = trees.last_line(blocks[0]) - 1
        ours = [item for item in imports if trees.first_line(blocks[0]) <= item.line <= last]
        for path in reversed(missing):
            place = next((item.line - 1 for item in ours if item.path > path), last)
            lines.insert(place, f'\t"{path}"')
            stale = {line + (line > place) for line in stale}
        return "\n".join(line for number, line in enumerate(lines, 1) if number not in stale)
    named = [item for item in imports if item.line not in stale and item.name != _name_of(item.path)]
    if named:
        return after  # an import under another name is left to the user
    first = trees.first_line(declarations[0]) - 1 if declarations else None
    gone = {n for node in declarations for n in range(trees.first_line(node), trees.last_line(node) + 1)}
    rest = [(number, line) for number, line in enumerate(lines, 1) if number not in gone]
    block = (
        [f'import "{kept[0]}"'] if len(kept) == 1 else ["import (", *(f'\t"{path}"' for path in kept), ")"]
    )
    if first is None:
        package = next((i for i, line in enumerate(lines) if line.startswith("package ")), -1)
        return "\n".join([*lines[: package + 1], "", *block, *lines[package + 1 :]])
    head = [line for number, line in rest if number <= first]
    tail = [line for number, line in rest if number > first]
    return "\n".join([*head, *(block if kept else []), *tail])


def _imports(root: Node) -> list[_Import]:
    found: list[_Import] = []
    for node in trees.walk(root):
        if node.type == "import_spec":
            path = text_of(node.child_by_field_name("path")).strip('"`')
            alias = text_of(node.child_by_field_name("name"))
            found.append(_Import(alias or _name_of(path), path, trees.first_line(node)))
    return found


def _name_of(path: str) -> str:
    """The package name that a path usually has: its last part that is no version."""
    parts = [part for part in path.split("/") if not re.fullmatch(r"v\d+", part)]
    return parts[-1] if parts else path


def _used(root: Node) -> set[str]:
    """What stands before the dot of a selector or of a qualified type."""
    found: set[str] = set()
    for node in trees.walk(root):
        if node.type == "selector_expression":
            operand = node.child_by_field_name("operand")
            if operand is not None and operand.type == "identifier":
                found.add(text_of(operand))
        elif node.type == "qualified_type":
            found.add(text_of(node.child_by_field_name("package")))
    return found


def _bound(root: Node) -> set[str]:
    """The names of variables and parameters; scopes are not told apart."""
    found: set[str] = set()
    for node in trees.walk(root):
        if node.type in ("parameter_declaration", "var_spec", "const_spec"):
            found |= {text_of(child) for child in node.children_by_field_name("name")}
        elif node.type in ("short_var_declaration", "range_clause"):
            left = node.child_by_field_name("left")
            found |= (
                {text_of(part) for part in trees.walk(left) if part.type == "identifier"} if left else set()
            )
    return found
