"""Takes the settings over into the database: accounts, streams, promises. The same at a reload."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from core import keys
from core.model import Notice, NoticeKind
from core.rules import Rules
from core.store import accounts, notices, policies, transaction, wake, workers
from core.store.accounts import Setup, Synced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from core.settings import Settings
    from core.store import Pool

log = structlog.get_logger()


async def take_over(pool: Pool, settings: Settings, now: datetime) -> Rules:
    """Make the database agree with *settings*; the rules by which everything then works.

    Raises:
        StoreUnavailable: the database went away; nothing was taken over.
    """
    configured = settings.accounts
    async with transaction(pool) as db:
        setups = [Setup(c.account, c.streams, c.budget) for c in configured.values()]
        synced = await accounts.sync(db, setups, now)
        promised = {name: found.promises for name, found in configured.items()}
        versions = await policies.load(db, promised, now)
        known = {name: found.account for name, found in configured.items()}
        rules = Rules(known, versions, settings.routing)
        await notices.raise_(db, rules, list(_retired(synced, now)))
        await wake.send(db, "poll", "watch")
    _say(synced)
    return rules


async def follow(pool: Pool, settings: Settings, now: datetime) -> Rules:
    """The rules for a command. Beside a running daemon no account comes or goes: that one leads.

    Raises:
        StoreUnavailable: the database went away.
    """
    async with transaction(pool) as db:
        led = await accounts.names(db) if await workers.alive(db) else None
        if led is not None:
            there = {n: found for n, found in settings.accounts.items() if n in led}
            versions = await policies.load(db, {n: f.promises for n, f in there.items()}, now)
            known = {name: found.account for name, found in there.items()}
            return Rules(known, versions, settings.routing)
    return await take_over(pool, settings, now)


def _retired(synced: Synced, now: datetime) -> Iterator[Notice]:
    """One notice for each account that left the settings."""
    kind = NoticeKind.ACCOUNT_RETIRED
    for name, ended in synced.retired.items():
        yield Notice(keys.account(name, kind, now), kind, name, now, facts=(("ended", ended),))


def _say(synced: Synced) -> None:
    for name in sorted(synced.added):
        log.info("account added", account=name)
    for name in sorted(synced.returned):
        log.info("account returned", account=name)
    for name, ended in sorted(synced.retired.items()):
        log.warning("account retired", account=name, clocks_ended=ended)
