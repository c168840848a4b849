"""The imports and exports of JavaScript and TypeScript files: what a change needs of them is added. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from agent.code import trees
from agent.code.languages import Language, language_of
from agent.code.outline import symbols_of
from agent.code.trees import text_of

_NODE_DEFAULTS = {name: f"node:{name}" for name in ("assert", "crypto", "fs", "os", "path", "url", "util")}
_NODE_TESTS = ("test", "describe", "it", "before", "after", "beforeEach", "afterEach", "mock")
_PARAMETERS = frozenset({"parameters", "parameter"})
_NAMED = frozenset(
    {
        *("function_declaration", "function_expression", "generator_function_declaration", "class"),
        *("class_declaration", "interface_declaration", "type_alias_declaration", "enum_declaration"),
    }
)


@dataclass(frozen=True)
class _Import:
    source: str
    node: Node
    list_end: int | None  # where the names in braces end, in bytes


def exports_of(path: str, source: str) -> frozenset[str]:
    """The names that other files can import."""
    language = language_of(path)
    if language is None or not language.is_script:
        return frozenset()
    names = {
        symbol.bare_name
        for symbol in symbols_of(path, source)
        if symbol.opening.startswith(("export ", "exports.", "module.exports."))
        and not symbol.opening.startswith("export default ")
    }
    root = trees.root_of(language, source)
    for holder in _export_lists(root):
        names |= {text_of(node) for node in holder.named_children if node.type.startswith("shorthand_")}
        names |= {
            text_of(node.child_by_field_name("alias") or node.child_by_field_name("name"))
            for node in holder.named_children
            if node.type == "export_specifier"
        }
    return frozenset(names)


def add_missing_imports(
    path: str, before: str, after: str, homes: Mapping[str, str], *, is_module: bool, has_node_tests: bool
) -> str:
    """`after` with imports for the names that its change uses and that nothing in it binds.

    `homes` gives the file of each name that the project exports exactly once. `is_module` is how a file
    that imports nothing yet would import; `has_node_tests` whether the project's tests are those of Node.
    """
    language = language_of(path)
    assert language is not None
    root = trees.root_of(language, after)
    missing = sorted(_unresolved(root) - _unresolved(trees.root_of(language, before)))
    for name in missing:
        wanted = _home(path, name, after, homes, has_node_tests=has_node_tests)
        if wanted is not None:
            source, is_default = wanted
            after = _added(language, after, name, source, is_default=is_default, is_module=is_module)
    return after


def _home(
    path: str, name: str, after: str, homes: Mapping[str, str], *, has_node_tests: bool
) -> tuple[str, bool] | None:
    if name in homes and homes[name] != path:
        relative = posixpath.relpath(homes[name], posixpath.dirname(path) or ".")
        source = relative if relative.startswith(".") else f"./{relative}"
        others = re.findall(r"""(?:from|require\()\s*['"](\.[^'"]*)['"]""", after)
        has_suffix = [bool(re.search(r"\.[cm]?[jt]sx?$", other)) for other in others]
        language = language_of(path)
        if (has_suffix and not any(has_suffix)) or (not has_suffix and language is not Language.JAVASCRIPT):
            source = re.sub(r"\.[cm]?[jt]sx?$", "", source)
        return source, False
    if has_node_tests and name in _NODE_TESTS:
        return "node:test", False
    if name in _NODE_DEFAULTS and re.search(rf"\b{name}\b\s*[.(]", after):
        return _NODE_DEFAULTS[name], True
    return None


def _added(
    language: Language, text: str, name: str, source: str, *, is_default: bool, is_module: bool
) -> str:
    root = trees.root_of(language, text)
    imports = list(_imports(root))
    data = text.encode("utf-8", "surrogatepass")
    same = [item for item in imports if item.source.removeprefix("node:") == source.removeprefix("node:")]
    if not is_default:
        for item in same:
            if item.list_end is not None:
                head = data[: item.list_end].rstrip()
                comma = b"" if head.endswith((b",", b"{")) else b","
                merged = head + comma + f" {name} ".encode() + data[item.list_end :]
                return merged.decode("utf-8", "surrogatepass")
    uses_modules = any(item.node.type == "import_statement" for item in imports)
    what = name if is_default else f"{{ {name} }}"
    quote = "'" if imports and "'" in text_of(imports[0].node) else '"'
    end = ";" if not imports or text_of(imports[0].node).endswith(";") else ""
    if uses_modules or (not imports and is_module):
        line = f"import {what} from {quote}{source}{quote}{end}"
    else:
        line = f"const {what} = require({quote}{source}{quote}){end}"
    lines = text.split("\n")
    place = max((trees.last_line(item.node) for item in imports), default=_head(lines))
    gap = [] if imports or not "".join(lines[place : place + 1]).strip() else [""]
    return "\n".join([*lines[:place], line, *gap, *lines[place:]])


def _head(lines: list[str]) -> int:
    """How many lines of comments and directives a file begins with."""
    return next(
        (i for i, line in enumerate(lines) if not re.match(r"""#!|//|/\*|\s\*|['"]use strict['"]""", line)),
        len(lines),
    )


