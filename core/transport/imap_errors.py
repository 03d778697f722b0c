"""What a fault of an IMAP connection means to us. Pure; no word of the server is passed on."""

from __future__ import annotations

import re
import socket
import ssl
from imaplib import IMAP4
from typing import Literal

from core.errors import BadCredentials, BadPayload, ConnectorError, RateLimited, Unreachable

Stage = Literal["connect", "tls", "login", "command"]

# RFC 5530's words, and what Gmail, Exchange and Dovecot say instead of them.
LIMITED = re.compile(
    r"\[(UNAVAILABLE|LIMIT|INUSE|OVERQUOTA|THROTTLED)\b|too many|maximum number of|throttled|"
    r"simultaneous connections|bandwidth limit",
    re.IGNORECASE,
)
BACKOFF = re.compile(r"backoff time:? (\d+) milliseconds", re.IGNORECASE)
SERVERS_FAULT = re.compile(r"\[(SERVERBUG|CONTACTADMIN)\b|internal error", re.IGNORECASE)


def translated(fault: Exception, where: str, stage: Stage) -> ConnectorError:
    """The error of ours that *fault* stands for; *where* names the server."""
    if isinstance(fault, ConnectorError):
        return fault
    said = str(fault)
    if LIMITED.search(said):
        wait = BACKOFF.search(said)
        seconds = int(wait[1]) / 1000 if wait else None
        return RateLimited(f"{where}: the server asks to wait", retry_after=seconds)
    if isinstance(fault, OSError | EOFError | IMAP4.abort) or stage in ("connect", "tls"):
        word = _word(fault, stage)
        return Unreachable(f"{where}: no connection ({word})", detail=word)
    if stage == "login":
        return BadCredentials(f"{where}: the login was refused", detail="login")
    if SERVERS_FAULT.search(said):
        return Unreachable(f"{where}: the server has a fault of its own", detail="server")
    return BadPayload(f"{where}: the server refused, or said what nobody can read")


def _word(fault: Exception, stage: Stage) -> str:
    if isinstance(fault, TimeoutError):
        return "timeout"
    if isinstance(fault, socket.gaierror):
        return "dns"
    if isinstance(fault, ssl.SSLError) or (stage == "tls" and not isinstance(fault, OSError)):
        return "tls"
    return "network"
