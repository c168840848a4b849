"""Keeps the process off the network: sockets reach only this machine, hub libraries know they are offline."""

from __future__ import annotations

import ipaddress
import os
import sys
from typing import Any

from agent.errors import UtterError

_ADDRESS_EVENTS = {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind"}
_NAME_EVENTS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
_OFFLINE_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}


class NetworkRefused(UtterError):
    """Something in this process tried to leave the machine."""


def is_loopback(host: object) -> bool:
    """Whether `host` (a name or an address, as sockets take it) is this machine."""
    if host is None:
        return (
            True  # getaddrinfo's word for loopback or the wildcard; the bind or connect is checked on its own
        )
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if name in ("localhost", "ip6-localhost"):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _ADDRESS_EVENTS:
        address = arguments[1] if len(arguments) > 1 else None
        if not isinstance(address, tuple):
            return  # a Unix socket's path, or a send on a connected socket
        host = address[0]
    elif event in _NAME_EVENTS:
        host = arguments[0]
    else:
        return
    if not is_loopback(host):
        raise NetworkRefused(f"Utter stays on this machine; a connection to {host!s} was refused.")


_installed = False


def stay_on_this_machine() -> None:
    """Refuse every socket that is not loopback, for the rest of the process. May be called more than once.

    The hook sees what goes through Python (PEP 578). The llama.cpp server inside the process is native
    code; it is told to listen on 127.0.0.1 and given no remote model to fetch.
    """
    global _installed
    os.environ.update(_OFFLINE_ENVIRONMENT)
    if not _installed:
        sys.addaudithook(_audit)
        _installed = True
