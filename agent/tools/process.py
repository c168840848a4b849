"""Running a program of the project: its own process group, a time limit, no input, bounded output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.workspace import REPOSITORY_VARIABLES

_HEAD_BYTES = 8_000
_TAIL_BYTES = 24_000
_GRACE_S = 0.5

# What `git rev-parse --local-env-vars` lists: they would lead git, and every tool that runs it, elsewhere.
_REPOSITORY_MARKS = frozenset(REPOSITORY_VARIABLES)


@dataclass(frozen=True)
class Finished:
    """How a program ended. `output` is what it wrote to both streams, its middle cut out when long."""

    returncode: int
    output: str
    timed_out: bool = False


def project_environment(environment: Mapping[str, str], own_prefix: Path) -> dict[str, str]:
    """The environment for the project's programs: `environment` without the marks of our own."""
    scrubbed = {
        name: value
        for name, value in environment.items()
        if not name.startswith(("VIRTUAL_ENV", "PYTHON", "PYTEST_", "UV_", "__PYVENV"))
        and name not in _REPOSITORY_MARKS
    }
    own = own_prefix / "bin"
    folders = [
        folder for folder in environment.get("PATH", os.defpath).split(os.pathsep) if Path(folder) != own
    ]
    return {**scrubbed, "PATH": os.pathsep.join(folders), "PYTHONDONTWRITEBYTECODE": "1"}


async def run(
    argv: Sequence[str], cwd: Path, environment: Mapping[str, str], time_limit_s: float
) -> Finished:
    """Run `argv` to its end or to the limit, then end every process of its group.

    Cancelling the call ends them too. Raises OSError when the program cannot be started.
    """
    kept = _HeadAndTail()
    returncode, timed_out = await _follow(argv, cwd, environment, time_limit_s, kept.add, with_errors=True)
    return Finished(returncode, kept.text(), timed_out)


async def output_of(
    argv: Sequence[str], cwd: Path, environment: Mapping[str, str], time_limit_s: float
) -> bytes | None:
    """All that `argv` writes to its standard output, or None when it fails or takes longer than the limit."""
    kept = bytearray()
    try:
        returncode, timed_out = await _follow(
            argv, cwd, environment, time_limit_s, kept.extend, with_errors=False
        )
    except OSError:
        return None
    return bytes(kept) if returncode == 0 and not timed_out else None


async def _follow(
    argv: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    time_limit_s: float,
    sink: Callable[[bytes], None],
    *,
    with_errors: bool,
) -> tuple[int, bool]:
    """Run `argv`, handing what it writes to `sink`; gives its exit status and whether it was stopped."""
    # Our own pipe: asyncio's `wait` would wait for the end of one that it made, which a child may hold open.
    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader()
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", buffering=0)
    )
    try:
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=cwd,
                env=dict(environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_end,
                stderr=asyncio.subprocess.STDOUT if with_errors else asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            os.close(write_end)
        reading = asyncio.create_task(_drain(reader, sink))
        try:
            return await _ended(process, reading, time_limit_s)
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
    finally:
        pipe.close()


async def _ended(
    process: asyncio.subprocess.Process, reading: asyncio.Task[None], time_limit_s: float
) -> tuple[int, bool]:
    timed_out = False
    try:
        try:
            await asyncio.wait_for(process.wait(), time_limit_s)
        except asyncio.TimeoutError:
            timed_out = True
            await _end_group(process)
        # A child left behind may hold the pipe open: it gets a moment, then goes with its group.
        await asyncio.wait({reading}, timeout=_GRACE_S)
    finally:
        try:
            if process.returncode is None:  # cancelled: git, for one, removes its locks when asked to end
                await _end_group(process)
        finally:
            _signal_group(process.pid, signal.SIGKILL)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(process.wait(), 5 * _GRACE_S)
    return (process.returncode if process.returncode is not None else -signal.SIGKILL), timed_out


class _HeadAndTail:
    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def add(self, data: bytes) -> None:
        room = _HEAD_BYTES - len(self._head)
        self._head += data[:room] if room > 0 else b""
        self._tail += data[max(room, 0) :]
        if len(self._tail) > 2 * _TAIL_BYTES:
            self._dropped += len(self._tail) - _TAIL_BYTES
            del self._tail[:-_TAIL_BYTES]

    def text(self) -> str:
        gap = f"\n[{self._dropped} bytes left out]\n".encode() if self._dropped else b""
        return (bytes(self._head) + gap + bytes(self._tail)).decode("utf-8", errors="replace")


async def _drain(stream: asyncio.StreamReader, sink: Callable[[bytes], None]) -> None:
    while data := await stream.read(65536):
        sink(data)


async def _end_group(process: asyncio.subprocess.Process) -> None:
    _signal_group(process.pid, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), _GRACE_S)
    except asyncio.TimeoutError:
        _signal_group(process.pid, signal.SIGKILL)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