def _imports(root: Node) -> Iterator[_Import]:
    """The imports and the calls of `require` at the top of a file."""
    for node in root.named_children:
        if node.type == "import_statement":
            names = next((part for part in trees.walk(node) if part.type == "named_imports"), None)
            source = text_of(node.child_by_field_name("source"))[1:-1]
            yield _Import(source, node, names.end_byte - 1 if names is not None else None)
        elif node.type in ("lexical_declaration", "variable_declaration") and node.named_children:
            value = node.named_children[0].child_by_field_name("value")
            found = re.match(r"""require\(\s*['"]([^'"]+)['"]\s*\)$""", text_of(value))
            if found:
                pattern = node.named_children[0].child_by_field_name("name")
                is_list = pattern is not None and pattern.type == "object_pattern"
                yield _Import(
                    found[1], node, pattern.end_byte - 1 if pattern is not None and is_list else None
                )


def _unresolved(root: Node) -> set[str]:
    """Names that are read and that nothing anywhere in the file binds. Scopes are not told apart."""
    bound: set[str] = set()
    read: set[str] = set()
    for node in trees.walk(root):
        if node.type == "identifier":
            read.add(text_of(node))
        binding: list[Node | None] = []
        if node.type == "variable_declarator" or node.type in _NAMED:
            binding.append(node.child_by_field_name("name"))
        if node.type in ("import_clause", "catch_clause", "for_in_statement"):
            binding += [
                node,
                *([node.child_by_field_name("left")] if node.type == "for_in_statement" else []),
            ]
            if node.type != "import_clause":
                binding = binding[1:] or [node.child_by_field_name("parameter")]
        binding += [node.child_by_field_name(field) for field in _PARAMETERS]
        for part in binding:
            bound |= (
                {text_of(n) for n in trees.walk(part) if n.type in _BINDING} if part is not None else set()
            )
    return read - bound


_BINDING = frozenset({"identifier", "shorthand_property_identifier_pattern", "type_identifier"})


def _export_lists(root: Node) -> Iterator[Node]:
    """The braces of `module.exports = { … }` and of `export { … }`."""
    for node in root.named_children:
        if node.type == "export_statement":
            yield from (child for child in node.named_children if child.type == "export_clause")
        elif node.type == "expression_statement" and node.named_children:
            left = text_of(node.named_children[0].child_by_field_name("left"))
            right = node.named_children[0].child_by_field_name("right")
            if left in ("module.exports", "exports") and right is not None and right.type == "object":
                yield right


def appended(path: str, text: str, new: str) -> str:
    """`text` with the definitions of `new` at its end, exported as the others are.

    A list of exports at the end of the file stays there. Imports in `new` that the file has go.
    """
    language = language_of(path)
    assert language is not None
    new = _without_known_imports(language, text, new)
    root = trees.root_of(language, text)
    names = [symbol for symbol in symbols_of(path, new) if "." not in symbol.name]
    lists = list(_export_lists(root))
    if lists:
        data = text.encode("utf-8", "surrogatepass")
        holder = lists[-1]
        head = data[: holder.end_byte - 1].rstrip()
        here = exports_of(path, text)
        fresh = ", ".join(name.name for name in names if name.name not in here)
        if fresh:
            is_tall = b"\n" in data[holder.start_byte : holder.end_byte]
            comma = b"" if head.endswith((b",", b"{")) else b","
            gap = ("\n  ", ",\n") if is_tall else (" ", " ")
            shown = f"{gap[0]}{fresh.replace(', ', ',' + gap[0])}{gap[1]}"
            text = (head + comma + shown.encode() + data[holder.end_byte - 1 :]).decode(
                "utf-8", "surrogatepass"
            )
        owner = holder.parent
        while owner is not None and owner.parent is not None and owner.parent.type != "program":
            owner = owner.parent
        lines = text.split("\n")
        place = trees.first_line(owner or holder) - 1
        head_lines = lines[:place]
        while head_lines and not head_lines[-1].strip():
            head_lines.pop()
        return "\n".join([*head_lines, "", *new.split("\n"), "", *lines[place:]])
    exported = [s for s in symbols_of(path, text) if s.is_callable and "." not in s.name]
    if exported and all(symbol.opening.startswith("export ") for symbol in exported):
        rows = new.split("\n")
        for symbol in names:
            if not symbol.opening.startswith("export ") and not rows[symbol.def_line - 1].startswith(
                "export "
            ):
                rows[symbol.def_line - 1] = f"export {rows[symbol.def_line - 1]}"
        new = "\n".join(rows)
    body = text.rstrip("\n")
    return f"{body}\n\n{new}\n" if body else f"{new}\n"


def _without_known_imports(language: Language, text: str, new: str) -> str:
    """`new` without the imports and export lists that `text` has already."""
    here = {item.source.removeprefix("node:") for item in _imports(trees.root_of(language, text))}
    root = trees.root_of(language, new)
    gone = [item.node for item in _imports(root) if item.source.removeprefix("node:") in here]
    if any(True for _ in _export_lists(trees.root_of(language, text))):
        gone += [holder.parent for holder in _export_lists(root) if holder.parent is not None]
    dropped = {n for node in gone for n in range(trees.first_line(node), trees.last_line(node) + 1)}
    lines = [line for number, line in enumerate(new.split("\n"), 1) if number not in dropped]
    return "\n".join(lines).strip("\n")
