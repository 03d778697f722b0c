"""What goes when its time is over: texts of threads, what marketplaces sent, what was set aside.

Clocks and dates stay. A thread is over when nothing of it waits: no clock runs and no reply of ours
is unsettled. Its time counts from the newest message. What is emptied does not come back by being
read again unchanged; what is edited there does, and goes again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.store import readings, threads
from core.store.erased import FILES, LINKS, RAW

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.store import Db

# A text's length is known without its being read, wherever it lies.
CHUNK = """
    with walked as materialized (
        select id, subject, as_of, reply_to, buyer from thread
        where account = $1 and id > $2
        order by id limit $3
    )
    select w.id,
           (coalesce(m.holds, false) or w.subject is not null or w.buyer <> ''
            or w.reply_to <> '{}')
           and coalesce(m.newest, w.as_of) < $4
           and not exists (
               select from clock c where c.account = $1 and c.thread = w.id and c.ended is null
           )
           and not exists (
               select from reply r
               where r.account = $1 and r.thread = w.id
                 and r.state in ('queued', 'sending', 'unknown')
           ) as is_over
    from walked w
    left join lateral (
        select max(greatest(sent_at, seen_at)) as newest,
               bool_or(octet_length(body) > 0 or subject is not null or attachments is not null)
                   as holds
        from message where account = $1 and thread = w.id
    ) m on true
    order by w.id
"""
STILL = """
    select t.id from unnest($2::text[]) as t (id)
    where not exists (
            select from message m
            where m.account = $1 and m.thread = t.id and greatest(m.sent_at, m.seen_at) >= $3
        )
        and not exists (
            select from clock c where c.account = $1 and c.thread = t.id and c.ended is null
        )
        and not exists (
            select from reply r
            where r.account = $1 and r.thread = t.id
              and r.state in ('queued', 'sending', 'unknown')
        )
"""
# The hash stays: by it the same message is known when it is read again.
MESSAGES = """
    update message set subject = null, body = '', attachments = null, language = null
    where account = $1 and thread = any($2::text[])
      and (octet_length(body) > 0 or subject is not null or attachments is not null)
"""
REPLIES = """
    update reply set body = '', subject = null
    where account = $1 and thread = any($2::text[]) and octet_length(body) > 0
"""
THREADS = """
    update thread set subject = null, buyer = '', reply_to = '{}', keys = null
    where account = $1 and id = any($2::text[])
"""
# What is younger than the youngest cutoff is found by the index alone.
PURGE_RAW = """
    delete from raw_message r using account a
    left join unnest($2::text[], $3::timestamptz[]) as w (connector, before)
        on w.connector = a.connector
    where a.name = r.account and r.seen_at < coalesce(w.before, $1) and r.seen_at < $4
"""
PURGE_ASIDE = """
    delete from set_aside s using account a
    left join unnest($2::text[], $3::timestamptz[]) as w (connector, before)
        on w.connector = a.connector
    where a.name = s.account and s.at < coalesce(w.before, $1)
"""
# By code points, as the walk compares.
ACCOUNTS = 'select name, connector from account order by name collate "C"'


class Cutoffs(NamedTuple):
    """What is older than *default* goes; of *connectors* what is older than each one's *before*."""

    default: datetime
    connectors: tuple[str, ...] = ()
    before: tuple[datetime, ...] = ()


class Chunk(NamedTuple):
    """Threads of an account that were looked at: those that are *over*, and the *last* by id.

    *last* is None where there are no more.
    """

    over: list[str]
    last: str | None


async def chunk(db: Db, account: str, after: str, before: datetime, limit: int) -> Chunk:
    """The next threads by id, and which of them hold texts and were over *before* then."""
    rows = await db.fetch(CHUNK, account, after, limit, before)
    return Chunk([r["id"] for r in rows if r["is_over"]], rows[-1]["id"] if rows else None)


async def empty(db: Db, account: str, over: Collection[str], before: datetime) -> int:
    """Empty those of *over* that still are, before then; how many threads.

    Each is held meanwhile: what a page brings is told apart from what was here.
    """
    await threads.lock(db, account, over)
    ids = [row["id"] for row in await db.fetch(STILL, account, list(over), before)]
    if ids:
        for sql in (LINKS, RAW, MESSAGES, FILES, REPLIES, THREADS):
            await db.execute(sql, account, ids)
        await readings.forget(db, account, ids)
    return len(ids)


async def purge_raw(db: Db, before: Cutoffs) -> int:
    """Remove what marketplaces sent and was seen *before* then; how many."""
    youngest = max((before.default, *before.before))
    return int((await db.execute(PURGE_RAW, *before, youngest)).split()[-1])


async def purge_aside(db: Db, before: Cutoffs) -> int:
    """Remove what was set aside *before* then, and that nobody looked after; how many."""
    return int((await db.execute(PURGE_ASIDE, *before)).split()[-1])


async def accounts(db: Db) -> list[tuple[str, str]]:
    """All accounts that ever were, with their connectors."""
    return [(name, connector) for name, connector in await db.fetch(ACCOUNTS)]
