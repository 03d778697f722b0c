"""Threads and messages of a buyer who is erased: what tells of them goes, turns and dates stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.model import Attachment
from core.store import readings

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta

    from core.store import Db

MARK = bytes(8)
"""With which the hash of a message begins that lost a name."""

# Of each id by itself: of many at once the planner knows too little, and would read the table.
OWNED = """
    select w.id as member, t.account, t.id as thread, t.buyer
    from unnest($2::text[]) as w (id)
    cross join lateral (
        select account, id, buyer from thread
        where lower(buyer) = w.id and buyer <> '' and account = any($1::text[])
        offset 0
    ) t
"""
# From now on they count as known, and come back by no page.
BURY_THREADS = """
    insert into tombstone (account, source_id, reason, at)
    select $1, id, 'erased', $3 from message where account = $1 and thread = any($2::text[])
    on conflict (account, source_id) do nothing
"""
BURY = """
    insert into tombstone (account, source_id, reason, at)
    select $1, id, 'erased', $3 from unnest($2::text[]) as id
    on conflict (account, source_id) do nothing
"""
LINKS = """
    delete from link l using message m
    where l.account = $1 and m.account = $1 and m.id = l.message and m.thread = any($2::text[])
"""
RAW = """
    delete from raw_message r using message m
    where r.account = $1 and m.account = $1 and m.id = r.id and m.thread = any($2::text[])
"""
MESSAGES = """
    update message
    set subject = null, body = '', attachments = null, language = null, hash = ''
    where account = $1 and thread = any($2::text[])
"""
FILES = """
    delete from reply_file f using reply r
    where f.reply = r.id and r.account = $1 and r.thread = any($2::text[])
"""
# What has not left does not leave any more, and what is just leaving not a second time; nobody can
# find there what has.
REPLIES = """
    update reply
    set body = '',
        state = case when state = 'queued' then 'refused' else state end,
        reason = case when state in ('queued', 'sending') then 'erased' else reason end,
        settled_at = case when state = 'queued' then $3 else settled_at end,
        next_try_at = case when state in ('unknown', 'accepted') then 'infinity'
                           else next_try_at end
    where account = $1 and thread = any($2::text[])
"""
# What was tried before, and waited for its next try.
SENDING = """
    update message m set delivery = 'refused'
    from reply r
    where r.account = $1 and r.thread = any($2::text[]) and r.state = 'refused'
      and m.account = $1 and m.id = 'reply:' || r.id and m.delivery = 'sending'
"""
THREADS = """
    update thread set subject = null, buyer = '', url = null, reply_to = '{}', keys = null,
        erased_at = $3
    where account = $1 and id = any($2::text[])
"""

# Of messages and threads of other people: what was left when a name was taken out of them.
LEFT = """
    select id, subject, body, attachments from message
    where account = $1 and id = any($2::text[]) and substring(hash from 1 for $4) = $3
"""
HEADLINES_LEFT = """
    select id, subject, url from thread
    where account = $1 and id = any($2::text[])
      and (strpos(subject, '[erased]') > 0 or strpos(url, '[erased]') > 0)
"""

RETURNED = """
    select distinct t.id from thread t join message m on m.account = t.account and m.thread = t.id
    where t.account = $1 and t.id = any($2::text[])
      and m.party = 'buyer' and m.sent_at > t.erased_at + $3::interval
"""


class Words(NamedTuple):
    """What is left of a message that named a member who was erased."""

    subject: str | None
    body: str
    attachments: tuple[Attachment, ...]


class Headline(NamedTuple):
    """What is left of what a thread is called, where that named a member who was erased."""

    subject: str | None
    url: str | None


def marked(digest: bytes) -> bytes:
    """The hash of a message out of which a name was taken: one that nothing else has."""
    return MARK + digest[len(MARK) :].rjust(len(MARK), b"\0")


async def left(db: Db, account: str, messages: Collection[str]) -> dict[str, Words]:
    """What is left of those of *messages* out of which a name was taken: it stays, for good."""
    rows = await db.fetch(LEFT, account, list(messages), MARK, len(MARK))
    return {
        id_: Words(subject, body, tuple(Attachment(**file) for file in files or ()))
        for id_, subject, body, files in rows
    }


async def headlines_left(db: Db, account: str, threads: Collection[str]) -> dict[str, Headline]:
    """As `left`, of what *threads* are called."""
    rows = await db.fetch(HEADLINES_LEFT, account, list(threads))
    return {id_: Headline(subject, url) for id_, subject, url in rows}


async def owned(
    db: Db, accounts: Collection[str], ids: Collection[str]
) -> list[tuple[str, str, str, str]]:
    """Threads whose buyer is, but for some letters' cases, one of *ids*.

    By (id, account, thread, buyer); ids in small letters.
    """
    return [tuple(row) for row in await db.fetch(OWNED, list(accounts), list(ids))]


async def empty(db: Db, account: str, threads: Collection[str], now: datetime) -> None:
    """Empty *threads* of an erased buyer, which the caller has locked; turns and dates stay."""
    ids = list(threads)
    await db.execute(BURY_THREADS, account, ids, now)
    await db.execute(LINKS, account, ids)
    await db.execute(RAW, account, ids)
    await db.execute(MESSAGES, account, ids)
    await db.execute(FILES, account, ids)
    await db.execute(REPLIES, account, ids, now)
    await db.execute(SENDING, account, ids)
    await readings.forget(db, account, ids)
    await db.execute(THREADS, account, ids, now)


async def bury(db: Db, account: str, messages: Collection[str], now: datetime) -> None:
    """Let no page tell these messages again."""
    if messages:
        await db.execute(BURY, account, list(messages), now)


async def returned(
    db: Db, account: str, threads: Collection[str], slack: timedelta
) -> frozenset[str]:
    """Those of *threads* in which a buyer wrote more than *slack* after they were erased."""
    rows = await db.fetch(RETURNED, account, list(threads), slack)
    return frozenset(row["id"] for row in rows)
