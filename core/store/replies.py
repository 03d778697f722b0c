"""Replies written here: queued, leaving, and what became of them.

A reply is a message of its thread from the moment it leaves, under an id of our own; read back, it
is the marketplace's message. It leaves once: nothing here makes a reply that left leave again.
Leases and retries go by the database's clock.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from core import labels
from core.store import tally, wake
from core.told import ERASED, NAMES_ERASED
from sla.policy import Party
from sla.turn import Kind

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from asyncpg import Record

    from core.store import Db

State = Literal["queued", "sending", "accepted", "confirmed", "refused", "unknown", "undone"]
"""``undone``: taken back before it left; its text is its writer's."""

LEASE = timedelta(seconds=90)
FIRST_LOOK = timedelta(seconds=5)
"""How soon after a reply left its thread is read to find it; then ever more rarely."""
_TAKEN = ("accepted", "confirmed")

QUEUE = """
    insert into reply (account, thread, body, addressed_to, next_try_at, queued_at, written_by,
                       follow_up_at)
    values ($1, $2, $3, $4, now() + $6::interval, $5, $7, $8)
    returning id
"""
# One after another in a thread; a later one does not wait for one whose fate nobody knows, nor what
# a person wrote for what nobody did.
CLAIM = """
    with due as (
        select r.id from reply r
        where r.state = 'queued' and r.next_try_at <= now() and r.account = any($1)
          and not exists (
              select from reply o
              where o.account = r.account and o.thread = r.thread and o.id < r.id
                and o.state in ('queued', 'sending') and (r.automatic or not o.automatic)
          )
        order by r.next_try_at, r.id
        limit 1
        for update skip locked
    )
    update reply r
    set state = 'sending', attempts = r.attempts + 1, left_at = $2, message_id = 'reply:' || r.id,
        next_try_at = now() + $3::interval
    from due
    where r.id = due.id
    returning r.*
"""
LEAVE = """
    insert into message (account, id, thread, party, kind, addressed_to, delivery, origin, sent_at,
                         seen_at, body, hash)
    values ($1, $2, $3, 'seller', $7, $4, 'sending', 'ours', $5, $5, $6, '')
    on conflict (account, id) do update
    set delivery = excluded.delivery, sent_at = excluded.sent_at, seen_at = excluded.seen_at
"""
REQUEUE = """
    update reply set state = 'queued', next_try_at = now() + $2::interval, reason = $3
    where id = $1 and state = 'sending' and coalesce(reason, '') not in ('erased', 'names_erased')
    returning id
"""
KEPT_BACK = """
    select reason from reply
    where id = $1 and state = 'sending' and reason in ('erased', 'names_erased')
"""
SETTLE = """
    with was as (
        select id, state from reply
        where id = $1 and state in ('sending', 'unknown', 'accepted')
        for update
    )
    update reply r set state = $2, message_id = $3, reason = $4, settled_at = $5,
        next_try_at = now() + $6::interval
    from was where r.id = was.id
    returning was.state
"""
DELIVER = """
    update message set delivery = $3, sent_at = greatest(sent_at, $4),
        seen_at = greatest(seen_at, $4)
    where account = $1 and id = $2 and delivery in ('sending', 'unknown')
"""
IS_STORED = "select true from message where account = $1 and id = $2"
RENAME = "update message set id = $3 where account = $1 and id = $2"
REMOVE = "delete from message where account = $1 and id = $2 returning seen_at"
# What began after it had left, it does not answer, whatever it is dated there: it then counts from
# when it was here.
OWN = """
    update message m
    set origin = 'ours', thread = $3, seen_at = case
        when exists (
            select from given g
            where g.account = $1 and g.thread = $3 and g.kind = 'follow_up'
              and g.starts_at > $4 and g.starts_at <= m.sent_at
        ) then least(seen_at, $4) else seen_at end
    where account = $1 and id = $2
"""
HOME = "select thread from message where account = $1 and id = $2"
# What verdicts say of its message is said of the reply, whatever was settled before.
JUDGE = """
    with judged as (
        select r.id, r.state as was,
               coalesce(m.judged, case when m.silent then 'confirmed' end, m.delivery) as how
        from reply r join message m on m.account = r.account and m.id = r.message_id
        where r.account = $1 and r.message_id = any($2::text[])
          and r.state in ('unknown', 'accepted', 'confirmed', 'refused')
        order by r.id
        for update of r
    )
    update reply r set state = j.how, settled_at = $3, next_try_at = now() + $4::interval,
        reason = case when j.how = 'refused' then 'refused_later' end
    from judged j where r.id = j.id and r.state <> j.how
    returning j.was, r.state, r.automatic
"""
OF_MESSAGES = """
    select * from reply where account = $1 and message_id = any($2::text[]) order by id
"""
OF_THREAD = "select * from reply where account = $1 and thread = $2 order by id"
OF = "select * from reply where id = $1"
BODY = "select body from reply where id = $1 for update"


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply and what became of it.

    *message_id* is its message: our own id until the marketplace's is known. *reason* says why it
    was refused, or waits. *automatic*: it is an acknowledgement, with a *subject* of its own.
    *written_by* is the name of who wrote it, where that is known; *leaves_at* when it is to leave,
    while it is queued, by the database's clock; *follow_up_at* by when it promises another answer.
    """

    id: int
    account: str
    thread: str
    body: str
    to: frozenset[Party]
    state: State
    message_id: str | None
    attempts: int
    queued_at: datetime
    left_at: datetime | None
    settled_at: datetime | None
    reason: str | None
    automatic: bool = False
    subject: str | None = None
    written_by: str | None = None
    leaves_at: datetime | None = None
    follow_up_at: datetime | None = None

    @property
    def kind(self) -> Kind:
        """What its message is."""
        return Kind.AUTOMATIC if self.automatic else Kind.MESSAGE


async def queue(
    db: Db,
    account: str,
    thread: str,
    body: str,
    to: Collection[Party],
    now: datetime,
    *,
    hold: timedelta = timedelta(0),
    by: str | None = None,
    follow_up_at: datetime | None = None,
) -> int:
    """Queue a reply in a thread that is stored, and wake who sends it; its id.

    It leaves when *hold* is over, and not before. *by* is who wrote it.
    """
    parties = sorted(party.value for party in to)
    reply: int = await db.fetchval(
        QUEUE, account, thread, body, parties, now, hold, by, follow_up_at
    )
    await wake.send(db, "reply")
    return reply


async def claim(db: Db, accounts: Collection[str], now: datetime) -> Reply | None:
    """The next reply of *accounts* that is to leave; `sending` from now on, whatever happens."""
    row = await db.fetchrow(CLAIM, accounts, now, LEASE)
    return None if row is None else of_row(row)


async def leave(db: Db, reply: Reply, at: datetime) -> None:
    """Write the message of a claimed reply, so that its thread shows that it is leaving.

    *at* is the earliest instant at which it may count; the caller holds the thread.
    """
    to = sorted(party.value for party in reply.to)
    own, body, kind = reply.message_id, reply.body, reply.kind
    await db.execute(LEAVE, reply.account, own, reply.thread, to, at, body, kind)


async def requeue(db: Db, reply: Reply, wait: timedelta, reason: str) -> bool:
    """It was certainly not sent: try again after *wait*; not what `kept_back` tells of."""
    return await db.fetchval(REQUEUE, reply.id, wait, reason) is not None


async def kept_back(db: Db, reply: Reply) -> str | None:
    """Why what is leaving may not be sent again: it lost words with somebody who was erased."""
    why: str | None = await db.fetchval(KEPT_BACK, reply.id)
    return why


async def accept(db: Db, reply: Reply, message_id: str | None, now: datetime) -> bool:
    """The marketplace accepted it *now*, as *message_id* where it tells.

    The caller holds the thread.

    Returns:
        Whether it was open; if not, nothing changes.
    """
    own = _own(reply)
    if not await _settle(db, reply, "accepted", message_id or own, None, now):
        return False
    await db.execute(DELIVER, reply.account, own, "accepted", now)
    if message_id is not None:
        await _take_place(db, reply, message_id)
    return True


async def refuse(db: Db, reply: Reply, reason: str, now: datetime) -> bool:
    """The marketplace refused it: it was certainly not sent; the caller holds the thread."""
    if not await _settle(db, reply, "refused", _own(reply), reason, now):
        return False
    await db.execute(DELIVER, reply.account, _own(reply), "refused", reply.left_at)
    return True


async def threads_of(db: Db, reply: Reply, message_id: str | None) -> set[str]:
    """The threads that change where *reply* turns out to be the message *message_id*."""
    home = None if message_id is None else await db.fetchval(HOME, reply.account, message_id)
    return {reply.thread} if home is None else {reply.thread, home}


async def lose(db: Db, reply: Reply, message_id: str | None = None) -> bool:
    """Nobody knows whether it was sent, as *message_id* where that is known; the thread is held."""
    own = _own(reply)
    if not await _settle(db, reply, "unknown", message_id or own, None, None):
        return False
    await db.execute(DELIVER, reply.account, own, "unknown", reply.left_at)
    if message_id is not None:
        await _take_place(db, reply, message_id)
    return True


async def confirm(db: Db, reply: Reply, state: State, message_id: str, now: datetime) -> None:
    """Settle an open reply as `readback.find` says: the stored message takes our own's place."""
    await _settle(db, reply, state, message_id, None, now)
    if message_id != reply.message_id:
        await _take_place(db, reply, message_id)


