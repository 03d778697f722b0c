"""Tells systemd how we are: ready, reloading, stopping, alive. Does nothing elsewhere."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def notify(*fields: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send *fields* such as ``READY=1``; False where nobody listens."""
    path = environ.get("NOTIFY_SOCKET", "")
    if not path:
        return False
    address = f"\0{path[1:]}" if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.connect(address)
            sender.sendall("\n".join(fields).encode())
        except OSError:
            return False
    return True
