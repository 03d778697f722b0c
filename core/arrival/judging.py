"""Verdicts as they are stored, and what they come to: judged anew with whatever arrives.

What belongs together is judged together, all of it: whatever came first, the rows are the same.
Who writes here holds the account's judging (`store.verdicts.hold`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.arrival import aside
from core.arrival.verdicts import Deed, Left, Place, folded, judge
from core.model import SetAside
from core.store import Raced, accounts, deeds, messages, replies, setaside, threads, verdicts
from sla.clock import Delivery, Kind, instant
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from core.arrival.news import News
    from core.arrival.verdicts import Judged
    from core.model import Verdict
    from core.rules import Rules
    from core.store import Db
    from core.store.threads import Locked
    from core.store.verdicts import Kept, Near, Told

ANSWERED = "answered"
"""How the ids begin of what a person says was answered elsewhere, followed by a colon."""

JUDGED = "verdicts"
"""The name under which is set aside what no verdict can mean by itself."""

LONGEST = 100
"""So many letters of a name are looked for: an index holds no endless ones."""

ANSWERS = frozenset({Kind.MESSAGE, Kind.ANSWERED_ELSEWHERE})
_REFUSAL = "unclear: which of our messages it refuses; see the thread, and answer again if need be"
_COPY = "unclear: of which thread it is an answer; say there when it was answered"


@dataclass(frozen=True, slots=True)
class Settled:
    """*threads* are those of which a turn changed, *refused* the messages refused just now."""

    threads: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()


async def reach(db: Db, account: str, found: News, now: datetime) -> frozenset[str]:
    """Keep the verdicts of *found*; the threads that are judged with it, before they are locked."""
    if found.verdicts:
        await verdicts.keep(db, account, found.verdicts, now)
    words = [(what, thread) for what, thread in _words(found) if len(what) <= 3 * LONGEST]
    await verdicts.find_by(db, account, words)
    named, leaving = _named(found, found.new), _leaving(found, now)
    return (await verdicts.near(db, account, found.touched, named, leaving)).threads


async def settle_page(
    db: Db, rules: Rules, account: str, found: News, locked: Collection[str], now: datetime
) -> Settled:
    """Judge what *found* has brought, and all that belongs together with it.

    Raises:
        Raced: that is more than was *locked*.
    """
    near = await verdicts.near(db, account, found.touched, _named(found))
    if not near.threads <= frozenset(locked):
        raise Raced
    return await settle(db, rules, account, near, now)


async def lock(db: Db, rules: Rules, account: str, ids: Collection[str]) -> dict[str, Locked]:
    """Lock the threads *ids*, and all that is judged with them; those that exist.

    The caller holds the account, and no thread.
    """
    if is_judged(rules, account):
        await verdicts.hold(db, account)
        ids = (await verdicts.near(db, account, ids)).threads.union(ids)
    return await threads.lock(db, account, ids)


async def settle(db: Db, rules: Rules, account: str, near: Near, now: datetime) -> Settled:
    """Write what the verdicts *near* come to for its threads, all of them locked."""
    rows = await verdicts.told(db, account, near.threads)
    if not near.verdicts and not any(row.judged or row.told_in for row in rows):
        return Settled()
    kept = await verdicts.of(db, account, near.verdicts)
    those = [one.verdict for one in kept.values()]
    found = judge(
        those, *_case(rows, {one.message_id for one in those}), await _deeds(db, account, those)
    )
    moves = list(_moves(rows, kept, found))
    deliveries = {
        row.id: found.deliveries.get(row.id)
        for row in rows
        if row.party is Party.SELLER and row.judged is not found.deliveries.get(row.id)
    }
    await _write(db, account, moves, deliveries, now)
    await _tell(db, rules, account, kept, found, {row.id for row in rows}, now)
    changed = {row.thread for row in rows if row.id in deliveries}
    moved = {place for _, *places in moves for place in places if place is not None}
    left = {row.thread for row in rows if any(row.id == id_ for id_, *_ in moves)}
    refused = (id_ for id_, how in deliveries.items() if how is Delivery.REFUSED)
    return Settled(frozenset(changed | moved | left), frozenset(refused))


def is_judged(rules: Rules, account: str) -> bool:
    """Whether the marketplace of *account* says later what became of a reply."""
    found = rules.accounts.get(account)
    return found is not None and found.judged


async def _deeds(db: Db, account: str, those: Iterable[Verdict]) -> list[Deed]:
    """What was begun about the orders of copies: whatever became of it, it may have been told."""
    orders = {one.order_id for one in those if one.is_copy and one.order_id is not None}
    begun = await deeds.begun(db, account, orders) if orders else []
    return [Deed(order, at) for order, at in begun]


def _named(found: News, new: Iterable[str] = ()) -> list[str]:
    return [*new, *(verdict.id for verdict in found.verdicts)]


def _leaving(found: News, now: datetime) -> list[tuple[str, datetime]]:
    """The threads of the seller's messages that are about to be stored, and when each left."""
    told = [message for _, _, _, message in (*found.new.values(), *found.changed.values())]
    return [
        (one.thread, instant(messages.turn(one, now))) for one in told if one.party is Party.SELLER
    ]