async def judge(db: Db, account: str, messages: Collection[str], now: datetime) -> None:
    """Let the replies that are these messages be what was judged of them; threads held."""
    rows = await db.fetch(JUDGE, account, list(messages), now, FIRST_LOOK)
    written = [row for row in rows if not row["automatic"]]
    await _count(db, account, [became(row["was"], row["state"]) for row in written])


def became(was: State, state: State, reason: str | None = None) -> str | None:
    """What is to be counted of a reply that *was* something else: accepted, refused, or nothing.

    Accepted counts once, however far it gets then; what did not leave because somebody is to be
    erased was refused by nobody.
    """
    if state in _TAKEN and was not in {*_TAKEN, "refused"}:
        return labels.ACCEPTED
    is_refused = state == "refused" and was != "refused" and reason not in {ERASED, NAMES_ERASED}
    return labels.REFUSED if is_refused else None


async def of_messages(db: Db, account: str, messages: Collection[str]) -> list[Reply]:
    """The replies written here that are these messages."""
    return [of_row(row) for row in await db.fetch(OF_MESSAGES, account, list(messages))]


async def body(db: Db, reply: Reply) -> str:
    """The text of *reply* as it stands; nobody else changes it before the transaction ends."""
    text: str | None = await db.fetchval(BODY, reply.id)
    return text or ""


