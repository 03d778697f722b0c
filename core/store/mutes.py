"""Mutes: an account, or a route, of which nothing leaves until an instant. No clock stops for it.

A dispatch is held back when it would leave: its next try is then the end of the mute, and it leaves
together with all that was held with it, as one digest to each notifier. So the end needs nobody who
works at that moment. What was tried before keeps the key that its reader may know it by.

Whoever holds something back shares the lock of the mute, and whoever changes that waits: nothing is
held back by a mute that has just been lifted. The mute's row is locked before any dispatch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import keys
from core.model import NoticeKind
from core.told import Mute, Muted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from asyncpg import Record

    from core.store import Db
    from core.told import Dispatch, MuteScope

STANDING = """
    select id, scope, name, since, until, by, reason, ended_at from mute
    where ended_at is null and until > now()
    order by id
"""
SHARED = """
    select id, scope, name, since, until, by, reason, ended_at from mute
    where ended_at is null and until > now()
    order by id
    for share
"""
DUE = """
    select distinct n.account, n.kind, d.ways from dispatch d join notice n on n.id = d.notice
    where d.notifier = $1 and d.next_try_at <= now() and d.attempts = 0
      and d.sent_at is null and d.parked_reason is null and d.suppressed is null
"""
HOLD_DUE = """
    with mine as (
        select d.notice, held.mute, held.digest, held.until
        from unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[],
                    $7::timestamptz[]) as held (account, kind, ways, mute, digest, until)
        join notice n on n.account = held.account and n.kind = held.kind
        join dispatch d on d.notice = n.id
            and array_to_string(d.ways, ' ') is not distinct from nullif(held.ways, '')
        where d.notifier = $1 and d.next_try_at <= now() and d.attempts = 0
          and d.sent_at is null and d.parked_reason is null and d.suppressed is null
        order by d.notice
        for update of d skip locked
    )
    update dispatch d set muted_by = mine.mute, digest = mine.digest, next_try_at = mine.until
    from mine
    where d.notifier = $1 and d.notice = mine.notice
"""
# The end of the lease says whether the claim is still ours; it was no attempt. What was never tried
# leaves with the others of the mute, what was keeps its key.
HOLD_CLAIMED = """
    with mine as (
        select d.notice, held.mute, held.digest, held.until, d.attempts = 1 as fresh
        from unnest($2::bigint[], $3::timestamptz[], $4::bigint[], $5::text[], $6::timestamptz[])
            as held (notice, lease, mute, digest, until)
        join dispatch d on d.notice = held.notice and d.next_try_at = held.lease
        where d.notifier = $1
          and d.sent_at is null and d.parked_reason is null and d.suppressed is null
        order by d.notice
        for update of d
    )
    update dispatch d
    set muted_by = mine.mute, next_try_at = mine.until, attempts = attempts - 1,
        digest = case when mine.fresh then mine.digest else d.digest end
    from mine
    where d.notifier = $1 and d.notice = mine.notice
    returning d.notice
"""
LOCK = "select pg_advisory_xact_lock(hashtextextended('mute ' || $1::text || '/' || $2::text, 0))"
CLOSE = """
    update mute set ended_at = until
    where scope = $1 and name = $2 and ended_at is null and until <= now()
"""
BEFORE = """
    select until from mute where scope = $1 and name = $2 and ended_at is null
"""
PUT = """
    insert into mute (scope, name, until, by, reason) values ($1, $2, $3, $4, $5)
    on conflict (scope, name) where ended_at is null do update
    set until = excluded.until, by = excluded.by,
        reason = coalesce(excluded.reason, mute.reason)
    returning id, scope, name, since, until, by, reason, ended_at
"""
END = """
    update mute set ended_at = now()
    where scope = $1 and name = $2 and ended_at is null and until > now()
    returning id, scope, name, since, until, by, reason, ended_at
"""
# What was dropped meanwhile moves along: by its next try it is known as never claimed since.
MOVE = """
    with mine as (
        select notice, notifier from dispatch
        where muted_by = $1 and next_try_at = $2 and sent_at is null and parked_reason is null
        order by notice, notifier
        for update
    )
    update dispatch d set next_try_at = $3
    from mine
    where d.notice = mine.notice and d.notifier = mine.notifier
"""
RELEASE = """
    with mine as (
        select notice, notifier from dispatch
        where muted_by = $1 and next_try_at = $2
          and sent_at is null and parked_reason is null and suppressed is null
        order by notice, notifier
        for update
    ), freed as (
        update dispatch d set next_try_at = now()
        from mine
        where d.notice = mine.notice and d.notifier = mine.notifier
        returning d.notice
    )
    select count(*), pg_notify('replyby', 'deliver') from freed
"""
HELD = """
    select d.muted_by, d.notifier, count(*) as n from dispatch d join mute m on m.id = d.muted_by
    where m.ended_at is null and d.next_try_at = m.until
      and d.sent_at is null and d.parked_reason is null and d.suppressed is null
    group by d.muted_by, d.notifier
"""
BEGUN = """
    update mute set begun = true where not begun
    returning id, scope, name, since, until, by, reason, ended_at
"""
OVER = """
    update mute set over = true, ended_at = coalesce(ended_at, until)
    where not over and (ended_at is not null or until <= now())
    returning id, scope, name, since, until, by, reason, ended_at
"""
NEXT = "select min(until) from mute where ended_at is null"
DROPPED = """
    select d.notifier, d.suppressed, count(*) as n
    from unnest($2::text[], $3::text[]) as held (notifier, digest)
    join dispatch d on d.notifier = held.notifier and d.digest = held.digest
    join mute m on m.id = $1
    where d.suppressed is not null and d.next_try_at = m.until
    group by d.notifier, d.suppressed
