"""The symbols and the tests of a source in any language that is known. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from agent.code import trees
from agent.code.languages import Language, language_of
from agent.code.symbols import Symbol, SymbolKind, python_symbols
from agent.code.trees import text_of

_SCRIPT_FUNCTIONS = frozenset({"function_declaration", "generator_function_declaration"})
_SCRIPT_CLASSES = frozenset({"class_declaration", "abstract_class_declaration"})
_SCRIPT_TYPES = frozenset({"interface_declaration", "type_alias_declaration", "enum_declaration"})
_FUNCTION_VALUES = frozenset({"arrow_function", "function_expression", "generator_function"})
_FIELDS = frozenset({"field_definition", "public_field_definition"})
_RUST_TYPES = frozenset({"struct_item", "enum_item", "trait_item", "union_item", "type_item"})
_TEST_CALL = re.compile(r"(test|it|specify)(\.\w+)?$")
_LEADING = frozenset({"comment", "line_comment", "block_comment", "attribute_item", "decorator"})


def symbols_of(path: str, source: str) -> tuple[Symbol, ...]:
    """Top-level symbols and members of classes, in the order of the source; none for prose."""
    language = language_of(path)
    if language is None:
        return ()
    if language is Language.PYTHON:
        return python_symbols(source)
    root = trees.root_of(language, source)
    if language.is_script:
        return tuple(_in_script(root, ""))
    return tuple(_in_go(root) if language is Language.GO else _in_rust(root, ""))


def blocks_of(path: str, source: str) -> tuple[Symbol, ...]:
    """The calls `test("title", …)` of JavaScript tests, each named by its title as it is told."""
    language = language_of(path)
    if language is None or not language.is_script:
        return ()
    found: list[Symbol] = []
    for node in trees.walk(trees.root_of(language, source)):
        arguments = node.child_by_field_name("arguments") if node.type == "call_expression" else None
        if arguments is None or not _TEST_CALL.match(text_of(node.child_by_field_name("function"))):
            continue
        title = arguments.named_children[0] if arguments.named_children else None
        if title is not None and title.type in ("string", "template_string"):
            lines = trees.first_line(node), trees.last_line(node)
            found.append(Symbol(text_of(title)[1:-1], SymbolKind.FUNCTION, lines[0], *lines))
    return tuple(found)


def _symbol(name: str, kind: SymbolKind, outer: Node, name_node: Node, parameters: Node | None) -> Symbol:
    """A symbol that `outer` defines, `export` and the like included, with the comment right above it."""
    first = top = trees.first_line(outer)
    above = outer.prev_named_sibling
    while above is not None and above.type in _LEADING and trees.last_line(above) == top - 1:
        if above.prev_sibling is not None and trees.last_line(above.prev_sibling) == trees.first_line(above):
            break  # it stands behind other code
        top, above = trees.first_line(above), above.prev_named_sibling
    opening = text_of(outer).encode()[: name_node.end_byte - outer.start_byte].decode()
    names = (
        (text_of(node) for node in trees.walk(parameters) if node.type == "identifier") if parameters else ()
    )
    return Symbol(name, kind, top, first, trees.last_line(outer), opening, tuple(names))


def _in_script(parent: Node, prefix: str) -> Iterator[Symbol]:
    for outer in parent.named_children:
        node = outer
        if outer.type == "export_statement":
            node = outer.child_by_field_name("declaration") or outer
        name = node.child_by_field_name("name")
        parameters = node.child_by_field_name("parameters")
        if node.type in _SCRIPT_FUNCTIONS and name is not None:
            yield _symbol(prefix + text_of(name), SymbolKind.FUNCTION, outer, name, parameters)
        elif node.type in _SCRIPT_CLASSES and name is not None:
            yield _symbol(prefix + text_of(name), SymbolKind.CLASS, outer, name, None)
            body = node.child_by_field_name("body")
            if body is not None:
                yield from _members(body, f"{prefix}{text_of(name)}.")
        elif node.type in _SCRIPT_TYPES and name is not None:
            yield _symbol(prefix + text_of(name), SymbolKind.CLASS, outer, name, None)
        elif node.type in ("lexical_declaration", "variable_declaration"):
            for declarator in node.named_children:
                yield from _variable(declarator, outer, prefix)
        elif node.type == "expression_statement" and node.named_children:
            yield from _assigned(node.named_children[0], outer)


def _variable(declarator: Node, outer: Node, prefix: str) -> Iterator[Symbol]:
    name, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
    if name is None or name.type != "identifier" or text_of(value).startswith("require("):
        return
    kind = SymbolKind.CONSTANT
    parameters = None
    if value is not None and value.type in _FUNCTION_VALUES:
        kind, parameters = SymbolKind.FUNCTION, value.child_by_field_name("parameters")
    elif value is not None and value.type == "class":
        kind = SymbolKind.CLASS
    yield _symbol(prefix + text_of(name), kind, outer, name, parameters)
    body = value.child_by_field_name("body") if value is not None and value.type == "class" else None
    if body is not None or (value is not None and value.type == "object"):
        yield from _members(body or declarator.named_children[-1], f"{prefix}{text_of(name)}.")


def _assigned(node: Node, outer: Node) -> Iterator[Symbol]:
    """`exports.name = function …` and `Class.prototype.name = function …`."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if node.type != "assignment_expression" or left is None or right is None:
        return
    name = left.child_by_field_name("property")
    if right.type in _FUNCTION_VALUES and name is not None:
        owner = re.fullmatch(r"(\w+)\.prototype\.\w+", text_of(left))
        kind = SymbolKind.METHOD if owner else SymbolKind.FUNCTION
        whole = f"{owner[1]}.{text_of(name)}" if owner else text_of(name)
        yield _symbol(whole, kind, outer, name, right.child_by_field_name("parameters"))


