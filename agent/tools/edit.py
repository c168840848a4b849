"""The tools that write: each change is checked, made in one step, kept in a journal, and told as facts."""

from __future__ import annotations

import ast
import hashlib
import json
import keyword
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from agent.codeindex import CodeIndex
from agent.facts import FileEdited
from agent.intents import squashed
from agent.symbols import Symbol, SymbolKind, parse
from agent.textfile import TextFile, decode, write_bytes
from agent.tools import changes
from agent.tools.definition import dedented, new_version, replaced, syntax_error, told_apart
from agent.tools.imports import add_missing_imports
from agent.tools.matching import NotFound, reindent, replace_lines
from agent.tools.registry import Outcome, refused
from agent.tools.renaming import names_in, renamed
from agent.tools.tests_runner import is_test_code
from agent.workspace import Workspace

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]


@dataclass(frozen=True)
class _Change:
    """A file's bytes before a change, None when there was no such file; and a digest of those after it."""

    path: str
    before: bytes | None
    after: bytes


class EditTools:
    """Handlers of the writing tools. `mark` and `revert` take changes back."""

    def __init__(self, workspace: Workspace, index: CodeIndex) -> None:
        self._workspace = workspace
        self._index = index
        self._journal: list[_Change] = []

    def mark(self) -> int:
        """A point that `revert` can go back to."""
        return len(self._journal)

    def revert(self, mark: int) -> tuple[str, ...]:
        """Take back every change since `mark`, the latest first; gives the paths that were left alone.

        A file that is not as it was written is left: what somebody else saved meanwhile is theirs.
        """
        left: list[str] = []
        while len(self._journal) > mark:
            change = self._journal.pop()
            place = self._workspace.permitted(change.path)
            try:
                now = _digest(place.read_bytes())
            except OSError:
                now = b""
            if now == change.after:
                if change.before is None:
                    place.unlink(missing_ok=True)
                else:
                    write_bytes(place, change.before, change.path)
            elif (now or change.before is not None) and change.path not in left:
                left.append(change.path)
        self._index.refresh()
        return tuple(left)

    async def rewrite_function(self, arguments: Mapping[str, Any]) -> Outcome:
        """Replace one function, method or class by a new version of it."""
        name, new = str(arguments["name"]), str(arguments["new"])
        self._index.refresh()
        found = self._index.find(name)
        if not found:
            return refused("rewrite_function", f"there is no function {name}")
        file = self._workspace.read(found[0].path)
        if len(found) > 1 and len({(item.path, item.symbol.name) for item in found}) == 1:
            fitting = told_apart(new, [item.symbol for item in found], file.text.split("\n"))
            found = [item for item in found if item.symbol in fitting] or found
        if len(found) > 1:
            places = ", ".join(
                f"{item.path}:{item.symbol.name} in line {item.symbol.def_line}" for item in found[:4]
            )
            return refused("rewrite_function", f"{name} is not unique: {places}")
        path, symbol = found[0].path, found[0].symbol
        known = self._symbols(path)
        version = new_version(new, symbol, known)
        if isinstance(version, NotFound):
            return refused("rewrite_function", version.reason)
        return self._write("rewrite_function", path, file, replaced(file.text, version, symbol, known))

    async def edit_file(self, arguments: Mapping[str, Any]) -> Outcome:
        """Replace some lines of a file."""
        path = str(arguments["path"])
        file = self._workspace.read(path)
        replaced = replace_lines(file.text, str(arguments["old"]), str(arguments["new"]))
        if isinstance(replaced, NotFound):
            return refused("edit_file", replaced.reason)
        return self._write("edit_file", path, file, replaced.text)

    async def append(self, arguments: Mapping[str, Any]) -> Outcome:
        """Add lines at the end of a file, before its `if __name__ == "__main__"` block where it has one.

        A path of the form `file:Class` means the end of that class.
        """
        (path, _, owner), new = (
            str(arguments["path"]).partition(":"),
            dedented(str(arguments["new"])),
        )
        file = self._workspace.read(path)
        if not new.strip():
            return refused("append", "there is nothing to add")
        if owner:
            return self._append_to_class(path, owner, file, new)
        if path.endswith(".py"):
            duplicate = _defined(new) & {symbol.name for symbol in self._symbols(path)}
            if duplicate:
                return refused("append", f"{path} already defines {', '.join(sorted(duplicate))}")
            return self._write("append", path, file, _appended(file.text, new))
        gap = "" if not file.text or file.text.endswith("\n") else "\n"
        return self._write("append", path, file, f"{file.text}{gap}{new}\n")

    async def create_file(self, arguments: Mapping[str, Any]) -> Outcome:
        """Write a file that is not there yet."""
        path, new = str(arguments["path"]).strip(), str(arguments["new"]).strip("\n") + "\n"
        if self._workspace.permitted(path).exists():
            return refused("create_file", f"{path} is there already")
        return self._write("create_file", path, TextFile(""), new, created=True)

    async def rename(self, arguments: Mapping[str, Any]) -> Outcome:
        """Replace one name by another in all Python code; strings, comments and other files stay."""
        old, new = str(arguments["old"]).strip(), str(arguments["new"]).strip()
        if not new.isidentifier() or keyword.iskeyword(new):
            return refused("rename", f"{new} is not a name")
        if old == new:
            return refused("rename", "both names are the same")
        self._index.refresh()
        names = self._names()
        known = {name for found in names.values() for name in found if not keyword.iskeyword(name)}
        fits = [old] if old in known else sorted(n for n in known if squashed(n) == squashed(old))
        if len(fits) != 1:
            reason = (
                f"{old} may mean {', '.join(fits)}: say which" if fits else f"{old} is not in this project"
            )
            return refused("rename", reason)
        old = fits[0]
        touched = [path for path, found in names.items() if old in found]
        if old == new or any(new in names[path] for path in touched):
            return refused("rename", f"the name {new} is already in use")
        mark = self.mark()
        outcomes: list[Outcome] = []
        for path in touched:
            file = self._workspace.read(path)
            outcomes.append(self._write("rename", path, file, renamed(file.text, old, new)))
            if not outcomes[-1].ok:
                self.revert(mark)
                return outcomes[-1]
        facts = tuple(fact for outcome in outcomes for fact in outcome.facts)
        return Outcome(True, f"ok: renamed {old} to {new} in {', '.join(touched)}", facts)

    def _names(self) -> dict[str, set[str]]:
        """The names in the code of each Python file; none for a file that is not valid."""
        found: dict[str, set[str]] = {}
        for path, source in self._index.sources.items():
            if path.endswith(".py"):
                try:
                    found[path] = names_in(source.text)
                except ValueError:
                    continue
        return found

    def _append_to_class(self, path: str, owner: str, file: TextFile, new: str) -> Outcome:
        symbols = self._symbols(path)
        found = next((s for s in symbols if s.name == owner and s.kind is SymbolKind.CLASS), None)
        if found is None:
            return refused("append", f"{path} has no class {owner}")
        if any(symbol.name in {f"{owner}.{name}" for name in _defined(new)} for symbol in symbols):
            return refused("append", f"{owner} has that already")
        lines = file.text.split("\n")
        body = re.match(r"\s+(?=\S)", lines[found.def_line]) if found.def_line < len(lines) else None
        indent = body[0] if body else "    "
        after = [*lines[: found.last_line], "", *reindent(new, indent).split("\n"), *lines[found.last_line :]]
        return self._write("append", path, file, "\n".join(after))

    def _symbols(self, path: str) -> tuple[Symbol, ...]:
        self._index.refresh()
        source = self._index.sources.get(path)
        return source.symbols if source is not None else ()

    def _write(self, tool: str, path: str, file: TextFile, after: str, *, created: bool = False) -> Outcome:
        if after == file.text and not created:
            return refused(tool, "this is the code that is there already: nothing was changed")
        if re.search(r"\r(?!\n)", file.text):
            return refused(tool, f"{path} has line ends that I cannot keep, so I leave it as it is")
        if path.endswith(".py"):
            after = add_missing_imports(file.text, after, self._importable(path))
        trouble = _broken(path, file.text, after)
        if trouble:
            return refused(tool, trouble)
        place = self._workspace.permitted(path)
        data = file.encode(after)
        before = None if created else place.read_bytes()
        if before is not None and decode(before) != file:
            return refused(tool, f"{path} was saved by somebody else just now")
        self._journal.append(_Change(path, before, _digest(data)))
        try:
            write_bytes(place, data, path)
        except BaseException:
            self._journal.pop()
            raise
        self._index.refresh()
        fact = changes.edited(path, file.text, after, created=created)
        return Outcome(True, f"ok: {_described(fact)}", (fact,))

    def _importable(self, path: str) -> dict[str, str]:
        """The module of each top-level function and class that is defined once, and outside `path`."""
        homes: dict[str, set[str]] = {}
        for item in self._index.located():
            if "." not in item.symbol.name and item.symbol.kind is not SymbolKind.CONSTANT:
                homes.setdefault(item.symbol.name, set()).add(item.path)
        return {
            name: _module_name(self._workspace.root, next(iter(paths)), path)
            for name, paths in homes.items()
            if len(paths) == 1 and path not in paths and not is_test_code(next(iter(paths)))
        }


