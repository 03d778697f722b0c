"""How far what carries clocks was read, and what that means for what was not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.store import Db

APART = timedelta(minutes=1)
"""So far two hosts' clocks may differ that are both believed: each by half a minute."""

SEEN = """
    select s.account, s.stream, s."interval" as every, s.blind_since,
           coalesce(s.seen_through, a.monitored_since) as since, s.seen_through,
           case when s.health = 'forbidden' then s.health_since end as forbidden_since,
           case when s.health in ('ok', 'starting') then '' else s.health end as trouble,
           a.monitored_since
    from stream s
    join account a on a.name = s.account and a.retired_at is null
    where s.carries_clocks and s.next_due < 'infinity'
    order by s.account, s.stream
"""
BESIDE = """
    select s.account, array_agg(distinct s.health order by s.health) as troubles
    from stream s
    join account a on a.name = s.account and a.retired_at is null
    where not s.carries_clocks and s.next_due < 'infinity' and s.health not in ('ok', 'starting')
    group by s.account
"""
LOST = """
    update stream set blind_since = $3
    where account = $1 and stream = $2 and blind_since is not distinct from $4
    returning true
"""
FOUND = """
    update stream s set blind_since = null
    from unnest($1::text[], $2::text[]) as w (account, stream)
    where s.account = w.account and s.stream = w.stream and s.blind_since is not null
    returning true
"""
# Locked in order, as whoever locks all streams of an account does it.
REIN_IN = """
    with ahead as (
        select account, stream from stream
        where seen_through > $1::timestamptz + $2::interval
           or last_ok_at > $1::timestamptz + $2::interval
        order by account, stream
        for no key update
    )
    update stream s
    set seen_through = case when s.seen_through > $1 then $1 else s.seen_through end,
        last_ok_at = case when s.last_ok_at > $1 then $1 else s.last_ok_at end
    from ahead
    where s.account = ahead.account and s.stream = ahead.stream
    returning true
"""
BLIND = "select exists (select from stream where account = $1 and blind_since is not null)"
RATES = """
    select date_trunc('hour', sent_at) as hour, count(*) as n
    from message
    where account = $1 and party = 'buyer' and sent_at >= $2 and sent_at < $3
    group by 1
"""
NEXT_DEADLINE = """
    select min(due_at) from clock
    where account = $1 and ended is null and not history and steps <> '{}' and due_at > $2
"""


class Sight(NamedTuple):
    """A stream that carries clocks; *since* is when its last complete walk began.

    Where there was none yet, it is since when the account is monitored. *forbidden_since* is when
    it was first refused to us alone, None where it is not. *trouble* is why its last walk broke off
    (a `HealthState`), empty where it did not. The account is *monitored_since* an instant.
    """

    account: str
    stream: str
    every: timedelta
    blind_since: datetime | None
    since: datetime
    seen_through: datetime | None
    forbidden_since: datetime | None = None
    trouble: str = ""
    monitored_since: datetime | None = None

    @property
    def is_told(self) -> bool:
        """Whether it was told to be blind, and was not refused to us since: that is told anew."""
        told, refused = self.blind_since, self.forbidden_since
        return told is not None and (refused is None or refused <= told)


async def all_(db: Db) -> list[Sight]:
    """Every stream that carries clocks and is to be read."""
    return [Sight(*row) for row in await db.fetch(SEEN)]


async def beside(db: Db) -> dict[str, list[str]]:
    """By account, what ails its streams that are read and carry no clocks (`HealthState`)."""
    return {row["account"]: row["troubles"] for row in await db.fetch(BESIDE)}


async def lost(db: Db, one: Sight, since: datetime) -> bool:
    """Remember that the stream is blind; False where another worker has done so already."""
    return bool(await db.fetchval(LOST, one.account, one.stream, since, one.blind_since))


async def found(db: Db, several: Collection[Sight]) -> bool:
    """Remember that these streams are not blind any more; False where it was known already."""
    names = [one.account for one in several], [one.stream for one in several]
    return bool(await db.fetch(FOUND, *names))


async def rein_in(db: Db, now: datetime) -> int:
    """Let no stream have been read after *now* by more than clocks differ; how many were.

    Another daemon's reading of just now is no such: two clocks are never quite the same.
    """
    return len(await db.fetch(REIN_IN, now, APART))


async def is_blind(db: Db, account: str) -> bool:
    """Whether a stream of *account* was told to be blind, and is."""
    return bool(await db.fetchval(BLIND, account))


async def rates(db: Db, account: str, begin: datetime, end: datetime) -> dict[datetime, int]:
    """How many buyers' messages were sent from *begin* to *end*, by the beginning of their hour."""
    return {row["hour"]: row["n"] for row in await db.fetch(RATES, account, begin, end)}


async def next_deadline(db: Db, account: str, after: datetime) -> datetime | None:
    """The earliest deadline of a running clock after an instant."""
    due_at: datetime | None = await db.fetchval(NEXT_DEADLINE, account, after)
    return due_at