def _words(found: News) -> Iterator[tuple[str, str]]:
    """By which words verdicts find the threads of *found*; the beginning of a name will do."""
    for thread in (*found.opened, *found.restated):
        for order in thread.order_ids:
            yield f"order:{order}", thread.id
        if (key := thread.reply_to.get("buyer")) is not None:
            yield f"buyer:{key}", thread.id
        if name := folded(thread.buyer)[:LONGEST]:
            yield f"name:{name}", thread.id
    for _, _, _, message in (*found.new.values(), *found.changed.values()):
        if message.order_id is not None:
            yield f"order:{message.order_id}", message.thread


def _case(rows: Sequence[Told], named: Collection[str | None]) -> tuple[list[Left], list[Place]]:
    """What left for buyers, and where they asked: as it was told, whatever was judged before.

    What nobody wrote is meant only where it is *named* by its id: a report on it is known then.
    """
    told = [row for row in rows if row.told_in is None]
    orders: dict[str, set[str]] = defaultdict(set)
    for row in told:
        orders[row.thread].update(row.order_ids, {row.order_id} if row.order_id else ())
    asked: dict[str, Told] = {}
    for row in sorted(told, key=lambda one: (one.at, one.id), reverse=True):
        if row.party is Party.BUYER and row.kind is Kind.MESSAGE:
            asked[row.thread] = row
    left = [
        Left(row.id, row.thread, row.at, row.delivery, row.body, row.buyer, row.key,
             tuple(sorted(orders[row.thread])), row.id.startswith(f"{ANSWERED}:"))
        for row in told if _has_left(row, named)
    ]  # fmt: skip
    places = [
        Place(thread, row.at, row.buyer, row.key, tuple(sorted(orders[thread])))
        for thread, row in asked.items()
    ]
    return left, places


def _has_left(row: Told, named: Collection[str | None]) -> bool:
    to_a_buyer = row.party is Party.SELLER and Party.BUYER in row.to
    may_be_meant = row.kind in ANSWERS or (row.kind is Kind.AUTOMATIC and row.id in named)
    return to_a_buyer and may_be_meant and row.delivery is not Delivery.SENDING


def _moves(
    rows: Iterable[Told], kept: Mapping[str, Kept], found: Judged
) -> Iterator[tuple[str, str, str | None]]:
    """Copies that now stand elsewhere, or where they were told again: id, thread, told in."""
    for row in rows:
        if row.id not in kept:
            continue
        home, to = row.told_in or row.thread, found.elsewhere.get(row.id)
        is_there = row.told_in is not None and row.thread == to
        if to is not None and not is_there:
            yield row.id, to, home
        elif to is None and row.told_in is not None:
            yield row.id, home, None


async def _write(
    db: Db,
    account: str,
    moves: Sequence[tuple[str, str, str | None]],
    deliveries: Mapping[str, Delivery | None],
    now: datetime,
) -> None:
    if moves:
        await verdicts.move(db, account, moves)
    if deliveries:
        await verdicts.judge(db, account, deliveries.items())
        await replies.judge(db, account, deliveries, now)


async def _tell(
    db: Db,
    rules: Rules,
    account: str,
    kept: Mapping[str, Kept],
    found: Judged,
    known: Collection[str],
    now: datetime,
) -> None:
    """Set aside what has become unclear, so that a person is told; take back what is clear."""
    nowhere = {id_ for id_ in found.elsewhere if id_ not in known}
    unclear = (found.unclear | nowhere) & kept.keys()
    before = {id_ for id_, one in kept.items() if one.unclear}
    fresh, clear = sorted(unclear - before), sorted(before - unclear)
    if fresh:
        await verdicts.mark_unclear(db, account, fresh, unclear=True)
        since = await accounts.watched_since(db, account, share=False)
        items = [_aside(kept[id_], since) for id_ in fresh]
        await aside.keep(db, rules, account, JUDGED, items, now)
    if clear:
        await verdicts.mark_unclear(db, account, clear, unclear=False)
        await setaside.settle(db, account, JUDGED, clear)


def _aside(one: Kept, since: datetime | None) -> SetAside:
    """That a person is to look, without a word of it: its message is in the thread.

    Of what was said before the account was watched, much is not to be found: nobody is woken.
    """
    refuses = one.verdict.delivery is Delivery.REFUSED
    told = f"message {one.verdict.id}, thread {one.verdict.thread}, order {one.verdict.order_id}"
    reason, raw = _REFUSAL if refuses else _COPY, told.encode("utf-8", "replace")
    return SetAside(one.verdict.id, reason, raw, quiet=since is None or one.verdict.at < since)