def _defined(code: str) -> set[str]:
    tree = parse(code)
    nodes = tree.body if tree is not None else []
    return {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}


def _appended(text: str, new: str) -> str:
    lines = text.rstrip("\n").split("\n") if text.strip() else []
    tree = parse(text)
    place = len(lines)
    if tree is not None:
        for node in tree.body:
            if isinstance(node, ast.If) and "__name__" in ast.dump(node.test):
                place = node.lineno - 1
    head, tail = lines[:place], lines[place:]
    while head and not head[-1].strip():
        head.pop()
    parts = [*head, *(["", ""] if head else []), *new.split("\n"), *(["", "", *tail] if tail else [])]
    return "\n".join(parts) + "\n"


def _broken(path: str, before: str, after: str) -> str:
    """Why `after` must not be written: it would not parse, although `before` did (or was empty)."""
    suffix = PurePosixPath(path).suffix
    if suffix == ".py":
        return syntax_error(after) if parse(before) is not None else ""
    try:
        if suffix == ".json":
            json.loads(after)
        elif suffix == ".toml":
            tomllib.loads(after)
    except ValueError as error:
        return f"{path} would not be valid any more: {error}"
    return ""


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _module_name(root: Path, path: str, importer: str) -> str:
    """How `importer` would import the module at `path`: from the root, from `src` or from its folder."""
    parts = list(PurePosixPath(path).with_suffix("").parts)
    if parts[0] == "src" and not (root / "src" / "__init__.py").exists():
        parts = parts[1:]
    if parts[-1] == "__init__":
        parts = parts[:-1]
    folder = PurePosixPath(importer).parent
    if folder == PurePosixPath(path).parent and not (root / folder / "__init__.py").exists():
        parts = parts[-1:]
    return ".".join(parts)


def _described(fact: FileEdited) -> str:
    if fact.created:
        return f"created {fact.path}"
    where = f" ({fact.symbol})" if fact.symbol else ""
    return f"changed {fact.path}{where}"
