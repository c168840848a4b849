"""The tools of version control. Without git, a snapshot stands in for the last commit."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

from agent.facts import ChangesShown, Committed, FileChange, GitStatus
from agent.permissions import is_secret
from agent.sandbox import Rights, Sandbox
from agent.textfile import MAX_TEXT_BYTES, NotText, decode, write_bytes
from agent.tools import arguments as given
from agent.tools import changes, process
from agent.tools.registry import Outcome, refused
from agent.workspace import GIT, Workspace, WorkspaceError

_TIME_LIMIT_S = 30.0
_SHOWN_FILES = 40
_SNAPSHOT_BYTES = 50_000_000


class GitTools:
    """Handlers of the version-control tools. Made when the session begins: then the snapshot is taken."""

    def __init__(
        self, workspace: Workspace, environment: Mapping[str, str], sandbox: Sandbox | None = None
    ) -> None:
        """With a `sandbox` the repository's own hooks are confined: they may run what was just changed."""
        self._workspace = workspace
        self._sandbox = sandbox
        self._environment = {**environment, "LC_ALL": "C"}
        self._is_git = workspace.is_git()
        self._snapshot = {} if self._is_git else self._texts()

    async def status(self, arguments: Mapping[str, Any]) -> Outcome:
        """The branch, and which files differ from the last commit."""
        done = await self._git("status", "--porcelain=v1", "-b", "-z", "--ignore-submodules=dirty")
        if done is None:
            return refused("git_status", "this project is not under git, or has no commit yet")
        entries = done.split("\0")
        branch = entries[0].removeprefix("## ").partition("...")[0]
        groups: dict[str, list[str]] = {"modified": [], "added": [], "deleted": [], "untracked": []}
        skip = False
        for entry in entries[1:]:
            if skip or not entry:
                skip = False
                continue
            code, name = entry[:2], entry[3:]
            kind = (
                "untracked"
                if code == "??"
                else "deleted"
                if "D" in code
                else "added"
                if "A" in code
                else "modified"
            )
            groups[kind].append(name)
            skip = code[0] in "RC"  # the old name follows as an entry of its own
        parts = [f"{kind}: {', '.join(names[:_SHOWN_FILES])}" for kind, names in groups.items() if names]
        content = f"on branch {branch}; " + ("; ".join(parts) if parts else "nothing has changed")
        fact = GitStatus(branch, *(tuple(names) for names in groups.values()))
        return Outcome(True, content, (fact,))

    async def diff(self, arguments: Mapping[str, Any]) -> Outcome:
        """What differs from the last commit, or from the session's beginning."""
        files = await self._changes()
        told = [
            f"{file.path}: {file.status}, {file.added} lines added, {file.removed} removed"
            for file in files[:_SHOWN_FILES]
        ]
        if len(files) > len(told):
            told.append(f"and {len(files) - len(told)} more files")
        return Outcome(True, "\n".join(told) or "nothing has changed", (ChangesShown(tuple(files)),))

    async def commit(self, arguments: Mapping[str, Any]) -> Outcome:
        """Commit every change under the given message, but no new file that may hold secrets."""
        message = given.text(arguments, "message").strip()
        if not self._is_git:
            return refused("git_commit", "this project is not under git, or has no commit yet")
        if not message:
            return refused("git_commit", "a commit needs a message")
        names = await self._changed_names()
        withheld = [name for name, code in names if code == "A" and is_secret(name)]
        left = f"left out, since they may hold secrets: {', '.join(withheld)}" if withheld else ""
        if len(names) == len(withheld):
            return refused("git_commit", f"there is nothing to commit{f'; {left}' if left else ''}")
        trouble = await self._committing(message, [".", *(f":(exclude,literal){name}" for name in withheld)])
        if trouble:
            return refused("git_commit", f"git said: {trouble}")
        commit = (await self._git("rev-parse", "--short", "HEAD") or "").strip()
        content = f"ok: committed {commit}{f'; {left}' if left else ''}"
        return Outcome(True, content, (Committed(commit, message, len(names) - len(withheld)),))

    async def _committing(self, message: str, paths: list[str]) -> str:
        """Add and commit `paths`; what git said if it did not, and then its index is as it was."""
        head = await self._git("rev-parse", "HEAD")
        name = (await self._git("rev-parse", "--git-path", "index") or "").strip()
        place = self._workspace.root / name
        index = await asyncio.to_thread(place.read_bytes) if place.is_file() else None
        times = place.stat() if index is not None else None
        rights = await self._rights_of_hooks()
        added = await self._run("add", "--all", "--", *paths, rights=rights)
        if added.returncode != 0:
            return _last_line(added)
        is_done = False
        try:
            done = await self._run("commit", "--quiet", "-m", message, "--", *paths, rights=rights)
            # A hook that runs after the commit may fail, or take too long: the commit is made all the same.
            is_done = done.returncode == 0 or await self._git("rev-parse", "HEAD") != head
        finally:
            if not is_done and index is not None and times is not None:
                write_bytes(place, index, name)
                # A file saved in the same second as the index is compared by its content, not by its time.
                os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns))
        return "" if is_done else _last_line(done)

    async def _changed_names(self) -> list[tuple[str, str]]:
        """Name and code (`A`, `D`, `M`, `T`) of every file that differs from the last commit, sorted."""
        listed = await self._git(
            *("diff", "--name-status", "--no-renames", "--relative", "--ignore-submodules=dirty"),
            *("--no-ext-diff", "--no-textconv", "-z", "HEAD", "--", "."),
        )
        fresh = await self._git("ls-files", "-z", "-o", "--exclude-standard")
        entries = (listed or "").split("\0")
        found = [(name, code) for code, name in zip(entries[::2], entries[1::2], strict=False)]
        return sorted([*found, *((name, "A") for name in (fresh or "").split("\0") if name)])

    async def _changes(self) -> list[FileChange]:
        if not self._is_git:
            return await asyncio.to_thread(self._snapshot_changes)
        files: list[FileChange] = []
        for name, code in await self._changed_names():
            if len(files) >= _SHOWN_FILES or is_secret(name):
                status = {"A": "added", "D": "deleted"}.get(code, "modified")
                files.append(FileChange(name, 0, 0, status))
                continue
            before = None if code == "A" else await self._committed(name)
            files.append(self._change(name, code, before))
        return files

    def _change(self, name: str, code: str, before: str | None) -> FileChange:
        after = None if code == "D" else self._text(name)
        if code == "M" and (before is None or after is None):
            return FileChange(name, 0, 0)
        if code == "A" and after is None:
            return FileChange(name, 0, 0, "added")
        return changes.changed(name, before if code != "A" else None, after)

    async def _committed(self, name: str) -> str | None:
        size = await self._git("cat-file", "-s", f"HEAD:./{name}")
        if size is None or int(size) > MAX_TEXT_BYTES:
            return None
        data = await self._output("cat-file", "blob", f"HEAD:./{name}")
        return None if data is None or b"\0" in data[:8192] else decode(data).text

    def _snapshot_changes(self) -> list[FileChange]:
        now = self._texts()
        names = sorted(
            name for name in now.keys() | self._snapshot.keys() if now.get(name) != self._snapshot.get(name)
        )
        return [changes.changed(name, self._snapshot.get(name), now.get(name)) for name in names]

    def _texts(self) -> dict[str, str]:
        texts: dict[str, str] = {}
        total = 0
        for name in self._workspace.files():
            text = self._text(name)
            if text is not None and total + len(text) <= _SNAPSHOT_BYTES:
                texts[name] = text
                total += len(text)
        return texts

    def _text(self, name: str) -> str | None:
        try:
            return self._workspace.read(name).text
        except (NotText, WorkspaceError):
            return None

    async def _rights_of_hooks(self) -> Rights | None:
        """What a commit may do where the repository has hooks; None where it has none."""
        folder = self._workspace.root / (await self._git("rev-parse", "--git-path", "hooks") or "").strip()
        try:
            hooks = [place for place in folder.iterdir() if os.access(place, os.X_OK) and place.is_file()]
        except OSError:
            return None
        if not any(place.suffix != ".sample" for place in hooks):
            return None
        told = await self._git("rev-parse", "--absolute-git-dir", "--git-common-dir") or ""
        homes = {(self._workspace.root / line).resolve() for line in told.splitlines()}
        own = (self._workspace.root / ".git").resolve()
        return Rights(writable=tuple(sorted(homes - {own})), repository=True)

    async def _run(self, *arguments: str, rights: Rights | None = None) -> process.Finished:
        sandbox = self._sandbox if rights is not None else None
        command, root = [*GIT, *arguments], self._workspace.root
        return await process.run(command, root, self._environment, _TIME_LIMIT_S, sandbox, rights)

    async def _git(self, *arguments: str) -> str | None:
        """The whole output of a reading command, or None when it failed."""
        data = await self._output(*arguments)
        return None if data is None else os.fsdecode(data)

    async def _output(self, *arguments: str) -> bytes | None:
        command = [*self._workspace.reading_git, *arguments]
        return await process.output_of(command, self._workspace.root, self._environment, _TIME_LIMIT_S)


def _last_line(done: process.Finished) -> str:
    lines = [line for line in done.output.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no"
