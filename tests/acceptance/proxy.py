"""A TCP proxy in front of PostgreSQL that can be as bad as a network: away, slow, cutting, mute.

It understands as much of the frontend's messages as it needs: where a statement begins, where a
transaction begins and ends, and what was said in between.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHUNK = 1 << 16

When = Literal["amid", "before", "after"]


@dataclass(slots=True, eq=False)
class Cut:
    """Cut the connection of the next transaction that says *having* (an expression), once.

    *amid* it, where it says so; *before* its commit reaches the server; or *after* the server has
    committed, and before the client is told: it cannot know.
    """

    when: When
    having: str
    done: bool = False


@dataclass(slots=True, eq=False)
class Proxy:
    """Passes everything on to *port*, but for what is ordered.

    *pace*: seconds by which each statement is late. *mute*: nothing passes in either direction,
    though connections are taken and stay open.
    """

    to: int
    port: int = 0
    pace: float = 0.0
    cuts: list[Cut] = field(default_factory=list)
    passed: int = 0
    speaks: asyncio.Event = field(default_factory=asyncio.Event)
    _lines: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def open(self) -> None:
        """Take connections, on the same port every time."""
        self.speaks.set()
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections, and cut those that there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.drop()

    async def drop(self) -> None:
        """Cut all connections."""
        tasks = list(self._lines)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def mute(self) -> None:
        """Let nothing pass any more; nobody is told."""
        self.speaks.clear()

    async def speak(self) -> None:
        """Let everything pass again, what was held up included."""
        self.speaks.set()

    async def order(self, cut: Cut) -> None:
        """Cut as soon as it fits."""
        self.cuts.append(cut)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._take(reader, writer))
        self._lines.add(task)
        task.add_done_callback(self._lines.discard)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(self, writer)
        try:
            await self.speaks.wait()
            with suppress(OSError, asyncio.IncompleteReadError):
                await line.pass_on(reader)
        finally:
            line.cut()


class Line:
    """One client's connection and ours to the server."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._client = client
        self._server: asyncio.StreamWriter | None = None
        self._statements: dict[str, str] = {}
        self._said: list[str] = []
        self._last: Cut | None = None

    def cut(self) -> None:
        """Reset both ends."""
        for end in (self._client, self._server):
            if end is not None:
                end.transport.abort()

    async def pass_on(self, client: asyncio.StreamReader) -> None:
        server, self._server = await asyncio.open_connection("127.0.0.1", self._proxy.to)
        back = asyncio.create_task(self._answers(server))
        try:
            await self._asks(client)
        finally:
            back.cancel()
            await asyncio.wait([back])
            if not back.cancelled():
                back.exception()

    async def _asks(self, client: asyncio.StreamReader) -> None:
        """The frontend's messages, one by one; the first has no type."""
        assert self._server is not None
        first = await client.readexactly(4)
        self._server.write(first + await client.readexactly(int.from_bytes(first) - 4))
        while True:
            head = await client.readexactly(5)
            message = head + await client.readexactly(int.from_bytes(head[1:]) - 4)
            if await self._is_cut(chr(head[0]), message[5:]):
                return
            await self._proxy.speaks.wait()
            self._server.write(message)
            await self._server.drain()

    async def _answers(self, server: asyncio.StreamReader) -> None:
        while chunk := await server.read(CHUNK):
            if self._last is not None:
                self._last.done = True
                break
            await self._proxy.speaks.wait()
            self._client.write(chunk)
            await self._client.drain()
        self.cut()

    async def _is_cut(self, kind: str, rest: bytes) -> bool:
        """Note what is said; whether the connection is to end before this message passes."""
        if kind == "P":
            name, query = (part.decode() for part in rest.split(b"\0")[:2])
            self._statements[name] = query
        if kind not in {"B", "Q"}:
            return False
        self._proxy.passed += 1
        await asyncio.sleep(self._proxy.pace)
        said = self._text(kind, rest)
        if said.startswith("BEGIN"):
            self._said = []
        elif said.startswith("COMMIT"):
            return self._ends()
        self._said.append(said)
        return self._fits("amid")

    def _text(self, kind: str, rest: bytes) -> str:
        if kind == "Q":
            return rest.rstrip(b"\0").decode().strip()
        return self._statements.get(rest.split(b"\0")[1].decode(), "")

    def _ends(self) -> bool:
        self._last = next((cut for cut in self._fitting("after")), None)
        if self._last is not None:
            self._proxy.cuts.remove(self._last)
        return self._last is None and self._fits("before")

    def _fits(self, when: When) -> bool:
        for cut in self._fitting(when):
            self._proxy.cuts.remove(cut)
            cut.done = True
            return True
        return False

    def _fitting(self, when: When) -> list[Cut]:
        """The orders that this transaction fulfils by what it has said."""
        return [
            cut for cut in self._proxy.cuts
            if cut.when == when and any(re.search(cut.having, said) for said in self._said)
        ]  # fmt: skip


@asynccontextmanager
async def proxied(port: int) -> AsyncIterator[Proxy]:
    """A proxy on a free port, in front of *port*."""
    proxy = Proxy(port)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close()
