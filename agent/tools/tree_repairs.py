"""Small repairs that a wrong line of JavaScript, TypeScript, Go or Rust may need. Pure; as in repairs.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tree_sitter import Node

from agent.code import trees
from agent.code.languages import language_of
from agent.code.trees import text_of
from agent.tools.repairs import Repair, other_numbers

_SIGNS = {
    "+": ("-", "*"), "-": ("+", "/"), "*": ("+", "/"), "/": ("*", "-"), "%": ("/", "*"),
    "<": ("<=", ">", ">="), "<=": ("<", ">=", ">"), ">": (">=", "<", "<="), ">=": (">", "<=", "<"),
    "==": ("!=", ">=", "<="), "!=": ("==",), "===": ("!==",), "!==": ("===",),
    "&&": ("||",), "||": ("&&",), "+=": ("-=", "="), "-=": ("+=",), "*=": ("+=", "/="), "/=": ("*=",),
}  # fmt: skip
_CALLS = {
    "min": ("max",), "max": ("min",), "Min": ("Max",), "Max": ("Min",),
    "some": ("every",), "every": ("some",),
    "floor": ("ceil", "round"), "ceil": ("floor", "round"), "round": ("floor", "ceil"), "Floor": ("Ceil",),
    "Ceil": ("Floor",), "push": ("unshift",), "pop": ("shift",), "shift": ("pop",),
    "toLowerCase": ("toUpperCase",), "toUpperCase": ("toLowerCase",), "ToLower": ("ToUpper",),
    "ToUpper": ("ToLower",), "startsWith": ("endsWith",), "endsWith": ("startsWith",),
    "HasPrefix": ("HasSuffix",), "HasSuffix": ("HasPrefix",), "indexOf": ("lastIndexOf",),
    "TrimLeft": ("TrimRight",), "TrimRight": ("TrimLeft",), "trimStart": ("trim",), "trimEnd": ("trim",),
    "keys": ("values", "entries"), "values": ("keys",), "filter": ("map",), "map": ("filter",),
}  # fmt: skip
_OPERATIONS = frozenset(
    {
        *("binary_expression", "augmented_assignment_expression", "assignment_statement"),
        "compound_assignment_expr",
    }
)
_NUMBERS = frozenset({"number", "int_literal", "integer_literal"})
_ARGUMENTS = frozenset({"arguments", "argument_list"})
_BRANCHES = frozenset({"if_statement", "while_statement", "ternary_expression", "if_expression"})
_BOOLEANS = {"true": "false", "false": "true"}
_LEAPS = {"break_statement": "continue", "continue_statement": "break"}
_SCOPES = ("parameters", "parameter")


def repairs(path: str, source: str, first_line: int, last_line: int) -> list[Repair]:
    """Repairs of the lines `first_line` to `last_line` of a file, the likeliest first."""
    language = language_of(path)
    assert language is not None
    lines = source.split("\n")
    found: dict[tuple[int, str], Repair] = {}
    root = trees.root_of(language, source)
    names = _parameters(root, first_line, last_line)
    for node in trees.walk(root):
        if not first_line <= trees.first_line(node) <= last_line:
            continue
        for part, text, rank in _changes(node, names):
            row, line = part.start_point.row, lines[part.start_point.row].encode()
            if part.end_point.row == row:
                after = line[: part.start_point.column] + text.encode() + line[part.end_point.column :]
                repair = Repair(row + 1, lines[row], after.decode(errors="replace"), rank)
                found.setdefault((row, repair.after), repair)
    return sorted(found.values(), key=lambda repair: repair.rank)


def _changes(node: Node, names: Sequence[str]) -> Iterator[tuple[Node, str, int]]:
    """What to put in the place of which node, and how unlikely it is."""
    kind, text = node.type, text_of(node)
    condition = node.child_by_field_name("condition") if kind in _BRANCHES else None
    if condition is not None:
        bare = text_of(condition)
        is_braced = condition.type == "parenthesized_expression"
        yield condition, f"(!{bare})" if is_braced else f"!({bare})", 4
    if kind in _OPERATIONS:
        sign = node.child_by_field_name("operator")
        for rank, other in enumerate(_SIGNS.get(text_of(sign), ())):
            if sign is not None:
                yield sign, other, min(rank, 1)
        for side in (node.child_by_field_name("left"), node.child_by_field_name("right")):
            if side is not None and side.type == "identifier" and kind == "binary_expression":
                yield side, f"({text_of(side)} - 1)", 2
                yield side, f"({text_of(side)} + 1)", 2
    elif kind in _NUMBERS and text.isdigit():
        for other, rank in other_numbers(int(text)):
            if other >= 0:
                yield node, str(other), rank
    elif text in _BOOLEANS and kind in ("true", "false", "boolean_literal"):
        yield node, _BOOLEANS[text], 1
    elif kind == "unary_expression" and text.startswith("!"):
        yield node, text[1:], 1
    elif kind in _LEAPS and (word := node.children[0]).type in ("break", "continue"):
        yield word, _LEAPS[kind], 1
    elif kind in ("property_identifier", "field_identifier") and text in _CALLS:
        for other in _CALLS[text]:
            yield node, other, 1
    elif kind in _ARGUMENTS and node.named_child_count == 2:
        first, second = node.named_children
        yield node, f"({text_of(second)}, {text_of(first)})", 4
    elif kind == "identifier" and text in names:
        is_argument = node.parent is not None and "parameter" not in node.parent.type
        for other in names if is_argument else ():
            if other != text:
                yield node, other, 5


def _parameters(root: Node, first_line: int, last_line: int) -> list[str]:
    """The parameters of the function that lies in those lines."""
    for node in trees.walk(root):
        inside = first_line <= trees.first_line(node) and trees.last_line(node) <= last_line
        for field in _SCOPES if inside else ():
            holder = node.child_by_field_name(field)
            if holder is not None:
                found = (text_of(part) for part in trees.walk(holder) if part.type == "identifier")
                return list(dict.fromkeys(found))
    return []
