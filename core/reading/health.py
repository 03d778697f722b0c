"""An account as a whole: down when its key is refused, up again, read for the first time.

Every walk changes its own stream's row only; what that means for the account is settled here, in a
transaction of its own that asks how things stand. So it may be called twice, or late.

A refused key is told at once, for only a person can mend it. A marketplace that cannot be reached
is not: short outages are daily bread and end by themselves, and what they cost is told by `blind`
at the limit at which a deadline may pass unseen. To tell both would be two notices for one fact.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from core import keys
from core.model import HealthState, Notice, NoticeKind
from core.store import accounts, notices, sight, streams, transaction, wake

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from core.arrival.hearing import Facts
    from core.rules import Rules
    from core.store import Db, Pool
    from core.store.accounts import Standing
    from core.store.streams import Lease, Reading

RETRY_FIRST = timedelta(minutes=1)
RETRY_LAST = timedelta(minutes=15)

log = structlog.get_logger()


def retry_after(failures: int) -> timedelta:
    """When to try a refused key again: after a minute, then ever more rarely, at most 15."""
    return min(RETRY_FIRST * 2.0 ** min(failures, 10), RETRY_LAST)


def is_down(readings: Sequence[Reading]) -> bool:
    """Whether what it hangs on is not read for want of a key.

    That is what carries clocks; where nothing does, by pushes only, whatever is read at all: it
    says how the key stands with which answers leave. Same as `core.store.stats.READINGS`.
    """
    polled = [r for r in readings if r.carries_clocks]
    return any(r.health is HealthState.BAD_CREDENTIALS for r in polled or readings)


def is_walked(readings: Sequence[Reading], restored_at: datetime | None = None) -> bool:
    """Whether everything that carries clocks was read completely once: since it was restored."""
    return all(
        r.seen_through is not None and (restored_at is None or r.seen_through >= restored_at)
        for r in readings
        if r.carries_clocks
    )


async def settle(pool: Pool, rules: Rules, lease: Lease, now: datetime, *, well: bool) -> None:
    """Draw for its account what the end of *lease* means; *well* says how its walk ended.

    A key newly refused stops the account's other streams, until each is tried by itself; one
    newly accepted lets them be tried at once.
    """
    async with transaction(pool) as db:
        standing = await accounts.standing(db, lease.account)
        if standing is None:
            return
        readings = await streams.of_account(db, lease.account)
        recovered = well and lease.health is HealthState.BAD_CREDENTIALS
        told = [
            *await _down_or_up(db, lease, standing, readings, now),
            *await _first_walk(db, lease.account, standing, readings, now),
        ]
        if recovered:
            await streams.probe(db, [lease.account], [HealthState.BAD_CREDENTIALS])
            await wake.send(db, "poll")
        await notices.raise_(db, rules, told)
        if told:
            await wake.changed(db)


async def _down_or_up(
    db: Db, lease: Lease, standing: Standing, readings: Sequence[Reading], now: datetime
) -> list[Notice]:
    account, since, down = lease.account, standing.down_since, is_down(readings)
    if down and since is None:
        polled = any(r.carries_clocks for r in readings)
        where: Facts = () if polled else (("polled", False),)
        await accounts.set_down(db, account, now)
        await streams.stop(db, account, retry_after(lease.failures), now)
        log.warning("account went down", account=account)
        return [_notice(NoticeKind.ACCOUNT_DOWN, account, now, now, where)]
    if since is not None and not down:
        await accounts.set_down(db, account, None)
        log.info("account came up", account=account, down_since=since.isoformat())
        if await sight.is_blind(db, account):  # told when that ends too: core.reading.blind
            return []
        return [_notice(NoticeKind.ACCOUNT_UP, account, now, now)]
    return []


def _notice(
    kind: NoticeKind,
    account: str,
    since: datetime,
    now: datetime,
    where: Facts = (),
) -> Notice:
    facts: Facts = (("since", since.isoformat()), *where)
    return Notice(keys.account(account, kind, since), kind, account, now, facts=facts)


async def _first_walk(
    db: Db, account: str, standing: Standing, readings: Sequence[Reading], now: datetime
) -> list[Notice]:
    if standing.first_walk_at is not None or not is_walked(readings, standing.restored_at):
        return []
    waiting = await accounts.end_first_walk(db, account, now)
    await wake.send(db, "deliver")
    event = "account was read for the first time"
    if standing.restored_at is not None:
        event = "account was read again after the restore"
    log.info(event, account=account, history_waiting=waiting)
    kind = NoticeKind.HISTORY_SUMMARY
    key = keys.account(account, kind, standing.monitored_since)
    return [Notice(key, kind, account, now, facts=(("waiting", waiting),))] if waiting else []
