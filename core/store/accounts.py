"""Accounts and their streams as the settings name them: new, returned, retired. No row goes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from core.store import buyers, incidents, notices, tally, threads
from core.store.buyers import Group, Keys

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from asyncpg import Record

    from core.model import Account, Stream
    from core.store import Db

SINCE = """
    select monitored_since, name, shop, seller, (select key from erasure_key) as secret
    from account where name = $1 and retired_at is null
"""
SHARE = f"{SINCE} for share of account"
SHARE_ALL = """
    select monitored_since, name, shop, seller, (select key from erasure_key) as secret
    from account
    where name = any($1::text[]) and retired_at is null
    order by name
    for share of account
"""
LOCK = "select pg_advisory_xact_lock(x'72657079'::integer, 0)"
STANDING = """
    select monitored_since, first_walk_at, down_since, restored_at from account
    where name = $1 and retired_at is null
    for no key update
"""
SET_DOWN = "update account set down_since = $2 where name = $1"
END_FIRST_WALK = "update account set first_walk_at = $2 where name = $1"
HISTORY = """
    select count(*) from clock
    where account = $1 and history and ended is null and steps <> '{}'
"""
KNOWN = "select name, retired_at from account order by name for no key update"
PUT = """
    insert into account as a (name, connector, marketplace, budget_key, shop, seller,
                              monitored_since)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (name) do update
    set connector = excluded.connector, marketplace = excluded.marketplace,
        budget_key = excluded.budget_key, shop = excluded.shop, seller = excluded.seller,
        keyed = a.keyed and a.shop is not distinct from excluded.shop
                and a.seller is not distinct from excluded.seller
"""
RETURN = """
    update account
    set monitored_since = $2, first_walk_at = null, down_since = null, retired_at = null,
        outdated_since = least(outdated_since, retired_at)
    where name = any($1)
"""
OUTDATE = "update account set outdated_since = least(outdated_since, $2) where name = $1"
OUTDATED = """
    select name, outdated_since from account
    where outdated_since is not null and retired_at is null
    order by name
"""
UP_TO_DATE = "update account set outdated_since = null where name = $1 and outdated_since = $2"
RETURN_STREAMS = "update stream set seen_through = null, blind_since = null where account = any($1)"
# What was stopped for its key is tried again at once: the settings may hold a new one.
PUT_STREAM = """
    insert into stream (account, stream, carries_clocks, ascending, next_due, "interval", floor,
                        health_since)
    values ($1, $2, $3, $4, now(), $5, $6, $7)
    on conflict (account, stream) do update
    set carries_clocks = excluded.carries_clocks, ascending = excluded.ascending,
        "interval" = excluded."interval", floor = excluded.floor,
        next_due = case
            when stream.holder is not null then stream.next_due
            when stream.next_due = 'infinity' then now()
            when stream.health in ('bad_credentials', 'forbidden') then now()
            else least(stream.next_due, greatest(stream.not_before, now() + excluded."interval"))
        end
"""
# The fence moves too: what is just being read of them is dropped.
END_STREAMS = """
    update stream s
    set next_due = 'infinity', carries_clocks = false, holder = null, leased_until = null,
        pulled_to = null, fence = fence + 1, blind_since = null
    where next_due < 'infinity' and not exists (
        select from unnest($1::text[], $2::text[]) as w (account, stream)
        where w.account = s.account and w.stream = s.stream
    )
"""
# A stream that has ended carries none: it is never read, nor waited for.
NEVER_WALKED = """
    update account a set first_walk_at = $2
    where name = any($1) and first_walk_at is null and not exists (
        select from stream s where s.account = a.name and s.carries_clocks
    )
"""
READ = "select name from account where retired_at is null"
RETIRE = "update account set retired_at = $2, down_since = null where name = any($1)"
RUNNING = """
    select distinct thread from clock where account = $1 and ended is null order by thread
"""
END_CLOCKS = """
    with silenced as (
        delete from alarm a using clock c
        where c.account = $1 and c.ended is null and a.clock = c.id
        returning a.clock, a.step
    ), ended as (
        update clock c
        set ended = 'void', reason = 'account_retired', stopped_at = $2,
            step = coalesce(s.step, c.step)
        from clock r left join silenced s on s.clock = r.id
        where r.account = $1 and r.ended is null and c.id = r.id
        returning c.id, c.metric, c.history, c.steps = '{}' as superseded
    ), entries as (
        insert into clock_entry (clock, at, what, before, after)
        select id, $2, 'ended', '{"ended": null}',
               '{"ended": "void", "reason": "account_retired"}'
        from ended
    )
    select id, metric, history, superseded from ended
"""


@dataclass(frozen=True, slots=True)
class Setup:
    """An account as the settings name it: what is read of it, and whose rate limit it shares."""

    account: Account
    streams: tuple[Stream, ...]
    budget: str


@dataclass(frozen=True, slots=True)
class Synced:
    """What the settings changed; *retired* says how many running clocks ended with an account."""

    added: frozenset[str] = frozenset()
    returned: frozenset[str] = frozenset()
    retired: Mapping[str, int] = field(default_factory=dict)


class Watched(NamedTuple):
    """Since when an account is monitored, and how the keys of its threads' buyers are made.

    *keys* is None where nobody has taken settings over yet (`sync`).
    """

    since: datetime
    keys: Keys | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands as a whole; *restored_at*: it was brought back from a dump then."""

    monitored_since: datetime
    first_walk_at: datetime | None
    down_since: datetime | None
    restored_at: datetime | None = None


