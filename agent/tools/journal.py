"""Writes changes: each is checked, made in one step, and kept so that it can be taken back."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from agent.code.index import CodeIndex
from agent.code.languages import Language, is_test_code, language_of
from agent.code.symbols import SymbolKind
from agent.facts import FileEdited
from agent.textfile import TextFile, decode, write_bytes
from agent.tools import changes, go_imports, script_imports
from agent.tools.checking import broken
from agent.tools.imports import add_missing_imports
from agent.tools.registry import Outcome, refused
from agent.undo import Written
from agent.workspace import Workspace


@dataclass(frozen=True)
class _Change:
    """A file's bytes before a change, None when there was no such file; and a digest of those after it."""

    path: str
    before: bytes | None
    after: bytes


class Journal:
    """The changes of one session, in order."""

    def __init__(self, workspace: Workspace, index: CodeIndex) -> None:
        self._workspace = workspace
        self._index = index
        self._changes: list[_Change] = []

    def mark(self) -> int:
        """A point that `revert` can go back to."""
        return len(self._changes)

    def written(self, mark: int) -> dict[str, Written]:
        """What was done since `mark` to each file that was written, by its path."""
        found: dict[str, Written] = {}
        for change in self._changes[mark:]:
            path = self._workspace.relative(self._workspace.resolve(change.path))
            earlier = found.get(path)
            if earlier is None:
                found[path] = Written(change.before, change.after)
            else:
                is_next = change.before is not None and _digest(change.before) == earlier.last
                found[path] = Written(earlier.found, change.after, earlier.is_alone and is_next)
        return found

    def revert(self, mark: int) -> tuple[str, ...]:
        """Take back every change since `mark`, the latest first; gives the paths that were left alone.

        A file that is not as it was written is left: what somebody else saved meanwhile is theirs.
        """
        left: list[str] = []
        while len(self._changes) > mark:
            change = self._changes.pop()
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

    def write(
        self, tool: str, path: str, file: TextFile, after: str, *, created: bool = False, imports: str = ""
    ) -> Outcome:
        """Write `after` in the place of `file`, with the imports that it lacks.

        `imports` is code whose own imports may be meant. Refuses what would not parse any more.
        """
        if after == file.text and not created:
            return refused(tool, "this is the code that is there already: nothing was changed")
        if re.search(r"\r(?!\n)", file.text):
            return refused(tool, f"{path} has line ends that I cannot keep, so I leave it as it is")
        after = self._with_imports(path, file.text, after, imports)
        trouble = broken(path, file.text, after)
        if trouble:
            return refused(tool, trouble)
        place = self._workspace.permitted(path)
        data = file.encode(after)
        before = None if created else place.read_bytes()
        if before is not None and decode(before) != file:
            return refused(tool, f"{path} was saved by somebody else just now")
        self._changes.append(_Change(path, before, _digest(data)))
        try:
            write_bytes(place, data, path)
        except BaseException:
            self._changes.pop()
            raise
        self._index.refresh()
        fact = changes.edited(path, file.text, after, created=created)
        return Outcome(True, f"ok: {_described(fact)}", (fact,))

    def with_right_imports(self, path: str, text: str) -> str:
        """`text` with the imports that it lacks as it is, and in Go without those that nothing uses."""
        if language_of(path) is Language.GO:
            return go_imports.tidied(text, self._go_packages())
        return self._with_imports(path, "", text, "")

    def _with_imports(self, path: str, before: str, after: str, imports: str) -> str:
        language = language_of(path)
        if language is Language.PYTHON:
            return add_missing_imports(before, after, self._python_homes(path), imports)
        if language is Language.GO:
            return go_imports.repaired(before, after, self._go_packages())
        if language is None or not language.is_script:
            return after
        sources = {other: source.text for other, source in self._index.sources.items()}
        homes: dict[str, list[str]] = {}
        for other, text in sources.items():
            for name in script_imports.exports_of(other, text) if not is_test_code(other) else ():
                homes.setdefault(name, []).append(other)
        return script_imports.add_missing_imports(
            path,
            before,
            after,
            {name: found[0] for name, found in homes.items() if len(found) == 1},
            is_module=path.endswith((".mjs", ".ts", ".mts", ".tsx")) or self._is_module(),
            has_node_tests=any("node:test" in text for text in sources.values()),
        )

    def _is_module(self) -> bool:
        manifest = self._index.sources.get("package.json")
        return manifest is not None and bool(re.search(r'"type"\s*:\s*"module"', manifest.text))

    def _go_packages(self) -> dict[str, str]:
        """The import path of each package of the module, by its name."""
        manifest = self._index.sources.get("go.mod")
        found = re.search(r"^module\s+(\S+)", manifest.text, re.MULTILINE) if manifest is not None else None
        if found is None:
            return {}
        packages: dict[str, str] = {}
        for path, source in self._index.sources.items():
            name = re.search(r"^package\s+(\w+)", source.text, re.MULTILINE)
            if (
                language_of(path) is Language.GO
                and name
                and not name[1].endswith("_test")
                and name[1] != "main"
            ):
                folder = PurePosixPath(path).parent.as_posix()
                packages[name[1]] = found[1] if folder == "." else f"{found[1]}/{folder}"
        return packages

    def _python_homes(self, path: str) -> dict[str, str]:
        """The module of each top-level function and class that is defined once, and outside `path`."""
        homes: dict[str, set[str]] = {}
        for item in self._index.located():
            is_python = language_of(item.path) is Language.PYTHON
            if is_python and "." not in item.symbol.name and item.symbol.kind is not SymbolKind.CONSTANT:
                homes.setdefault(item.symbol.name, set()).add(item.path)
        return {
            name: _module_name(self._workspace.root, next(iter(paths)), path)
            for name, paths in homes.items()
            if len(paths) == 1 and path not in paths and not is_test_code(next(iter(paths)))
        }


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