"""
TOLD = """
    select m.id, m.scope, m.name, m.since, m.until, m.by, m.reason, m.ended_at,
           count(d.notice) as dropped, count(d.notice) filter (where n.kind = 'breach') as missed
    from unnest($2::bigint[], $3::text[]) as held (mute, digest)
    join mute m on m.id = held.mute
    left join dispatch d
        on d.notifier = $1 and d.digest = held.digest and d.suppressed is not null
    left join notice n on n.id = d.notice
    group by m.id
"""
PURGE = "delete from mute where over and ended_at < $1"

Key = tuple[str, NoticeKind, tuple[str, ...]]
"""The account and the kind of a notice, and the ways by which it came."""


async def standing(db: Db) -> list[Mute]:
    """The mutes that have not ended."""
    return [_mute(row) for row in await db.fetch(STANDING)]


async def shared(db: Db) -> list[Mute]:
    """As `standing`; none of them changes before the transaction ends."""
    return [_mute(row) for row in await db.fetch(SHARED)]


async def due(db: Db, notifier: str) -> list[Key]:
    """What is due for *notifier* and was never tried: account, kind and ways, each once."""
    rows = await db.fetch(DUE, notifier)
    return [(r["account"], NoticeKind(r["kind"]), tuple(r["ways"] or ())) for r in rows]


async def hold_due(db: Db, notifier: str, held: Mapping[Key, Mute]) -> None:
    """Hold back, by account, kind and ways, what is due for *notifier* and was never tried."""
    accounts = [account for account, _, _ in held]
    kinds = [kind.value for _, kind, _ in held]
    ways = [" ".join(each) for _, _, each in held]
    by = _columns(notifier, held.values())
    await db.execute(HOLD_DUE, notifier, accounts, kinds, ways, *by)


async def hold_claimed(
    db: Db, notifier: str, held: Sequence[tuple[Dispatch, Mute]]
) -> frozenset[int]:
    """Hold back what was just claimed for *notifier*; the notices of which that was done.

    Not what somebody has sent or claimed since. None of it may have been tried.
    """
    ids = [dispatch.notice.id for dispatch, _ in held]
    leases = [dispatch.next_try_at for dispatch, _ in held]
    by = _columns(notifier, (mute for _, mute in held))
    rows = await db.fetch(HOLD_CLAIMED, notifier, ids, leases, *by)
    return frozenset(row["notice"] for row in rows)


async def put(
    db: Db, scope: MuteScope, name: str, until: datetime, by: str, reason: str | None
) -> tuple[Mute, datetime | None]:
    """Mute, or move the end of a mute that stands; that, and its end before, None: it is new."""
    await db.execute(LOCK, scope, name)
    await db.execute(CLOSE, scope, name)
    before: datetime | None = await db.fetchval(BEFORE, scope, name)
    (row,) = await db.fetch(PUT, scope, name, until, by, reason)
    found = _mute(row)
    if before is not None:
        await db.execute(MOVE, found.id, before, until)
    return found, before


async def end(db: Db, scope: MuteScope, name: str) -> tuple[Mute, int] | None:
    """Lift a mute: what it held back is due, how many; None where there is none."""
    await db.execute(LOCK, scope, name)
    row = await db.fetchrow(END, scope, name)
    if row is None:
        return None
    mute = _mute(row)
    return mute, int(await db.fetchval(RELEASE, mute.id, mute.until))


async def held(db: Db) -> dict[int, dict[str, int]]:
    """How many dispatches each mute holds back, by notifier."""
    found: dict[int, dict[str, int]] = {}
    for row in await db.fetch(HELD):
        found.setdefault(row["muted_by"], {})[row["notifier"]] = row["n"]
    return found


async def begun(db: Db) -> list[Mute]:
    """Those that have begun and that no process has told of yet: whoever asks tells it."""
    return [_mute(row) for row in await db.fetch(BEGUN)]


async def over(db: Db) -> list[Mute]:
    """Those that have ended and that no process has told of yet: whoever asks tells it."""
    return [_mute(row) for row in await db.fetch(OVER)]


async def next_end(db: Db) -> datetime | None:
    """When the next one ends."""
    at: datetime | None = await db.fetchval(NEXT)
    return at


async def dropped(db: Db, mute: Mute, notifiers: Collection[str]) -> list[tuple[str, str, int]]:
    """What was held back and is no longer true, never claimed since: notifier, why, how many."""
    names = list(notifiers)
    rows = await db.fetch(DROPPED, mute.id, names, [keys.muted(name, mute.id) for name in names])
    return [(row["notifier"], row["suppressed"], row["n"]) for row in rows]


async def told(db: Db, notifier: str, mutes: Iterable[int]) -> dict[int, Muted]:
    """What is to be said to *notifier* of *mutes* that held something back."""
    ids = list(mutes)
    rows = await db.fetch(TOLD, notifier, ids, [keys.muted(notifier, one) for one in ids])
    return {row["id"]: Muted(_mute(row), row["dropped"], row["missed"]) for row in rows}


async def purge(db: Db, before: datetime) -> int:
    """Forget mutes that ended *before*; how many."""
    return int((await db.execute(PURGE, before)).split()[-1])


def _columns(notifier: str, mutes: Iterable[Mute]) -> tuple[list[object], ...]:
    by = list(mutes)
    return (
        [mute.id for mute in by],
        [keys.muted(notifier, mute.id) for mute in by],
        [mute.until for mute in by],
    )


def _mute(row: Record) -> Mute:
    return Mute(
        id=row["id"],
        scope=row["scope"],
        name=row["name"],
        since=row["since"],
        until=row["until"],
        by=row["by"],
        reason=row["reason"],
        ended_at=row["ended_at"],
    )
