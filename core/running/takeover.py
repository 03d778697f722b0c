"""Takes the settings over into the database: accounts, streams, promises. The same at a reload."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from core import ingest, keys
from core.model import HealthState, Notice, NoticeKind
from core.rules import Rules, with_mark
from core.store import (
    accounts,
    notices,
    policies,
    redates,
    streams,
    threads,
    transaction,
    wake,
    workers,
)
from core.store.accounts import Setup, Synced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from core.configuration.configured import Configured
    from core.settings import Settings
    from core.store import Db, Pool
    from sla.policy import Policy

REFUSED = (HealthState.BAD_CREDENTIALS, HealthState.FORBIDDEN)

log = structlog.get_logger()


async def take_over(pool: Pool, settings: Settings, now: datetime, *, sure: bool = True) -> Rules:
    """Make the database agree with *settings*; the rules by which everything then works.

    What follows for clocks from a promise of an earlier date or from an account's return is
    computed afterwards; what is left of it when that is broken off, by the next call. *sure* says
    whether the host's clock is believed.

    Raises:
        StoreUnavailable: the database went away; what was not taken over is by the next call.
    """
    configured = settings.accounts
    async with transaction(pool) as db:
        setups = [Setup(c.account, c.streams, c.budget) for c in configured.values()]
        synced = await accounts.sync(db, setups, now)
        rules = await _rules(db, settings, configured, now)
        await notices.raise_(db, rules, list(_retired(synced, now)))
        await wake.send(db, "poll", "watch")
    _say(synced)
    await bring_up_to_date(pool, rules, now, sure=sure)
    return rules


async def read_anew(
    pool: Pool, old: Mapping[str, Configured], new: Mapping[str, Configured], now: datetime
) -> None:
    """Read at once, now the *new* settings count, what was refused, what is new or has changed.

    Until then streams that were made due are claimed by readers of the *old* settings, which fail
    again with the old key, or know nothing of the account and leave it to another daemon.

    Raises:
        StoreUnavailable: the database went away; it is read in its turn.
    """
    changed = {
        name: now for name, found in new.items()
        if name not in old or found.options != old[name].options
    }  # fmt: skip
    async with transaction(pool) as db:
        await streams.probe(db, list(new), REFUSED)
        await streams.pull_forward(db, changed, now)
        await wake.send(db, "poll")


async def follow(pool: Pool, settings: Settings, now: datetime) -> Rules:
    """The rules for a command. Beside a running daemon no account comes or goes: that one leads.

    Raises:
        StoreUnavailable: the database went away.
    """
    async with transaction(pool) as db:
        led = await accounts.names(db) if await workers.alive(db) else None
        if led is not None:
            there = {n: found for n, found in settings.accounts.items() if n in led}
            return await _rules(db, settings, there, now)
    return await take_over(pool, settings, now)


async def bring_up_to_date(
    pool: Pool,
    rules: Rules,
    now: datetime,
    *,
    sure: bool = True,
    turned: Callable[[], None] | None = None,
) -> None:
    """Compute anew what an account's return, or a promise of an earlier date, has changed.

    *turned* is called after each batch of threads.

    Raises:
        StoreUnavailable: the database went away; what is left is done by the next call.
    """
    async with transaction(pool) as db:
        outdated = await accounts.outdated(db)
        ids = {name: await threads.outdated(db, name, at) for name, at in outdated.items()}
    for name, since in outdated.items():
        if name not in rules.accounts:  # another's settings name it, and that one computes it
            continue
        await ingest.recompute_all(pool, rules, name, ids[name], now, sure=sure, turned=turned)
        async with transaction(pool) as db:
            await accounts.up_to_date(db, name, since)
        if ids[name]:
            log.info("clocks computed anew", account=name, threads=len(ids[name]))


async def _rules(
    db: Db, settings: Settings, there: Mapping[str, Configured], now: datetime
) -> Rules:
    """The rules for the accounts *there*, each promise as it holds for the account."""
    versions = await policies.load(db, {name: f.promises for name, f in there.items()}, now)
    return Rules(
        accounts={name: found.account for name, found in there.items()},
        policies=as_they_hold(versions, there),
        routing=settings.routing,
        credentials={n: f.credentials for n, f in there.items() if f.credentials},
        acknowledging={n: f.acknowledging for n, f in there.items() if f.acknowledging},
        redated_at=await redates.newest(db),
        board=settings.web.public_url if settings.web else None,
    )


def as_they_hold(
    versions: Mapping[str, tuple[Policy, ...]], there: Mapping[str, Configured]
) -> dict[str, tuple[Policy, ...]]:
    """The *versions* of promises as they hold for each of the accounts *there*."""
    return {n: with_mark(versions[n], own_mark=f.own_mark) for n, f in there.items()}


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
