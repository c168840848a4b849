"""Runs one command and ends all that it started. A script of its own, which knows nothing of the project.

    python -I -S supervisor.py STATUS_FD GRACE_S COMMAND...

Standard input is a lifeline: when its other end is closed, because the run was stopped or the assistant has
died, everything is ended: SIGTERM, GRACE_S seconds, SIGKILL. On Linux what forks away as a daemon becomes a
child of this process (prctl(2), PR_SET_CHILD_SUBREAPER) and ends with it. STATUS_FD gets one JSON object:
`returncode`, `left` (commands that were still running when the command was over) and `errno`.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_KILLING_S = 5.0
_POLL_S = 0.02
_SHOWN_CHARS = 80


def main(status_fd: int, grace_s: float, command: list[str]) -> None:
    """Run `command` to its end, or until the lifeline is cut."""
    os.set_inheritable(status_fd, False)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    waking, wake = os.pipe()
    for end in (waking, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    pid, error = _started(command)
    returncode: int | None = None
    while not error and returncode is None:
        ready, _, _ = select.select([0, waking], [], [])
        if 0 in ready or signal.SIGTERM in _received(waking, ready):
            break
        returncode = _reaped().get(pid)
    left = _named(_descendants() - {pid}) if returncode is not None else []
    ended = _end_all(grace_s)
    if returncode is None:
        returncode = ended.get(pid, -signal.SIGKILL)
    with contextlib.suppress(OSError):  # nobody may be left to be told
        os.write(status_fd, json.dumps({"returncode": returncode, "left": left, "errno": error}).encode())


def _received(waking: int, ready: list[int]) -> bytes:
    return os.read(waking, 4096) if waking in ready else b""


def _started(command: list[str]) -> tuple[int, int]:
    """The new process, in a group of its own and without input; and why it could not be started, or 0."""
    telling, tell = os.pipe()
    pid = os.fork()
    if pid:
        os.close(tell)
        with os.fdopen(telling, "rb") as stream:
            said = stream.read()
        return pid, int(said or b"0")
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.execvp(command[0], command)
    except OSError as error:
        os.write(tell, str(error.errno).encode())
    finally:
        os._exit(127)


def _reaped() -> dict[int, int]:
    """Exit statuses of the children that have ended since."""
    ended: dict[int, int] = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            ended[pid] = os.waitstatus_to_exitcode(status)
    return ended


def _end_all(grace_s: float) -> dict[int, int]:
    ended: dict[int, int] = {}
    for number, time_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, _KILLING_S)):
        until_s = time.monotonic() + time_s
        signalled: set[int] = set()
        while running := _descendants():
            # What was forked meanwhile is told too; a kill is repeated for as long as anything forks.
            for pid in running - signalled if number is signal.SIGTERM else running:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
            signalled |= running
            ended.update(_reaped())
            if time.monotonic() > until_s:
                break
            time.sleep(_POLL_S)
        ended.update(_reaped())
    return ended


def _descendants() -> set[int]:
    """All live processes that descend from this one, as far as the system tells."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    waiting = [os.getpid()]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            found.add(child)
            waiting.append(child)
    return found


def _parents() -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    if sys.platform == "linux":
        for place in Path("/proc").iterdir():
            if place.name.isdigit():
                with contextlib.suppress(OSError):
                    state, parent = (place / "stat").read_bytes().rpartition(b")")[2].split()[:2]
                    if state != b"Z":
                        pairs.append((int(place.name), int(parent)))
        return pairs
    import subprocess  # only here: it takes as long to load as all the rest

    listed = subprocess.Popen(["/bin/ps", "-axo", "pid=,ppid=,stat="], stdout=subprocess.PIPE)
    output, _ = listed.communicate()
    for line in output.splitlines():
        pid, parent, state = line.split()[:3]
        if int(pid) != listed.pid and not state.startswith(b"Z"):
            pairs.append((int(pid), int(parent)))
    return pairs


def _named(pids: set[int]) -> list[str]:
    """What each process runs, as far as it can be seen."""
    names: list[str] = []
    for pid in sorted(pids):
        line = b""
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        name = line.replace(b"\0", b" ").decode("utf-8", "replace").strip()
        names.append(name[:_SHOWN_CHARS] or f"process {pid}")
    return names


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
