"""The new version of a definition in JavaScript, TypeScript, Go or Rust, out of what was written. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from agent.code import trees
from agent.code.languages import Language, language_of
from agent.code.outline import symbols_of
from agent.code.symbols import Symbol, SymbolKind
from agent.tools.matching import NewVersion, NotFound

_HOLDER = "Holder"  # of a method that is written without its class


def new_version(path: str, new: str, symbol: Symbol, known: Sequence[Symbol]) -> NewVersion | NotFound:
    """The part of `new` that defines `symbol`, with the comment above it, and what it needs of the rest."""
    language = language_of(path)
    assert language is not None
    bare = textwrap.dedent(new).strip("\n")
    trouble = ""
    for code in _readings(language, bare, symbol):
        trouble = trees.syntax_error(language, code)
        found = symbols_of(path, code)
        is_class = symbol.kind is SymbolKind.CLASS
        fitting = [
            item
            for item in found
            if item.bare_name == symbol.bare_name and (item.kind is SymbolKind.CLASS) == is_class
        ]
        if not trouble and fitting:
            return _version(language, code, fitting[0], found, symbol, known)
    return NotFound(trouble or f"the new code does not define {symbol.bare_name}")


def _readings(language: Language, code: str, symbol: Symbol) -> list[str]:
    """The code as it stands, or as the inside of the class that the method is to be in."""
    if symbol.kind is not SymbolKind.METHOD or language is Language.GO:
        return [code]
    head = "impl" if language is Language.RUST else "class"
    wrapped = f"{head} {_HOLDER} {{\n{code}\n}}"
    is_of_object = symbol.opening.startswith(symbol.name.partition(".")[0] + ".prototype")
    return [code] if is_of_object else [wrapped, code]


def _version(
    language: Language,
    code: str,
    target: Symbol,
    found: Sequence[Symbol],
    symbol: Symbol,
    known: Sequence[Symbol],
) -> NewVersion:
    lines = code.split("\n")
    there = {item.bare_name for item in known}
    waiting, taken = [target], {target}
    while waiting:
        used = {
            trees.text_of(name)
            for name in trees.names_in(trees.root_of(language, _lines(lines, waiting.pop())))
        }
        for item in found:
            inside = any(other.first_line <= item.first_line <= other.last_line for other in taken)
            if item.bare_name in used - there and not inside and item.name != _HOLDER:
                taken.add(item)
                waiting.append(item)
    rest = [item for item in found if item in taken and item != target]
    text = textwrap.dedent(_lines(lines, target))
    if symbol.opening.startswith("export ") and not target.opening.startswith("export "):
        prefix = "export default " if symbol.opening.startswith("export default ") else "export "
        at = target.def_line - target.first_line
        rows = text.split("\n")
        text = "\n".join([*rows[:at], prefix + rows[at], *rows[at + 1 :]])
    is_member = target.name.startswith(f"{_HOLDER}.")
    members = [item for item in rest if is_member and item.name.startswith(f"{_HOLDER}.")]
    return NewVersion(
        text,
        target.first_line < target.def_line,
        tuple(textwrap.dedent(_lines(lines, item)) for item in members),
        tuple(_lines(lines, item) for item in rest if item not in members),
    )


def _lines(lines: Sequence[str], symbol: Symbol) -> str:
    return "\n".join(lines[symbol.first_line - 1 : symbol.last_line])