async def sync(db: Db, setups: Sequence[Setup], now: datetime) -> Synced:
    """Make the rows of accounts and streams agree with the settings.

    An account that left them is retired: not read any more, and its running clocks end as void.
    When it returns it is monitored anew, from *now*. Rule: clock.md, section 7. Where nothing that
    carries clocks can be read, by pushes only, there is no first walk to wait for: it is over.
    """
    await db.execute(LOCK)
    await buyers.make_secret(db)
    known = {row["name"]: row["retired_at"] for row in await db.fetch(KNOWN)}
    names = {setup.account.name for setup in setups}
    returned = frozenset(name for name in names if known.get(name) is not None)
    await _put(db, setups, returned, now)
    gone = sorted(name for name, at in known.items() if at is None and name not in names)
    await db.execute(RETIRE, gone, now)
    retired = {name: await _end_clocks(db, name, now) for name in gone}
    return Synced(frozenset(names - known.keys()), returned, retired)


async def _put(db: Db, setups: Sequence[Setup], returned: frozenset[str], now: datetime) -> None:
    rows = [
        (a.name, a.connector, a.marketplace, budget, a.shop, a.seller, now)
        for a, budget in sorted(((s.account, s.budget) for s in setups), key=lambda s: s[0].name)
    ]
    await db.executemany(PUT, rows)
    await db.execute(RETURN, sorted(returned), now)
    streams = [(s.account.name, stream) for s in setups for stream in s.streams]
    streams.sort(key=lambda pair: (pair[0], pair[1].name))
    await db.executemany(
        PUT_STREAM,
        [(a, s.name, s.carries_clocks, s.ascending, s.every, s.floor, now) for a, s in streams],
    )
    await db.execute(END_STREAMS, [a for a, _ in streams], [s.name for _, s in streams])
    await db.execute(RETURN_STREAMS, sorted(returned))
    await db.execute(NEVER_WALKED, [row[0] for row in rows], now)


async def _end_clocks(db: Db, account: str, now: datetime) -> int:
    await threads.lock(db, account, [row["thread"] for row in await db.fetch(RUNNING, account)])
    ended = await db.fetch(END_CLOCKS, account, now)
    ids = [row["id"] for row in ended]
    await notices.drop(db, ids, "ended")
    await incidents.settle(db, ids, now)
    standing = [row for row in ended if not row["superseded"]]
    voided = Counter((account, r["metric"], "void") for r in standing if not r["history"])
    await tally.add(db, voided)
    return len(standing)


async def names(db: Db) -> frozenset[str]:
    """The accounts that are read."""
    return frozenset(row["name"] for row in await db.fetch(READ))


async def watched_since(db: Db, account: str, *, share: bool) -> datetime | None:
    """Since when *account* is monitored; None where it is not (any more), and nothing is stored.

    With *share* it cannot be retired before the transaction ends; a lease's fence does the same.
    """
    found = await watched(db, account, share=share)
    return None if found is None else found.since


async def watched(db: Db, account: str, *, share: bool) -> Watched | None:
    """As `watched_since`, with what else a page of *account* needs to know."""
    row = await db.fetchrow(SHARE if share else SINCE, account)
    return None if row is None else _watched(row)


async def all_watched(db: Db, names: Collection[str]) -> dict[str, Watched]:
    """Those of *names* that are monitored; none can be retired until the end."""
    return {row["name"]: _watched(row) for row in await db.fetch(SHARE_ALL, list(names))}


def _watched(row: Record) -> Watched:
    since, *group, secret = row
    return Watched(since, None if secret is None else Keys(secret, Group(*group)))


async def standing(db: Db, account: str) -> Standing | None:
    """How *account* stands; its row is locked. None where it is retired or unknown."""
    row = await db.fetchrow(STANDING, account)
    return None if row is None else Standing(*row)


async def set_down(db: Db, account: str, since: datetime | None) -> None:
    """Remember since when the key is refused, as is told now; None: it is accepted again."""
    await db.execute(SET_DOWN, account, since)


async def end_first_walk(db: Db, account: str, now: datetime) -> int:
    """Everything that carries clocks was read once; how many old threads still wait."""
    await db.execute(END_FIRST_WALK, account, now)
    return int(await db.fetchval(HISTORY, account))


async def outdate(db: Db, account: str, since: datetime) -> None:
    """Remember that what *account* was told since then is to be computed again."""
    await db.execute(OUTDATE, account, since)


async def outdated(db: Db) -> dict[str, datetime]:
    """The accounts of which something is to be computed again: what they were told since when."""
    return {row["name"]: row["outdated_since"] for row in await db.fetch(OUTDATED)}


async def up_to_date(db: Db, account: str, since: datetime) -> None:
    """What `outdated` said of *account* is done; anything older that came since stays to be."""
    await db.execute(UP_TO_DATE, account, since)
