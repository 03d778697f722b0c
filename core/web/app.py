"""Opens a listener: one aiohttp application on one address."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from core.errors import SettingsError
from core.settings import BETWEEN, PREFIX
from core.web.talk import UNREADABLE, Door, Talk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.configuration.sections import Listener

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
async def served(name: str, listener: Listener, app: web.Application) -> AsyncIterator[str]:
    """Serve *app* at *listener*; yields its address, ``http://host:port``.

    Raises:
        SettingsError: the address is taken, or is none of this machine's.
    """
    app.on_response_prepare.append(_safely)
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=GRACE)
    await runner.setup()
    try:
        async with _listening(name, listener, runner) as port:
            yield _address(listener, port)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _listening(name: str, listener: Listener, runner: web.AppRunner) -> AsyncIterator[int]:
    """Take connections for *runner*, each a `Talk`; yields the port. No site of aiohttp's does."""
    manager, door = runner.server, Door(name, runner.app.get(UNREADABLE, _uncounted))
    if manager is None:
        raise RuntimeError("the runner was not set up")
    loop = asyncio.get_running_loop()
    try:
        taking = await loop.create_server(
            lambda: Talk(manager, door), listener.host, listener.port, backlog=BACKLOG
        )
    except (OSError, UnicodeError) as fault:
        raise SettingsError([_unheard(name, listener, fault)]) from fault
    try:
        yield taking.sockets[0].getsockname()[1]
    finally:
        taking.close()


def _uncounted() -> None:
    """Nobody counts what is no HTTP here."""


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
