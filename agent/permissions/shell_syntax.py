"""Takes a line of shell apart with tree-sitter's bash grammar. What it is not sure of, it calls not plain."""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass, field
from functools import lru_cache

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

_TRANSPARENT = frozenset(
    {
        "program",
        "list",
        "pipeline",
        "redirected_statement",
        "negated_command",
        "subshell",
        "compound_statement",
    }
)
_PUNCTUATION = frozenset({";", "&&", "||", "|", "\n", "!", "(", ")", "{", "}", "comment"})
_MAY_BE_PARENT = re.compile(r"(?:^|/)\.[.*?]*[*?][.*?]*(?:/|$)")
_HARMLESS_TARGETS = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr"})


@dataclass(frozen=True)
class Word:
    """`text` is what the shell makes of it, as far as that can be told; `pattern` is set for one of files."""

    text: str
    is_literal: bool = True
    pattern: str = ""


@dataclass(frozen=True)
class Call:
    """One simple command: variables set for it, then its words. `fed_by` names what is piped into it."""

    words: tuple[Word, ...]
    variables: tuple[str, ...] = ()
    fed_by: tuple[Call, ...] = ()
    substituted: tuple[Call, ...] = ()

    @property
    def name(self) -> str:
        """The program's own name, without its folder."""
        return self.words[0].text.rpartition("/")[2] if self.words else ""


@dataclass(frozen=True)
class Script:
    """All commands of a line in their order, those inside others too.

    `unclear` is empty when the line consists of nothing but simple commands, one after the other or piped;
    `reads` and `writes` are the files that it is redirected from and to.
    """

    calls: tuple[Call, ...]
    reads: tuple[Word, ...] = ()
    writes: tuple[Word, ...] = ()
    unclear: str = ""
    is_fork_bomb: bool = False


