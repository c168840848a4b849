"""Nothing leaves the machine: the audit hook lets loopback through and refuses everything else."""

import subprocess
import sys

import pytest

from voice.offline import is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost", b"localhost", None])
def test_loopback_is_allowed(host: object) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "0.0.0.0", "::", "fe80::1%eth0", "example.org", "", "localhost.example"]
)
def test_anything_else_is_not(host: object) -> None:
    assert not is_loopback(host)


def in_a_process(code: str) -> subprocess.CompletedProcess[str]:
    program = f"from voice.offline import stay_on_this_machine\nstay_on_this_machine()\nimport socket\n{code}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "code",
    [
        "socket.create_connection(('192.0.2.1', 80), timeout=1)",
        "socket.getaddrinfo('example.org', 80)",
        "socket.gethostbyname('example.org')",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "socket.socket().bind(('0.0.0.0', 0))",
        "import urllib.request; urllib.request.urlopen('http://192.0.2.1/')",
    ],
)
def test_leaving_the_machine_is_refused(code: str) -> None:
    done = in_a_process(code)
    assert done.returncode != 0
    assert "Utter stays on this machine" in done.stderr


def test_loopback_connections_work() -> None:
    done = in_a_process(
        "s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname()).close()"
    )
    assert done.returncode == 0, done.stderr
