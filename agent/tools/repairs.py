"""Small repairs that a wrong line may need: one operator, number, name or call changed. Pure.

The mutation operators are those of test-suite-guided program repair (Debroy and Wong, "Using Mutation to
Automatically Suggest Fixes for Faulty Programs", ICST 2010), the likeliest first. A test run tells
whether one of them is right.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from agent.code.symbols import parse

_ARITHMETIC: dict[type[ast.operator], tuple[str, ...]] = {
    ast.Add: ("-", "*"),
    ast.Sub: ("+", "/"),
    ast.Mult: ("+", "/", "**"),
    ast.Div: ("*", "//", "-"),
    ast.FloorDiv: ("/", "%"),
    ast.Mod: ("//", "*"),
    ast.Pow: ("*",),
}
_COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">", ">="),
    ast.LtE: ("<", ">=", ">"),
    ast.Gt: (">=", "<", "<="),
    ast.GtE: (">", "<=", "<"),
    ast.Eq: ("!=", ">=", "<="),
    ast.NotEq: ("==",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
}
_SIGNS: dict[type[ast.operator] | type[ast.cmpop], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip
_CALLS = {
    "min": ("max",), "max": ("min",), "any": ("all",), "all": ("any",),
    "floor": ("ceil",), "ceil": ("floor",),
    "append": ("extend",), "extend": ("append",), "lower": ("upper",), "upper": ("lower",),
    "strip": ("rstrip", "lstrip"), "lstrip": ("rstrip", "strip"), "rstrip": ("lstrip", "strip"),
    "startswith": ("endswith",), "endswith": ("startswith",), "find": ("rfind",), "rfind": ("find",),
    "split": ("splitlines", "rsplit"), "keys": ("values", "items"), "values": ("keys", "items"),
    "title": ("capitalize",), "capitalize": ("title",),
    "union": ("intersection",), "intersection": ("union",), "issubset": ("issuperset",),
}  # fmt: skip

# What one unit is counted in of another: who mixes two of them up writes a number that is far off.
_FACTORS = ((60, 24, 7, 12, 3600, 365), (10, 100, 1000), (60, 100, 1000), (1000, 1024))


@dataclass(frozen=True)
class Repair:
    """Line `line` (from 1) of the file becomes `after`. A higher `rank` is less likely."""

    line: int
    before: str
    after: str
    rank: int


@dataclass(frozen=True)
class _Splice:
    line: int
    start: int
    end: int
    text: str
    rank: int


def repairs(source: str, first_line: int, last_line: int, test_source: str) -> list[Repair]:
    """Repairs of the lines `first_line` to `last_line` of `source`, the likeliest first.

    Constants of `test_source` are tried as defaults of parameters, and nowhere else: an expected value
    written into a function's body would only please the test. Only what stands on one line is changed.
    """
    tree = parse(source)
    if tree is None:
        return []
    lines = source.split("\n")
    wanted = _constants(test_source)
    found: dict[tuple[int, str], Repair] = {}
    for scope in ast.walk(tree):
        if isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for splice in _in_function(scope, lines, wanted):
                if first_line <= splice.line <= last_line:
                    before = lines[splice.line - 1]
                    after = _spliced(before, splice)
                    found.setdefault((splice.line, after), Repair(splice.line, before, after, splice.rank))
    return sorted(found.values(), key=lambda repair: repair.rank)


def other_numbers(value: int) -> list[tuple[int, int]]:
    """Numbers that may be meant by `value`, each with how unlikely it is."""
    near = [(number, 3) for number in (value + 1, value - 1)]
    kin = (family for family in _FACTORS if value in family)
    return near + [(other, 3) for family in kin for other in family if other != value]


def _spliced(line: str, splice: _Splice) -> str:
    data = line.encode()  # the syntax tree counts columns in UTF-8 bytes
    return (data[: splice.start] + splice.text.encode() + data[splice.end :]).decode(errors="replace")


def _in_function(
    scope: ast.FunctionDef | ast.AsyncFunctionDef, lines: Sequence[str], wanted: Sequence[str]
) -> Iterator[_Splice]:
    arguments = scope.args
    names = [argument.arg for argument in (*arguments.args, *arguments.kwonlyargs) if argument.arg != "self"]
    for node in ast.walk(scope):
        yield from _splices(node, lines, names)
    for default in (*arguments.defaults, *arguments.kw_defaults):
        if isinstance(default, ast.Constant):
            for text in wanted:
                if type(ast.literal_eval(text)) is type(default.value):
                    yield from _replaced(default, text, 3)


def _constants(source: str) -> list[str]:
    """The numbers and short texts in a test, whose lines may be indented."""
    tree = parse(textwrap.dedent(source))
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)] if tree else []
    shown = [repr(value) for value in values if isinstance(value, (int, float, str)) and value is not True]
    return [text for text in dict.fromkeys(shown) if len(text) < 40 and text != "False"]


def _splices(node: ast.AST, lines: Sequence[str], names: Sequence[str]) -> Iterator[_Splice]:
    if isinstance(node, ast.BinOp):
        yield from _operator(
            node.left, node.right, lines, _SIGNS.get(type(node.op)), _ARITHMETIC.get(type(node.op))
        )
        yield from _operands((node.left, node.right), names, may_shift=True)
    elif isinstance(node, ast.AugAssign):
        yield from _operator(
            node.target, node.value, lines, _SIGNS.get(type(node.op)), _ARITHMETIC.get(type(node.op))
        )
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        kind = type(node.ops[0])
        yield from _operator(node.left, node.comparators[0], lines, _SIGNS[kind], _COMPARISONS[kind])
        yield from _operands((node.left, *node.comparators), names, may_shift=True)
    elif isinstance(node, ast.BoolOp):
        sign, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        yield from _operator(node.values[0], node.values[1], lines, sign, (other,))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield from _replaced(node, repr(not node.value), 1)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        for other, rank in other_numbers(node.value):
            yield from _replaced(node, repr(other), rank)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from _replaced(node, ast.unparse(node.operand), 1)
    elif isinstance(node, ast.Call):
        yield from _call(node)
        yield from _operands(node.args, names, may_shift=False)
    elif isinstance(node, (ast.Break, ast.Continue)):
        yield from _replaced(node, "continue" if isinstance(node, ast.Break) else "break", 1)
    elif isinstance(node, ast.Slice):
        for bound in (node.lower, node.upper):
            if bound is not None and not isinstance(bound, ast.Constant):
                yield from _shifted(bound, 1)
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield from _replaced(node.test, f"not ({ast.unparse(node.test)})", 4)


def _operator(
    left: ast.expr, right: ast.expr, lines: Sequence[str], sign: str | None, others: Sequence[str] | None
) -> Iterator[_Splice]:
    """The sign between two operands, found in the text between them."""
    if sign is None or others is None or left.end_col_offset is None or left.end_lineno != right.lineno:
        return
    place = lines[right.lineno - 1].encode()[left.end_col_offset : right.col_offset].find(sign.encode())
    if place >= 0:
        start = left.end_col_offset + place
        for i, other in enumerate(others):
            yield _Splice(right.lineno, start, start + len(sign), other, min(i, 1))


def _operands(nodes: Iterable[ast.expr], names: Sequence[str], *, may_shift: bool) -> Iterator[_Splice]:
    """One off, or another parameter in the place of a name."""
    for node in nodes:
        if isinstance(node, ast.Name):
            if may_shift:
                for change in (" - 1", " + 1"):
                    yield from _replaced(node, f"({node.id}{change})", 2)
            if node.id in names:
                for other in names:
                    yield from _replaced(node, other, 5)


def _call(node: ast.Call) -> Iterator[_Splice]:
    function = node.func
    if isinstance(function, ast.Name):
        for other in _CALLS.get(function.id, ()):
            yield from _replaced(function, other, 0)
        if function.id == "range" and node.args:
            yield from _shifted(node.args[-1] if len(node.args) < 3 else node.args[1], 1)
        has_order = any(word.arg == "reverse" for word in node.keywords)
        if (
            function.id == "sorted"
            and not has_order
            and node.end_lineno == node.lineno
            and node.end_col_offset
        ):
            yield _Splice(node.lineno, node.end_col_offset - 1, node.end_col_offset, ", reverse=True)", 2)
    elif isinstance(function, ast.Attribute) and function.end_lineno and function.end_col_offset:
        for other in _CALLS.get(function.attr, ()):
            start = function.end_col_offset - len(function.attr.encode())
            yield _Splice(function.end_lineno, start, function.end_col_offset, other, 1)
    if len(node.args) == 2 and node.args[0].lineno == node.args[1].end_lineno:
        first, second = node.args
        text = f"{ast.unparse(second)}, {ast.unparse(first)}"
        yield _Splice(first.lineno, first.col_offset, second.end_col_offset or first.col_offset, text, 4)


def _shifted(node: ast.expr, rank: int) -> Iterator[_Splice]:
    for change in (" - 1", " + 1"):
        yield from _replaced(node, f"{ast.unparse(node)}{change}", rank)


def _replaced(node: ast.expr | ast.stmt, text: str, rank: int) -> Iterator[_Splice]:
    if node.end_lineno == node.lineno and node.end_col_offset is not None and text != ast.unparse(node):
        yield _Splice(node.lineno, node.col_offset, node.end_col_offset, text, rank)
