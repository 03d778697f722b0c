"""A TCP connection to a mail server that can be cut from outside, even while it is made."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# A half-open connection is noticed by the system: after a minute of silence it asks four times.
ALIVE = (
    ("TCP_KEEPIDLE", 60),
    ("TCP_KEEPINTVL", 15),
    ("TCP_KEEPCNT", 4),
)


def dialled(
    host: str, port: int, seconds: float, plug: Callable[[socket.socket], None]
) -> socket.socket:
    """A connected socket whose operations take *seconds* each at most.

    *plug* is shown every socket before it connects; what it raises ends the attempt.
    """
    fault: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        try:
            plug(sock)
            sock.settimeout(seconds)
            _keep_alive(sock)
            sock.connect(address)
        except OSError as failed:
            sock.close()
            fault = failed
        else:
            return sock
    raise fault


def _keep_alive(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in ALIVE:
        if hasattr(socket, name):
            with suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
