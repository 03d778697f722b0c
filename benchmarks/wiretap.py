"""What passes between a client and a mail server on loopback: bytes, and commands of IMAP."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncIterator

COMMAND = re.compile(rb"(?:\A|\r\n)[A-Z]{1,8}\d+ (?=[A-Z])")
PORTION = 65_536


@dataclass(slots=True)
class Tap:
    """What has passed so far; *port* is where a client finds the server."""

    port: int = 0
    commands: int = 0
    asked: int = 0
    answered: int = 0


@asynccontextmanager
async def opened(port: int) -> AsyncIterator[Tap]:
    """A way to the server at *port* of loopback on which all is counted."""
    tap = Tap()

    async def up(reader: StreamReader, writer: StreamWriter) -> None:
        while portion := await reader.read(PORTION):
            tap.asked += len(portion)
            tap.commands += len(COMMAND.findall(portion))
            writer.write(portion)
            await writer.drain()
        writer.close()

    async def down(reader: StreamReader, writer: StreamWriter) -> None:
        while portion := await reader.read(PORTION):
            tap.answered += len(portion)
            writer.write(portion)
            await writer.drain()
        writer.close()

    async def through(reader: StreamReader, writer: StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", port)
        with suppress(ConnectionError):
            await asyncio.gather(up(reader, there[1]), down(there[0], writer))

    server = await asyncio.start_server(through, "127.0.0.1", 0)
    async with server:
        tap.port = server.sockets[0].getsockname()[1]
        yield tap
