"""A thread as a person reads it: what is known of it, and its messages, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.model import Attachment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from asyncpg import Record

    from core.store import Db

PAGE = 50
"""Messages of a page: more than nearly every thread has."""
LONGEST = 50_000
"""Characters of a message that are read, unless the whole of it is asked for."""
LONGEST_WHOLE = 1_000_000
"""Characters that are read then: what its tags say is less. All of a longer one is a file."""

HEAD = """
    select t.account, t.id, t.kind, t.subject, t.buyer, t.order_ids, t.url, t.incomplete,
           t.closed_at, t.absent_since, t.erased_at, t.language_set, t.language_set_by,
           a.retired_at, s.read_at, s.blind_since,
           (select count(*) from message m where m.account = t.account and m.thread = t.id) as n
    from thread t
    left join account a on a.name = t.account
    left join lateral (
        select case when bool_and(s.seen_through is not null) then min(s.seen_through) end
                   as read_at, min(s.blind_since) as blind_since
        from stream s
        where s.account = t.account and s.carries_clocks and s.next_due < 'infinity'
    ) s on true
    where t.account = $1 and t.id = $2
"""
# The order of turns (`sla.turn.in_order`), from its end: at one instant a seller spoke first. Which
# messages are of the page is known before a body is touched.
MESSAGES = """
    with placed as materialized (
        select id, (case when sent_at is null or sent_at > seen_at or sent_at < '2000-01-01Z'
                         then seen_at else sent_at end,
                    coalesce(party_corrected, party) <> 'seller', id) as place
        from message where account = $1 and thread = $2
    ), page as (
        select id, place from placed
        where coalesce(place < (select place from placed where id = $3), true)
        order by place desc
        limit $4
    )
    select m.id, coalesce(m.party_corrected, m.party) as party,
           coalesce(m.kind_corrected, case when m.told_in is null then m.kind else 'message' end)
               as kind,
           coalesce(m.kind_corrected, m.kind) <> m.kind or coalesce(m.party_corrected, m.party)
               <> m.party as corrected,
           m.addressed_to, m.origin, m.level, m.sent_at, m.visible_at, m.seen_at,
           coalesce(m.judged, case when m.silent then 'confirmed' end, m.delivery) as delivery,
           m.language, m.subject, m.order_id, m.attachments, length(m.body) as length,
           left(m.body, case when m.id = $5 then $7::int else $6::int end) as body,
           r.id as reply, r.written_by, r.reason
    from page join message m on m.account = $1 and m.id = page.id
    left join lateral (
        select r.id, r.written_by, r.reason from reply r
        where r.account = m.account and r.message_id = m.id
        order by r.id desc limit 1
    ) r on m.origin = 'ours'
    order by page.place desc
"""
# A reply is a message from the moment it leaves.
WAITING = """
    select r.id, r.body, r.written_by, r.automatic, r.queued_at, r.reason, (
        select coalesce(jsonb_agg(jsonb_build_object(
            'id', f.number::text, 'name', f.name, 'size', length(f.content),
            'media_type', f.media_type) order by f.number), '[]')
        from reply_file f where f.reply = r.id
    ) as files
    from reply r where r.account = $1 and r.thread = $2 and r.state = 'queued'
    order by r.id desc
"""
TEXT = "select body from message where account = $1 and thread = $2 and id = $3"
FILE = """
    select f.name, f.content from reply_file f join reply r on r.id = f.reply
    where r.account = $1 and r.thread = $2 and r.id = $3 and f.number = $4 and f.url is null
      and (r.state <> 'undone' or r.written_by = $5)
"""


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a thread beside its messages, of which there are *n*.

    *read_at* is when its account was last read whole, None where it never was; *blind_since* since
    when we are blind there; *absent_since* since when the marketplace shows no such thread.
    *language_set* is its language where a person says it, and *language_set_by* who did last.
    """

    account: str
    id: str
    kind: str
    subject: str | None
    buyer: str
    order_ids: Sequence[str]
    url: str | None
    incomplete: bool
    closed_at: datetime | None
    absent_since: datetime | None
    erased_at: datetime | None
    language_set: str | None
    language_set_by: str | None
    retired_at: datetime | None
    read_at: datetime | None
    blind_since: datetime | None
    n: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message, *party* and *kind* as *corrected*; *body* is its begin, *length* the whole's.

    *reply* is the number of the reply written here that it is, *written_by* who wrote that, and
    *reason* why it was refused.
    """

    id: str
    party: str
    kind: str
    corrected: bool
    addressed_to: Sequence[str]
    origin: Literal["ours", "elsewhere"]
    level: str | None
    sent_at: datetime | None
    visible_at: datetime | None
    seen_at: datetime
    delivery: str | None
    language: str | None
    subject: str | None
    order_id: str | None
    attachments: tuple[Attachment, ...]
    length: int
    body: str
    reply: int | None
    written_by: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reply that has not left. *reason*: why it did not at its last try."""

    id: int
    body: str
    written_by: str | None
    automatic: bool
    queued_at: datetime
    reason: str | None
    files: tuple[Attachment, ...]


async def head(db: Db, account: str, thread: str) -> Head | None:
    """What is known of a thread; None where there is none."""
    row = await db.fetchrow(HEAD, account, thread)
    return None if row is None else Head(*row)


async def messages(
    db: Db, account: str, thread: str, *, before: str | None = None, whole: str | None = None
) -> tuple[list[Message], bool]:
    """The newest messages first, those older than *before*, `PAGE` at most; whether more follow.

    Of the message *whole* `LONGEST_WHOLE` characters are read, of others `LONGEST`.
    """
    rows = await db.fetch(
        MESSAGES, account, thread, before, PAGE + 1, whole, LONGEST, LONGEST_WHOLE
    )
    return [_message(row) for row in rows[:PAGE]], len(rows) > PAGE


async def waiting(db: Db, account: str, thread: str) -> list[Waiting]:
    """The replies that have not left yet, the last one first."""
    rows = await db.fetch(WAITING, account, thread)
    return [Waiting(**{**row, "files": _files(row["files"])}) for row in rows]


async def text(db: Db, account: str, thread: str, message: str) -> str | None:
    """All that a message says, as it came; None where there is none."""
    said: str | None = await db.fetchval(TEXT, account, thread, message)
    return said


async def file(
    db: Db, account: str, thread: str, reply: int, number: int, reader: str
) -> tuple[str, bytes] | None:
    """Name and bytes of a file that is to leave with a reply; None where we do not hold it.

    What was taken back, or never left, is its writer's alone.
    """
    row = await db.fetchrow(FILE, account, thread, reply, number, reader)
    return None if row is None else (row["name"], row["content"])


def _message(row: Record) -> Message:
    return Message(**{**row, "attachments": _files(row["attachments"])})


def _files(told: Sequence[Mapping[str, object]] | None) -> tuple[Attachment, ...]:
    return tuple(Attachment.model_validate(file) for file in told or ())
