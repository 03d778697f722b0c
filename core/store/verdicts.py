"""Verdicts: what became of sellers' messages as was told later, and what it has to be judged with.

Who judges an account holds it (`hold`), so that nothing it depends on is written meanwhile: after
the account and the stream, before any thread.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from core.model import Verdict
from core.store import held, threads
from sla.clock import Delivery, Kind, instant
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from asyncpg import Record

    from core.store import Db

HOLD = "select pg_advisory_xact_lock(hashtextextended('judge ' || $1::text, 0))"
OF = """
    select id, delivery, at, message_id, buyer, order_id, thread, body, is_copy, unclear, forgotten
    from verdict where account = $1 and id = any($2::text[])
"""
KEEP = """
    insert into verdict (account, id, delivery, at, message_id, buyer, order_id, thread, body,
                         is_copy, seen_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    on conflict (account, id) do update
    set delivery = excluded.delivery, at = excluded.at, message_id = excluded.message_id,
        buyer = excluded.buyer, order_id = excluded.order_id, thread = excluded.thread,
        body = excluded.body, is_copy = excluded.is_copy
    where not verdict.forgotten
"""
FIND_BY = """
    insert into about (account, what, thread)
    select $1, w.what, w.thread from unnest($2::text[], $3::text[]) as w (what, thread)
    on conflict do nothing
"""
BACK, AHEAD = timedelta(hours=2), timedelta(minutes=10)
"""A name alone finds what left so long before and so long after: as far as judging looks."""

# As `sla.turn.instant`, and as the index message_left has it.
_LEFT_AT = """
    (case when m.sent_at between '2000-01-01 00:00:00+00' and m.seen_at then m.sent_at
          else m.seen_at end)
"""
_NAMELESS = "coalesce(v.message_id, v.thread, v.order_id, v.buyer) is null"
_NAMES = "a.what like 'name:%' and strpos(v.body, substr(a.what, 6)) > 0"
# To and fro between threads and what is said of them, until nothing more is found: all that is
# judged together. A verdict finds by order and by buyer alone what it means by both: the same
# whichever came first. By a name it finds only what left at about its time: however many have it.
NEAR = f"""
    with recursive near (what, id) as (
        select 'thread', id from unnest($2::text[]) as id
        union
        select 'verdict', id from verdict
        where account = $1 and not forgotten
          and (id = any($3::text[]) or message_id = any($3::text[]))
        union
        select 'verdict', v.id from unnest($4::text[], $5::timestamptz[]) as w (thread, at)
        join verdict v on v.account = $1 and {_NAMELESS} and not v.forgotten
          and v.at between w.at - $7::interval and w.at + $6::interval
        join about a on a.account = $1 and a.thread = w.thread and {_NAMES}
        union
        select f.what, f.id from near n cross join lateral (
            select 'verdict' as what, v.id from verdict v
            where n.what = 'thread' and v.account = $1 and v.thread = n.id and not v.forgotten
            union all
            select 'verdict', v.id from about a
            join verdict v on v.account = $1 and v.order_id = substr(a.what, 7) and not v.forgotten
            where n.what = 'thread' and a.account = $1 and a.thread = n.id
              and a.what like 'order:%'
            union all
            select 'verdict', v.id from about a
            join verdict v on v.account = $1 and v.buyer = substr(a.what, 7) and not v.forgotten
            where n.what = 'thread' and a.account = $1 and a.thread = n.id
              and a.what like 'buyer:%'
            union all
            select 'verdict', v.id from message m
            join verdict v on v.account = $1 and {_NAMELESS} and not v.forgotten
              and v.at between {_LEFT_AT} - $7::interval and {_LEFT_AT} + $6::interval
            join about a on a.account = $1 and a.thread = n.id and {_NAMES}
            where n.what = 'thread' and m.account = $1 and m.thread = n.id
              and coalesce(m.party_corrected, m.party) = 'seller'
            union all
            select 'verdict', v.id from message m
            join verdict v on v.account = $1 and v.message_id = m.id and not v.forgotten
            where n.what = 'thread' and m.account = $1 and m.thread = n.id
              and m.party = 'seller'
            union all
            select 'verdict', v.id from message m
            join verdict v on v.account = $1 and v.id = m.id and not v.forgotten
            where n.what = 'thread' and m.account = $1 and m.thread = n.id
            union all
            select 'thread', f.id from verdict v
            cross join lateral (
                select t.id from thread t where t.account = $1 and t.id = v.thread
                union all
                select a.thread from about a
                where a.account = $1 and a.what in ('order:' || v.order_id, 'buyer:' || v.buyer)
                union all
                select m.thread from message m
                join about a on a.account = $1 and a.thread = m.thread and {_NAMES}
                where {_NAMELESS} and m.account = $1
                  and coalesce(m.party_corrected, m.party) = 'seller'
                  and {_LEFT_AT} between v.at - $6::interval and v.at + $7::interval
                union all
                select unnest(array[m.thread, m.told_in]) from message m
                where m.account = $1 and m.id in (v.message_id, v.id)
            ) f
            where n.what = 'verdict' and v.account = $1 and v.id = n.id and f.id is not null
        ) f
    )
    select what, id from near
"""  # noqa: S608  # put together of the words above alone
LEFT = """
    select m.id, m.thread, coalesce(m.party_corrected, m.party) as party,
           coalesce(m.kind_corrected, m.kind) as kind, m.sent_at, m.seen_at, m.addressed_to,
           m.delivery, m.judged, m.told_in, m.order_id,
           case when m.party = 'seller' then m.body else '' end as body,
           t.buyer, t.reply_to ->> 'buyer' as key, t.order_ids
    from message m join thread t on t.account = m.account and t.id = m.thread
    where m.account = $1 and m.thread = any($2::text[])
"""
JUDGE = "update message set judged = $3 where account = $1 and id = $2"
MOVE = "update message set thread = $3, told_in = $4 where account = $1 and id = $2"
MARK = "update verdict set unclear = $3 where account = $1 and id = any($2::text[])"
# Silence is no more than what was read of it: to the last complete walk of all that carries clocks.
HEAR = """
    with heard as (
        select least($3, coalesce(min(coalesce(seen_through, '-infinity')), '-infinity'))
               - $2::interval as until
        from stream where account = $1 and carries_clocks
    ), quiet as (
        select id from message
        where account = $1 and delivery = 'accepted' and silent is null
          and judged is null and kind in ('message', 'automatic')
          and sent_at <= (select until from heard)
        order by id
        for no key update skip locked
    ), marked as (
        update message m set silent = true from quiet where m.account = $1 and m.id = quiet.id
        returning m.id
    ), written as (
        select r.id from reply r join marked on r.message_id = marked.id
        where r.account = $1 and r.state = 'accepted'
        order by r.id
        for no key update of r skip locked
    ), settled as (
        update reply r set state = 'confirmed', settled_at = $3
        from written where r.id = written.id
    )
    select count(*) from marked
"""
# Everything that these verdicts meant, wherever it stands.
TAKE_OVER = """
    update message set delivery = coalesce(judged, delivery), judged = null,
        kind = case when told_in is null then kind else 'message' end,
        addressed_to = case when told_in is null then addressed_to else '{buyer}' end,
        told_in = null
    where account = $1 and thread = any($2::text[]) and coalesce(judged, told_in) is not null
"""
FORGET = """
    update verdict set body = '', buyer = null, forgotten = true
    where account = $1 and id = any($2::text[])
"""
OLD = """
    select account, id from verdict where not forgotten and seen_at < $1
    order by account, id
"""
YOUNG = """
    select exists (
        select from verdict where account = $1 and id = any($2::text[]) and seen_at >= $3
    )
"""
FORGET_ABOUT = "delete from about where account = $1 and thread = any($2::text[])"


class Kept(NamedTuple):
    """A stored verdict; *forgotten* when its words are erased."""

    verdict: Verdict
    unclear: bool
    forgotten: bool


class Near(NamedTuple):
    """The ids of *threads* and *verdicts* that are judged together."""

    threads: frozenset[str]
    verdicts: frozenset[str]


class Told(NamedTuple):
    """A message as it was told, with what verdicts made of it and what is known of its thread.

    *thread* is where it stands, *told_in* where an answer given elsewhere was told.
    """

    id: str
    thread: str
    party: Party
    kind: Kind
    sent_at: datetime | None
    seen_at: datetime
    to: frozenset[Party]
    delivery: Delivery | None
    judged: Delivery | None
    told_in: str | None
    order_id: str | None
    body: str
    buyer: str
    key: str | None
    order_ids: tuple[str, ...]

    @property
    def at(self) -> datetime:
        """When it counts as written."""
        return instant(self)

    @property
    def level(self) -> None:
        """No mark: `sla.clock.Turn` asks."""


async def hold(db: Db, account: str) -> None:
    """Let nobody else judge *account*, or write what is judged there, before we are done."""
    await db.execute(HOLD, account)


async def of(db: Db, account: str, ids: Collection[str]) -> dict[str, Kept]:
    """The stored ones of *ids*."""
    rows = await db.fetch(OF, account, list(ids))
    return {row["id"]: _kept(row) for row in rows}


async def keep(db: Db, account: str, verdicts: Iterable[Verdict], now: datetime) -> None:
    """Write *verdicts*, folded; one that is told otherwise than before counts as it is told now."""
    rows = [
        (account, v.id, v.delivery, held(v.at), v.message_id, v.buyer, v.order_id, v.thread, v.text,
         v.is_copy, now)
        for v in sorted(verdicts, key=lambda one: one.id)
    ]  # fmt: skip
    await db.executemany(KEEP, rows)


async def find_by(db: Db, account: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Let verdicts find threads: *pairs* of words (see the table `about`) and a thread."""
    rows = sorted(set(pairs))
    if rows:
        await db.execute(FIND_BY, account, [what for what, _ in rows], [to for _, to in rows])


async def near(
    db: Db,
    account: str,
    ids: Collection[str],
    named: Collection[str] = (),
    leaving: Collection[tuple[str, datetime]] = (),
) -> Near:
    """All that is stored of threads and verdicts that are judged together with the threads *ids*.

    And with what is *named*: verdicts, and messages that are not stored yet, which one may mean;
    *leaving* are the threads and instants of those of the seller.
    """
    homes, instants = [thread for thread, _ in leaving], [at for _, at in leaving]
    rows = await db.fetch(NEAR, account, list(ids), list(named), homes, instants, BACK, AHEAD)
    found = [(row["what"], row["id"]) for row in rows]
    return Near(
        frozenset(id_ for what, id_ in found if what == "thread"),
        frozenset(id_ for what, id_ in found if what == "verdict"),
    )


async def told(db: Db, account: str, ids: Collection[str]) -> list[Told]:
    """Every message of the threads *ids*, in no order; of the seller's alone with its text."""
    return [_told(row) for row in await db.fetch(LEFT, account, list(ids))]


async def judge(db: Db, account: str, deliveries: Iterable[tuple[str, Delivery | None]]) -> None:
    """Write how far messages got; None where nothing is said of them (any more)."""
    await db.executemany(JUDGE, [(account, *each) for each in sorted(deliveries)])


async def move(db: Db, account: str, moves: Iterable[tuple[str, str, str | None]]) -> None:
    """Let copies stand in a thread, as answers told in another, or None: as they were told."""
    await db.executemany(MOVE, [(account, *each) for each in sorted(moves)])


async def mark_unclear(db: Db, account: str, ids: Collection[str], *, unclear: bool) -> None:
    """Remember of which verdicts a person was told."""
    await db.execute(MARK, account, sorted(ids), unclear)


async def hear(db: Db, account: str, grace: timedelta, now: datetime) -> int:
    """Let what was accepted count as confirmed where *grace* later nothing was read against it.

    Also the replies written here. What another transaction holds has its turn the next time.

    Returns:
        How many messages.
    """
    heard: int = await db.fetchval(HEAR, account, grace, now)
    return heard


async def forget(db: Db, account: str, ids: Collection[str]) -> None:
    """Erase the words of whatever was said of the threads *ids*; what it meant stays.

    Before any thread is locked: all that these verdicts mean is, here.
    """
    await hold(db, account)
    await _forget(db, account, await near(db, account, ids))
    await db.execute(FORGET_ABOUT, account, list(ids))


async def forget_named(db: Db, account: str, ids: Collection[str]) -> None:
    """Erase the words of these verdicts, and of all that is judged with them.

    What they meant stays. The caller holds no thread.
    """
    await hold(db, account)
    await _forget(db, account, await near(db, account, (), ids))


async def old(db: Db, before: datetime) -> list[tuple[str, str]]:
    """The accounts and ids of verdicts that were read before then and whose words are kept."""
    return [(row["account"], row["id"]) for row in await db.fetch(OLD, before)]


async def fade(db: Db, account: str, id_: str, before: datetime) -> int:
    """Erase the words of a verdict and of all that is judged with it, where all were read by then.

    What they meant stays. Where one is younger, all wait for it. The caller holds no thread.

    Returns:
        How many verdicts.
    """
    await hold(db, account)
    together = await near(db, account, (), [id_])
    if await db.fetchval(YOUNG, account, list(together.verdicts), before):
        return 0
    await _forget(db, account, together)
    return len(together.verdicts)


async def _forget(db: Db, account: str, together: Near) -> None:
    await threads.lock(db, account, sorted(together.threads))
    await db.execute(TAKE_OVER, account, sorted(together.threads))
    await db.execute(FORGET, account, sorted(together.verdicts))


def _kept(row: Record) -> Kept:
    verdict = Verdict(
        id=row["id"],
        delivery=Delivery(row["delivery"]),
        at=row["at"],
        message_id=row["message_id"],
        buyer=row["buyer"],
        order_id=row["order_id"],
        thread=row["thread"],
        text=row["body"],
        is_copy=row["is_copy"],
    )
    return Kept(verdict, row["unclear"], row["forgotten"])


def _told(row: Record) -> Told:
    delivery, judged = row["delivery"], row["judged"]
    return Told(
        id=row["id"],
        thread=row["thread"],
        party=Party(row["party"]),
        kind=Kind(row["kind"]),
        sent_at=row["sent_at"],
        seen_at=row["seen_at"],
        to=frozenset(map(Party, row["addressed_to"])),
        delivery=None if delivery is None else Delivery(delivery),
        judged=None if judged is None else Delivery(judged),
        told_in=row["told_in"],
        order_id=row["order_id"],
        body=row["body"],
        buyer=row["buyer"],
        key=row["key"],
        order_ids=tuple(row["order_ids"]),
    )
