"""Syntax trees of JavaScript, TypeScript, Go and Rust: parsing, walking, and where the source is broken."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

import tree_sitter_go
import tree_sitter_javascript
import tree_sitter_rust
import tree_sitter_typescript
from tree_sitter import Language as Grammar
from tree_sitter import Node, Parser

from agent.code.languages import Language

_NAMES = frozenset(
    {
        *("identifier", "property_identifier", "private_property_identifier", "type_identifier"),
        *("field_identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"),
        "shorthand_field_identifier",
    }
)
_CALLS = frozenset({"call_expression", "new_expression"})


@functools.cache
def _parser(language: Language) -> Parser:
    source = {
        Language.JAVASCRIPT: tree_sitter_javascript.language,
        Language.TYPESCRIPT: tree_sitter_typescript.language_typescript,
        Language.TSX: tree_sitter_typescript.language_tsx,
        Language.GO: tree_sitter_go.language,
        Language.RUST: tree_sitter_rust.language,
    }[language]
    return Parser(Grammar(source()))


def root_of(language: Language, source: str) -> Node:
    """The tree of a source of any language but Python; also of one that is broken somewhere."""
    return _parser(language).parse(source.encode("utf-8", "surrogatepass")).root_node


def walk(node: Node) -> Iterator[Node]:
    """`node` and all under it, in the order of the source."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def text_of(node: Node | None) -> str:
    """The source of a node; empty for none."""
    return node.text.decode("utf-8", "surrogatepass") if node is not None and node.text is not None else ""


def first_line(node: Node) -> int:
    """The line that a node begins in, counted from 1."""
    return node.start_point.row + 1


def last_line(node: Node) -> int:
    """The line that a node ends in, counted from 1."""
    return node.end_point.row + (1 if node.end_point.column else 0)


def syntax_error(language: Language, source: str) -> str:
    """What is wrong with `source`, or nothing."""
    place = error_place(language, source)
    if place is None:
        return ""
    line, what = place
    return f"syntax error in line {line}" + (
        f"{'' if what.startswith('near') else ':'} {what}" if what else ""
    )


def error_place(language: Language, source: str) -> tuple[int, str] | None:
    """The line where `source` stops being valid, and what is wrong there; None where it is valid."""
    root = root_of(language, source)
    if not root.has_error:
        return None
    for node in walk(root):
        if node.is_missing:
            return first_line(node), f"{node.type} is missing"
        if node.is_error and not any(child.has_error for child in node.children):
            near = " ".join(text_of(node).split())[:40]
            return first_line(node), f"near {near}" if near else ""
    return 1, ""


def names_in(root: Node) -> Iterator[Node]:
    """Every name in the code, not those in text and comments."""
    return (node for node in walk(root) if node.type in _NAMES)


def called_in(root: Node) -> Iterator[str]:
    """The bare names that are called, in the order of the source."""
    for node in walk(root):
        if node.type in _CALLS:
            function = node.child_by_field_name("function") or node.child_by_field_name("constructor")
            found = re.search(r"(\w+)$", text_of(function))
            if found:
                yield found[1]
