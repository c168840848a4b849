"""The tools that write files."""

from __future__ import annotations

import hashlib
import keyword
from collections.abc import Mapping
from typing import Any

from agent.code.index import CodeIndex, Located
from agent.code.languages import language_of
from agent.code.symbols import Symbol, SymbolKind
from agent.facts import FileEdited
from agent.intents import squashed
from agent.textfile import TextFile
from agent.tools import arguments as given
from agent.tools.appending import appended, defined, in_class, in_project_style, prepared
from agent.tools.commenting import documented
from agent.tools.definition import new_version, replaced, told_apart
from agent.tools.journal import Journal
from agent.tools.matching import NotFound, in_style_of, numbered, replace_lines
from agent.tools.registry import Outcome, refused
from agent.tools.removal import without
from agent.tools.renaming import names_in, renamed, renamed_member
from agent.undo import Written
from agent.workspace import Workspace


class EditTools:
    """Handlers of the writing tools. `mark` and `revert` take changes back."""

    def __init__(self, workspace: Workspace, index: CodeIndex) -> None:
        self._workspace = workspace
        self._index = index
        self._journal = Journal(workspace, index)
        self._seen: dict[str, bytes] = {}

    def mark(self) -> int:
        """A point that `revert` can go back to."""
        return self._journal.mark()

    def written(self, mark: int) -> dict[str, Written]:
        """What was done since `mark` to each file that was written, by its path."""
        return self._journal.written(mark)

    def revert(self, mark: int) -> tuple[str, ...]:
        """Take back every change since `mark`; gives the paths that were left, since others saved them."""
        return self._journal.revert(mark)

    def has_seen(self, path: str, text: str) -> None:
        """The model knows these numbered lines of the file, until the file changes."""
        self._seen[path] = _digest(text)

    def with_right_imports(self, path: str) -> str:
        """The text of a file with the imports that it lacks; nothing is written."""
        return self._journal.with_right_imports(path, self._index.sources[path].text)

    async def rewrite_function(self, arguments: Mapping[str, Any]) -> Outcome:
        """Replace one function, method or class by a new version of it."""
        name, new = given.text(arguments, "name").strip(), given.text(arguments, "new")
        found = self._found("rewrite_function", name, new)
        if isinstance(found, Outcome):
            return found
        path, symbol = found.path, found.symbol
        file = self._workspace.read(path)
        known = self._symbols(path)
        version = new_version(path, in_style_of(file.text, new), symbol, known)
        if isinstance(version, NotFound):
            return refused("rewrite_function", version.reason)
        after = replaced(path, file.text, version, symbol, known)
        return self._journal.write("rewrite_function", path, file, after, imports=new)

    async def remove(self, arguments: Mapping[str, Any]) -> Outcome:
        """Take a function, method or class out, with its comment and the gap that it leaves; nothing else."""
        found = self._found("remove", given.text(arguments, "name").strip())
        if isinstance(found, Outcome):
            return found
        path, symbol = found.path, found.symbol
        file = self._workspace.read(path)
        after = without(path, file.text, symbol, self._symbols(path))
        if isinstance(after, NotFound):
            return refused("remove", after.reason)
        return self._journal.write("remove", path, file, after)

    async def document(self, arguments: Mapping[str, Any]) -> Outcome:
        """Describe a function, method or class: by a docstring, or by a comment above it."""
        found = self._found("document", given.text(arguments, "name").strip())
        if isinstance(found, Outcome):
            return found
        file = self._workspace.read(found.path)
        after = documented(found.path, file.text, found.symbol, given.text(arguments, "text"))
        if isinstance(after, NotFound):
            return refused("document", after.reason)
        return self._journal.write("document", found.path, file, after)

    def _found(self, tool: str, name: str, new: str = "") -> Located | Outcome:
        """The one symbol of that name; of several, the one that the new version `new` of it fits."""
        self._index.refresh()
        found = self._index.find(name)
        if not found:
            known = [item.symbol.name for item in self._index.located()]
            return refused(tool, f"there is no function {name}{given.nearest(name, known)}")
        if len(found) > 1 and len({(item.path, item.symbol.name) for item in found}) == 1:
            lines = self._workspace.read(found[0].path).text.split("\n")
            fitting = told_apart(new, [item.symbol for item in found], lines) if new else []
            found = [item for item in found if item.symbol in fitting] or found
        if len(found) > 1:
            places = ", ".join(
                f"{item.path}:{item.symbol.name} in line {item.symbol.def_line}" for item in found[:4]
            )
            return refused(tool, f"{name} is not unique: {places}")
        return found[0]

    async def edit_file(self, arguments: Mapping[str, Any]) -> Outcome:
        """Replace some lines of a file."""
        path = self._path(arguments)
        file = self._read(path)
        new = in_style_of(file.text, given.text(arguments, "new"))
        replaced = replace_lines(file.text, given.text(arguments, "old"), new)
        if isinstance(replaced, NotFound):
            return refused("edit_file", replaced.reason)
        return self._journal.write("edit_file", path, file, replaced.text)

    async def replace_lines(self, arguments: Mapping[str, Any]) -> Outcome:
        """Replace the lines `start` to `end` of a file, as `read_file` counts them.

        When they are not known, or the file has changed since, they are shown instead of replaced.
        """
        path = self._path(arguments)
        start = given.line_number(arguments, "start")
        end = given.line_number(arguments, "end", start)
        file = self._read(path)
        lines = file.text.rstrip("\n").split("\n")
        if start > len(lines) or end < start:
            return refused("replace_lines", f"{path} has lines 1 to {len(lines)}")
        if self._seen.get(path) != _digest(file.text):
            what = "has changed since you read it" if path in self._seen else "was not read yet"
            self.has_seen(path, file.text)
            shown = numbered(lines, start, end)
            return refused("replace_lines", f"{path} {what}, so nothing was replaced; it says now:\n{shown}")
        new = in_style_of(file.text, given.text(arguments, "new"))
        rows = new.strip("\n").split("\n") if new.strip() else []
        after = "\n".join([*lines[: start - 1], *rows, *lines[end:]]) + (
            "\n" if file.text.endswith("\n") else ""
        )
        return self._journal.write("replace_lines", path, file, after)

    async def append(self, arguments: Mapping[str, Any]) -> Outcome:
        """Add code after the last definition of a file.

        A path of the form `file:Class` means the end of that class.
        """
        name, _, owner = given.text(arguments, "path").partition(":")
        path = given.path({"path": name}, self._workspace, self._index.files)
        file = self._read(path)
        new = prepared(path, file.text, given.text(arguments, "new"))
        if not new.strip():
            return refused("append", "there is nothing to add")
        known = self._symbols(path)
        new = in_project_style(path, new, known)
        names = {symbol.name for symbol in known}
        if owner:
            found = next((s for s in known if s.name == owner and s.kind is SymbolKind.CLASS), None)
            if found is None:
                return refused("append", f"{path} has no class {owner}")
            fresh = {name.rpartition(".")[2] for name in _members(path, new)}
            if any(f"{owner}.{name}" in names for name in fresh):
                return refused("append", f"{owner} has that already")
            after = in_class(path, file.text, found, known, new)
            return self._journal.write("append", path, file, after, imports=new)
        duplicate = defined(path, new) & names
        if duplicate:
            return refused("append", f"{path} already defines {', '.join(sorted(duplicate))}")
        return self._journal.write("append", path, file, appended(path, file.text, new), imports=new)

    async def create_file(self, arguments: Mapping[str, Any]) -> Outcome:
        """Write a file that is not there yet."""
        path = given.text(arguments, "path").strip()
        if self._workspace.permitted(path).exists():
            return refused("create_file", f"{path} is there already")
        return self._new_file("create_file", path, given.text(arguments, "new"))

    async def write_file(self, arguments: Mapping[str, Any]) -> Outcome:
        """Write a whole file, new or not; line ends, encoding and mode of one that is there stay."""
        path, new = given.text(arguments, "path").strip(), given.text(arguments, "new")
        place = self._workspace.permitted(path)
        if not place.exists():
            return self._new_file("write_file", path, new)
        return self._journal.write("write_file", path, self._read(path), new.rstrip("\n") + "\n")

    def _new_file(self, tool: str, path: str, new: str) -> Outcome:
        return self._journal.write(tool, path, TextFile(""), new.strip("\n") + "\n", created=True)

    async def rename(self, arguments: Mapping[str, Any]) -> Outcome:
        """Replace one name by another in all code; strings, comments and other files stay.

        With `owner`, a class that has it, only what names a part of something is renamed.
        """
        old, new = given.text(arguments, "old").strip(), given.text(arguments, "new").strip()
        owner = given.text(arguments, "owner", "")
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
            file = self._read(path)
            text = file.text
            after = renamed_member(path, text, old, new, owner) if owner else renamed(path, text, old, new)
            if owner and after == text:
                continue
            outcomes.append(self._journal.write("rename", path, file, after))
            if not outcomes[-1].ok:
                self.revert(mark)
                return outcomes[-1]
        facts = tuple(fact for outcome in outcomes for fact in outcome.facts)
        where = ", ".join(fact.path for fact in facts if isinstance(fact, FileEdited))
        if not where:
            return refused("rename", f"{owner} has no {old}")
        return Outcome(True, f"ok: renamed {old} to {new} in {where}", facts)

    def _names(self) -> dict[str, set[str]]:
        """The names in the code of each file; none for a file that is not valid."""
        found: dict[str, set[str]] = {}
        for path, source in self._index.sources.items():
            if language_of(path) is not None:
                try:
                    found[path] = names_in(path, source.text)
                except ValueError:
                    continue
        return found

    def _symbols(self, path: str) -> tuple[Symbol, ...]:
        self._index.refresh()
        source = self._index.sources.get(path)
        return source.symbols if source is not None else ()

    def _path(self, arguments: Mapping[str, Any]) -> str:
        return given.path(arguments, self._workspace, self._index.files)

    def _read(self, path: str) -> TextFile:
        if not self._workspace.permitted(path).exists():
            raise given.BadArgument(f"there is no file {path}{given.nearest(path, self._index.files)}")
        return self._workspace.read(path)


def _members(path: str, new: str) -> set[str]:
    """The names that code for the inside of a class defines."""
    language = language_of(path)
    whole = f"class Holder {{\n{new}\n}}" if language is not None and language.is_script else new
    return {name for name in defined(path, whole) if name != "Holder"}


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
