"""What a command opens: settings, the database, accounts that can be read."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from core import loops, settings, store
from core.configuration.complaints import nearest
from core.connector import load_specs
from core.errors import Mistaken
from core.metrics import Metrics
from core.running import standins, takeover
from core.running.state import State
from core.running.worker import Worker
from core.store import embedded, migrate
from core.transport.http import open_session
from core.web.ops import Watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from core.rules import Rules
    from core.settings import Settings
    from core.store import Address, Pool

CONNECTIONS = 4


def read(path: Path, *, sandbox: bool = True) -> Settings:
    """The settings in *path*; a command may speak of sandbox accounts that the daemon runs.

    Raises:
        SettingsError: with every complaint.
    """
    now = loops.utcnow()
    return settings.load(path, load_specs(), os.environ, sandbox=sandbox, now=now)


@asynccontextmanager
async def address(configured: Settings) -> AsyncIterator[Address]:
    """Where the database is: the embedded one is joined, or run for as long as this is open."""
    if configured.store.embedded:
        async with embedded.join(configured.state_dir) as found:
            yield found
    else:
        yield {"dsn": configured.store.dsn.get_secret_value()}


@asynccontextmanager
async def database(configured: Settings) -> AsyncIterator[Pool]:
    """The database with the tables that this program knows.

    Raises:
        StoreUnavailable: it cannot be reached.
        Mistaken: it has not been migrated.
    """
    async with address(configured) as found, _pool(found) as pool:
        yield pool


@asynccontextmanager
async def _pool(found: Address) -> AsyncIterator[Pool]:
    pool = await store.open_pool(found, size=CONNECTIONS, name="replyby command")
    try:
        with store.unavailable():
            async with pool.acquire() as db:
                pending = await migrate.pending(db)
        if pending:
            raise Mistaken("the database lacks tables of this version; run: replyby migrate")
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def ruled(configured: Settings) -> AsyncIterator[tuple[Pool, Rules]]:
    """The database, and the rules by which threads are changed."""
    there = standins.running(configured, ())
    async with database(configured) as pool:
        yield pool, await takeover.follow(pool, there, loops.utcnow())


@asynccontextmanager
async def working(configured: Settings, accounts: Iterable[str]) -> AsyncIterator[State]:
    """Everything that is needed to read *accounts*.

    Raises:
        SettingsError: one of them is a sandbox account whose stand-in does not run.
    """
    there = standins.running(configured, accounts)
    async with (
        address(configured) as found,
        _pool(found) as pool,
        open_session(version("replyby")) as session,
        open_session(version("replyby"), walled=True) as walled,
    ):
        metrics, now = Metrics(), loops.utcnow()
        watched = Watched(metrics, loops.Pulse(), loops.utcnow, pool=pool)
        state = State(there, metrics, watched.pulse, watched, session=session, walled=walled)
        state.adopt(there, await takeover.follow(pool, there, now), now)
        state.worker = Worker(found, {}, metrics)
        await state.worker.register()
        try:
            yield state
        finally:
            await state.worker.leave(pool)
            await state.mailboxes.close()


def known(configured: Settings, account: str) -> str:
    """*account*, if the settings have it.

    Raises:
        Mistaken: they do not.
    """
    if account not in configured.accounts:
        hint = nearest(account, configured.accounts)
        raise Mistaken(f"no account is called {account}; {hint}")
    return account
