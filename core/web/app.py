"""Opens a listener: one aiohttp application on one address."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from core.configuration.overrides import BETWEEN, PREFIX
from core.errors import SettingsError
from core.web import room
from core.web.talk import COUNTED, Door, Talk, attended

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

    from core.configuration.sections import Listener
    from core.web.room import Limits

BACKLOG = 128
"""Connections that may wait to be taken."""
GRACE = 2.0
"""Seconds that a request which is being answered may take when the listener closes."""

SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@asynccontextmanager
async def served(
    name: str, listener: Listener, app: web.Application, limits: Limits | None = None
) -> AsyncIterator[str]:
    """Serve *app* at *listener*; yields its address, ``http://host:port``.

    *limits* are how slow and how many its peers may be; left out, those of *name* (`room.limits`).

    Raises:
        SettingsError: the address is taken, or is none of this machine's.
    """
    app.on_response_prepare.append(_safely)
    app.middlewares.append(attended)
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=GRACE)
    await runner.setup()
    try:
        allowed = room.limits(name) if limits is None else limits
        async with _listening(name, listener, runner, allowed) as port:
            yield _address(listener, port)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _listening(
    name: str, listener: Listener, runner: web.AppRunner, limits: Limits
) -> AsyncIterator[int]:
    """Take connections for *runner*, each a `Talk`; yields the port. No site of aiohttp's does."""
    manager = runner.server
    if manager is None:
        raise RuntimeError("the runner was not set up")
    door = Door(name, runner.app.get(COUNTED, _uncounted), limits)
    try:
        sockets = await _sockets(listener)
    except (OSError, UnicodeError) as fault:
        raise SettingsError([_unheard(name, listener, fault)]) from fault
    with ExitStack() as closing:
        for one in sockets:
            closing.enter_context(one)
        async with door.room.taking(sockets, lambda: Talk(manager, door)):
            yield sockets[0].getsockname()[1]


async def _sockets(listener: Listener) -> list[socket.socket]:
    """Sockets that listen, one for each address of the host; asyncio finds and binds them.

    Raises:
        OSError: an address is taken, or is none of this machine's.
        UnicodeError: no host can be called so.
    """
    loop = asyncio.get_running_loop()
    bound = await loop.create_server(
        asyncio.Protocol, listener.host, listener.port, start_serving=False
    )
    with ExitStack() as undo:
        try:
            sockets = [undo.enter_context(one.dup()) for one in bound.sockets]
        finally:
            bound.close()
        for one in sockets:
            one.settimeout(0.0)
            one.listen(BACKLOG)
        undo.pop_all()
    return sockets


def _uncounted(_reason: str) -> None:
    """Nobody counts what never gets to the application here."""


def _unheard(name: str, listener: Listener, fault: OSError | UnicodeError) -> str:
    """The complaint, with what is to be changed: the variable stands above the file."""
    why = fault.strerror if isinstance(fault, OSError) else "no host can be called so"
    mend = f"choose a free address there, or in {PREFIX}{name.upper()}{BETWEEN}LISTEN"
    return f"{name}.listen: {listener.listen} cannot be listened at ({why}); {mend}"


def _address(listener: Listener, port: int) -> str:
    """The address in fact: port 0 has become one that was free."""
    host = f"[{listener.host}]" if ":" in listener.host else listener.host
    return f"http://{host}:{port}"


async def _safely(_request: web.Request, response: web.StreamResponse) -> None:
    for header, value in SAFE.items():
        response.headers.setdefault(header, value)
