"""What is put before a request: the code it names, or else the code most like its words."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import PurePosixPath

from agent.code.breakage import Breakage, around, breakage_of
from agent.code.culprits import culprits_of, test_of
from agent.code.index import CodeIndex, Located, Source
from agent.code.languages import Language, is_test_code, is_test_file, language_of
from agent.code.lexical import dedented
from agent.code.mentions import Mentions, mentioned
from agent.code.symbols import Symbol, SymbolKind, parse
from agent.guided.naming import function_head, method_head, new_name
from agent.guided.relevance import WHOLE_SYMBOL_LINES, beside, overlap, related
from agent.tools.files import fenced
from agent.tools.testreport import TestCase

_WHOLE_FILE_LINES = 70
_PROSE_LINES = 24
_REGION_LINES = 6  # shown on each side of a top-level line
_MAX_CHARS = 3_600  # some 900 tokens
_OFFERED_FILES = 24
_LIKEST = 3
_OFFERED_SYMBOLS = 40
_SHOWN_TEST_LINES = 24
_SHOWN_TESTS = 2
_TEST_HEADS: dict[Language | None, str] = {Language.PYTHON: "def test_", Language.GO: "func Test"}
_HEAD_COMMENT = re.compile(r"\s*(?:#!.*\n)?\s*(?://[!/]?|/\*\*?)\s*\*?\s*(\w.*)")


@dataclass(frozen=True)
class Context:
    """`text` is for the model; of `files` and `symbols` it may choose, the likeliest come first.

    `heads` gives how what is added to a file begins, where its language leaves no choice; with `is_named`
    up to the end of its name. `span` are the first and the last line that may be edited, where not all may.
    `overview` is what `text` begins with, if it begins with that of the project; `beside` is all else.
    """

    text: str
    files: tuple[str, ...]
    symbols: tuple[str, ...]
    heads: Mapping[str, str] = field(default_factory=dict[str, str])
    is_named: bool = False
    span: tuple[int, int] | None = None
    overview: str = ""
    beside: str = ""

    def without_overview(self) -> Context:
        """For a model that has it in mind."""
        return replace(self, text=self.beside, overview="")


NOTHING = Context("", (), ())


def for_question(request: str, index: CodeIndex) -> Context:
    """The code that a question is about; an overview of the project where it names nothing."""
    named = mentioned(request, index)
    blocks = _named_blocks(named, index)
    if not blocks:
        found = related(request, index, tests_too=False)
        others = [item for item in found[1:_LIKEST] if not overlap(item, found[0])]
        blocks = [_overview(index)] + [_symbol_block(item, index) for item in (*found[:1], *others[:1])]
        given = _context(blocks, named, [], index, tests_too=True)
        return replace(given, overview=_joined(blocks[:1]), beside=_joined(blocks[1:]))
    if not named.files:
        likest = related(request, index, tests_too=False)[:_LIKEST]
        blocks += [_symbol_block(item, index) for item in beside(request, named.symbols, likest, index)]
    return _context(blocks, named, [], index, tests_too=True)


def for_change(request: str, index: CodeIndex) -> Context:
    """The code that a change is about."""
    named = mentioned(request, index)
    blocks = _named_blocks(named, index)
    wants_tests = bool(re.search(r"\btests?\b", request, re.IGNORECASE))
    found = related(request, index, tests_too=wants_tests)
    if not named.symbols and not named.files:
        blocks = [_symbol_block(item, index) for item in found[:2]]
    return _context(blocks, named, found, index, tests_too=wants_tests or _only_tests(named))


def for_new_test(request: str, index: CodeIndex) -> Context:
    """The code that is to be tested, and the beginning of the test file it belongs to."""
    named = mentioned(request, index)
    items = named.symbols or tuple(related(request, index, tests_too=False)[:1])
    blocks = [_symbol_block(item, index) for item in items if not is_test_code(item.path)]
    tests = [path for path in index.sources if is_test_file(path)]
    tests.sort(key=lambda path: not any(_is_neighbour(path, item.path) for item in items))
    users = [path for item in items for path in index.users_of(item) if path in tests]
    tests = list(dict.fromkeys([*(path for path in named.files if path in tests), *users, *tests]))
    if tests:
        blocks.append(f"{_shown(tests[0])}:\n{fenced(_some_tests(tests[0], items, index))}")
    places = [_test_place(path, items, index) for path in dict.fromkeys(tests)]
    heads = {place: _TEST_HEADS.get(language_of(place.partition(":")[0]), "") for place in places}
    return Context(_joined(blocks), tuple(_printable(dict.fromkeys(places)))[:_OFFERED_FILES], (), heads)


def for_new_function(request: str, index: CodeIndex) -> Context:
    """What a change of the kind is given, with how a function begins in each file's language."""
    given = for_change(request, index)
    places = tuple(_printable(dict.fromkeys(mentioned(request, index).places)))
    files, name = places or given.files, new_name(request)
    heads = {path: function_head(path, name, index) for path in files}
    return replace(given, files=files, heads=heads, is_named=bool(name) and all(heads.values()))


