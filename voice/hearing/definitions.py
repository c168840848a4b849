"""Which names a source defines, by the queries of its tree-sitter grammar; for weighing them."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from pathlib import PurePosixPath

from tree_sitter import Language, Parser, Query, QueryCursor

_C = """(function_declarator declarator: (identifier) @name)
(struct_specifier name: (type_identifier) @name body: (_))
(enum_specifier name: (type_identifier) @name body: (_))
(type_definition declarator: (type_identifier) @name)
(preproc_def name: (identifier) @name)"""
_CPP = (
    _C
    + """(class_specifier name: (type_identifier) @name body: (_))
(function_declarator declarator: (field_identifier) @name)
(function_declarator declarator: (qualified_identifier name: (identifier) @name))
(namespace_definition name: (namespace_identifier) @name)"""
)
_JAVASCRIPT = """(function_declaration name: (identifier) @name)
(class_declaration name: (_) @name)
(method_definition name: (property_identifier) @name)
(lexical_declaration (variable_declarator name: (identifier) @name))"""
_TYPESCRIPT = (
    _JAVASCRIPT
    + """(interface_declaration name: (type_identifier) @name)
(type_alias_declaration name: (type_identifier) @name)
(enum_declaration name: (identifier) @name)"""
)
_PYTHON = """(function_definition name: (identifier) @name)
(class_definition name: (identifier) @name)
(module (expression_statement (assignment left: (identifier) @name)))"""
_GO = """(function_declaration name: (identifier) @name)
(method_declaration name: (field_identifier) @name)
(type_spec name: (type_identifier) @name)
(const_spec name: (identifier) @name)"""
_RUST = """(function_item name: (identifier) @name)
(struct_item name: (type_identifier) @name)
(enum_item name: (type_identifier) @name)
(trait_item name: (type_identifier) @name)
(type_item name: (type_identifier) @name)
(const_item name: (identifier) @name)
(static_item name: (identifier) @name)
(mod_item name: (identifier) @name)"""
_JAVA = """(class_declaration name: (identifier) @name)
(interface_declaration name: (identifier) @name)
(enum_declaration name: (identifier) @name)
(record_declaration name: (identifier) @name)
(method_declaration name: (identifier) @name)"""

# By file name extension: the grammar's module, its function, and the query.
_GRAMMARS = {
    **dict.fromkeys((".py", ".pyi"), ("tree_sitter_python", "language", _PYTHON)),
    **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx"), ("tree_sitter_javascript", "language", _JAVASCRIPT)),
    **dict.fromkeys((".ts", ".mts", ".cts"), ("tree_sitter_typescript", "language_typescript", _TYPESCRIPT)),
    ".tsx": ("tree_sitter_typescript", "language_tsx", _TYPESCRIPT),
    ".go": ("tree_sitter_go", "language", _GO),
    ".rs": ("tree_sitter_rust", "language", _RUST),
    ".java": ("tree_sitter_java", "language", _JAVA),
    ".c": ("tree_sitter_c", "language", _C),
    **dict.fromkeys((".h", ".cc", ".cpp", ".cxx", ".hpp"), ("tree_sitter_cpp", "language", _CPP)),
}


def defined_in(path: str, text: str) -> frozenset[str]:
    """The names that `text` defines; none in a language without an installed grammar."""
    known = _GRAMMARS.get(PurePosixPath(path).suffix.lower())
    grammar = None if known is None else _grammar(*known)
    if grammar is None:
        return frozenset()
    parser, query = grammar
    tree = parser.parse(text.encode("utf-8", "surrogatepass"))
    found = QueryCursor(query).captures(tree.root_node).get("name", [])
    return frozenset(node.text.decode("utf-8", "replace") for node in found if node.text)


@functools.cache
def _grammar(module: str, function: str, query: str) -> tuple[Parser, Query] | None:
    if importlib.util.find_spec(module) is None:
        return None
    grammar: object = getattr(importlib.import_module(module), function)()
    language = Language(grammar)
    return Parser(language), Query(language, query)
