"""What the project's programs can reach, and what is left of them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from agent import sandbox
from agent.sandbox import Kind, Rights, Sandbox
from agent.tools import process
from agent.tools.process import Finished, project_environment

ENVIRONMENT = project_environment(os.environ, Path(sys.prefix))
DAEMON = (
    "import os, sys, time\n"
    "if os.fork(): os._exit(0)\n"
    "os.setsid()\n"
    "if os.fork(): os._exit(0)\n"
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "os.closerange(0, 3)\n"
    "open('pid', 'w').write(sys.argv[1])\n"
    "time.sleep(600)\n"
)


@pytest.fixture
def confined(tmp_path: Path) -> Sandbox:
    root = tmp_path / "work"
    root.mkdir()
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh/id_rsa").write_text("hunter2")
    (home / ".netrc").write_text("hunter3")
    found = sandbox.find(root, tmp_path / "cache", home)
    if found.sandbox is None:
        pytest.skip(found.reason)
    return found.sandbox


def run(
    box: Sandbox | None,
    command: str,
    rights: Rights | None = None,
    limit_s: float = 20.0,
    root: Path | None = None,
) -> Finished:
    folder = box.root if box is not None else root
    assert folder is not None
    return asyncio.run(process.run(["bash", "-c", command], folder, ENVIRONMENT, limit_s, box, rights))


def alive(mark: str) -> list[int]:
    """The processes that have `mark` among their words."""
    found: list[int] = []
    for one in psutil.process_iter(["cmdline"]):
        if mark in (one.info["cmdline"] or []) and one.status() != psutil.STATUS_ZOMBIE:
            found.append(one.pid)
    return found


def test_the_workspace_can_be_written_and_nothing_else(confined: Sandbox, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    done = run(confined, f"echo in > a; echo out > {outside}/b; echo out > {Path(__file__).parent}/b; true")
    assert (confined.root / "a").read_text() == "in\n"
    assert not list(outside.iterdir())
    # Of the system's own folder for temporary files nothing is seen, also of a checkout that lies in it.
    assert re.search("Read-only file system|No such file", done.output)
    assert not (Path(__file__).parent / "b").exists()


def test_a_folder_may_be_added_and_the_workspace_taken_away(confined: Sandbox, tmp_path: Path) -> None:
    extra = tmp_path / "extra"
    extra.mkdir()
    run(confined, f"echo a > {extra}/a; echo b > b", Rights(may_write=False, writable=(extra,)))
    assert (extra / "a").exists()
    assert not (confined.root / "b").exists()


def test_the_users_keys_are_out_of_sight_unless_they_are_needed(confined: Sandbox) -> None:
    home = confined.root / "home"
    confined.home.rename(home)
    confined = replace(confined, home=home)
    read = f"cat {home}/.ssh/id_rsa {home}/.netrc"
    assert "hunter" not in run(confined, read).output
    assert run(confined, read, Rights(credentials=True)).output == "hunter2hunter3"


def test_gits_own_hooks_and_settings_stay_as_they_are(confined: Sandbox) -> None:
    subprocess.run(["git", "init", "-q", str(confined.root)], check=True)
    (confined.root / ".git/hooks").mkdir(exist_ok=True)
    (confined.root / "a.py").write_text("")
    evil = (
        "echo evil > .git/hooks/pre-commit; git config core.pager evil; mv .git moved && cp -r moved .git; "
    )
    done = run(confined, f"{evil}git add -A && echo ok", Rights(repository=True))
    assert done.output.endswith("ok\n")
    assert not (confined.root / ".git/hooks/pre-commit").exists()
    assert not (confined.root / "moved").exists()
    assert "evil" not in (confined.root / ".git/config").read_text()


def test_what_nobody_was_asked_about_does_not_change_the_repository(confined: Sandbox) -> None:
    subprocess.run(["git", "init", "-q", "--template=", str(confined.root)], check=True)
    (confined.root / "a.py").write_text("")
    done = run(confined, "mkdir .git/hooks; mv .git moved; git add -A; git status --short")
    assert done.output.endswith("?? a.py\n")
    assert not (confined.root / ".git/hooks").exists()
    assert not (confined.root / "moved").exists()


def test_there_is_no_network_but_its_own(confined: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        knock = f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo open"
        assert "open" not in run(confined, knock).output
        assert "open" in run(confined, knock, Rights(network=True)).output


def test_the_processes_of_others_are_not_seen(confined: Sandbox) -> None:
    assert str(os.getpid()) not in run(confined, "ls /proc").output.split()
    assert run(confined, f"kill -9 {os.getpid()}").returncode != 0


def test_a_fault_of_the_program_is_told_as_without_a_sandbox(confined: Sandbox) -> None:
    assert run(confined, "exit 7").returncode == 7
    assert run(confined, "kill -SEGV $$").returncode == -signal.SIGSEGV
    with pytest.raises(FileNotFoundError):
        asyncio.run(process.run(["no-such-program"], confined.root, ENVIRONMENT, 5, confined))


@pytest.mark.skipif(sys.platform != "linux", reason="daemons are found through Linux's means")
@pytest.mark.parametrize("in_sandbox", [False, True])
def test_a_daemon_that_ignores_the_request_to_end_is_ended_and_named(
    confined: Sandbox, in_sandbox: bool
) -> None:
    mark = f"daemon-{os.getpid()}-{in_sandbox}"
    (confined.root / "daemon.py").write_text(DAEMON)
    command = f"{sys.executable} daemon.py {mark}; while [ ! -s pid ]; do sleep 0.02; done; echo started"
    done = run(confined if in_sandbox else None, command, root=confined.root)
    assert (done.returncode, done.output) == (0, "started\n")
    assert len(done.left_behind) == 1
    assert mark in done.left_behind[0]
    assert not alive(mark)


@pytest.mark.parametrize("in_sandbox", [False, True])
def test_what_ignores_sigterm_ends_at_the_limit(confined: Sandbox, in_sandbox: bool) -> None:
    mark = f"stubborn-{os.getpid()}-{in_sandbox}"
    command = f"trap '' TERM; while :; do sleep 0.05; done # {mark}"
    done = run(confined if in_sandbox else None, command, limit_s=1.0, root=confined.root)
    assert done.timed_out
    assert not [pid for pid in psutil.pids() if mark in _words(pid)]


def test_what_prints_for_ever_takes_little_memory_and_ends_at_the_limit(confined: Sandbox) -> None:
    done = run(confined, "echo first; yes", limit_s=1.0)
    assert done.timed_out
    assert done.output.startswith("first\ny\n")
    assert "bytes left out" in done.output
    assert len(done.output) < 60_000


@pytest.mark.skipif(sys.platform != "linux", reason="daemons are found through Linux's means")
def test_nothing_is_left_when_the_supervisor_itself_is_killed(tmp_path: Path) -> None:
    mark = f"orphan-{os.getpid()}"
    (tmp_path / "daemon.py").write_text(DAEMON)
    command = (
        f"{sys.executable} daemon.py {mark}; while [ ! -s pid ]; do sleep 0.02; done; kill -9 $PPID; sleep 60"
    )
    done = run(None, command, root=tmp_path)
    assert done.returncode != 0
    assert not alive(mark)


@pytest.mark.skipif(sys.platform != "linux", reason="daemons are found through Linux's means")
@pytest.mark.parametrize("in_sandbox", [False, True])
def test_nothing_outlives_us_when_we_are_killed(confined: Sandbox, in_sandbox: bool) -> None:
    mark = f"widow-{os.getpid()}-{in_sandbox}"
    (confined.root / "daemon.py").write_text(DAEMON)
    program = (
        "import asyncio, os\nfrom pathlib import Path\n"
        "from agent.sandbox import Kind, Sandbox\nfrom agent.tools import process\n"
        f"box = {confined!r} if {in_sandbox} else None\n"
        f"command = ['bash', '-c', '{sys.executable} daemon.py {mark}; sleep 60']\n"
        f"asyncio.run(process.run(command, Path({str(confined.root)!r}), dict(os.environ), 60, box))\n"
    )
    program = program.replace("PosixPath(", "Path(").replace(
        "<Kind.BUBBLEWRAP: 'bubblewrap'>", "Kind.BUBBLEWRAP"
    )
    os.mkfifo(confined.root / "pid")
    with subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[1]) as ours:
        assert (confined.root / "pid").read_text() == mark
        assert alive(mark)
        ours.kill()
    for _ in range(200):
        if not alive(mark):
            break
        subprocess.run(["sleep", "0.02"], check=True)
    assert not alive(mark)


def test_without_a_sandbox_it_is_said_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = sandbox.find(tmp_path, tmp_path / "cache", tmp_path, search_path=str(tmp_path))
    assert found.sandbox is None
    assert "not installed" in found.reason
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "platform", "linux")
    found = sandbox.find(tmp_path, tmp_path / "cache", tmp_path, search_path=str(tmp_path))
    assert found.sandbox is None
    assert "No permissions" in found.reason
    assert "namespaces" in found.mend


def test_the_profile_of_a_mac_names_what_may_be_written(tmp_path: Path) -> None:
    box = Sandbox(Kind.SANDBOX_EXEC, "sandbox-exec", tmp_path / 'a "b"', tmp_path / "cache", tmp_path)
    words = box.command(["ls"], tmp_path, Rights())
    profile = words[words.index("-p") + 1]
    assert "(deny file-write*)" in profile
    assert "(deny network*)" in profile
    assert f'P1={tmp_path.resolve()}/a "b"' in words
    assert '"b"' not in profile
    open_profile = box.command(["ls"], tmp_path, replace(Rights(), network=True))
    assert "(deny network*)" not in open_profile[open_profile.index("-p") + 1]


def _words(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""