def _some_tests(path: str, items: Sequence[Located], index: CodeIndex) -> str:
    """The head of a test file, and of its tests those that name one of `items`, or else the first."""
    source = index.sources[path]
    tests = [symbol for symbol in (*source.symbols, *source.tests) if symbol.is_callable]
    tests.sort(key=lambda symbol: symbol.first_line)
    wanted = [symbol for symbol in tests if _names(source, symbol, items)] or tests
    classes = [symbol for symbol in source.symbols if symbol.kind is SymbolKind.CLASS]
    top = min([symbol.first_line for symbol in (*tests, *classes)], default=_SHOWN_TEST_LINES + 1)
    lines = source.lines[: min(top - 1, _SHOWN_TEST_LINES)]
    shown: list[Symbol] = []
    for test in wanted[:_SHOWN_TESTS]:
        owner = next((one for one in classes if one.first_line <= test.first_line <= one.last_line), None)
        if owner is not None and owner not in shown:
            lines += source.lines[owner.first_line - 1 : owner.def_line]
            shown.append(owner)
        lines += [*source.lines[test.first_line - 1 : test.last_line][:_SHOWN_TEST_LINES], ""]
    return "\n".join(lines).rstrip("\n")


def _test_place(path: str, items: Sequence[Located], index: CodeIndex) -> str:
    """Where a test goes: into the file, or `file:Class` where its tests are methods."""
    source = index.sources[path]
    tests = [
        symbol for symbol in source.symbols if symbol.is_callable and symbol.bare_name.startswith("test")
    ]
    owners = [symbol.name.rpartition(".")[0] for symbol in tests if "." in symbol.name]
    if language_of(path) is not Language.PYTHON or len(owners) < len(tests) or not owners:
        return path
    naming = [s.name.rpartition(".")[0] for s in tests if _names(source, s, items)]
    return f"{path}:{(naming or owners)[-1]}"


def _names(source: Source, symbol: Symbol, items: Sequence[Located]) -> bool:
    text = "\n".join(source.lines[symbol.first_line - 1 : symbol.last_line])
    return any(re.search(rf"\b{re.escape(item.symbol.bare_name)}\b", text) for item in items)


def _is_neighbour(test: str, path: str) -> bool:
    """Whether tests of `path` may stand in `test`: in the same language, and of Go in the same package."""
    language = language_of(path)
    if language is Language.GO:
        return PurePosixPath(test).parent == PurePosixPath(path).parent and language_of(test) is language
    return language_of(test) is language


def for_comment(request: str, index: CodeIndex) -> Context:
    """The functions and classes that are to be described; nothing is offered where none is named."""
    named = mentioned(request, index)
    items = [item for item in named.symbols if item.symbol.kind is not SymbolKind.CONSTANT]
    given = _context(
        [_symbol_block(item, index) for item in items],
        Mentions(tuple(items), ()),
        [],
        index,
        tests_too=True,
        only_named=True,
    )
    return Context(given.text, given.files, given.symbols[: len(items)])


