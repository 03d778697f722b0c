"""Opens a listener: one aiohttp application on one address."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from core.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.configuration.sections import Listener

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
        site = web.TCPSite(runner, listener.host, listener.port)
        try:
            await site.start()
        except OSError as fault:
            why = f"cannot be listened at ({fault.strerror}); choose a free address"
            raise SettingsError([f"{name}.listen: {listener.listen} {why}"]) from fault
        yield _address(runner, listener)
    finally:
        await runner.cleanup()


def _address(runner: web.AppRunner, listener: Listener) -> str:
    """The address in fact: port 0 has become one that was free."""
    port = runner.addresses[0][1]
    host = f"[{listener.host}]" if ":" in listener.host else listener.host
    return f"http://{host}:{port}"


async def _safely(_request: web.Request, response: web.StreamResponse) -> None:
    for header, value in SAFE.items():
        response.headers.setdefault(header, value)
