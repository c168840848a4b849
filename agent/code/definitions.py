"""What single lines of code define, in most languages, where there is no whole source to parse. Pure."""

from __future__ import annotations

import re

from agent.code.symbols import SymbolKind

_WORDS = (
    r"(?:(?:export|default|pub(?:\([^)]*\))?|async|static|public|private|protected|abstract|final|unsafe|inline)"
    r"\s+)*"
)
_NAMED = re.compile(
    rf"(?P<indent>\s*){_WORDS}"
    r"(?P<word>def|class|function\*?|func|fn|struct|enum|trait|interface|type|impl|module|namespace)\s+"
    r"(?:\([^)]*\)\s*)?(?P<name>[^\W\d][\w$]*)"
)
_TYPED = re.compile(
    r"(?P<indent>\s*)\w[\w<>\[\],*&:\s]*?[\s*&](?P<name>[^\W\d]\w*)\s*\([^;]*\)\s*(?:const\s*)?(?:\{|$)"
)
_DEFINITION_CHARS = 200  # no definition is longer, and the patterns are slow on lines without end
_NO_NAMES = frozenset(
    {
        *("if", "for", "while", "switch", "return", "catch", "else", "elif", "with", "new", "and", "or"),
        *("not", "assert", "raise", "await", "yield", "del", "in", "is", "throw", "case", "match", "delete"),
    }
)
_CLASSES = frozenset({"class", "struct", "enum", "trait", "interface", "type", "impl", "module", "namespace"})


def defined_in(line: str) -> tuple[str, SymbolKind, int] | None:
    """Name, kind and indentation of what a line of code defines, in most languages; None for other lines."""
    line = line[:_DEFINITION_CHARS]
    found = _NAMED.match(line)
    if found:
        kind = SymbolKind.CLASS if found["word"] in _CLASSES else SymbolKind.FUNCTION
        return found["name"], kind, len(found["indent"])
    found = _TYPED.match(line)
    if found and not _NO_NAMES & set(re.findall(r"\w+", line.partition("(")[0])):
        return found["name"], SymbolKind.FUNCTION, len(found["indent"])
    return None