def for_new_method(request: str, index: CodeIndex) -> Context:
    """The class that is to have it. What is offered as a file is `file:Class`."""
    named = mentioned(request, index)
    classes = [
        item for item in named.symbols if item.symbol.kind is SymbolKind.CLASS and _is_clean(item.path)
    ]
    if not classes:
        places = {*named.files} or {item.path for item in related(request, index, tests_too=False)}
        classes = [
            item for path in places for item in index.in_file(path) if item.symbol.kind is SymbolKind.CLASS
        ]
    blocks = [_symbol_block(item, index) for item in classes[:1]]
    name = new_name(request)
    heads = {
        f"{item.path}:{item.symbol.name}": method_head(item.path, item.symbol.name, name, index)
        for item in classes[:_OFFERED_FILES]
    }
    return Context(_joined(blocks), tuple(heads), (), heads, is_named=bool(name) and all(heads.values()))


def for_failure(case: TestCase, told: str, index: CodeIndex, *, tests_too: bool) -> Context:
    """A failing test with the functions that it reaches; `told` says how it failed."""
    test = test_of(case, index)
    culprits = culprits_of(case, test, index)
    breakage = breakage_of([case], index)
    if breakage is not None and not (culprits and _is_clean(breakage.path)):
        return _for_breakage(breakage, index)
    if breakage is not None:
        told += f", in the line: {index.sources[breakage.path].lines[breakage.line - 1].strip()}"
    blocks = [_symbol_block(item, index) for item in culprits]
    where = f" in {_shown(test.path)}" if test is not None else ""
    shown = f"{case.name}{where} fails: {told}"
    blocks.append(f"{shown}\n{fenced(index.source_of(test))}" if test is not None else shown)
    named = Mentions(tuple(culprits), ())
    if test is not None and tests_too:
        named = Mentions((*culprits, test), ())
    return _context(blocks, named, [], index, tests_too=tests_too, only_named=bool(culprits))


def _for_breakage(breakage: Breakage, index: CodeIndex) -> Context:
    """The lines about a place that keeps everything from being run; only they may be edited."""
    first, last = around(breakage, index)
    lines = index.sources[breakage.path].lines[first - 1 : last]
    at = "".join(index.sources[breakage.path].lines[breakage.line - 1 : breakage.line]).strip()
    head = f"{_shown(breakage.path)} cannot be run: {breakage.message}, in or before the line: {at}"
    text = _joined([f"{head}\n{fenced(chr(10).join(lines))}"])
    return Context(text, tuple(_printable({breakage.path: None})), (), span=(first, last))


def _context(
    blocks: list[str],
    named: Mentions,
    related: list[Located],
    index: CodeIndex,
    *,
    tests_too: bool,
    only_named: bool = False,
) -> Context:
    items = [*named.symbols, *related]
    if not only_named:
        items += [item for path in named.files for item in index.in_file(path)]
        items += [item for item in index.located() if tests_too or not is_test_code(item.path)]
    wanted = dict.fromkeys(
        item
        for item in items
        if item.symbol.is_callable
        or (item.symbol.kind is SymbolKind.CLASS and item.symbol.n_lines <= WHOLE_SYMBOL_LINES)
    )
    homes = Counter(name for _, name in {(item.path, item.symbol.name) for item in index.located()})
    symbols = [
        f"{item.path}:{item.symbol.name}" if homes[item.symbol.name] > 1 else item.symbol.name
        for item in islice((item for item in wanted if _is_clean(item.path)), _OFFERED_SYMBOLS)
    ]
    files = [*named.files, *(item.path for item in items)]
    if not only_named:
        files += [path for path in index.sources if tests_too or not is_test_code(path)]
    return Context(
        _joined(blocks),
        tuple(_printable(dict.fromkeys(files)))[:_OFFERED_FILES],
        tuple(dict.fromkeys(symbols)),
    )


def _joined(blocks: list[str]) -> str:
    text = ""
    for block in dict.fromkeys(block for block in blocks if block):
        if text and len(text) + len(block) > _MAX_CHARS:
            break
        text += block[:_MAX_CHARS] + "\n"
    return text


def _printable(names: dict[str, None]) -> list[str]:
    """Names that can stand on a line of their own and in UTF-8."""
    return [name for name in names if _is_clean(name)]