async def of_thread(db: Db, account: str, thread: str) -> list[Reply]:
    """Every reply that was written here in a thread, whatever became of it, oldest first."""
    return [of_row(row) for row in await db.fetch(OF_THREAD, account, thread)]


async def of(db: Db, reply: int) -> Reply | None:
    """One reply; None where there is none of this id."""
    row = await db.fetchrow(OF, reply)
    return None if row is None else of_row(row)


async def _settle(
    db: Db, reply: Reply, state: State, message_id: str, reason: str | None, at: datetime | None
) -> bool:
    was = await db.fetchval(SETTLE, reply.id, state, message_id, reason, at, FIRST_LOOK)
    if was is not None and not reply.automatic:
        await _count(db, reply.account, [became(was, state, reason)])
    return was is not None


async def _count(db: Db, account: str, words: Collection[str | None]) -> None:
    counts = Counter((account, labels.REPLY, word) for word in words if word is not None)
    await tally.add(db, counts)


async def _take_place(db: Db, reply: Reply, message_id: str) -> None:
    """Let the message *message_id* be this reply: our own row, or the one that was read before.

    That one may have been taken for a message of another thread.
    """
    if await db.fetchval(IS_STORED, reply.account, message_id):
        seen_at = await db.fetchval(REMOVE, reply.account, _own(reply))
        await db.execute(OWN, reply.account, message_id, reply.thread, seen_at)
    else:
        await db.execute(RENAME, reply.account, _own(reply), message_id)


def _own(reply: Reply) -> str:
    return f"reply:{reply.id}"


def of_row(row: Record) -> Reply:
    """The reply that is a whole row of the table."""
    return Reply(
        id=row["id"],
        account=row["account"],
        thread=row["thread"],
        body=row["body"],
        to=frozenset(Party(name) for name in row["addressed_to"]),
        state=row["state"],
        message_id=row["message_id"],
        attempts=row["attempts"],
        queued_at=row["queued_at"],
        left_at=row["left_at"],
        settled_at=row["settled_at"],
        reason=row["reason"],
        automatic=row["automatic"],
        subject=row["subject"],
        written_by=row["written_by"],
        leaves_at=row["next_try_at"] if row["state"] == "queued" else None,
        follow_up_at=row["follow_up_at"],
    )