def _members(body: Node, prefix: str) -> Iterator[Symbol]:
    for node in body.named_children:
        name = node.child_by_field_name("name") or node.child_by_field_name("property")
        name = name or node.child_by_field_name("key")
        if name is None:
            continue
        value = node.child_by_field_name("value")
        is_function = node.type == "method_definition" or (
            value is not None and value.type in _FUNCTION_VALUES
        )
        if is_function:
            parameters = (value or node).child_by_field_name("parameters")
            yield _symbol(prefix + text_of(name), SymbolKind.METHOD, node, name, parameters)
        elif node.type in _FIELDS:
            yield _symbol(prefix + text_of(name), SymbolKind.CONSTANT, node, name, None)


def _in_go(root: Node) -> Iterator[Symbol]:
    for node in root.named_children:
        name = node.child_by_field_name("name")
        parameters = node.child_by_field_name("parameters")
        if node.type == "function_declaration" and name is not None:
            yield _symbol(text_of(name), SymbolKind.FUNCTION, node, name, parameters)
        elif node.type == "method_declaration" and name is not None:
            receiver = text_of(node.child_by_field_name("receiver"))
            owner = re.search(r"(\w+)(?:\[[^\]]*\])?\s*\)$", receiver)
            whole = f"{owner[1]}.{text_of(name)}" if owner else text_of(name)
            yield _symbol(whole, SymbolKind.METHOD, node, name, parameters)
        elif node.type in ("type_declaration", "const_declaration", "var_declaration"):
            kind = SymbolKind.CLASS if node.type == "type_declaration" else SymbolKind.CONSTANT
            specs = [
                spec
                for spec in trees.walk(node)
                if spec.type in ("type_spec", "type_alias", "const_spec", "var_spec")
                and spec.parent is not None
                and spec.parent.type in (node.type, "var_spec_list")
            ]
            for spec in specs:
                inner = spec.child_by_field_name("name")
                if inner is not None:
                    outer = node if len(specs) == 1 else spec
                    yield _symbol(text_of(inner), kind, outer, inner, None)


def _in_rust(parent: Node, prefix: str) -> Iterator[Symbol]:
    for node in parent.named_children:
        name = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        if node.type in ("function_item", "function_signature_item") and name is not None:
            kind = SymbolKind.METHOD if prefix else SymbolKind.FUNCTION
            yield _symbol(prefix + text_of(name), kind, node, name, node.child_by_field_name("parameters"))
        elif node.type in _RUST_TYPES and name is not None:
            yield _symbol(text_of(name), SymbolKind.CLASS, node, name, None)
        elif node.type in ("const_item", "static_item") and name is not None:
            yield _symbol(prefix + text_of(name), SymbolKind.CONSTANT, node, name, None)
        elif node.type == "impl_item" and body is not None:
            owner = re.match(r"\w+", text_of(node.child_by_field_name("type")))
            yield from _in_rust(body, f"{owner[0]}." if owner else "")
        elif node.type == "mod_item" and body is not None:
            yield from _in_rust(body, prefix)