@dataclass
class _Reader:
    source: bytes
    home: str
    calls: list[Call] = field(default_factory=list[Call])
    reads: list[Word] = field(default_factory=list[Word])
    writes: list[Word] = field(default_factory=list[Word])
    unclear: str = ""
    is_fork_bomb: bool = False

    def statement(self, node: Node, fed_by: tuple[Call, ...] = ()) -> list[Call]:
        """The commands that `node` runs itself; all commands in it are kept in `calls`."""
        kind = node.type
        if kind == "command":
            return [self._command(node, fed_by)]
        if kind in _PUNCTUATION:
            return []
        if kind == "file_redirect":
            self._redirect(node)
            return []
        if kind == "pipeline":
            upstream: list[Call] = []
            for child in node.children:
                upstream += self.statement(child, (*fed_by, *upstream))
            return upstream
        if kind == "function_definition":
            self._function(node)
        if kind not in _TRANSPARENT:
            self._doubt({"&": "it runs on in the background"}.get(kind, "I cannot tell what it comes to"))
        return [call for child in node.children for call in self.statement(child, fed_by)]

    def _command(self, node: Node, fed_by: tuple[Call, ...]) -> Call:
        words: list[Word] = []
        variables: list[str] = []
        first = len(self.calls)
        for child in node.children:
            if child.type == "variable_assignment":
                name = child.child_by_field_name("name")
                variables.append(self._text(name) if name is not None else "?")
                self._words_inside(child)
            elif child.type == "command_name":
                words += [self._word(part) for part in child.children]
            elif child.type == "file_redirect":
                self._redirect(child)
            elif child.type == "herestring_redirect":
                self._doubt("I cannot tell what it comes to")
                self._words_inside(child)
            else:
                words.append(self._word(child))
        call = Call(tuple(words), tuple(variables), fed_by, tuple(self.calls[first:]))
        self.calls.append(call)
        return call

    def _words_inside(self, node: Node) -> None:
        """Commands that are substituted anywhere in `node`."""
        for child in node.children:
            if child.type in ("command_substitution", "process_substitution"):
                self._doubt("it runs one command inside another")
                for part in child.children[1:-1]:
                    self.statement(part)
            else:
                self._words_inside(child)

    def _word(self, node: Node) -> Word:
        kind, text = node.type, self._text(node)
        if kind in ("word", "number"):
            return self._bare(text)
        if kind == "raw_string":
            return Word(text[1:-1])
        if kind == "string" and all(child.type in ('"', "string_content") for child in node.children):
            return Word(re.sub(r'\\([$`"\\]|\n)', lambda found: found[1].strip("\n"), text[1:-1]))
        if kind in ("string", "concatenation"):
            inner = [child for child in node.children if child.type != '"']
            parts = [Word(self._text(c)) if c.type == "string_content" else self._word(c) for c in inner]
            if kind == "concatenation" and all(part.is_literal for part in parts):
                return _joined(parts)
            return Word("".join(part.text for part in parts), False)
        if kind in ("command_substitution", "process_substitution"):
            self._doubt("it runs one command inside another")
            for part in node.children[1:-1]:
                self.statement(part)
            return Word("", False)
        if kind in ("simple_expansion", "expansion"):
            self._words_inside(node)
            is_home = text in ("$HOME", "${HOME}")
            return Word(self.home if is_home else "", False)
        self._words_inside(node)
        return Word(text, False)

    def _bare(self, text: str) -> Word:
        if text == "~" or text.startswith("~/"):
            inner = self._bare(text[1:])
            pattern = glob.escape(self.home) + inner.pattern if inner.pattern else ""
            return Word(self.home + inner.text, inner.is_literal, pattern)
        # Shells differ in what brackets hold: classes, quotes, ranges of letters.
        if text.startswith("~") or re.search(r"(?<!\\)[{}\[]|\\\\", text):
            return Word(text, False)
        literal = re.sub(r"\\(\n|.)", lambda found: found[1].strip("\n"), text, flags=re.DOTALL)
        if re.search(r"(?<!\\)[*?]", text):
            return _matching(literal, re.sub(r"\\(.)", lambda found: glob.escape(found[1]), text))
        return Word(literal)

    def _redirect(self, node: Node) -> None:
        operator = next((c.type for c in node.children if not c.is_named), "")
        target = node.child_by_field_name("destination")
        if operator in (">&", "<&") and target is not None and re.fullmatch(r"\d+|-", self._text(target)):
            return
        if target is None:
            self._doubt("I cannot tell what it comes to")
            return
        word = self._word(target)
        if operator == "<":
            self.reads.append(word)
        elif word.text not in _HARMLESS_TARGETS or not word.is_literal:
            self.writes.append(word)

    def _function(self, node: Node) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        own = self._text(name) if name is not None else ""
        text = self._text(body) if body is not None else ""
        calls_itself = re.search(rf"(?<!\w){re.escape(own)}(?!\w)", text) is not None
        self.is_fork_bomb |= calls_itself and ("|" in text or "&" in text)

    def _text(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def _doubt(self, why: str) -> None:
        self.unclear = self.unclear or why


def parse(command: str, home: str) -> Script:
    """`command` taken apart. `home` is what `~` and `$HOME` stand for."""
    source = command.encode("utf-8", "replace")
    root = _parser().parse(source).root_node
    reader = _Reader(source, home)
    reader.statement(root)
    # The grammar takes the second of two line ends in a row for blank when a backslash stands before it.
    if root.has_error or not _is_covered(root, source) or re.search(r"\n[ \t]*\\\n", command):
        reader.unclear = "I cannot read it for certain"
    return Script(
        tuple(reader.calls), tuple(reader.reads), tuple(reader.writes), reader.unclear, reader.is_fork_bomb
    )


@lru_cache(maxsize=1)
def _parser() -> Parser:
    return Parser(Language(tree_sitter_bash.language()))


def _joined(parts: list[Word]) -> Word:
    text = "".join(part.text for part in parts)
    if not any(part.pattern for part in parts):
        return Word(text)
    return _matching(text, "".join(part.pattern or glob.escape(part.text) for part in parts))


def _matching(text: str, pattern: str) -> Word:
    """A pattern of files; older shells find `..` for some."""
    return Word(text, False) if _MAY_BE_PARENT.search(pattern) else Word(text, True, pattern)


def _is_covered(root: Node, source: bytes) -> bool:
    """Whether the leaves of the tree hold every byte that is not blank: nothing was passed over."""
    at = 0
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.children:
            waiting += reversed(node.children)
            continue
        if node.start_byte < at or re.sub(rb"\\\n|[ \t\n]", b"", source[at : node.start_byte]):
            return False
        at = node.end_byte
    return not re.sub(rb"\\\n|[ \t\n]", b"", source[at:])
