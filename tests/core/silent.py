"""A server that takes connections and says nothing."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def silent():
    """Its port. It waits until whoever came has left: nothing of it outlives the loop."""
    visits = set()

    async def nothing(reader, writer):
        visits.add(asyncio.current_task())
        with suppress(OSError):
            await reader.read()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(nothing, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        if visits:
            await asyncio.wait(visits, timeout=5)