def _shown(name: str) -> str:
    """A file name on one line, whatever is in it: the rest of it would read like a line of ours."""
    return name if _is_clean(name) else ascii(name)[1:-1]


def _is_clean(name: str) -> bool:
    return name.isprintable() and not any("\ud800" <= character <= "\udfff" for character in name)


def _named_blocks(named: Mentions, index: CodeIndex) -> list[str]:
    blocks = [_symbol_block(item, index) for item in named.symbols]
    shown = {item.path for item in named.symbols}
    return blocks + [_file_block(path, index, outline=path in shown) for path in named.files]


def _symbol_block(item: Located, index: CodeIndex) -> str:
    """`name: function in F; used in …`, then its source."""
    users = [path for path in index.users_of(item) if path != item.path]
    used = f"; used in {', '.join(map(_shown, users[:3]))}" if users else ""
    head = f"{item.symbol.name}: {item.symbol.kind.value} in {_shown(item.path)}{used}"
    if item.symbol.kind is SymbolKind.CONSTANT:
        return f"{head}\n{fenced(_region(item, index))}"
    lines = index.source_of(item).split("\n")
    if len(lines) <= WHOLE_SYMBOL_LINES:
        return f"{head}\n{fenced(dedented(lines))}"
    if item.symbol.kind is SymbolKind.CLASS:
        members = [s for s in index.sources[item.path].symbols if s.name.startswith(f"{item.symbol.name}.")]
        whole = index.sources[item.path].lines
        kept = [whole[member.def_line - 1] for member in members if member.is_callable]
        return f"{head}\n{fenced(chr(10).join([whole[item.symbol.def_line - 1], *kept[:40]]))}"
    return f"{head}\n{fenced(dedented(lines[:WHOLE_SYMBOL_LINES]))}"


def _file_block(path: str, index: CodeIndex, *, outline: bool) -> str:
    source = index.sources[path]
    lines = source.text.rstrip("\n").split("\n")
    if language_of(path) is None:
        return f"{_shown(path)}:\n{fenced(chr(10).join(lines[:_PROSE_LINES]))}"
    if len(lines) <= _WHOLE_FILE_LINES and not outline:
        return f"{_shown(path)}:\n{fenced(chr(10).join(lines))}"
    return f"{_shown(path)}:\n{fenced(_outline(path, index))}"


def _outline(path: str, index: CodeIndex) -> str:
    """What a file is and defines, in a line; empty where there is nothing to say."""
    names = [s.name for s in index.sources[path].symbols if s.kind is not SymbolKind.METHOD]
    doc = _docstring(path, index.sources[path].text)
    return " ".join([*([doc] if doc else []), *([f"Defines {', '.join(names[:12])}"] if names else [])])


def _overview(index: CodeIndex) -> str:
    """The readme's beginning and one line per source file."""
    readme = next((path for path in index.sources if PurePosixPath(path).stem.lower() == "readme"), None)
    parts = [_file_block(readme, index, outline=False)] if readme else []
    files = [path for path in index.sources if language_of(path) and index.sources[path].text.strip()]
    lines = [f"{_shown(path)}: {_outline(path, index)}".rstrip() for path in files[:14]]
    return "\n".join([*parts, *([fenced("\n".join(lines))] if lines else [])])


def _docstring(path: str, text: str) -> str:
    """What a file says of itself in its first sentence."""
    if language_of(path) is not Language.PYTHON:
        found = _HEAD_COMMENT.match(text)
        return found[1].strip().removesuffix("*/").rstrip() if found else ""
    tree = parse(text)
    doc = ast.get_docstring(tree) if tree is not None else None
    return doc.split("\n")[0] if doc else ""


def _region(item: Located, index: CodeIndex) -> str:
    lines = index.sources[item.path].lines
    start = max(0, item.symbol.first_line - 1 - _REGION_LINES)
    return "\n".join(lines[start : item.symbol.last_line + _REGION_LINES]).strip("\n")


def _only_tests(named: Mentions) -> bool:
    paths = [item.path for item in named.symbols] + list(named.files)
    return bool(paths) and all(is_test_code(path) for path in paths)
