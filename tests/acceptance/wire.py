"""The marketplace's end of the line: hands out payloads one by one, with or without a socket."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from multidict import CIMultiDict

from tests.acceptance.moulds import Payload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

NOTHING = {"M11": b'{"data": []}', "OR11": b'{"orders": []}', "RE01": b'{"reasons": []}'}
JSON = {"Content-Type": "application/json"}


class Program:
    """What is still to be answered, by operation, and what was."""

    def __init__(self) -> None:
        self.waiting: dict[str, deque[Payload]] = {}
        self.companions: dict[str, Payload] = {}
        self.answered: list[Payload] = []

    def add(self, payload: Payload) -> None:
        self.waiting.setdefault(payload.operation, deque()).append(payload)
        self.companions.update(payload.companions)

    def left(self, operation: str) -> int:
        return len(self.waiting.get(operation, ()))

    def answer(self, url: str) -> tuple[int, Payload]:
        """The status and the payload that *url* is answered with."""
        path = urlsplit(url).path.rpartition("/api/")[2]
        if path.startswith("inbox/threads/"):
            found = self.companions.get(unquote(path.removeprefix("inbox/threads/")))
            if found is not None and found not in self.answered:
                self.answered.append(found)
            return (200, found) if found else (404, Payload("M10", b"{}"))
        operation = {"inbox/threads": "M11", "orders": "OR11", "account": "A01"}.get(path, "RE01")
        waiting = self.waiting.get(operation)
        if not waiting:
            return 200, Payload(operation, NOTHING.get(operation, b"{}"))
        self.answered.append(waiting.popleft())
        return 200, self.answered[-1]


class Wireless:
    """As much of aiohttp's session as `core.transport.http` asks of one, without a socket."""

    def __init__(self, program: Program) -> None:
        self._program = program

    @asynccontextmanager
    async def request(
        self, method: str, url: object, params: Mapping[str, str] | None = None, **_: object
    ) -> AsyncIterator[_Response]:
        status, payload = self._program.answer(str(url))
        yield _Response(status, payload.body)


class _Response:
    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.headers = CIMultiDict(JSON)
        self.content_length = len(body)
        self.content = self
        self._body = body

    async def readany(self) -> bytes:
        body, self._body = self._body, b""
        return body

    def at_eof(self) -> bool:
        return not self._body


@asynccontextmanager
async def wired(program: Program) -> AsyncIterator[str]:
    """A server on loopback that says what *program* says, byte for byte; its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.split(b" ", 2)[1].decode("latin-1")
                status, payload = program.answer(target)
                writer.write(_written(status, payload))
                await writer.drain()
                if payload.cut:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=2**24)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def _written(status: int, payload: Payload) -> bytes:
    """The answer as bytes; the length is what it would be if nothing were held back."""
    body = payload.body if payload.sent is None else payload.sent
    length = f"Content-Length: {len(body)}"
    headers = (payload.headers or JSON).items()
    lines = [f"HTTP/1.1 {status} Said", length, *(f"{name}: {value}" for name, value in headers)]
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head + body[: len(body) - payload.cut]
