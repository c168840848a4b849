"""Running a program of the project: no input, bounded output and time, and nothing outlives the call."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from agent.sandbox import Rights, Sandbox
from agent.workspace import REPOSITORY_VARIABLES

_HEAD_BYTES = 8_000
_TAIL_BYTES = 24_000
_GRACE_S = 0.5
_POLL_S = 0.02
_ENDING_S = 8.0  # the supervisor's own time to end what does not want to end
_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_MARK = "UTTER_RUN"
_STATUS_BYTES = 65_536

# What `git rev-parse --local-env-vars` lists: they would lead git, and every tool that runs it, elsewhere.
_REPOSITORY_MARKS = frozenset(REPOSITORY_VARIABLES)


@dataclass(frozen=True)
class Finished:
    """How a program ended. `output` is what it wrote to both streams, its middle cut out when long.

    `left_behind` are commands that it had started and that were still running when it ended; they were
    ended too.
    """

    returncode: int
    output: str
    timed_out: bool = False
    left_behind: tuple[str, ...] = ()


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
    argv: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    time_limit_s: float,
    sandbox: Sandbox | None = None,
    rights: Rights | None = None,
) -> Finished:
    """Run `argv` to its end or to the limit, then end every process that it has started, daemons too.

    Cancelling the call ends them as well, and so does the end of this process. With a sandbox the program
    has only `rights`. Raises OSError when it cannot be started.
    """
    kept = _HeadAndTail()
    lifeline_end, lifeline = os.pipe()
    telling, tell = os.pipe()
    mark = secrets.token_hex(16)
    command = [sys.executable, "-I", "-S", str(_SUPERVISOR), str(tell), str(_GRACE_S), *argv]
    surroundings = {**environment, _MARK: mark}
    if sandbox is not None:
        programs = environment.get("PATH", os.defpath).split(os.pathsep)
        own = [Path(sys.prefix), Path(sys.base_prefix), _SUPERVISOR.parents[1], *map(Path, programs)]
        rights = rights or Rights()
        if rights.credentials and "SSH_AUTH_SOCK" in environment:
            own.append(Path(environment["SSH_AUTH_SOCK"]))
        command = sandbox.command(command, cwd, rights, own)
        surroundings = sandbox.environment(surroundings)
    line = _Lifeline(lifeline)
    status: dict[str, Any] = {}
    try:
        with os.fdopen(telling, "rb") as stream:
            try:
                started = _Program(command, cwd, surroundings, lifeline_end, (tell,), with_errors=True)
                returncode, timed_out = await _follow(started, time_limit_s, kept.add, line.stop)
            finally:
                os.close(lifeline_end)
                os.close(tell)
            os.set_blocking(telling, False)
            with contextlib.suppress(ValueError, TypeError):
                status = json.loads(stream.read(_STATUS_BYTES) or b"{}")
    finally:
        line.cut()
        if not status or sys.platform != "linux":
            await asyncio.to_thread(_end_marked, mark)
    if status.get("errno"):
        raise OSError(status["errno"], os.strerror(status["errno"]), argv[0])
    return Finished(
        status.get("returncode", returncode), kept.text(), timed_out, tuple(status.get("left", ()))
    )


async def output_of(
    argv: Sequence[str], cwd: Path, environment: Mapping[str, str], time_limit_s: float
) -> bytes | None:
    """All that `argv` writes to its standard output, or None when it fails or takes longer than the limit.

    For programs that start no others: only the process group is ended.
    """
    kept = bytearray()
    program = _Program(argv, cwd, environment, asyncio.subprocess.DEVNULL, (), with_errors=False)
    try:
        returncode, timed_out = await _follow(program, time_limit_s, kept.extend, _end_group)
    except OSError:
        return None
    return bytes(kept) if returncode == 0 and not timed_out else None


@dataclass(frozen=True)
class _Program:
    argv: Sequence[str]
    cwd: Path
    environment: Mapping[str, str]
    stdin: int
    kept_open: tuple[int, ...]
    with_errors: bool

    async def start(self, stdout: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self.argv,
            cwd=self.cwd,
            env=dict(self.environment),
            stdin=self.stdin,
            stdout=stdout,
            stderr=asyncio.subprocess.STDOUT if self.with_errors else asyncio.subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=self.kept_open,
        )


class _Lifeline:
    """Our end of a supervisor's standard input: cut, it ends everything."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def cut(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    async def stop(self, process: asyncio.subprocess.Process) -> None:
        self.cut()
        try:
            await asyncio.wait_for(process.wait(), _ENDING_S)
        except asyncio.TimeoutError:
            _signal_group(process.pid, signal.SIGKILL)


_Stop = Callable[[asyncio.subprocess.Process], Awaitable[None]]


async def _follow(
    program: _Program, time_limit_s: float, sink: Callable[[bytes], None], stop: _Stop
) -> tuple[int, bool]:
    """Run a program, handing what it writes to `sink`; gives its exit status and whether it was stopped."""
    # Our own pipe: asyncio's `wait` would wait for the end of one that it made, which a child may hold open.
    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader()
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", buffering=0)
    )
    try:
        try:
            process = await program.start(write_end)
        finally:
            os.close(write_end)
        reading = asyncio.create_task(_drain(reader, sink))
        try:
            return await _ended(process, reading, time_limit_s, stop)
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
    finally:
        pipe.close()


async def _ended(
    process: asyncio.subprocess.Process, reading: asyncio.Task[None], time_limit_s: float, stop: _Stop
) -> tuple[int, bool]:
    timed_out = False
    try:
        try:
            await asyncio.wait_for(process.wait(), time_limit_s)
        except asyncio.TimeoutError:
            timed_out = True
            await stop(process)
        # A child left behind may hold the pipe open: it gets a moment, then goes with its group.
        await asyncio.wait({reading}, timeout=_GRACE_S)
    finally:
        try:
            if process.returncode is None:  # cancelled: git, for one, removes its locks when asked to end
                await stop(process)
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


def _end_marked(mark: str) -> None:
    """End what still carries a run's mark in its environment: where no supervisor could see to it.

    A killed process is not gone at once, and what it forked meanwhile was not seen: so it is looked for until
    there is none, but not for ever.
    """
    until_s = time.monotonic() + _ENDING_S
    while (found := _marked(mark)) and time.monotonic() < until_s:
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        time.sleep(_POLL_S)  # no wait for the process itself: who started it wants its status


def _marked(mark: str) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for pid in psutil.pids():  # `process_iter` remembers processes whose numbers others may have by now
        with contextlib.suppress(psutil.Error, OSError):
            process = psutil.Process(pid)
            if process.environ().get(_MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found
