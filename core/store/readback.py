"""Which stored message of its thread a reply is that left."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Record

    from core.store import Db
    from core.store.replies import Reply, State

STANDS = """
    select r.*, coalesce(m.judged, case when m.silent then 'confirmed' end, m.delivery) as delivery
    from reply r
    left join message m on m.account = r.account and m.id = r.message_id
    where r.id = $1 and r.state in ('unknown', 'accepted')
    for update of r
"""
SELLERS = """
    select m.id, m.body, case when octet_length(r.body) <= $4 then r.body end as raw,
           coalesce(m.judged, case when m.silent then 'confirmed' end, m.delivery) as delivery
    from message m
    left join raw_message r on r.account = m.account and r.id = m.id
    where m.account = $1 and m.thread = $2 and m.party = 'seller' and m.kind = $5
      and m.origin = 'elsewhere' and m.seen_at >= $3 and m.sent_at >= $3 - interval '10 minutes'
    order by m.sent_at, m.id
"""
MOST_RAW = 100_000
"""Bytes of what a marketplace sent that are compared with a reply: no letter with its files."""


async def find(db: Db, reply: Reply) -> tuple[State, str] | None:
    """What the stored thread shows of an open reply: how far it got, as which message.

    None while it shows nothing new. The reply is locked; the caller holds the thread.
    """
    row = await db.fetchrow(STANDS, reply.id)
    if row is None:
        return None
    how: State | None = row["delivery"]
    if how in {"confirmed", "refused"} or (how == "accepted" and row["state"] == "unknown"):
        return how, row["message_id"]
    rows = await _theirs(db, reply)
    bodies = [(each["id"], each["body"]) for each in rows]
    message = which(row["body"], bodies) or _as_sent(row["body"], rows)
    if message is None:
        return None
    return next(each["delivery"] for each in rows if each["id"] == message), message


async def theirs(db: Db, reply: Reply) -> list[tuple[str, str]]:
    """The messages (id, body) of which one may be *reply*."""
    return [(row["id"], row["body"]) for row in await _theirs(db, reply)]


def which(ours: str, theirs: list[tuple[str, str]]) -> str | None:
    """The message (id, body) of *theirs* that is *ours*; None where none is.

    A marketplace may fold white space and add lines of its own to a longer text.
    """
    text = " ".join(ours.split())
    folded = [(message, " ".join(body.split())) for message, body in theirs]
    same = [message for message, body in folded if body == text]
    within = [message for message, body in folded if len(text) >= 20 and text in body]
    return next(iter((*same, *within)), None)


def _as_sent(ours: str, rows: Sequence[Record]) -> str | None:
    """The message that was told just as *ours* was written, though a person is shown it otherwise.

    Who writes ``<b>`` himself is taken for HTML.
    """
    text = " ".join(ours.split())
    told = [(row["id"], row["raw"].decode(errors="replace")) for row in rows if row["raw"]]
    return next((message for message, raw in told if " ".join(raw.split()) == text), None)


async def _theirs(db: Db, reply: Reply) -> list[Record]:
    rows: list[Record] = await db.fetch(
        SELLERS, reply.account, reply.thread, reply.left_at, MOST_RAW, reply.kind
    )
    return rows
