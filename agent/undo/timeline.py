"""What each request did to the files, in order: kept on disk, taken back, done again."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import filelock

from agent.errors import UtterError
from agent.textfile import write_bytes
from agent.undo.disk import carry_out, object_id, observe
from agent.undo.states import Difference, Plan, Snapshot, Written, conflicts, plan
from agent.undo.store import Limits, ShadowStore, UndoTrouble
from agent.workspace import Workspace

_LOCK_TIME_S = 20.0
_REQUEST_CHARS = 200
_NAMED_FILES = 5

_T = TypeVar("_T")


@dataclass(frozen=True)
class Deed:
    """What one request did: the files before it and after it.

    `foreign` are files that somebody else saved meanwhile, `mixed` those that were saved by both, `unkept`
    those that it wrote and no snapshot holds.
    """

    id: str
    request: str
    before: Snapshot
    after: Snapshot
    foreign: tuple[str, ...] = ()
    mixed: tuple[str, ...] = ()
    unkept: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "request": self.request,
            "foreign": list(self.foreign),
            "mixed": list(self.mixed),
            "unkept": list(self.unkept),
            "before": self.before.as_json(),
            "after": self.after.as_json(),
        }

    @staticmethod
    def from_json(row: dict[str, Any]) -> Deed:
        before, after = Snapshot.from_json(row["before"]), Snapshot.from_json(row["after"])
        others = (tuple(row.get(key, ())) for key in ("foreign", "mixed", "unkept"))
        return Deed(row["id"], row["request"], before, after, *others)


@dataclass(frozen=True)
class Restored:
    """Files that were put back: `changed` are as they were, `removed` are gone, `returned` are there again.

    `left` are files that could not be followed, being too large or ignored. `deed` names the request's entry.
    """

    deed: str
    request: str
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    returned: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True)
class Unable:
    """Nothing was touched; `reason` is fit to be spoken."""

    reason: str


@dataclass(frozen=True)
class _History:
    done: tuple[Deed, ...] = ()
    undone: tuple[Deed, ...] = ()


@dataclass
class _Open:
    """The request under way; `before` once something may have been changed."""

    id: str
    request: str
    before: Snapshot | None = None


class Timeline:
    """The requests to one workspace, across sessions. `folder` is where their snapshots are kept.

    All work on the store is done on one thread, in the order in which it was asked for.
    """

    def __init__(self, workspace: Workspace, folder: Path, limits: Limits | None = None) -> None:
        self._root = workspace.root
        self._folder = folder
        self._limits = limits or Limits()
        self._store = ShadowStore(folder, workspace, self._limits)
        self._worker = ThreadPoolExecutor(1, "undo")
        self._open: _Open | None = None
        self._lost = ""  # why the last request cannot be taken back

    async def warm(self) -> None:
        """Take a first snapshot, so that later ones are quick, and keep the store within its bounds."""
        await self._do(self._warm)

    def open(self, request: str) -> str:
        """A request begins, and the one before is over; gives the name that it has if it changes anything."""
        self.close()
        self._open = _Open(secrets.token_hex(4), request[:_REQUEST_CHARS])
        return self._open.id

    async def before_change(self) -> None:
        """To be awaited before anything may change files: what is there then can be brought back.

        Raises nothing: a snapshot that fails is told by `undo`.
        """
        if self._open is not None and self._open.before is None:
            await self._do(self._take_before, self._open)

    def close(self, written: Mapping[str, Written] | None = None) -> None:
        """The request is over: what it did is kept, while others go on.

        `written` tells of each file that was written for it, so that what others saved in the meantime stays
        theirs. Without it, as after a command, all that has changed counts as the request's.
        """
        request, self._open = self._open, None
        if request is not None:
            self._worker.submit(self._record, request, written)

    async def finish(self) -> None:
        """The session is over: keep what its last request did."""
        self.close()
        await self.settled()

    async def settled(self) -> None:
        """Wait until all that was closed is kept."""
        await self._do(lambda: None)

    async def undo(self) -> Restored | Unable:
        """Bring the files back to what they were before the last request that changed any."""
        return await self._do(self._restore, back=True)

    async def redo(self) -> Restored | Unable:
        """Do again what was taken back last."""
        return await self._do(self._restore, back=False)

    async def _do(self, work: Callable[..., _T], *arguments: Any, **named: Any) -> _T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, partial(work, *arguments, **named))

    def _warm(self) -> None:
        try:
            with self._locked():
                self._store.take()
                if self._store.tidy() > self._limits.store_bytes:
                    history = self._load()
                    self._save(replace(history, done=history.done[len(history.done) // 2 :], undone=()))
                    self._store.shrink()
        except UndoTrouble as error:
            self._lost = str(error)

    def _take_before(self, request: _Open) -> None:
        if request.before is not None:
            return
        try:
            with self._locked():
                request.before = self._store.take()
            self._lost = ""
        except UndoTrouble as error:
            self._lost = str(error)

    def _record(self, request: _Open, written: Mapping[str, Written] | None) -> None:
        if request.before is None:
            return
        try:
            with self._locked():
                after = self._store.take()
                before = request.before
                has_moved = before.head != after.head
                ours = written or {}
                changed = {each.path: each for each in self._store.differences(before, after)}
                unkept = tuple(p for p in ours if p not in changed and self._stands(p, ours[p]))
                foreign = tuple(p for p in changed if written is not None and p not in written)
                if not has_moved and not unkept and len(foreign) == len(changed):
                    return
                mixed = tuple(p for p in ours if p in changed and not self._is_all(ours[p], changed[p]))
                history = self._load()
                deed = Deed(request.id, request.request, before, after, foreign, mixed, unkept)
                self._save(_History((*history.done, deed)[-self._limits.requests :]))
        except UndoTrouble as error:
            self._lost = str(error)

    def _stands(self, path: str, written: Written) -> bool:
        """Whether a file was changed, and is still as it was written."""
        return written.has_changed and self._digest(path) == written.last

    def _is_all(self, written: Written, difference: Difference) -> bool:
        """Whether all that makes a file differ was written for the request, and nothing by others."""
        before = difference.before.oid if difference.before is not None else ""
        found = object_id(written.found) if written.found is not None else ""
        return written.is_alone and found == before and self._digest(difference.path) == written.last

    def _digest(self, path: str) -> bytes:
        try:
            return hashlib.sha256((self._root / path).read_bytes()).digest()
        except OSError:
            return b""

    def _restore(self, *, back: bool) -> Restored | Unable:
        if self._lost:
            return Unable(f"I could not keep what the last request changed. {self._lost}")
        try:
            with self._locked():
                return self._restore_locked(back=back)
        except UtterError as error:
            return Unable(str(error))
        except OSError as error:
            return Unable(f"That could not be done, so all is as it was: {error.strerror or error}.")

    def _restore_locked(self, *, back: bool) -> Restored | Unable:
        history = self._load()
        deeds = history.done if back else history.undone
        if not deeds:
            return Unable("There is nothing to take back." if back else "There is nothing to do again.")
        deed = deeds[-1]
        if deed.before.head != deed.after.head:
            return Unable("That request moved the branch. I take back files, not commits.")
        if deed.mixed:
            return Unable(f"{_named(deed.mixed)} was also saved by somebody else then, so I touched nothing.")
        differences = self._store.differences(deed.before, deed.after)
        ours = [difference for difference in differences if difference.path not in deed.foreign]
        wanted = plan(ours, deed.before, deed.after, back=back)
        wanted = replace(wanted, left=(*wanted.left, *deed.foreign, *deed.unkept))
        if not wanted.steps:
            if back:  # told once: the next "undo" is about the request before
                self._save(replace(history, done=history.done[:-1]))
            return Unable(f"{_named(wanted.left)} could not be kept, so I left it as it is.")
        moving = {step.path for step in wanted.steps}
        now = {path: observe(self._root, path, moving) for path in moving}
        if changed := conflicts(wanted.steps, now):
            return Unable(f"{_named(changed)} has been changed since, so I touched nothing.")
        carry_out(self._root, wanted.steps, self._store.content)
        if back:
            self._save(_History(history.done[:-1], (*history.undone, deed)))
        else:
            self._save(_History((*history.done, deed), history.undone[:-1]))
        return _restored(deed, wanted)

    @contextmanager
    def _locked(self) -> Generator[None]:
        """Against another session in the same workspace. Raises `UndoTrouble` when that does not let go."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = filelock.FileLock(self._folder / "lock", timeout=_LOCK_TIME_S, thread_local=False)
            lock.acquire()
        except (OSError, filelock.Timeout) as error:
            raise UndoTrouble(f"The snapshots in {self._folder} are out of reach: {error}") from error
        try:
            yield
        finally:
            lock.release()

    def _load(self) -> _History:
        try:
            rows = json.loads((self._folder / "history.json").read_text("utf-8", "surrogateescape"))
            done, undone = (tuple(Deed.from_json(row) for row in rows[key]) for key in ("done", "undone"))
        except (OSError, ValueError, KeyError, TypeError):
            return _History()
        return _History(done, undone)

    def _save(self, history: _History) -> None:
        rows = {
            "done": [deed.as_json() for deed in history.done],
            "undone": [deed.as_json() for deed in history.undone],
        }
        self._store.keep(
            {
                f"{deed.id}/{side}": snapshot
                for deed in (*history.done, *history.undone)
                for side, snapshot in (("before", deed.before), ("after", deed.after))
            }
        )
        write_bytes(self._folder / "history.json", json.dumps(rows).encode(), "the history of changes")


def _restored(deed: Deed, wanted: Plan) -> Restored:
    return Restored(deed.id, deed.request, wanted.changed, wanted.removed, wanted.returned, wanted.left)


def _named(paths: tuple[str, ...]) -> str:
    shown = [path if path.isprintable() else repr(path) for path in paths[:_NAMED_FILES]]
    more = f" and {len(paths) - len(shown)} more files" if len(paths) > len(shown) else ""
    return ", ".join(shown) + more
