"""Requests that are written as they stand, over connections that stay open: cheap for who sends."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CONNECTIONS = 256
"""So many at most: a push that finds none free waits, and its wait is counted."""
PATIENCE = 30.0
END = b"\r\n\r\n"
LENGTH = b"content-length:"


class Request(NamedTuple):
    """A message as it is pushed; *appears* lets it stand where polls read, as it leaves."""

    id: tuple[str, str]
    raw: bytes
    appears: Callable[[], object]


def written(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A POST of *body*."""
    parts = urlsplit(url)
    told = {"Host": parts.netloc, **headers, "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"POST {parts.path} HTTP/1.1\r\n{head}\r\n".encode() + body


@dataclass
class _Sending:
    """What leaves: when each was due, and how it went."""

    host: str
    port: int
    took: list[float | None]
    free: list[_Line] = field(default_factory=list)
    lines: list[_Line] = field(default_factory=list)
    waiting: deque[tuple[int, float, bytes]] = field(default_factory=deque)
    open: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, number: int, due: float, raw: bytes) -> None:
        """Write it, over a connection that is free."""
        self.open += 1
        self.idle.clear()
        if not self.free and len(self.lines) < CONNECTIONS:
            loop = asyncio.get_running_loop()
            _, line = await loop.create_connection(lambda: _Line(self), self.host, self.port)
            self.lines.append(line)
            self.free.append(line)
        if self.free:
            self.free.pop().write(number, due, raw)
        else:
            self.waiting.append((number, due, raw))

    def answered(self, line: _Line | None, number: int, due: float, status: int) -> None:
        self.took[number] = monotonic() - due if 200 <= status < 300 else None
        self.open -= 1
        if line is not None and self.waiting:
            line.write(*self.waiting.popleft())
        elif line is not None:
            self.free.append(line)
        if not self.open:
            self.idle.set()


class _Line(asyncio.Protocol):
    """A connection; one request at a time."""

    def __init__(self, sending: _Sending) -> None:
        self._sending = sending
        self._transport: asyncio.Transport | None = None
        self._about: tuple[int, float] | None = None
        self._read = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def write(self, number: int, due: float, raw: bytes) -> None:
        assert self._transport is not None
        self._about = number, due
        self._transport.write(raw)

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, end, rest = self._read.partition(END)
        if not end or len(rest) < _length(head) or self._about is None:
            return
        (number, due), self._about, self._read = self._about, None, b""
        self._sending.answered(self, number, due, int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        """What was under way is not acknowledged."""
        del exc
        if self in self._sending.free:
            self._sending.free.remove(self)
        if self._about is not None:
            self._sending.answered(None, *self._about, 0)

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


def _length(head: bytes) -> int:
    at = head.lower().find(LENGTH)
    return int(head[at + len(LENGTH) :].partition(b"\r")[0]) if at >= 0 else 0


async def sent(url: str, requests: Sequence[Request], rate: int) -> list[float | None]:
    """Write each at its own instant; the seconds that each took, None: it was not acknowledged."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    sending = _Sending(parts.hostname, parts.port, [None] * len(requests))
    begun = monotonic()
    for number, one in enumerate(requests):
        due = begun + number / rate
        if (wait := due - monotonic()) > 0:
            await asyncio.sleep(wait)
        one.appears()
        await sending.put(number, due, one.raw)
    async with asyncio.timeout(PATIENCE):
        await sending.idle.wait()
    for line in sending.lines:
        line.close()
    return sending.took
